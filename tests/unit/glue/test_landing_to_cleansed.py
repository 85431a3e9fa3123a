"""landing_to_cleansed, whole: landing objects in; tables, ledger and catalog out."""

from __future__ import annotations

import gzip
from datetime import timedelta

import pytest

from glue_jobs.common import damage
from glue_jobs.common.errors import ShortReadError
from tests.unit.glue.kit import (
    CLEANING,
    NOON,
    SECOND_SHARD,
    SHARD,
    Record,
    event,
    records,
    rejected,
)
from voxlake.quality.errors import QualityHaltError

EVENT_TABLES = ("posts", "comments", "profiles", "interactions", "messages", "quarantine")
CLEAN_ANN = "k1_8bd4eb5c4e869cbb37ccc42e"


def test_every_kind_ends_in_its_table_and_the_counts_add_up(lake):
    found = lake.land(
        records(
            [
                event(
                    "a",
                    text="Hi @united &amp; @bob",
                    hashtags=["x"],
                    mentions=["united", "bob"],
                    like_count=10**10,
                    place="Rome",
                    unknown="dropped",
                ),
                event("b", "comment"),
                event("c", "profile", display_name="Ann", bio="me@x.org"),
                event("d", "interaction", target_type="profile", target_id="ann"),
                event("e", "message", at="2026-03-01T23:59:59.999999+02:00"),
                rejected("f"),
                rejected(None, "unknown"),
                event("a"),
            ]
        )
    )
    item = lake.cleanse()

    (post,) = lake.rows("posts")
    assert {**post, "occurred_at": str(post["occurred_at"]), "arrival": str(post["arrival"])} == {
        "event_id": "a",
        "schema_version": 1,
        "source": "mock",
        "occurred_at": "2026-03-01 10:00:00+00:00",
        "author_id": CLEAN_ANN,
        "post_id": "p-a",
        "text": "Hi @united & @" + bob(),
        "lang": None,
        "hashtags": ["x"],
        "mentions": ["united", bob()],
        "like_count": 10**10,
        "share_count": None,
        "place": None,
        "arrival": "2026-03-01 12:00:00+00:00",
        "shard": SHARD,
        "sequence": "1",
        "dt": "2026-03-01",
    }
    assert lake.rows("interactions", ["target_id"]) == [{"target_id": CLEAN_ANN}]
    assert lake.rows("profiles", ["bio", "verified"]) == [{"bio": "<email>", "verified": None}]
    assert [str(row["occurred_at"]) for row in lake.rows("messages")] == [
        "2026-03-01 21:59:59.999999+00:00"
    ]
    columns = ["reason", "field", "event_type", "event_id", "detail", "sequence", "dt"]
    assert lake.rows("quarantine", columns) == [
        {
            "reason": "missing_field",
            "field": "body.text",
            "event_type": "post",
            "event_id": "f",
            "detail": "expected text, found none",
            "sequence": "6",
            "dt": "2026-03-01",
        },
        {
            "reason": "missing_field",
            "field": "body.text",
            "event_type": "unknown",
            "event_id": None,
            "detail": "expected text, found none",
            "sequence": "7",
            "dt": "2026-03-01",
        },
    ]

    assert lake.totals() == {
        "post": {"received": 3, "cleansed": 1, "duplicate": 1, "quarantined": 1},
        "comment": {"received": 1, "cleansed": 1},
        "profile": {"received": 1, "cleansed": 1},
        "interaction": {"received": 1, "cleansed": 1},
        "message": {"received": 1, "cleansed": 1},
        "unknown": {"received": 1, "quarantined": 1},
    }
    assert item["counts"]["posts"] == {
        "read": 2,
        "valid": 2,
        "redelivered": 0,
        "duplicate": 1,
        "quarantined": 0,
        "written": 1,
    }
    assert item["partitions"]["posts"] == {"2026-03-01": 1}
    assert lake.ledger.run("run-1", "landing_to_cleansed")["state"] == "done"
    assert lake.ledger.pending_objects() == []
    assert {lake.object(key)["run_id"] for key in found} == {"run-1"}
    version = lake.versions("posts")["2026-03-01"]
    assert (version["rows"], version["files"], version["revision"], version["previous"]) == (
        1,
        1,
        1,
        None,
    )
    assert lake.cleanse("run-2") is None


def bob() -> str:
    return CLEANING.pseudonymiser().pseudonym("mock", "bob")


def test_a_batch_twice_split_and_overlapping_gives_the_same_tables(lake, tmp_path_factory):
    batch = records(
        [event(f"e{n}", ("post", "comment")[n % 2]) for n in range(8)]
        + [rejected("bad"), event("e0")]
    )
    whole = type(lake)(tmp_path_factory.mktemp("whole")).create()
    whole.land(batch)
    whole.cleanse()

    lake.land(batch[:6])  # processed before the others are delivered
    lake.cleanse("run-1")
    lake.land(batch)  # the whole again, larger than before: overlaps with what is done
    lake.land(batch[:4])  # halves, as after a bisect
    lake.land(batch[4:])
    lake.land(batch[3:7])
    lake.cleanse("run-2")

    assert lake.tables(EVENT_TABLES) == whole.tables(EVENT_TABLES)
    received = {
        kind: {name: count for name, count in counts.items() if name != "redelivered"}
        for kind, counts in lake.totals().items()
    }
    assert received == whole.totals()


def test_the_first_arrival_wins_whenever_it_comes(lake, tmp_path_factory):
    """A backfill of everything at once equals the incremental runs."""
    late = records(
        [event("a", text="second"), event("b", text="only")],
        first=100,
        arrival=NOON + timedelta(minutes=5),
    )
    early = records([event("a", text="first"), event("c", text="new")], first=7, shard=SECOND_SHARD)
    backfill = type(lake)(tmp_path_factory.mktemp("backfill")).create()
    backfill.land(late)
    backfill.land(early)
    backfill.cleanse()

    lake.land(late)
    lake.cleanse("run-1")
    assert lake.rows("posts", ["event_id", "text"]) == [
        {"event_id": "a", "text": "second"},
        {"event_id": "b", "text": "only"},
    ]
    lake.land(early)
    lake.cleanse("run-2")

    assert lake.rows("posts") == backfill.rows("posts")
    assert lake.rows("posts", ["event_id", "text"])[0] == {"event_id": "a", "text": "first"}
    assert (
        lake.totals()
        == backfill.totals()
        == {"post": {"received": 4, "cleansed": 3, "duplicate": 1}}
    )


def test_sequence_numbers_compare_as_numbers(lake):
    lake.land([Record(10, event("a", text="tenth")), Record(9, event("a", text="ninth"))])
    lake.cleanse()
    assert lake.rows("posts", ["text"]) == [{"text": "ninth"}]


def test_late_events_end_in_their_own_day_and_other_days_are_not_rewritten(lake):
    lake.land(records([event("a"), event("b", at="2026-02-28T10:00:00Z")]))
    lake.cleanse("run-1")
    before = lake.versions("posts")
    lake.land(
        records(
            [
                event("old", at="2024-02-29T23:00:00Z"),
                event("a"),
                event("c", at="2026-02-28T11:00:00Z"),
            ],
            first=50,
        )
    )
    item = lake.cleanse("run-2")

    assert lake.rows("posts", ["dt", "event_id"]) == [
        {"dt": "2024-02-29", "event_id": "old"},
        {"dt": "2026-02-28", "event_id": "b"},
        {"dt": "2026-02-28", "event_id": "c"},
        {"dt": "2026-03-01", "event_id": "a"},
    ]
    after = lake.versions("posts")
    assert item["partitions"] == {"posts": {"2024-02-29": 1, "2026-02-28": 2}}
    assert after["2026-03-01"] == before["2026-03-01"]
    changed = after["2026-02-28"]
    assert (changed["revision"], changed["previous"]) == (2, before["2026-02-28"]["version"])


def test_lines_that_cannot_be_read_are_quarantined_and_the_rest_goes_on(lake):
    key = lake.land_object("post", SHARD, records([event(f"e{n}") for n in range(5)]))
    lines = gzip.decompress(lake.landed(key).read_bytes()).splitlines()
    lines[1] = b'{"stream": "events", "sequence": "2", cut'
    lines[2] = lines[4] = b"\xff\xfe garbage"
    lines[3] = lines[3].replace(b'"event_type": "post"', b'"event_type": "like"')
    lake.landed(key).write_bytes(gzip.compress(b"\n".join(lines)))
    lake.cleanse()

    assert lake.rows("posts", ["event_id"]) == [{"event_id": "e0"}]
    columns = ["reason", "event_type", "shard", "sequence", "dt"]
    common = {
        "reason": "unreadable_line",
        "event_type": "unknown",
        "shard": SHARD,
        "dt": "2026-03-01",
    }
    assert lake.rows("quarantine", columns) == [
        {**common, "sequence": "2"},
        {**common, "sequence": "4"},
        {**common, "sequence": None},
        {**common, "sequence": None},
    ]
    assert len({row["detail"] for row in lake.rows("quarantine")}) == 4
    assert lake.totals() == {
        "post": {"received": 1, "cleansed": 1},
        "unknown": {"received": 4, "quarantined": 4},
    }


def test_damaged_and_missing_objects_do_not_stop_the_others(lake, capsys):
    good = lake.land_object("post", SHARD, records([event("good")]))
    broken = lake.land_object(
        "comment",
        SHARD,
        records([event("x", "comment"), event("y", "comment")], first=10),
        body=gzip.compress(b"a line")[:12],
    )
    text = "".join(f"{n:05}" * 200 + "\n" for n in range(400)).encode()
    cut = lake.land_object(
        "profile",
        SHARD,
        records([event(f"p{n}", "profile") for n in range(400)], first=1000),
        body=gzip.compress(text, mtime=0)[:-400],
    )
    missing = lake.land_object("message", SHARD, records([event("m", "message")], first=30))
    lake.landed(missing).unlink()
    lake.cleanse("run-1")

    told = capsys.readouterr().out
    assert f"damaged: {broken}: gzip ends early" in told
    assert f"damaged: {cut}: gzip ends early" in told
    assert f"missing: {missing}" in told
    assert lake.totals([good, broken, cut]) == {
        "post": {"received": 1, "cleansed": 1},
        "unknown": {"received": 402, "quarantined": 402},
    }
    assert [item["key"] for item in lake.ledger.pending_objects()] == [missing]
    assert lake.rows("posts", ["event_id"]) == [{"event_id": "good"}]
    quarantine = lake.rows("quarantine")
    assert len(quarantine) == len({row["detail"] for row in quarantine}) == 402
    assert lake.cleanse("run-2") is None


def test_an_object_of_garbage_halts_the_run_until_it_is_taken_away(lake):
    good = lake.land_object("post", SHARD, records([event("good")]))
    garbage = lake.land_object(
        "comment", SHARD, records([event("x", "comment")], first=10), body=b"no gzip at all"
    )
    with pytest.raises(QualityHaltError, match="no_object_is_garbage of quarantine dt=2026-03-01"):
        lake.cleanse("run-1")
    assert lake.rows("posts") == lake.rows("quarantine") == []
    assert {item["key"] for item in lake.ledger.pending_objects()} == {good, garbage}
    lake.landed(garbage).unlink()
    lake.cleanse("run-2")
    assert lake.rows("posts", ["event_id"]) == [{"event_id": "good"}]


def test_an_object_that_was_only_read_badly_is_not_given_up(spark, lake):
    key = lake.land_object("post", SHARD, records([event("a"), event("b")]))
    root = lake.lake.landing
    assert damage.find_damage(spark, root, {}) == []
    with pytest.raises(ShortReadError):
        damage.find_damage(spark, root, {key: (1, 2)})
    (found,) = damage.find_damage(spark, root, {key: (2, 3)})
    assert (found.lost, found.why) == (1, "holds 2 of 3 lines")


def test_nothing_pending_does_nothing_and_says_so(lake, capsys):
    assert lake.cleanse() is None
    assert "nothing pending" in capsys.readouterr().out
    assert lake.ledger.run("run-1", "landing_to_cleansed") is None
