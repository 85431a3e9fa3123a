"""The consumer against S3 and DynamoDB in moto, and when they fail."""

from __future__ import annotations

import json

import boto3
import orjson
import pytest
from botocore.exceptions import ClientError

from lambdas.common.settings import SettingsError, read_settings
from lambdas.stream_consumer import handler as consumer
from lambdas.stream_consumer.adapters import Writer, connect
from lambdas.stream_consumer.settings import Settings
from tests.unit.lambdas.conftest import LANDING, LEDGER
from tests.unit.lambdas.kit import event

ENVIRONMENT = {"LANDING_BUCKET": LANDING, "LEDGER_TABLE": LEDGER}
SETTINGS = read_settings(Settings, ENVIRONMENT)


@pytest.fixture
def batch(kinesis_record):
    return {
        "Records": [
            kinesis_record(10, event(1)),
            kinesis_record(11, event(2, "comment")),
            kinesis_record(12, b"{"),
            kinesis_record(13, event(3)),
        ]
    }


def ledger_items():
    found = boto3.resource("dynamodb").Table(LEDGER).scan()["Items"]
    return {
        (item["kind"], item["first"], item["last"], int(item["records"]), item["state"])
        for item in found
    }


def landing_bodies():
    client = boto3.client("s3")
    keys = [one["Key"] for one in client.list_objects_v2(Bucket=LANDING).get("Contents", ())]
    return {key: client.get_object(Bucket=LANDING, Key=key)["Body"].read() for key in keys}


EMPTY = {"batchItemFailures": []}
LANDED = {
    ("post", "10", "13", 2, "pending"),
    ("comment", "11", "11", 1, "pending"),
    ("quarantine", "12", "12", 1, "pending"),
}


def test_a_batch_is_landed_recorded_and_counted(cloud, batch, monkeypatch, capsys):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    consumer._application.cache_clear()
    try:
        answer = consumer.handler(batch, None)
    finally:
        consumer._application.cache_clear()

    assert answer == EMPTY
    assert sorted(landing_bodies()) == [
        f"{kind}/ingest_date=2026-02-24/ingest_hour=12/shardId-000000000000-{stretch}.json.gz"
        for kind, stretch in (("comment", "11-11"), ("post", "10-13"), ("quarantine", "12-12"))
    ]
    assert ledger_items() == LANDED
    emf = next(
        json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line
    )
    assert {
        name: emf[name]
        for name in (
            "RecordsReceived",
            "RecordsLanded",
            "RecordsQuarantined",
            "landed_by_type",
            "quarantined_by_reason",
        )
    } == {
        "RecordsReceived": [4.0],
        "RecordsLanded": [3.0],
        "RecordsQuarantined": [1.0],
        "landed_by_type": {"post": 2, "comment": 1},
        "quarantined_by_reason": {"not_json": 1},
    }
    assert emf["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "voxlake"


def test_a_redelivered_batch_changes_nothing_even_when_processed_meanwhile(cloud, batch):
    writer = connect(LANDING, LEDGER, threads=2)
    consumer.consume(batch, SETTINGS, writer)
    before = landing_bodies()
    table = boto3.resource("dynamodb").Table(LEDGER)
    for item in table.scan()["Items"]:
        table.update_item(
            Key={"pk": item["pk"], "sk": item["sk"]},
            UpdateExpression="SET #state = :done REMOVE pending_shard",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={":done": "done"},
        )

    assert consumer.consume(batch, SETTINGS, writer) == EMPTY
    assert landing_bodies() == before
    assert {state for *_, state in ledger_items()} == {"done"}
    assert table.scan(IndexName="pending")["Items"] == []


class Failing:
    """Store and ledger in memory that fail for some kinds."""

    def __init__(self, *, objects: set[str] = frozenset(), items: set[str] = frozenset()):
        self.bad_objects, self.bad_items = objects, items
        self.bodies: dict[str, bytes] = {}
        self.items: dict[str, dict] = {}

    def put(self, key: str, body: bytes) -> None:
        if key.partition("/")[0] in self.bad_objects:
            raise ClientError({"Error": {"Code": "SlowDown", "Message": "slow"}}, "PutObject")
        self.bodies[key] = body

    def record(self, item: dict) -> None:
        if item["kind"] in self.bad_items:
            raise ClientError(
                {"Error": {"Code": "ThrottlingException", "Message": "slow"}}, "PutItem"
            )
        assert item["key"] in self.bodies
        self.items[item["key"]] = item


def test_a_failed_tail_is_retried_from_its_first_record(batch):
    failing = Failing(items={"comment"})
    answer = consumer.consume(batch, SETTINGS, Writer(failing, failing, threads=2))
    consumer.metrics.clear_metrics()

    assert answer == {"batchItemFailures": [{"itemIdentifier": "11"}]}
    failing.bad_items = frozenset()
    tail = {"Records": batch["Records"][1:]}
    assert consumer.consume(tail, SETTINGS, Writer(failing, failing, threads=2)) == EMPTY
    consumer.metrics.clear_metrics()
    # The tail's post is in an object of its own by now: redelivered, which its range tells.
    assert {(item["kind"], item["first"], item["last"]) for item in failing.items.values()} == {
        ("post", "10", "13"),
        ("post", "13", "13"),
        ("comment", "11", "11"),
        ("quarantine", "12", "12"),
    }


def test_what_counts_after_a_failed_tail_is_each_record_once(batch, capsys):
    failing = Failing(objects={"quarantine"})
    received = []
    for records in (batch["Records"], batch["Records"][2:]):
        consumer.consume({"Records": records}, SETTINGS, Writer(failing, failing, threads=2))
        received.append(dict(consumer.metrics.metric_set))
        consumer.metrics.clear_metrics()
        failing.bad_objects = frozenset()
    assert [
        {name: metric["Value"] for name, metric in counted.items()} for counted in received
    ] == [
        {"RecordsReceived": [2.0], "RecordsLanded": [2.0], "RecordsQuarantined": [0.0]},
        {"RecordsReceived": [2.0], "RecordsLanded": [1.0], "RecordsQuarantined": [1.0]},
    ]


def test_a_failed_head_fails_the_whole_batch(batch):
    failing = Failing(objects={"post"})
    writer = Writer(failing, failing, threads=2)
    with pytest.raises(consumer.LandingWriteError) as raised:
        consumer.consume(batch, SETTINGS, writer)
    assert "expected 3 landing objects to be written and recorded, 1 were not" in str(raised.value)
    assert "SlowDown" in str(raised.value)


def test_no_item_without_its_object(batch):
    failing = Failing(objects={"post", "comment", "quarantine"})
    with pytest.raises(consumer.LandingWriteError):
        consumer.consume(batch, SETTINGS, Writer(failing, failing, threads=2))
    assert failing.items == {}


def test_an_empty_batch_writes_nothing():
    failing = Failing()
    assert consumer.consume({"Records": []}, SETTINGS, Writer(failing, failing, threads=1)) == EMPTY
    consumer.metrics.clear_metrics()
    assert failing.bodies == {}


def test_a_record_of_the_largest_size_lands(kinesis_record):
    data = event(1)
    data = data[:-1] + b',"filler":"' + b"x" * (2**20 - len(data) - 12) + b'"}'
    assert len(data) == 2**20
    failing = Failing()
    answer = consumer.consume(
        {"Records": [kinesis_record(1, data)]}, SETTINGS, Writer(failing, failing, threads=1)
    )
    consumer.metrics.clear_metrics()
    assert answer == EMPTY
    assert [item["kind"] for item in failing.items.values()] == ["post"]


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({}, "LANDING_BUCKET"),
        (ENVIRONMENT | {"MAX_EVENT_FUTURE_HOURS": "soon"}, "MAX_EVENT_FUTURE_HOURS"),
    ],
)
def test_a_wrong_environment_is_named(environment, named):
    with pytest.raises(SettingsError, match=named):
        read_settings(Settings, environment)


def test_events_that_orjson_reads_are_not_serialised_again(batch, monkeypatch):
    """The fast path: only quarantine lines are dumped."""
    dumped = []
    real = orjson.dumps

    def dumps(value, **options):
        dumped.append(value)
        return real(value, **options)

    monkeypatch.setattr(orjson, "dumps", dumps)
    failing = Failing()
    consumer.consume(batch, SETTINGS, Writer(failing, failing, threads=1))
    consumer.metrics.clear_metrics()
    assert [value["sequence"] for value in dumped if isinstance(value, dict)] == ["12"]
