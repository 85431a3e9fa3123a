"""source_x against a server that speaks X's API, faults included."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import boto3
import pytest

from lambdas.common.settings import read_settings
from lambdas.common.source_table import SourceTable
from lambdas.common.stream_writer import KinesisWriter
from lambdas.source_x.handler import Application, read
from lambdas.source_x.reading import UnknownTrackerError
from lambdas.source_x.settings import Settings
from tests.servers.x import (
    BROKEN,
    CAP_REACHED,
    CREDITS_DEPLETED,
    DROPS,
    HANGS,
    NOT_JSON,
    UNAVAILABLE,
    XServer,
)
from tests.unit.lambdas.conftest import STREAM
from tests.unit.lambdas.source_kit import (
    TABLE,
    Clock,
    Hurry,
    item,
    make_secret,
    make_table,
    streamed,
    times_sent,
)
from voxlake.trackers import Tracker, Trackers

AIR = Tracker("our_air", "Our Air", ("ourair",), ("ourair",), ("our air",))
BANK = Tracker("our_bank", "Our Bank", ("ourbank",))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def server(clock):
    with XServer(clock) as found:
        yield found


@pytest.fixture
def application(cloud, server):
    make_table()
    settings = read_settings(
        Settings,
        {
            "EVENT_STREAM": STREAM,
            "SOURCES_TABLE": TABLE,
            "X_SECRET": make_secret({"bearer_token": "good-token"}),
            "X_API_URL": server.url,
            "X_TRACKERS": "our_air",
            "X_DAILY_POSTS": "100000",
            "API_READ_SECONDS": "3",
        },
    )
    return Application(
        settings,
        SourceTable(boto3.client("dynamodb"), TABLE, "x"),
        KinesisWriter(boto3.client("kinesis"), STREAM),
        boto3.client("secretsmanager"),
        Trackers((AIR, BANK)),
    )


def a_run(application, clock, hurry=None):
    return read(application, (hurry or Hurry()).patience(), clock).result()


def changed(application, **settings):
    return replace(application, settings=application.settings.model_copy(update=settings))


def publish(server, clock, number, text="@ourair lost my bag, {}"):
    """Posts of the last minutes, oldest first, one a second."""
    begin = clock.now - timedelta(seconds=number)
    return [
        server.add_post(text.format(i), begin + timedelta(seconds=i), number=i % 1000)
        for i in range(number)
    ]


def ids(posts):
    return sorted(f"x-{post['id']}" for post in posts)


def test_a_post_is_an_event_of_the_contracts_fields_and_none_of_the_rest(
    application, server, clock
):
    server.places = {"p1": "Somewhere, USA"}
    at = clock.now - timedelta(minutes=3)
    made = server.add_post("@OurAir where is my bag? #OurAir", at, geo={"place_id": "p1"})
    a_run(application, clock)
    assert streamed() == [
        {
            "event_id": f"x-{made['id']}",
            "event_type": "post",
            "schema_version": 1,
            "source": "x",
            "occurred_at": "2026-02-24T19:57:00Z",
            "author_id": "77",
            "body": {
                "post_id": made["id"],
                "text": "@OurAir where is my bag? #OurAir",
                "lang": "en",
                "hashtags": ["OurAir"],
                "mentions": ["OurAir"],
                "like_count": 3,
                "share_count": 3,
                "place": "Somewhere, USA",
            },
        }
    ]


def test_mentions_hashtags_and_keywords_are_found_and_nothing_else(application, server, clock):
    at = clock.now - timedelta(minutes=1)
    wanted = [
        server.add_post(text, at, number=number)
        for number, text in enumerate(["hi @ourair", "#OurAir rocks", "I flew Our Air today"])
    ]
    server.add_post("our fair air, @ourairline", at, number=9)
    a_run(application, clock)
    assert sorted(times_sent(streamed())) == ids(wanted)


def test_every_page_arrives_once_through_faults_and_the_next_run_reads_only_what_is_new(
    application, server, clock
):
    old = publish(server, clock, 1030)
    server.faults = {2: UNAVAILABLE, 3: BROKEN, 4: HANGS, 5: DROPS}
    first = a_run(application, clock)
    assert (first["calls"], first["retries"], first["events"]) == (11 + 4, 4, 1030)
    clock.pass_(minutes=5)
    new = publish(server, clock, 120)
    second = a_run(application, clock)
    assert (second["calls"], second["events"]) == (2, 120)
    sent = times_sent(streamed())
    assert sorted(sent) == ids(old + new)
    assert set(sent.values()) == {1}
    assert item("x", "search#our_air#1")["since_id"] == new[-1]["id"]


def test_a_window_that_is_spent_stops_reading_until_x_says(application, server, clock):
    posts = publish(server, clock, 950)
    server.limit = 4
    first = a_run(application, clock)
    assert (first["stopped"], first["calls"], first["events"]) == ("rate_limited", 4, 400)
    assert first["until"] == "2026-02-24T20:15:00+00:00"
    clock.pass_(minutes=14)
    assert a_run(application, clock)["stopped"] == "paused"
    assert len(server.log) == 4
    clock.pass_(minutes=1)
    assert a_run(application, clock)["stopped"] == "rate_limited"
    clock.pass_(minutes=15)
    assert a_run(application, clock)["events"] == 150
    sent = times_sent(streamed())
    assert (sorted(sent), set(sent.values())) == (ids(posts), {1})


def test_429_means_to_wait_for_the_time_in_its_header(application, server, clock):
    publish(server, clock, 5)
    server.limit = 0
    found = a_run(application, clock)
    assert (found["stopped"], found["until"]) == ("rate_limited", "2026-02-24T20:15:00+00:00")
    assert found["retries"] == 0


@pytest.mark.parametrize("fault", [CAP_REACHED, CREDITS_DEPLETED])
def test_a_spent_plan_is_asked_again_the_next_day(application, server, clock, fault):
    posts = publish(server, clock, 150)
    server.next_fault(fault, after=1)
    first = a_run(application, clock)
    assert (first["stopped"], first["until"]) == ("quota_spent", "2026-02-25T00:00:00+00:00")
    clock.pass_(hours=4)
    a_run(application, clock)
    sent = times_sent(streamed())
    assert (sorted(sent), set(sent.values())) == (ids(posts), {1})


def test_the_daily_budget_counts_posts_and_ends_a_run(application, server, clock):
    publish(server, clock, 450)
    small = changed(application, daily_posts=150)
    first = a_run(small, clock)
    assert (first["stopped"], first["events"]) == ("quota_spent", 200)
    assert a_run(small, clock)["calls"] == 0
    clock.pass_(hours=5)
    assert a_run(small, clock)["events"] == 200
    assert item("x", "day#2026-02-24")["used"] == 200


def test_a_refused_token_stops_the_run_and_is_a_metric(application, server, clock, capsys, caplog):
    server.tokens = {"another"}
    assert a_run(application, clock)["stopped"] == "key_refused"
    (metric,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert metric["KeyRefused"] == [1.0]
    assert not [record for record in caplog.records if "good-token" in str(vars(record))]


def test_a_crash_between_stream_and_cursor_repeats_and_loses_nothing(application, server, clock):
    posts = publish(server, clock, 350)

    class Dies(SourceTable):
        saves = 0

        def save(self, *arguments, **options):
            Dies.saves += 1
            if Dies.saves == 3:
                raise SystemExit("killed")
            return super().save(*arguments, **options)

    with pytest.raises(SystemExit):
        a_run(replace(application, table=Dies(boto3.client("dynamodb"), TABLE, "x")), clock)
    a_run(application, clock)
    sent = times_sent(streamed())
    assert sorted(sent) == ids(posts)
    assert sent.total() - len(sent) == 100


def test_posts_written_while_a_reading_was_interrupted_come_with_the_next_one(
    application, server, clock
):
    before = publish(server, clock, 250)
    assert a_run(application, clock, Hurry(looks=3))["stopped"] == "time"
    clock.pass_(minutes=5)
    during = publish(server, clock, 30)
    # Pages moved on by the new posts: what slides onto a later page comes twice, none is lost.
    a_run(application, clock)
    a_run(application, clock)
    assert sorted(times_sent(streamed())) == ids(before + during)


def test_a_refused_page_token_begins_the_reading_again(application, server, clock):
    posts = publish(server, clock, 250)
    assert a_run(application, clock, Hurry(looks=3))["stopped"] == "time"
    stored = item("x", "search#our_air#1")["next_token"]
    server.refused_tokens = {stored}
    short = a_run(application, clock, Hurry(looks=3))
    assert (short["calls"], short["cut_short"]) == (2, 0)
    server.refused_tokens = set()
    a_run(application, clock)
    assert sorted(times_sent(streamed())) == ids(posts)


def test_after_a_week_of_silence_reading_begins_where_search_reaches(
    application, server, clock, caplog
):
    publish(server, clock, 5)
    a_run(application, clock)
    clock.pass_(days=8)
    new = publish(server, clock, 5)
    assert a_run(application, clock)["events"] == 5
    assert "gap" in caplog.messages
    assert set(ids(new)) <= set(times_sent(streamed()))


def test_the_first_reading_goes_back_as_far_as_the_settings_say(application, server, clock):
    server.add_post("@ourair yesterday", clock.now - timedelta(hours=30))
    recent = server.add_post("@ourair today", clock.now - timedelta(hours=20))
    a_run(application, clock)
    assert sorted(times_sent(streamed())) == ids([recent])


def test_one_query_that_fails_leaves_the_others_going(application, server, clock):
    both = changed(application, trackers=("our_air", "our_bank"))
    air = publish(server, clock, 3)
    clock.pass_(minutes=1)
    bank = publish(server, clock, 3, "@ourbank help, {}")
    server.next_fault(NOT_JSON)
    found = a_run(both, clock)
    assert (found["malformed_pages"], found["events"], found["unfinished"]) == (1, 3, 1)
    assert a_run(both, clock)["events"] == 3
    assert sorted(times_sent(streamed())) == ids(air + bank)


def test_malformed_posts_are_counted_and_the_rest_goes_on(application, server, clock, caplog):
    at = clock.now - timedelta(minutes=1)
    server.add_post("@ourair one", at, created_at="just now")
    server.add_post("@ourair two", at, number=1, lang="x" * 40)
    server.add_post("@ourair three", at, number=2, public_metrics={"like_count": -1})
    good = server.add_post("@ourair four", at, number=3)
    found = a_run(application, clock)
    assert (found["events"], found["malformed"]) == (1, 3)
    assert sorted(times_sent(streamed())) == ids([good])
    reasons = sorted(
        (record.reason, record.field) for record in caplog.records if record.message == "malformed"
    )
    assert reasons == [
        ("invalid_value", "body.like_count"),
        ("too_long", "body.lang"),
        ("unreadable_item", ""),
    ]


def test_without_a_token_nothing_is_asked(application, server, clock):
    without = changed(
        application, secret=boto3.client("secretsmanager").create_secret(Name="empty")["ARN"]
    )
    assert a_run(without, clock)["stopped"] == "no_key"
    assert server.log == []


def test_an_unknown_tracker_is_named(application, server, clock):
    with pytest.raises(UnknownTrackerError, match="'their_air'"):
        a_run(changed(application, trackers=("their_air",)), clock)
