"""Sources: off by default, keys that somebody has to put there, no right too many."""

import json
from dataclasses import replace

import pytest

from infra.app import build_stacks, make_app
from infra.config import SourcesConfig, load_stage
from infra.errors import ConfigError

SERVICES = {"source_youtube": "YoutubeKey", "source_x": "XKey"}


def test_schedules_are_off_in_every_stage(assembly):
    rules = assembly.resources("sources", "AWS::Events::Rule").values()
    assert [
        (rule["Properties"]["State"], rule["Properties"]["ScheduleExpression"]) for rule in rules
    ] == [("DISABLED", "rate(15 minutes)")] * 2


def test_keys_are_created_without_a_value(assembly):
    secrets = assembly.resources("sources", "AWS::SecretsManager::Secret").values()
    assert [set(secret["Properties"]) for secret in secrets] == [{"Description", "KmsKeyId"}] * 2


def test_the_table_is_on_demand_recoverable_and_under_our_key(assembly):
    table = assembly.only("sources", "AWS::DynamoDB::Table")
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"]["SSEType"] == "KMS"
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_source_puts_records_keeps_its_cursor_and_reads_its_own_key_only(full, service):
    construct = service.title().replace("_", "")
    (policy,) = (
        resource["Properties"]["PolicyDocument"]["Statement"]
        for name, resource in full.resources("sources", "AWS::IAM::Policy").items()
        if name.startswith(f"{construct}Role")
    )
    granted = {
        tuple(s["Action"]) if isinstance(s["Action"], list) else (s["Action"],): json.dumps(
            s["Resource"]
        )
        for s in policy
    }
    assert set(granted) == {
        ("logs:CreateLogStream", "logs:PutLogEvents"),
        ("kinesis:PutRecords",),
        ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"),
        ("secretsmanager:GetSecretValue",),
        ("kms:Decrypt", "kms:GenerateDataKey"),
    }
    assert f'"{SERVICES[service]}Secret' in granted["secretsmanager:GetSecretValue",]
    assert '"FollowedTable' in granted["dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"]
    assert "EventsStream" in granted["kinesis:PutRecords",]


def test_functions_call_the_real_apis_unless_told_otherwise(assembly):
    found = {}
    for function in assembly.resources("sources", "AWS::Lambda::Function").values():
        variables = function["Properties"]["Environment"]["Variables"]
        found |= {name: value for name, value in variables.items() if name.endswith("_API_URL")}
    assert found == {
        "YOUTUBE_API_URL": "https://www.googleapis.com/youtube/v3",
        "X_API_URL": "https://api.x.com",
    }


def test_what_the_configuration_turns_on_reaches_rules_and_functions(tmp_path):
    sources = SourcesConfig(
        youtube_enabled=True,
        youtube_videos=("dQw4w9WgXcQ", "aaaaaaaaaaa"),
        youtube_daily_units=500,
        youtube_schedule_minutes=60,
        x_trackers=("united", "delta"),
        x_daily_posts=50,
    )
    app = make_app(stage="dev", out=tmp_path / "cdk.out", bundle=False)
    build_stacks(app, replace(load_stage("dev"), sources=sources), tmp_path / "staging")
    app.synth()
    template = json.loads((tmp_path / "cdk.out/voxlake-dev-sources.template.json").read_text())
    resources = [(r["Type"], r["Properties"]) for r in template["Resources"].values()]
    rules = {
        (r["State"], r["ScheduleExpression"]) for t, r in resources if t == "AWS::Events::Rule"
    }
    assert rules == {("ENABLED", "rate(1 hour)"), ("DISABLED", "rate(15 minutes)")}
    variables = {}
    for type_, properties in resources:
        if type_ == "AWS::Lambda::Function":
            variables |= properties["Environment"]["Variables"]
    wanted = {
        "YOUTUBE_VIDEOS": "dQw4w9WgXcQ,aaaaaaaaaaa",
        "YOUTUBE_DAILY_UNITS": "500",
        "X_TRACKERS": "united,delta",
        "X_DAILY_POSTS": "50",
    }
    assert {name: variables[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            {"youtube_videos": ("https://youtu.be/dQw4w9WgXcQ",)},
            "youtube_videos is 'https://youtu.be/dQw4w9WgXcQ': expected a video's id",
        ),
        ({"youtube_daily_units": 0}, "youtube_daily_units is 0: expected 1 to 100000000"),
        ({"youtube_schedule_minutes": 5}, "youtube_schedule_minutes is 5: expected 6 to 1440"),
        ({"x_api_url": "api.x.com"}, "x_api_url is 'api.x.com': expected a URL without a query"),
        ({"x_trackers": ("nobody",)}, "x_trackers has 'nobody': expected ids of trackers.yaml"),
    ],
)
def test_a_wrong_setting_is_refused_with_name_value_and_limit(setting, message):
    with pytest.raises(ConfigError) as error:
        SourcesConfig(**setting)
    assert str(error.value).startswith(message)
