"""The planner over a ledger in moto."""

from __future__ import annotations

from datetime import UTC, datetime

import boto3
import pytest

from lambdas.batch_planner import handler as planner
from lambdas.batch_planner.adapters import LedgerReader, TicketsReader
from lambdas.batch_planner.planning import (
    MissingFeaturesRunError,
    PlanRequestError,
    scoring_plan,
    transform_job_name,
)
from lambdas.batch_planner.settings import Settings
from lambdas.common.settings import read_settings
from tests.unit.lambdas.conftest import LEDGER
from voxlake.ledger.items import (
    done_update,
    object_item,
    object_keys,
    position_item,
    version_item,
)
from voxlake.ledger.rules import RescoreError
from voxlake.quality.summary import QualityGateError
from voxlake.tickets.lake import JOB as TICKETS_JOB
from voxlake.tickets.lake import fingerprint

SETTINGS = read_settings(
    Settings,
    {
        "LEDGER_TABLE": LEDGER,
        "ARTIFACTS_BUCKET": "artifacts",
        "CLEANSED_DATABASE": "voxlake_cleansed",
        "ANALYTICS_DATABASE": "voxlake_analytics",
    },
)
NOW = datetime(2026, 2, 24, 12, 34, 56, tzinfo=UTC)
RUN = "20260224T123456-0a1b2c"


@pytest.fixture
def table(cloud):
    return boto3.resource("dynamodb").Table(LEDGER)


def ask(**payload):
    reader = LedgerReader(boto3.client("dynamodb"), LEDGER)
    return planner.answer(payload, SETTINGS, reader, now=NOW, suffix="0a1b2c")


def landed(number: int, records: int) -> dict:
    return object_item(
        kind="post",
        shard="shardId-000000000000",
        first=number * 100,
        last=number * 100 + records - 1,
        types={"post": records},
        size_bytes=10,
        key=f"post/ingest_date=2026-02-24/ingest_hour=12/shardId-000000000000-{number}.json.gz",
        arrival_first="2026-02-24T12:00:00.000000Z",
        arrival_last="2026-02-24T12:00:01.000000Z",
    )


def version(database: str, name: str, dt: str, version: str, sources=None) -> dict:
    return version_item(
        database=database,
        table=name,
        dt=dt,
        version=version,
        location=f"s3://b/{name}/",
        rows=1,
        size_bytes=1,
        files=1,
        run_id=RUN,
        published_at="2026-02-24T12:00:00.000000Z",
        sources=sources,
    )


def test_an_empty_ledger_has_nothing_pending(table):
    assert ask(step="plan") == {
        "run_id": RUN,
        "pending_objects": 0,
        "pending_records": 0,
        "pending_texts": 0,
        "pending_tickets": 0,
        "rescore": "none",
    }


def test_pending_objects_of_all_shards_are_counted_and_done_ones_are_not(table, capsys):
    for number in range(1, 41):
        table.put_item(Item=landed(number, number))
    done = landed(40, 40)
    table.update_item(
        Key=object_keys(done),
        **done_update({"post": {"received": 40, "cleansed": 40}}, "20260224T110000-000000"),
    )

    assert ask(step="plan", run_id="20260224T115959-ffffff") == {
        "run_id": "20260224T115959-ffffff",
        "pending_objects": 39,
        "pending_records": sum(range(1, 40)),
        "pending_texts": 0,
        "pending_tickets": 0,
        "rescore": "none",
    }
    output = capsys.readouterr().out
    assert '"PendingObjects":' in output.replace('": ', '":')
    assert '"PendingRecords":' in output.replace('": ', '":')


def test_a_schedule_that_stands_by_takes_only_what_has_waited_for_too_long(table):
    def pending(minutes: int) -> int:
        return ask(step="plan", waiting_minutes=minutes)["pending_objects"]

    assert pending(0) == 0
    table.put_item(Item=landed(1, 1))
    # It came 34 minutes and 56 seconds before NOW.
    assert [pending(minutes) for minutes in (0, 34, 35)] == [1, 1, 0]


def test_days_whose_texts_are_newer_than_their_scores_are_pending(table):
    cleansed, analytics = "voxlake_cleansed", "voxlake_analytics"
    for item in (
        version(cleansed, "posts", "2026-02-22", "r1-aaaa"),
        version(cleansed, "comments", "2026-02-22", "r1-bbbb"),
        version(cleansed, "posts", "2026-02-23", "r2-aaaa"),
        version(cleansed, "messages", "2026-02-24", "r2-cccc"),
        version(cleansed, "profiles", "2026-02-25", "r2-dddd"),
        version(
            analytics,
            "texts_scored",
            "2026-02-22",
            "r1-eeee",
            {"posts": "r1-aaaa", "comments": "r1-bbbb"},
        ),
        version(analytics, "texts_scored", "2026-02-23", "r1-ffff", {"posts": "r1-0000"}),
    ):
        table.put_item(Item=item)

    assert ask(step="plan")["pending_texts"] == 2
    again = ask(step="plan", rescore="2026-02-22/2026-02-23")
    assert (again["pending_texts"], again["rescore"]) == (3, "2026-02-22/2026-02-23")


def test_days_to_score_again_in_another_form_are_refused(table):
    with pytest.raises(RescoreError, match="2026-01-01/2026-01-31"):
        ask(step="plan", rescore="yesterday")


def test_scoring_says_what_the_features_run_left(table):
    table.put_item(Item={"pk": f"RUN#{RUN}", "sk": "cleansed_to_features", "to_score": 17})
    assert ask(step="scoring", run_id=RUN) == {
        "to_score": 17,
        "input": f"s3://artifacts/scoring/run={RUN}/input/",
        "output": f"s3://artifacts/scoring/run={RUN}/output/",
        "transform_job_name": "voxlake-20260224T123456-0a1b2c",
    }


def test_scoring_before_the_features_run_is_an_error(table):
    with pytest.raises(MissingFeaturesRunError, match="run cleansed_to_features"):
        ask(step="scoring", run_id=RUN)
    with pytest.raises(MissingFeaturesRunError, match="an item without it"):
        scoring_plan(RUN, {"state": "started"}, "artifacts")


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"step": "score"},
        {"step": "scoring"},
        {"step": "scoring", "run_id": 7},
        {"step": "plan", "run_id": "../elsewhere"},
    ],
)
def test_a_wrong_payload_is_refused(table, payload):
    with pytest.raises(PlanRequestError, match="expected"):
        ask(**payload)


def test_a_job_name_is_one_sagemaker_takes():
    assert transform_job_name("2026/02_24..x-" + "y" * 80) == ("voxlake-2026-02-24-x-" + "y" * 42)


@pytest.fixture
def tickets(cloud):
    """The stream path's table as far as the planner reads it."""
    names = ("pk", "change_shard", "updated_at")
    return boto3.resource("dynamodb").create_table(
        TableName="tickets-table",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_change",
                "KeySchema": [
                    {"AttributeName": "change_shard", "KeyType": "HASH"},
                    {"AttributeName": "updated_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


def test_tickets_are_pending_until_the_lake_has_them_as_they_are(table, tickets):
    def pending() -> int:
        client = boto3.client("dynamodb")
        readers = LedgerReader(client, LEDGER), TicketsReader(client, "tickets-table")
        made = planner.answer({"step": "plan"}, SETTINGS, *readers, now=NOW, suffix="0a1b2c")
        return made["pending_tickets"]

    def put(number: int, at: str, revision: int = 1) -> dict:
        ticket = {"ticket_id": f"t{number}", "revision": revision}
        where = {"change_shard": str(number % 4), "updated_at": at}
        tickets.put_item(Item={"pk": f"TICKET#t{number}", **ticket, **where})
        return ticket

    assert pending() == 0
    old = put(1, "2026-02-24T11:00:00.000000Z")
    new = put(2, "2026-02-24T12:00:00.000000Z")
    assert pending() == 2
    since = "2026-02-24T11:45:00.000000Z"
    table.put_item(
        Item=position_item(TICKETS_JOB, since=since, seen=fingerprint([new]), run_id=RUN)
    )
    assert pending() == 0
    put(1, "2026-02-24T12:10:00.000000Z", revision=old["revision"] + 1)
    assert pending() == 2
    # Of a ticket that is gone the lake has to hear as well.
    for number in (1, 2):
        tickets.delete_item(Key={"pk": f"TICKET#t{number}"})
    assert pending() == 1


def test_the_quality_gate_passes_a_job_with_its_warnings_and_fails_where_it_was_halted(table):
    def gate() -> dict:
        return ask(step="quality", run_id=RUN, job="landing_to_cleansed")

    passed = {"run_id": RUN, "job": "landing_to_cleansed", "checked": 0, "warned": 0}
    assert gate() == {**passed, "warnings": []}
    item = {"pk": f"RUN#{RUN}", "sk": "QUALITY#landing_to_cleansed", "checked": 3, "warned": 1}
    table.put_item(Item=item | {"state": "passed", "warnings": ["usual of posts …"]})
    assert gate() == {**passed, "checked": 3, "warned": 1, "warnings": ["usual of posts …"]}
    reasons = ["few_rows of posts dt=2026-03-01: expected RowCount < 4, found 4"]
    table.put_item(Item=item | {"state": "halted", "halted": 1, "reasons": reasons})
    with pytest.raises(QualityGateError) as raised:
        gate()
    assert str(raised.value) == f"landing_to_cleansed was halted by quality rule {reasons[0]}"
