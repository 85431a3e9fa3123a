"""Replies: outbox, dead letters, the sender behind them, and what a mode brings."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from infra.app import build_stacks, make_app
from infra.config import STAGES, RepliesConfig, load_stage
from infra.errors import ConfigError


def of(resources, ending):
    (found,) = (r["Properties"] for name, r in resources.items() if name[:-8].endswith(ending))
    return found


def test_both_queues_are_fifo_under_our_key_for_fourteen_days_and_tls_only(full):
    queues = full.resources("stream", "AWS::SQS::Queue")
    for ending in ("RepliesOutbox", "RepliesDeadLetters"):
        queue = of(queues, ending)
        assert (queue["FifoQueue"], queue["MessageRetentionPeriod"]) == (True, 14 * 86_400)
        assert "LakeKey" in json.dumps(queue["KmsMasterKeyId"])
    assert of(queues, "RepliesOutbox")["RedrivePolicy"]["maxReceiveCount"] == 8
    policies = full.resources("stream", "AWS::SQS::QueuePolicy").values()
    denied = [p["Properties"]["PolicyDocument"]["Statement"][0]["Condition"] for p in policies]
    assert denied == [{"Bool": {"aws:SecureTransport": "false"}}] * 2


def test_a_message_is_hidden_for_longer_than_its_sender_lives(full):
    """Else a second sender would take it up while the first may still post."""
    hidden = of(full.resources("stream", "AWS::SQS::Queue"), "RepliesOutbox")["VisibilityTimeout"]
    timeout = of(full.resources("stream", "AWS::Lambda::Function"), "ReplySenderFunction")
    assert hidden == 6 * timeout["Timeout"]


def test_the_mapping_reads_as_the_stage_says_and_asks_for_failures(full):
    mapping = of(full.resources("stream", "AWS::Lambda::EventSourceMapping"), "RepliesMapping")
    assert mapping["BatchSize"] == load_stage("full").replies.batch_size
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert "RepliesOutbox" in json.dumps(mapping["EventSourceArn"])


def test_the_table_forgets_limits_and_is_recoverable(full):
    table = of(full.resources("stream", "AWS::DynamoDB::Table"), "RepliesTable")
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]


def test_the_http_api_may_ask_for_replies(full):
    environment = of(full.resources("api", "AWS::Lambda::Function"), "WebApiFunction")
    assert environment["Environment"]["Variables"]["REPLIES_MODE"] == "dry_run"
    assert "RepliesOutbox" in json.dumps(environment["Environment"]["Variables"]["OUTBOX_URL"])


def test_replies_are_off_but_on_the_laptop_where_nothing_leaves():
    assert {stage: load_stage(stage).replies.mode for stage in STAGES} == {
        "dev": "off",
        "prod": "off",
        "full": "dry_run",
    }


def test_off_there_is_no_outbox_and_live_there_are_keys(tmp_path):
    def stream_of(name, **replies):
        config = replace(load_stage("dev"), replies=RepliesConfig(**replies))
        app = make_app(stage="dev", out=tmp_path / name, bundle=False)
        build_stacks(app, config, tmp_path / f"{name}-staging")
        folder = Path(app.synth().directory)
        return json.loads((folder / "voxlake-dev-stream.template.json").read_text())

    off = json.dumps(stream_of("off")["Resources"])
    assert not [word for word in ("SQS", "OUTBOX_URL", "ReplySender") if word in off]
    live = stream_of("live", mode="live", account_id="99")
    assert live["Outputs"]["XPostingSecretArn"]
    resources = live["Resources"].items()
    (secret,) = (name for name, r in resources if r["Type"] == "AWS::SecretsManager::Secret")
    (policy,) = (r for name, r in resources if name.startswith("RepliesReplySenderRoleDefault"))
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    assert {"Ref": secret} in [
        s["Resource"] for s in statements if s["Action"] == "secretsmanager:GetSecretValue"
    ]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"mode": "on"}, "mode is 'on': expected one of off, dry_run, live"),
        ({"mode": "live"}, "account_id is '': expected the id of the account that posts"),
        ({"account_id": "@us"}, "account_id is '@us': expected digits"),
        ({"sources": ()}, "number of sources is 0: expected 1 to 10"),
        ({"min_confidence": 2}, "min_confidence is 2: expected 0.0 to 1.0"),
        ({"settle_seconds": 5}, "settle_seconds is 5: expected 30 to 900"),
        ({"batch_size": 5}, "timeout_seconds is 60: expected 150 to 900"),
    ],
)
def test_a_wrong_setting_is_refused_with_name_value_and_limit(setting, message):
    with pytest.raises(ConfigError, match=message):
        RepliesConfig(**setting)
