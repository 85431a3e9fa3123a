from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxlake.ledger import items, rules
from voxlake.ledger.keys import ObjectKey, ObjectKeyError, object_key, parse_object_key
from voxlake.ledger.restore import UnreadableObjectError, object_item_of

SHARD = "shardId-000000000000"
KEY = f"post/ingest_date=2026-01-01/ingest_hour=12/{SHARD}-100-120.json.gz"


def landed(
    first: int = 100, last: int = 120, *, kind: str = "post", shard: str = SHARD, done: bool = False
) -> dict:
    item = items.object_item(
        kind=kind,
        shard=shard,
        key=object_key(kind, datetime(2026, 1, 1, 12, tzinfo=UTC), shard, first, last),
        first=first,
        last=last,
        types={kind: last - first + 1},
        size_bytes=900,
        arrival_first="2026-01-01T12:00:00.000000Z",
        arrival_last="2026-01-01T12:01:00.000000Z",
    )
    return {**item, "state": "done"} if done else item


def test_an_object_item_holds_what_the_table_needs():
    assert landed() == {
        "pk": f"OBJECT#post#{SHARD}",
        "sk": "0" * 57 + "120#" + KEY,
        "kind": "post",
        "shard": SHARD,
        "key": KEY,
        "first": "100",
        "last": "120",
        "records": 21,
        "types": {"post": 21},
        "bytes": 900,
        "arrival_first": "2026-01-01T12:00:00.000000Z",
        "arrival_last": "2026-01-01T12:01:00.000000Z",
        "state": "pending",
        "pending_shard": items.pending_shard(KEY),
    }
    assert items.object_keys(landed()) == {"pk": landed()["pk"], "sk": landed()["sk"]}
    assert landed()["pending_shard"] in items.pending_shards()


def test_keys_are_parsed_as_they_are_built():
    assert parse_object_key(KEY) == ObjectKey("post", "2026-01-01", "12", SHARD, 100, 120)
    for other in ("aws/lambda/x", "post/a.json.gz", KEY + "x"):
        with pytest.raises(ObjectKeyError):
            parse_object_key(other)


@given(st.lists(st.integers(0, 10**56), min_size=2))
def test_padded_sequences_sort_as_numbers(sequences):
    padded = sorted(items.pad_sequence(sequence) for sequence in sequences)
    assert [int(text) for text in padded] == sorted(sequences)


def test_the_done_update_writes_whole_counts_and_leaves_the_pending_index():
    update = items.done_update({"post": {"received": 21, "cleansed": 21}}, "run-1")
    assert update["ExpressionAttributeValues"] == {
        ":done": "done",
        ":run": "run-1",
        ":counts": {
            "post": {
                "received": 21,
                "redelivered": 0,
                "cleansed": 21,
                "duplicate": 0,
                "quarantined": 0,
                "erased": 0,
            }
        },
    }
    assert "REMOVE pending_shard" in update["UpdateExpression"]


def test_a_version_follows_the_one_that_was_read():
    of_partition = {
        "database": "voxlake_cleansed",
        "table": "posts",
        "dt": "2015-02-24",
        "location": "s3://b/posts/dt=2015-02-24/v=r1-0a0b/",
        "rows": 5,
        "size_bytes": 9,
        "files": 1,
        "published_at": "2026-01-01T12:00:00Z",
    }
    first = rules.next_version(
        None, version=rules.version_name("r1", "0a0b"), run_id="r1", **of_partition
    )
    second = rules.next_version(first, version="r2-0c0d", run_id="r2", **of_partition)
    assert (first["revision"], first["previous"], first["version"]) == (1, None, "r1-0a0b")
    assert (second["revision"], second["previous"]) == (2, "r1-0a0b")
    assert (second["pk"], second["sk"]) == ("VERSION#voxlake_cleansed.posts", "dt=2015-02-24")
    assert items.version_put(first)["ConditionExpression"] == "attribute_not_exists(pk)"
    assert items.version_put(second)["ExpressionAttributeValues"] == {":read": 1}


def test_plain_turns_decimals_into_numbers_all_the_way_down():
    read = {"a": Decimal(5), "b": [Decimal("1.5")], "c": {"d": Decimal(10**20)}, "e": None}
    assert items.plain(read) == {"a": 5, "b": [1.5], "c": {"d": 10**20}, "e": None}


def test_write_amplification_is_bytes_out_for_bytes_in():
    assert items.write_amplification(3, 4) == Decimal("1.333")
    assert items.write_amplification(0, 4) == 0


def test_overlaps_names_only_pending_objects_that_share_a_stretch():
    pending = [landed(90, 105), landed(121, 130), landed(100, 120, kind="comment"), landed()]
    done = [landed(done=True), landed(80, 92, done=True)]
    assert rules.overlaps(pending, done) == {pending[0]["key"]: [(90, 92), (100, 105)]}


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 8)), max_size=6),
    st.tuples(st.integers(0, 30), st.integers(0, 8)),
)
def test_overlaps_cover_exactly_the_covered_lines(done, pending):
    objects = [landed(first, first + length, done=True) for first, length in done]
    item = landed(pending[0], pending[0] + pending[1])
    stretches = rules.overlaps([item], objects).get(item["key"], [])
    others = [one for one in objects if one["key"] != item["key"]]
    for sequence in range(pending[0], pending[0] + pending[1] + 1):
        shared = any(first <= sequence <= last for first, last in stretches)
        held = any(int(one["first"]) <= sequence <= int(one["last"]) for one in others)
        assert shared == held


def test_counts_that_do_not_add_up_are_refused():
    rules.check_counts({"post": {"received": 3, "redelivered": 9, "cleansed": 2, "duplicate": 1}})
    with pytest.raises(rules.UnbalancedCountsError, match="post"):
        rules.check_counts({"post": {"received": 3, "cleansed": 2}})


def test_days_are_stale_when_new_or_made_from_other_versions():
    posts = {dt: {"version": f"p{dt}"} for dt in ("1", "2", "3")}
    comments = {"2": {"version": "c2"}}
    targets = {
        "1": {"sources": {"posts": "p1"}},
        "2": {"sources": {"posts": "p2"}},
        "9": {"sources": {"posts": "gone"}},
    }
    assert rules.stale_dts(targets, {"posts": posts, "comments": comments}) == ["2", "3"]


def zipped(*lines: dict) -> bytes:
    return gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode())


def test_an_item_is_restored_from_its_object():
    lines = [
        {"shard": SHARD, "sequence": "120", "arrival": "2026-01-01T12:01:00.000000Z"},
        {"shard": SHARD, "sequence": "100", "arrival": "2026-01-01T12:00:00.000000Z"},
    ]
    content = zipped(*lines)
    expected = {**landed(), "records": 2, "types": {"post": 2}, "bytes": len(content)}
    assert object_item_of(KEY, content) == expected
    quarantined = zipped({**lines[0], "event_type": "post"}, {**lines[1], "event_type": "unknown"})
    item = object_item_of(KEY.replace("post/", "quarantine/"), quarantined)
    assert (item["kind"], item["types"]) == ("quarantine", {"post": 1, "unknown": 1})


@pytest.mark.parametrize(
    "content",
    [b"", b"x", gzip.compress(b"{"), gzip.compress(b"")],
    # Told, since the bytes hold the second: two workers would name the same test differently.
    ids=["empty", "no gzip", "half a line", "no line"],
)
def test_an_object_that_is_no_gzip_of_lines_is_named(content):
    with pytest.raises(UnreadableObjectError, match="ingest_hour=12"):
        object_item_of(KEY, content)


def test_scored_days_of_a_stretch_are_scored_again():
    scored = ["2026-01-01", "2026-01-02", "2026-02-01"]
    assert rules.dts_to_score_again("none", scored) == []
    assert rules.dts_to_score_again("2026-01-02/2026-02-01", scored) == scored[1:]
    assert rules.dts_to_score_again("2020-01-01/2020-12-31", scored) == []


@pytest.mark.parametrize("rescore", ["2026-01-01", "all", "2026-01-02/2026-01-01", ""])
def test_days_to_score_again_are_said_as_a_stretch(rescore):
    with pytest.raises(rules.RescoreError, match="2026-01-01/2026-01-31"):
        rules.dts_to_score_again(rescore, ["2026-01-01"])


def test_more_days_than_a_run_may_score_again_are_refused():
    days = [f"{year}-{month:02}-{day:02}" for year in (2024, 2025) for month in range(1, 13)
            for day in range(1, 29)]  # fmt: skip
    with pytest.raises(rules.RescoreError, match="found 672"):
        rules.dts_to_score_again("2024-01-01/2025-12-31", days)
