from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from voxlake.ledger import items
from voxlake.ledger.keys import object_key
from voxlake.ledger.reconcile import MEASURES, reconcile, unledgered_keys

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SHARD = "shardId-000000000000"


def landed(
    first: int,
    last: int,
    *,
    kind: str = "post",
    types: dict | None = None,
    counts: dict | None = None,
    age_minutes: int = 10,
) -> dict:
    arrival = NOW - timedelta(minutes=age_minutes)
    text = arrival.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    item = items.object_item(
        kind=kind,
        shard=SHARD,
        key=object_key(kind, arrival, SHARD, first, last),
        first=first,
        last=last,
        types=types or {kind: last - first + 1},
        size_bytes=1,
        arrival_first=text,
        arrival_last=text,
    )
    if counts is None:
        return item
    del item["pending_shard"]
    return {**item, "state": "done", "counts": counts}


DONE = landed(
    1, 10, counts={"post": {"received": 8, "redelivered": 2, "cleansed": 5, "duplicate": 3}}
)
BAD = landed(
    11,
    12,
    kind="quarantine",
    types={"post": 1, "unknown": 1},
    counts={
        "post": {"received": 1, "quarantined": 1},
        "unknown": {"received": 1, "quarantined": 1},
    },
)
VERSION = {
    "database": "voxlake_cleansed",
    "table": "posts",
    "dt": "2015-02-24",
    "location": "s3://b/posts/dt=2015-02-24/v=r1-0a0b/",
}
CATALOG = {("voxlake_cleansed.posts", "2015-02-24"): VERSION["location"]}
ROWS = {"posts": 5, "comments": 0, "quarantine": 2}


def checked(
    objects=(DONE, BAD), *, gone=(), extra=(), rows=ROWS, catalog=CATALOG, incoming=10, **more
):
    listing = {item["key"]: 1 for item in objects if item["key"] not in gone}
    listing |= dict.fromkeys(extra, 1)
    return reconcile(list(objects), listing, rows, [VERSION], catalog, incoming, NOW, 60, **more)


def test_a_settled_lake_adds_up():
    answer = checked().to_dict()
    zero = dict.fromkeys(MEASURES, 0)
    assert answer == {
        "event_types": {
            "post": {
                **zero,
                "received": 9,
                "redelivered": 2,
                "cleansed": 5,
                "duplicate": 3,
                "quarantined": 1,
            },
            "comment": zero,
            "profile": zero,
            "interaction": zero,
            "message": zero,
            "unknown": {**zero, "received": 1, "quarantined": 1},
        },
        "total": {
            **zero,
            "received": 10,
            "redelivered": 2,
            "cleansed": 5,
            "duplicate": 3,
            "quarantined": 2,
        },
        "stream": {"incoming_records": 10, "landed_records": 10, "in_flight": 0},
        "findings": [],
        "repaired": [],
        "unaccounted": 0,
        "settled": True,
    }
    json.dumps(answer)


def test_pending_objects_are_pending_until_two_schedules_have_passed():
    fresh = checked([DONE, BAD, landed(20, 22, age_minutes=119)], incoming=13)
    assert (fresh.total["pending"], fresh.unaccounted, fresh.settled) == (3, 0, False)
    late = checked([DONE, BAD, landed(20, 22, age_minutes=121)], incoming=13)
    assert (late.total["pending"], late.unaccounted) == (0, 3)
    assert [finding.kind for finding in late.findings] == ["overdue"]


def test_a_missing_object_is_unaccounted_whether_processed_or_not():
    done = checked(gone={DONE["key"]})
    assert done.unaccounted == 10
    pending_item = landed(20, 22)
    pending = checked([DONE, BAD, pending_item], gone={pending_item["key"]}, incoming=13)
    assert (pending.unaccounted, pending.total["pending"]) == (3, 0)
    for answer in (done, pending):
        assert [finding.kind for finding in answer.findings] == ["missing_object"]


def test_an_object_past_landings_retention_may_be_missing():
    answer = checked(gone={DONE["key"]}, landing_retention=timedelta(minutes=5))
    assert (answer.unaccounted, answer.findings) == (0, [])


def test_an_object_without_item_is_unaccounted_once_and_can_be_restored():
    lost = landed(1, 10)
    answer = checked([BAD], extra=[lost["key"]], restored={lost["key"]: lost}, incoming=12)
    assert answer.unaccounted == 10
    assert [finding.kind for finding in answer.findings] == ["unledgered_object"]
    assert [repair.to_dict() for repair in answer.repairs] == [
        {"action": "restore_object", "key": lost["key"]}
    ]
    again = checked([BAD, lost], incoming=12)
    assert (again.unaccounted, again.total["pending"]) == (0, 10)


def test_an_object_that_cannot_be_read_is_unaccounted_and_not_repaired():
    answer = checked(extra=["post/what"], incoming=None)
    assert (answer.unaccounted, answer.repairs) == (1, [])


def test_failed_batches_are_no_landed_objects():
    assert unledgered_keys([DONE], {DONE["key"]: 1, "aws/lambda/a/b": 1, "z": 1}) == ["z"]


def test_rows_that_are_missing_or_too_many_are_unaccounted():
    for found, beyond in ((3, 2), (9, 4)):
        answer = checked(rows={**ROWS, "posts": found})
        assert answer.event_types["post"]["unaccounted"] == answer.unaccounted == beyond
        assert [finding.to_dict()["table"] for finding in answer.findings] == ["posts"]
    answer = checked(rows={**ROWS, "quarantine": 1})
    assert answer.event_types["unknown"]["unaccounted"] == answer.unaccounted == 1


def test_rows_published_before_the_ledgers_mark_are_pending_not_too_many():
    answer = checked([DONE, BAD, landed(20, 22)], rows={**ROWS, "posts": 8}, incoming=13)
    assert (answer.unaccounted, answer.findings) == (0, [])


def test_counts_of_an_object_that_do_not_add_up_are_unaccounted():
    broken = landed(1, 10, counts={"post": {"received": 10, "cleansed": 5}})
    assert checked([broken, BAD], incoming=12).unaccounted == 5


def test_the_catalog_is_pointed_back_to_the_ledgers_version():
    for catalog in ({}, {("voxlake_cleansed.posts", "2015-02-24"): "s3://b/elsewhere/"}):
        answer = checked(catalog=catalog)
        assert [repair.to_dict() for repair in answer.repairs] == [
            {
                "action": "point_partition",
                "table": "voxlake_cleansed.posts",
                "dt": "2015-02-24",
                "location": VERSION["location"],
            }
        ]
        assert [finding.kind for finding in answer.findings] == ["catalog_differs"]
    without_slash = {key: location.rstrip("/") for key, location in CATALOG.items()}
    assert checked(catalog=without_slash).findings == []


def test_a_partition_nobody_published_is_found():
    extra = {**CATALOG, ("voxlake_cleansed.posts", "1999-01-01"): "s3://b/x/"}
    answer = checked(catalog=extra)
    assert [(finding.kind, finding.dt) for finding in answer.findings] == [
        ("catalog_differs", "1999-01-01")
    ]
    assert answer.repairs == []


def test_records_on_their_way_are_in_flight_until_two_schedules_have_passed():
    answer = checked(incoming=15)
    assert (answer.in_flight, answer.unaccounted, answer.settled) == (5, 0, False)
    old = [{**item, "arrival_last": "2026-01-01T09:00:00.000000Z"} for item in (DONE, BAD)]
    late = checked(old, incoming=15)
    assert late.unaccounted == 5
    assert [finding.kind for finding in late.findings] == ["stream_differs"]
    assert checked(incoming=None).to_dict()["stream"]["incoming_records"] is None
