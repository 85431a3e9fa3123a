"""source_youtube against a server that speaks YouTube's API, faults included."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import boto3
import pytest

from lambdas.common.settings import read_settings
from lambdas.common.source_table import SourceTable
from lambdas.common.stream_writer import KinesisWriter, PutRecordsError
from lambdas.source_youtube import handler as source_youtube
from lambdas.source_youtube.handler import Application, read
from lambdas.source_youtube.settings import Settings
from tests.servers.youtube import (
    DROPS,
    HANGS,
    KEY_EXPIRED,
    NOT_JSON,
    QUOTA_EXCEEDED,
    START,
    TOO_FAST,
    UNAVAILABLE,
    YoutubeServer,
    make_thread,
)
from tests.unit.lambdas.conftest import STREAM
from tests.unit.lambdas.source_kit import (
    TABLE,
    Clock,
    Hurry,
    item,
    make_secret,
    make_table,
    put_secret,
    streamed,
    times_sent,
)

VIDEO = "dQw4w9WgXcQ"


@pytest.fixture
def server():
    with YoutubeServer() as found:
        yield found


@pytest.fixture
def secret(cloud):
    make_table()
    return make_secret({"api_key": "good-key"})


@pytest.fixture
def environment(server, secret):
    return {
        "EVENT_STREAM": STREAM,
        "SOURCES_TABLE": TABLE,
        "YOUTUBE_SECRET": secret,
        "YOUTUBE_API_URL": server.api,
        "YOUTUBE_VIDEOS": VIDEO,
        "API_READ_SECONDS": "3",
    }


@pytest.fixture
def application(environment):
    settings = read_settings(Settings, environment)
    return Application(
        settings,
        SourceTable(boto3.client("dynamodb"), TABLE, "youtube"),
        KinesisWriter(boto3.client("kinesis"), STREAM),
        boto3.client("secretsmanager"),
    )


@pytest.fixture
def clock():
    return Clock()


def a_run(application, clock, hurry=None):
    return read(application, (hurry or Hurry()).patience(), clock).result()


def changed(application, **settings):
    return replace(application, settings=application.settings.model_copy(update=settings))


def ids(server, video=VIDEO):
    return sorted(
        f"youtube-{one.id}-{one.updated:%Y-%m-%dT%H:%M:%SZ}" for one in server.comments(video)
    )


def paths(server):
    return [request.path.rsplit("/", 1)[1] for request, _ in server.log]


def test_twenty_thousand_comments_arrive_through_quota_errors_and_an_expired_key(
    application, server, secret, clock
):
    """Two days end in a spent quota, the third begins with an expired key."""
    threads = [make_thread(n) for n in range(15_480)]
    threads += [make_thread(n, replies=2) for n in range(15_480, 15_980)]
    threads += [make_thread(n, replies=150) for n in range(15_980, 16_000)]
    server.threads[VIDEO] = threads
    assert len(server.comments(VIDEO)) == 20_000
    server.repeated = {5, 60}
    server.faults = {3: UNAVAILABLE, 4: TOO_FAST, 5: HANGS, 6: DROPS, 40: QUOTA_EXCEEDED}

    first = a_run(application, clock)
    assert (first["stopped"], first["until"]) == ("quota_spent", "2026-02-25T08:00:00+00:00")
    assert (first["calls"], first["retries"]) == (40, 4)
    calls = len(server.log)
    clock.pass_(minutes=15)
    assert a_run(application, clock) == {
        **dict.fromkeys(first, 0),
        "stopped": "paused",
        "until": first["until"],
    }
    assert len(server.log) == calls

    clock.pass_(hours=12)
    server.next_fault(QUOTA_EXCEEDED, after=50)
    second = a_run(application, clock)
    assert (second["stopped"], second["calls"]) == ("quota_spent", 51)

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
    pages, replies = 160 + 2, 20 * 2
    assert paths(server).count("commentThreads") + paths(server).count("comments") == (
        pages + replies + 4 + 2 + 2
    )
    found = item("youtube", f"video#{VIDEO}")
    assert "walk" not in found
    assert found["walked_at"] == found["full_walk_at"] == "2026-02-24T20:00:00.000000Z"
    assert item("youtube", "day#2026-02-24")["used"] == 40


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


@pytest.mark.parametrize("value", [None, {"api_key": ""}, {"other": "x"}, {"api_key": "ä\n"}])
def test_without_a_key_nothing_is_asked_and_one_line_and_a_metric_say_so(
    environment, server, cloud, monkeypatch, capsys, caplog, value
):
    if value is None:
        environment["YOUTUBE_SECRET"] = boto3.client("secretsmanager").create_secret(Name="empty")[
            "ARN"
        ]
    else:
        put_secret(environment["YOUTUBE_SECRET"], value)
    for name, setting in environment.items():
        monkeypatch.setenv(name, setting)
    source_youtube._application.cache_clear()

    class Context:
        def get_remaining_time_in_millis(self):
            return 300_000

    try:
        answer = source_youtube.handler({}, Context())
    finally:
        source_youtube._application.cache_clear()

    assert (answer["stopped"], server.log) == ("no_key", [])
    (said,) = caplog.records
    assert (said.levelname, said.message) == ("INFO", "no_key")
    assert "docs/sources.md" in said.detail
    (metric,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (metric["KeyMissing"], metric["KeyRefused"], metric["EventsSent"]) == ([1.0], [0], [0])


def test_a_refused_key_stops_the_run_and_is_a_metric(application, server, clock, capsys, caplog):
    server.keys = {"another"}
    server.threads[VIDEO] = [make_thread(1)]
    assert a_run(application, clock)["stopped"] == "key_refused"
    (metric,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert metric["KeyRefused"] == [1.0]
    assert not [record for record in caplog.records if "good-key" in str(vars(record))]


def test_a_video_that_is_gone_or_closed_is_marked_and_not_asked_for_again(
    application, server, clock
):
    both = changed(application, videos=(VIDEO, "disabled", "gone"))
    server.threads = {VIDEO: [make_thread(1)], "disabled": [make_thread(2)]}
    server.comments_disabled = {"disabled"}
    first = a_run(both, clock)
    assert (first["closed"], first["events"]) == (2, 1)
    reasons = {
        video: (found["state"], found["closed_reason"])
        for video in ("disabled", "gone")
        for found in [item("youtube", f"video#{video}")]
    }
    assert reasons == {
        "disabled": ("closed", "comments_disabled"),
        "gone": ("closed", "video_gone"),
    }
    server.log.clear()
    a_run(both, clock)
    assert {request.params["videoId"] for request, _ in server.log} == {VIDEO}


def test_a_thread_that_is_deleted_while_it_is_read_is_left_out(application, server, clock):
    server.threads[VIDEO] = [make_thread(1, replies=9), make_thread(2, replies=9)]
    a_run(application, clock, Hurry(looks=2))
    del server.threads[VIDEO][1]
    a_run(application, clock)
    assert set(ids(server)) <= set(times_sent(streamed()))
    assert "walk" not in item("youtube", f"video#{VIDEO}")


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


def test_malformed_comments_are_counted_with_their_reason_and_the_rest_goes_on(
    application, server, clock, caplog
):
    threads = [make_thread(n) for n in range(6)]
    threads[0].text = "x" * 100_001
    threads[1].changed = {"updatedAt": "yesterday"}
    threads[2].changed = {"textDisplay": None}
    threads[3].changed = {"likeCount": "many"}
    threads[4].id = "U" * 200
    server.threads[VIDEO] = threads

    found = a_run(application, clock)

    assert (found["events"], found["malformed"]) == (1, 5)
    reasons = sorted(
        (record.reason, record.field) for record in caplog.records if record.message == "malformed"
    )
    assert reasons == [
        ("too_long", "body.text"),
        ("too_long", "event_id"),
        ("unreadable_item", ""),
        ("unreadable_item", ""),
        ("wrong_type", "body.like_count"),
    ]


def test_a_page_that_is_no_page_is_left_for_the_next_run_and_other_videos_go_on(
    application, server, clock
):
    both = changed(application, videos=("a-video", "b-video"))
    server.threads = {"a-video": [make_thread(1)], "b-video": [make_thread(2)]}
    server.next_fault(NOT_JSON)
    found = a_run(both, clock)
    assert (found["malformed_pages"], found["events"], found["unfinished"]) == (1, 1, 1)
    assert a_run(both, clock)["events"] == 1
    assert sorted(times_sent(streamed())) == sorted(ids(server, "a-video") + ids(server, "b-video"))


def test_a_refused_page_token_begins_the_walk_again_and_ends_it_when_that_is_no_help(
    application, server, clock
):
    server.threads[VIDEO] = [make_thread(n) for n in range(350)]
    server.refused_tokens = {"page-2"}
    found = a_run(application, clock)
    assert (found["cut_short"], found["calls"]) == (1, 3 * 3)
    assert len(times_sent(streamed())) == 200
    assert "walk" not in item("youtube", f"video#{VIDEO}")


def test_a_server_that_stays_down_ends_the_run_and_the_cursor_stays(application, server, clock):
    server.threads[VIDEO] = [make_thread(n) for n in range(150)]
    server.faults = dict.fromkeys(range(2, 7), UNAVAILABLE)
    hurry = Hurry()
    found = a_run(application, clock, hurry)
    assert (found["stopped"], found["retries"], found["calls"]) == ("unavailable", 4, 6)
    assert [0.5 <= w <= 1 << i for i, w in enumerate(hurry.waits)] == [True] * 4
    a_run(application, clock)
    assert set(times_sent(streamed()).values()) == {1}
    assert sorted(times_sent(streamed())) == ids(server)


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


def test_a_comment_without_an_author_and_with_half_a_surrogate_pair_is_an_event(
    application, server, clock
):
    thread = make_thread(int((clock.now - START).days))
    thread.author, thread.text = None, "broken \ud83d face \U0001f600"
    server.threads[VIDEO] = [thread]
    a_run(application, clock)
    (event,) = streamed()
    assert event["author_id"] == "anonymous"
    assert event["body"]["text"] == "broken \ufffd face \U0001f600"
