"""Walks through a video's comments: each once, cursors, budgets, crashes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import boto3
import pytest

from lambdas.common.source_table import SourceTable
from lambdas.common.stream_writer import KinesisWriter, PutRecordsError
from tests.servers.youtube import (
    DROPS,
    HANGS,
    KEY_EXPIRED,
    QUOTA_EXCEEDED,
    TOO_FAST,
    UNAVAILABLE,
    make_thread,
)
from tests.unit.lambdas.conftest import STREAM
from tests.unit.lambdas.source_kit import TABLE, Hurry, item, put_secret, streamed, times_sent
from tests.unit.lambdas.source_youtube.kit import VIDEO, a_run, changed, ids, paths


def test_a_videos_comments_arrive_through_quota_errors_and_an_expired_key(
    application, server, secret, clock
):
    """Two days end in a spent quota, the third begins with an expired key.

    Twenty thousand comments are read in tests/e2e/test_live_lake.py.
    """
    threads = [make_thread(n) for n in range(1_548)]
    threads += [make_thread(n, replies=2) for n in range(1_548, 1_598)]
    threads += [make_thread(n, replies=150) for n in range(1_598, 1_600)]
    server.threads[VIDEO] = threads
    assert len(server.comments(VIDEO)) == 2_000
    server.repeated = {5, 10}
    server.faults = {3: UNAVAILABLE, 4: TOO_FAST, 5: HANGS, 6: DROPS, 12: QUOTA_EXCEEDED}

    first = a_run(application, clock)
    assert (first["stopped"], first["until"]) == ("quota_spent", "2026-02-25T08:00:00+00:00")
    assert (first["calls"], first["retries"]) == (12, 4)
    calls = len(server.log)
    clock.pass_(minutes=15)
    assert a_run(application, clock) == {
        **dict.fromkeys(first, 0),
        "stopped": "paused",
        "until": first["until"],
    }
    assert len(server.log) == calls

    clock.pass_(hours=12)
    server.next_fault(QUOTA_EXCEEDED, after=8)
    second = a_run(application, clock)
    assert (second["stopped"], second["calls"]) == ("quota_spent", 9)

    clock.pass_(hours=24)
    server.next_fault(KEY_EXPIRED)
    assert a_run(application, clock)["stopped"] == "key_refused"
    server.keys = {"new-key"}
    assert a_run(application, clock)["stopped"] == "key_refused"
    put_secret(secret, {"api_key": "new-key"})
    last = a_run(application, clock)

    assert "stopped" not in last
    sent = times_sent(streamed())
    assert sorted(sent) == ids(server)
    # The repeated pages were put twice, and nothing else: no step was done again.
    assert sent.total() - len(sent) <= 2 * 600
    pages, replies = 16 + 2, 2 * 2
    assert paths(server).count("commentThreads") + paths(server).count("comments") == (
        pages + replies + 4 + 2 + 2
    )
    found = item("youtube", f"video#{VIDEO}")
    assert "walk" not in found
    assert found["walked_at"] == found["full_walk_at"] == "2026-02-24T20:00:00.000000Z"
    assert item("youtube", "day#2026-02-24")["used"] == 12


def test_an_event_holds_the_contracts_fields_and_none_of_the_rest(application, server, clock):
    thread = make_thread(7, replies=1)
    thread.likes = 4
    server.threads[VIDEO] = [thread]
    a_run(application, clock)
    assert streamed() == [
        {
            "event_id": "youtube-Ug000007-2026-02-01T00:07:00Z",
            "event_type": "comment",
            "schema_version": 1,
            "source": "youtube",
            "occurred_at": "2026-02-01T00:07:00Z",
            "author_id": "UC00007",
            "body": {
                "comment_id": "Ug000007",
                "thread_id": VIDEO,
                "channel_id": "UCchannel",
                "text": "comment 7",
                "like_count": 4,
            },
        },
        {
            "event_id": "youtube-Ug000007.0000-2026-02-01T00:07:01Z",
            "event_type": "comment",
            "schema_version": 1,
            "source": "youtube",
            "occurred_at": "2026-02-01T00:07:01Z",
            "author_id": "UCsomebody",
            "body": {
                "comment_id": "Ug000007.0000",
                "parent_id": "Ug000007",
                "thread_id": VIDEO,
                "channel_id": "UCchannel",
                "text": "reply 0 to 7",
                "like_count": 0,
            },
        },
    ]


def test_the_next_run_reads_only_what_is_new(application, server, clock):
    server.threads[VIDEO] = [make_thread(n) for n in range(350)]
    a_run(application, clock)
    server.threads[VIDEO].append(make_thread(900, at=clock.now + timedelta(minutes=1)))
    server.log.clear()
    clock.pass_(minutes=15)

    again = a_run(application, clock)

    assert (again["calls"], again["events"]) == (2, 1)
    assert again["known"] == 199
    assert max(times_sent(streamed()).values()) == 1


def test_an_edit_is_a_new_event_of_the_same_comment(application, server, clock):
    thread = make_thread(1, replies=8)
    server.threads[VIDEO] = [thread]
    a_run(application, clock)
    clock.pass_(hours=25)
    for comment in (thread, thread.replies[0]):
        comment.text, comment.updated = "said otherwise", clock.now - timedelta(hours=1)

    assert a_run(application, clock)["events"] == 2

    events = [e for e in streamed() if e["body"]["comment_id"] in ("Ug000001", "Ug000001.0000")]
    texts = {e["event_id"]: e["body"]["text"] for e in events}
    assert texts == {
        "youtube-Ug000001-2026-02-01T00:01:00Z": "comment 1",
        "youtube-Ug000001.0000-2026-02-01T00:01:01Z": "reply 0 to 1",
        "youtube-Ug000001-2026-02-25T20:00:00Z": "said otherwise",
        "youtube-Ug000001.0000-2026-02-25T20:00:00Z": "said otherwise",
    }


def test_late_replies_to_old_threads_come_with_the_next_full_walk(application, server, clock):
    server.threads[VIDEO] = [make_thread(n) for n in range(300)]
    a_run(application, clock)
    late = make_thread(0, replies=9, at=clock.now + timedelta(minutes=5)).replies
    server.threads[VIDEO][0].replies = late
    clock.pass_(minutes=15)
    assert a_run(application, clock)["events"] == 0
    clock.pass_(hours=24)
    assert a_run(application, clock)["events"] == 9
    assert sorted(times_sent(streamed())) == ids(server)


def test_a_crash_between_stream_and_cursor_repeats_and_loses_nothing(application, server, clock):
    server.threads[VIDEO] = [make_thread(n, replies=7 if n == 420 else 0) for n in range(450)]
    dies_at = 3

    class Dies(SourceTable):
        saves = 0

        def save(self, *arguments, **options):
            Dies.saves += 1
            if Dies.saves == dies_at:
                raise SystemExit("killed")
            return super().save(*arguments, **options)

    with pytest.raises(SystemExit):
        a_run(replace(application, table=Dies(boto3.client("dynamodb"), TABLE, "youtube")), clock)
    a_run(application, clock)

    sent = times_sent(streamed())
    assert sorted(sent) == ids(server)
    assert (max(sent.values()), sent.total() - len(sent)) == (2, 100)


def test_the_cursor_stays_before_what_the_stream_refused(application, server, clock):
    server.threads[VIDEO] = [make_thread(n) for n in range(150)]

    class Refuses:
        def put_records(self, *, StreamName, Records):
            failed = {"ErrorCode": "ProvisionedThroughputExceededException"}
            return {"FailedRecordCount": len(Records), "Records": [failed] * len(Records)}

    writer = KinesisWriter(Refuses(), STREAM, max_attempts=2, sleep=lambda seconds: None)
    with pytest.raises(PutRecordsError):
        a_run(replace(application, writer=writer), clock)
    assert "walk" not in item("youtube", f"video#{VIDEO}")
    a_run(application, clock)
    assert sorted(times_sent(streamed())) == ids(server)


def test_a_run_ends_when_its_time_is_short_and_the_next_goes_on(application, server, clock):
    server.threads[VIDEO] = [make_thread(n) for n in range(500)]
    short = a_run(application, clock, Hurry(looks=4))
    assert (short["stopped"], short["unfinished"], short["calls"]) == ("time", 1, 3)
    rest = a_run(application, clock)
    assert rest["calls"] == 2
    assert set(times_sent(streamed()).values()) == {1}
    assert sorted(times_sent(streamed())) == ids(server)


def test_the_daily_budget_ends_a_run_and_a_larger_one_counts_at_once(application, server, clock):
    server.threads[VIDEO] = [make_thread(n) for n in range(500)]
    small = changed(application, daily_units=2)
    assert (spent := a_run(small, clock))["stopped"] == "quota_spent"
    assert (spent["calls"], spent["until"]) == (2, "2026-02-25T08:00:00+00:00")
    assert a_run(small, clock)["calls"] == 0
    assert a_run(changed(application, daily_units=4), clock)["calls"] == 2
    clock.pass_(hours=13)
    assert a_run(small, clock)["calls"] == 1
    assert sorted(times_sent(streamed())) == ids(server)


def test_videos_of_the_table_are_read_and_those_not_read_yet_come_first(application, server, clock):
    a_run(application, clock)
    clock.pass_(minutes=1)
    table = boto3.resource("dynamodb").Table(TABLE)
    table.update_item(
        Key={"pk": "youtube", "sk": f"video#{VIDEO}"},
        UpdateExpression="SET #s = :open",
        ExpressionAttributeNames={"#s": "state"},
        ExpressionAttributeValues={":open": "open"},
    )
    table.put_item(Item={"pk": "youtube", "sk": "video#added", "added_by": "web"})
    server.threads = {VIDEO: [make_thread(1)], "added": [make_thread(2)]}
    server.log.clear()
    a_run(application, clock)
    assert [request.params["videoId"] for request, _ in server.log] == ["added", VIDEO]
    assert item("youtube", "video#added")["added_by"] == "web"


def test_of_two_runs_at_once_the_later_one_leaves_the_video_to_the_other(
    application, server, clock, caplog
):
    server.threads[VIDEO] = [make_thread(n) for n in range(450)]

    class Overtaken(SourceTable):
        def save(self, *arguments, **options):
            if not overtaken_once:
                overtaken_once.append(True)
                a_run(application, clock)
            return super().save(*arguments, **options)

    overtaken_once: list[bool] = []
    table = Overtaken(boto3.client("dynamodb"), TABLE, "youtube")
    overtaken = a_run(replace(application, table=table), clock)
    assert overtaken["calls"] == 1
    assert "cursor_moved" in caplog.messages
    assert sorted(times_sent(streamed())) == ids(server)
