"""The stream path: its tables, its function with the models, how it reads, what it may do."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from infra.app import build_stacks, make_app
from infra.config import STAGES, StreamPathConfig, load_stage
from infra.errors import ConfigError, MissingSourceError
from infra.packaging import stage_function


def tables(assembly):
    return {
        name.removesuffix(name[-8:]): resource["Properties"]
        for name, resource in assembly.resources("stream", "AWS::DynamoDB::Table").items()
    }


def of_enricher(full, type_, beginning="TextEnricher"):
    """The properties of its one resource of a type; the stack holds the sender's too."""
    (found,) = (
        resource["Properties"]
        for name, resource in full.resources("stream", type_).items()
        if name.startswith(beginning)
    )
    return found


def keys(schema):
    return [key["AttributeName"] for key in schema]


def test_both_tables_are_on_demand_recoverable_and_under_our_key(assembly):
    found = tables(assembly)
    replies = {"RepliesTable"} if load_stage(assembly.stage).replies.enabled else set()
    assert set(found) == {"ScoresTable", "TicketsTable"} | replies
    for table in found.values():
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["SSESpecification"]["SSEType"] == "KMS"
        assert "LakeKey" in json.dumps(table["SSESpecification"]["KMSMasterKeyId"])
        retained = {"dev": False, "prod": True, "full": True}[assembly.stage]
        assert table["DeletionProtectionEnabled"] is retained


def test_scores_expire_and_are_listed_by_tracker_and_thread(assembly):
    scores = tables(assembly)["ScoresTable"]
    assert keys(scores["KeySchema"]) == ["event_id", "tracker"]
    assert scores["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert {
        index["IndexName"]: keys(index["KeySchema"]) for index in scores["GlobalSecondaryIndexes"]
    } == {"by_tracker": ["tracker", "arrived"], "by_thread": ["thread_id", "arrived"]}


def test_tickets_stay_and_are_listed_by_state_and_queue(assembly):
    tickets = tables(assembly)["TicketsTable"]
    assert keys(tickets["KeySchema"]) == ["pk"]
    assert "TimeToLiveSpecification" not in tickets
    assert {
        index["IndexName"]: keys(index["KeySchema"]) for index in tickets["GlobalSecondaryIndexes"]
    } == {
        "by_state": ["state", "opened_at"],
        "by_queue": ["queue", "opened_at"],
        "by_change": ["change_shard", "updated_at"],
    }


def test_the_function_brings_its_models_and_a_layer_for_them(full):
    properties = of_enricher(full, "AWS::Lambda::Function")
    assert properties["Handler"] == "lambdas.text_enricher.handler.handler"
    assert (properties["Runtime"], properties["Architectures"]) == ("python3.12", ["arm64"])
    assert len(properties["Layers"]) == 2
    assert (properties["MemorySize"], properties["Timeout"]) == (1769, 120)
    assert properties["LoggingConfig"]["LogGroup"]["Ref"] in full.resources(
        "stream", "AWS::Logs::LogGroup"
    )
    assert set(properties["Environment"]["Variables"]) == {
        "SCORES_TABLE",
        "TICKETS_TABLE",
        "PSEUDONYM_SECRET_ARN",
        "MAX_EVENT_FUTURE_HOURS",
        "SCORE_DAYS",
        "OUTBOX_URL",
        "REPLIES_MODE",
        "REPLIES_TABLE",
        "POWERTOOLS_SERVICE_NAME",
        "POWERTOOLS_METRICS_NAMESPACE",
        "LOG_LEVEL",
    }
    folder = full.folder / f"asset.{properties['Code']['S3Key'].removesuffix('.zip')}"
    for file in (
        "models/encoder/encoder.json",
        "models/encoder/model.onnx",
        "models/complaint_reason",
    ):
        assert (folder / file).exists(), file
    assert (folder / "voxlake/tickets/queues.yaml").is_file()
    # Zipped a Lambda function holds 50 MB when it is uploaded, 250 MB with its layers unpacked.
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert size < 60 * 1024 * 1024


def test_a_model_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingSourceError, match="expected the folder sagemaker/models/nothing"):
        stage_function("text_enricher", tmp_path / "staged", models=["nothing"])


def test_its_mapping_is_its_own_and_gives_up_like_the_consumers(full):
    mapping = of_enricher(full, "AWS::Lambda::EventSourceMapping", "Mapping")
    of_consumer = full.only("ingest", "AWS::Lambda::EventSourceMapping")
    own = {"EventSourceArn", "FunctionName", "BatchSize", "MaximumBatchingWindowInSeconds"}
    # Its stack reads the stream's and the bucket's names from other stacks' exports.
    own |= {"DestinationConfig"}
    assert {name: mapping[name] for name in mapping if name not in own} == {
        name: of_consumer[name] for name in of_consumer if name not in own
    }
    assert (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"]) == (100, 0)
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert "ZonesLanding" in json.dumps(mapping["DestinationConfig"])


def test_the_function_writes_scores_and_tickets_and_reads_nothing_back(full):
    granted = {}
    for statement in of_enricher(full, "AWS::IAM::Policy")["PolicyDocument"]["Statement"]:
        actions = statement["Action"]
        name = tuple(sorted(actions)) if isinstance(actions, list) else (actions,)
        granted[name] = json.dumps(statement["Resource"])
    assert set(granted) == {
        ("logs:CreateLogStream", "logs:PutLogEvents"),
        ("dynamodb:BatchWriteItem",),
        ("dynamodb:PutItem",),
        ("sqs:SendMessage",),
        ("secretsmanager:GetSecretValue",),
        ("kms:Decrypt", "kms:GenerateDataKey"),
        (
            "kinesis:DescribeStream",
            "kinesis:DescribeStreamSummary",
            "kinesis:GetRecords",
            "kinesis:GetShardIterator",
            "kinesis:ListShards",
        ),
        ("s3:GetBucketLocation", "s3:ListBucket"),
        ("s3:AbortMultipartUpload", "s3:PutObject"),
    }
    assert "ScoresTable" in granted["dynamodb:BatchWriteItem",]
    assert "TicketsTable" in granted["dynamodb:PutItem",]
    assert "RepliesTable" in granted["dynamodb:PutItem",]
    assert "RepliesOutbox" in granted["sqs:SendMessage",]
    assert "aws/lambda/*" in granted["s3:AbortMultipartUpload", "s3:PutObject"]


def test_its_alarms_tell_the_topic(full):
    alarms = full.resources("alarms", "AWS::CloudWatch::Alarm")
    (topic,) = full.resources("alarms", "AWS::SNS::Topic")
    found = {
        name[:-8]: resource["Properties"] for name, resource in alarms.items() if "Enricher" in name
    }
    assert set(found) == {
        "StreamPathEnricherErrors",
        "StreamPathEnricherIteratorAge",
        "LoggedErrorsTextEnricherAlarm",
    }
    assert all(one["AlarmActions"] == [{"Ref": topic}] for one in found.values())


def test_a_stage_may_do_without(tmp_path):
    config = replace(load_stage("dev"), stream_path=StreamPathConfig(enabled=False))
    app = make_app(stage="dev", out=tmp_path / "cdk.out", bundle=False)
    build_stacks(app, config, tmp_path / "staging")
    folder = Path(app.synth().directory)
    assert not (folder / "voxlake-dev-stream.template.json").exists()
    assert "Enricher" not in (folder / "voxlake-dev-alarms.template.json").read_text()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0: expected 1 to 1000"),
        ({"memory_mib": 128}, "memory_mib is 128: expected 512 to 10240"),
        ({"score_days": 0}, "score_days is 0: expected 1 to 365"),
    ],
)
def test_a_wrong_setting_is_refused_with_name_value_and_limit(setting, message):
    with pytest.raises(ConfigError, match=message):
        StreamPathConfig(**setting)


def test_it_is_on_in_every_stage():
    assert all(load_stage(stage).stream_path.enabled for stage in STAGES)
