"""Keys that are missing or refused, videos that are gone, pages and comments that are none."""

from __future__ import annotations

import json

import boto3
import pytest

from lambdas.source_youtube import handler as source_youtube
from tests.servers.youtube import NOT_JSON, START, UNAVAILABLE, make_thread
from tests.unit.lambdas.source_kit import Hurry, item, put_secret, streamed, times_sent
from tests.unit.lambdas.source_youtube.kit import VIDEO, a_run, changed, ids


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
