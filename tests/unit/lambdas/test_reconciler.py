"""The reconciler over ledger, landing and catalog in moto; Athena and CloudWatch are fakes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from lambdas.common.settings import read_settings
from lambdas.reconciler import handler as reconciler
from lambdas.reconciler.adapters import Catalog, Landing, Ledger, StreamCounter
from lambdas.reconciler.athena import AthenaQueryError, RowCounter
from lambdas.reconciler.evidence import Sources
from lambdas.reconciler.settings import Settings
from lambdas.stream_consumer import handler as consumer
from lambdas.stream_consumer.adapters import connect
from lambdas.stream_consumer.settings import Settings as ConsumerSettings
from tests.unit.lambdas.conftest import LANDING, LEDGER, STREAM
from tests.unit.lambdas.kit import event
from tests.unit.lambdas.reconciler_kit import LOCATION, FakeAthena, FakeCloudWatch, locations
from voxlake.ledger.items import done_update, lease_item, object_keys, run_item, version_item

SETTINGS = read_settings(
    Settings,
    {
        "LEDGER_TABLE": LEDGER,
        "LANDING_BUCKET": LANDING,
        "EVENT_STREAM": STREAM,
        "CLEANSED_DATABASE": "voxlake_cleansed",
        "ANALYTICS_DATABASE": "voxlake_analytics",
        "ATHENA_WORKGROUP": "voxlake",
        "SCHEDULE_MINUTES": "60",
    },
)
NOW = datetime.now(UTC) + timedelta(hours=12)
NONE = dict.fromkeys(
    (
        "received",
        "redelivered",
        "cleansed",
        "duplicate",
        "quarantined",
        "erased",
        "pending",
        "unaccounted",
    ),
    0,
)


@pytest.fixture
def lake(cloud, kinesis_record):
    """Three posts, two of them the same event, and a bad record, all processed and published."""
    consumer.consume(
        {
            "Records": [
                kinesis_record(10, event(1)),
                kinesis_record(11, event(1)),
                kinesis_record(12, event(2)),
                kinesis_record(13, b"{"),
            ]
        },
        read_settings(ConsumerSettings, {"LANDING_BUCKET": LANDING, "LEDGER_TABLE": LEDGER}),
        connect(LANDING, LEDGER, threads=2),
    )
    consumer.metrics.clear_metrics()
    table = boto3.resource("dynamodb").Table(LEDGER)
    counts = {
        "post": {"post": {"received": 3, "cleansed": 2, "duplicate": 1}},
        "quarantine": {"unknown": {"received": 1, "quarantined": 1}},
    }
    for item in table.scan()["Items"]:
        table.update_item(
            Key=object_keys(item), **done_update(counts[item["kind"]], "20260224T130000-000000")
        )
    table.put_item(
        Item=version_item(
            database="voxlake_cleansed",
            table="posts",
            dt="2026-02-24",
            version="r1-aaaa",
            location=LOCATION,
            rows=2,
            size_bytes=9,
            files=1,
            run_id="20260224T130000-000000",
            published_at="2026-02-24T13:00:00.000000Z",
        )
    )
    # What else a ledger holds.
    table.put_item(
        Item=run_item(
            run_id="20260224T130000-000000",
            job="landing_to_cleansed",
            state="done",
            started_at="2026-02-24T13:00:00.000000Z",
        )
    )
    table.put_item(Item=lease_item("voxlake_cleansed", "posts", "somebody", 1))
    glue = boto3.client("glue")
    columns = [{"Name": "event_id", "Type": "string"}]
    for database in ("voxlake_cleansed", "voxlake_analytics"):
        glue.create_database(DatabaseInput={"Name": database})
    for name in ("posts", "quarantine"):
        glue.create_table(
            DatabaseName="voxlake_cleansed",
            TableInput={
                "Name": name,
                "PartitionKeys": [{"Name": "dt", "Type": "string"}],
                "StorageDescriptor": {"Columns": columns, "Location": f"s3://cleansed/{name}/"},
            },
        )
    for name, location in (("posts", LOCATION), ("quarantine", "s3://cleansed/quarantine/1/")):
        glue.create_partition(
            DatabaseName="voxlake_cleansed",
            TableName=name,
            PartitionInput={
                "Values": ["2026-02-24"],
                "StorageDescriptor": {"Columns": columns, "Location": location},
            },
        )
    return table


@pytest.fixture
def ask(lake):
    def ask(
        *,
        rows=(("posts", 2), ("quarantine", 1)),
        incoming=(1.0, 3.0),
        now=NOW,
        settings=SETTINGS,
        **payload,
    ):
        sources = Sources(
            ledger=Ledger(boto3.client("dynamodb"), LEDGER),
            landing=Landing(boto3.client("s3"), LANDING),
            catalog=Catalog(boto3.client("glue")),
            rows=RowCounter(FakeAthena(dict(rows)), "voxlake", sleep=lambda seconds: None),
            stream=StreamCounter(FakeCloudWatch(list(incoming)), STREAM),
            databases={"cleansed": "voxlake_cleansed", "analytics": "voxlake_analytics"},
        )
        return reconciler.answer({"step": "reconcile", **payload}, settings, sources, now=now)

    return ask


POST = NONE | {"received": 3, "cleansed": 2, "duplicate": 1}
UNKNOWN = NONE | {"received": 1, "quarantined": 1}
CLEAN = {
    "event_types": {
        "post": POST,
        "comment": NONE,
        "profile": NONE,
        "interaction": NONE,
        "message": NONE,
        "unknown": UNKNOWN,
    },
    "total": NONE | {"received": 4, "cleansed": 2, "duplicate": 1, "quarantined": 1},
    "stream": {"incoming_records": 4, "landed_records": 4, "in_flight": 0},
    "findings": [],
    "repaired": [],
    "unaccounted": 0,
    "settled": True,
}


def test_a_lake_in_order_adds_up(ask, capsys):
    assert ask() == CLEAN
    emf = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert [(one["UnaccountedEvents"], one["PendingEvents"]) for one in emf] == [([0.0], [0.0])]


def test_a_deleted_landing_object_is_seen_and_not_repaired(ask):
    client = boto3.client("s3")
    (key,) = [
        one["Key"] for one in client.list_objects_v2(Bucket=LANDING, Prefix="post/")["Contents"]
    ]
    client.delete_object(Bucket=LANDING, Key=key)

    answer = ask()

    assert (answer["unaccounted"], answer["repaired"]) == (3, [])
    assert [(one["kind"], one["key"], one["records"]) for one in answer["findings"]] == [
        ("missing_object", key, 3)
    ]
    assert ask()["unaccounted"] == 3


def test_a_lost_ledger_item_is_seen_and_restored_as_it_was(ask, lake):
    (item,) = [one for one in lake.scan()["Items"] if one["pk"].startswith("OBJECT#post#")]
    lake.delete_item(Key=object_keys(item))

    seen = ask(repair=False)
    answer = ask(settings=SETTINGS.model_copy(update={"schedule_minutes": 10**6}))

    assert (seen["unaccounted"], seen["repaired"]) == (3, [])
    assert [one["kind"] for one in seen["findings"]] == ["unledgered_object"]
    assert answer["findings"] == seen["findings"]
    assert answer["repaired"] == [{"action": "restore_object", "key": item["key"]}]
    # Pending again; the next run will find its rows where they are.
    assert answer["event_types"]["post"] == NONE | {"received": 3, "pending": 3}
    assert answer["unaccounted"] == 0
    restored = lake.get_item(Key=object_keys(item))["Item"]
    assert restored == {
        name: value for name, value in item.items() if name not in ("counts", "run_id")
    } | {"state": "pending", "pending_shard": restored["pending_shard"]}


def test_nothing_is_repaired_when_told_not_to(ask, lake):
    (item,) = [one for one in lake.scan()["Items"] if one["pk"].startswith("OBJECT#post#")]
    lake.delete_item(Key=object_keys(item))
    assert ask(repair=False)["repaired"] == []
    assert "Item" not in lake.get_item(Key=object_keys(item))


def test_an_object_written_this_moment_is_in_flight_not_unledgered(ask, lake):
    (item,) = [one for one in lake.scan()["Items"] if one["pk"].startswith("OBJECT#post#")]
    lake.delete_item(Key=object_keys(item))
    answer = ask(now=datetime.now(UTC), rows={"quarantine": 1}, stream=False)
    assert [one["kind"] for one in answer["findings"]] == []


def test_an_edited_catalog_location_is_seen_and_pointed_back(ask):
    glue = boto3.client("glue")
    (partition,) = glue.get_partitions(DatabaseName="voxlake_cleansed", TableName="posts")[
        "Partitions"
    ]
    glue.update_partition(
        DatabaseName="voxlake_cleansed",
        TableName="posts",
        PartitionValueList=["2026-02-24"],
        PartitionInput={
            "Values": ["2026-02-24"],
            "StorageDescriptor": {
                **partition["StorageDescriptor"],
                "Location": "s3://cleansed/posts/elsewhere/",
            },
        },
    )

    seen = ask(repair=False)
    answer = ask()

    assert [one["kind"] for one in seen["findings"]] == ["rows_differ", "catalog_differs"]
    assert seen["unaccounted"] == 2
    assert answer["findings"] == seen["findings"][1:]
    assert answer["repaired"] == [
        {
            "action": "point_partition",
            "table": "voxlake_cleansed.posts",
            "dt": "2026-02-24",
            "location": LOCATION,
        }
    ]
    assert answer["unaccounted"] == 0
    assert locations() == {"2026-02-24": LOCATION}
    assert ask() == CLEAN


def test_a_missing_partition_is_created(ask):
    boto3.client("glue").delete_partition(
        DatabaseName="voxlake_cleansed", TableName="posts", PartitionValues=["2026-02-24"]
    )
    answer = ask()
    assert [one["action"] for one in answer["repaired"]] == ["point_partition"]
    assert locations() == {"2026-02-24": LOCATION}


def test_a_repair_points_at_what_was_published_meanwhile(ask, lake, monkeypatch):
    boto3.client("glue").delete_partition(
        DatabaseName="voxlake_cleansed", TableName="posts", PartitionValues=["2026-02-24"]
    )
    newer = "s3://cleansed/posts/dt=2026-02-24/v=r2-bbbb/"
    point = Catalog.point

    def publishing(self, database, table, dt, location):
        point(self, database, table, dt, location)
        if location == LOCATION:
            lake.update_item(
                Key={"pk": "VERSION#voxlake_cleansed.posts", "sk": "dt=2026-02-24"},
                UpdateExpression="SET #l = :l, version = :v",
                ExpressionAttributeNames={"#l": "location"},
                ExpressionAttributeValues={":l": newer, ":v": "r2-bbbb"},
            )

    monkeypatch.setattr(Catalog, "point", publishing)
    ask()
    assert locations() == {"2026-02-24": newer}


def test_records_that_never_landed_are_unaccounted(ask):
    answer = ask(incoming=[9.0])
    assert answer["stream"] == {"incoming_records": 9, "landed_records": 4, "in_flight": 5}
    assert [one["kind"] for one in answer["findings"]] == ["stream_differs"]
    assert answer["unaccounted"] == 5


def test_the_streams_count_is_left_out_when_unknown_or_not_wanted(ask):
    assert ask(incoming=[])["stream"]["incoming_records"] is None
    assert ask(stream=False)["stream"]["incoming_records"] is None


def test_a_row_that_is_missing_from_a_table_is_unaccounted(ask):
    answer = ask(rows={"posts": 1, "quarantine": 1})
    assert answer["event_types"]["post"]["unaccounted"] == 1
    assert [one["kind"] for one in answer["findings"]] == ["rows_differ"]


def test_landing_objects_that_expired_are_not_missed(ask):
    client = boto3.client("s3")
    for one in client.list_objects_v2(Bucket=LANDING)["Contents"]:
        client.delete_object(Bucket=LANDING, Key=one["Key"])
    keeps_a_day = SETTINGS.model_copy(update={"landing_retention_days": 1})
    assert ask(now=datetime(2026, 3, 20, tzinfo=UTC), settings=keeps_a_day) == CLEAN


def test_long_lists_of_findings_are_cut(ask, lake, monkeypatch):
    monkeypatch.setattr(reconciler, "MAX_LISTED", 1)
    for one in boto3.client("s3").list_objects_v2(Bucket=LANDING)["Contents"]:
        boto3.client("s3").delete_object(Bucket=LANDING, Key=one["Key"])
    answer = ask()
    assert len(answer["findings"]) == 1
    assert answer["omitted"] == {"findings": 1}


def test_a_failed_query_is_an_error_that_names_it(ask):
    counter = RowCounter(FakeAthena({}, ("QUEUED", "FAILED")), "voxlake", sleep=lambda s: None)
    with pytest.raises(AthenaQueryError, match="q-1 to succeed, found it FAILED: no such"):
        counter.count("voxlake_cleansed", ["posts"])


def test_a_query_that_takes_too_long_is_stopped():
    athena = FakeAthena({}, ("RUNNING",))
    now = iter(range(0, 10_000, 100))
    counter = RowCounter(athena, "voxlake", sleep=lambda s: None, clock=lambda: next(now))
    with pytest.raises(AthenaQueryError, match="not done after 300 s"):
        counter.count("voxlake_cleansed", ["posts"])
    assert athena.stopped


@pytest.mark.parametrize("payload", [{"step": "plan"}, {"repair": "yes"}, {"stream": None}])
def test_a_wrong_payload_is_refused(ask, payload):
    with pytest.raises(reconciler.ReconcileRequestError, match="expected"):
        ask(**payload)
