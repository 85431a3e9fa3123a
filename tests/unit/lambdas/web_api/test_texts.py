"""Texts of trackers and videos, and videos that are asked for."""

from __future__ import annotations

from datetime import timedelta

import boto3
import pytest

from lambdas.web_api.app import make_app
from lambdas.web_api.videos import video_state
from tests.unit.lambdas.api_kit import (
    NOW,
    SOURCES,
    START,
    VIDEO,
    call,
    make_services,
    make_tables,
    put_text,
)
from tests.unit.lambdas.web_api.kit import item

LATER = "2026-02-25T08:00:00+00:00"
MARKUP = '<img src=x onerror="alert(1)">'


def test_a_trackers_texts_come_oldest_first_and_then_those_after_the_cursor(app):
    for number in range(5):
        put_text(number, f"bad {number}", START + timedelta(seconds=number))
    first = call(app, "GET", "/v1/trackers/aurora_air", query={"limit": 2}).json
    assert [text["event_id"] for text in first["texts"]] == ["e3", "e4"]  # the newest
    put_text(7, "great", START + timedelta(seconds=9))
    after = call(app, "GET", "/v1/trackers/aurora_air", query={"since": first["cursor"]}).json
    assert [text["event_id"] for text in after["texts"]] == ["e7"]
    assert after["more"] is False
    assert after["texts"][0] == {
        "event_id": "e7",
        "arrived": "2026-02-24T12:00:00.250000Z",
        "occurred_at": "2026-02-24T11:59:59.000000Z",
        "source": "x",
        "text": "great",
        "sentiment": "positive",
        "polarity": 0.85,
        "emotions": [],
        "emotion_scores": {"anger": 0.1, "love": 0.1},
        "main_emotion": "joy",
        "entities": [],
        "language": "en",
        "in_scope": True,
        "model": "fake-1",
    }


def test_a_video_is_read_through_page_by_page_each_text_once(app):
    for number in range(7):
        put_text(number, "bad", START + timedelta(seconds=number), thread_id=VIDEO)
    since = call(app, "POST", f"/v1/videos/{VIDEO}").json["cursor"]
    seen, more = [], True
    while more:
        answer = call(app, "GET", f"/v1/videos/{VIDEO}", query={"since": since, "limit": 3}).json
        seen += [text["event_id"] for text in answer["texts"]]
        since, more = answer["cursor"], answer["more"]
    assert seen == [f"e{number}" for number in range(7)]
    assert call(app, "GET", f"/v1/videos/{VIDEO}", query={"since": since}).json["texts"] == []


def test_a_text_that_becomes_visible_late_is_still_given(app, services):
    """Within the seconds in which another worker, or the index, may lag."""
    put_text(1, "bad", NOW - timedelta(seconds=1))
    first = call(app, "GET", "/v1/trackers/aurora_air").json
    put_text(2, "bad", NOW - timedelta(seconds=3))
    query = {"since": first["cursor"]}
    second = call(app, "GET", "/v1/trackers/aurora_air", query=query).json
    assert {text["event_id"] for text in second["texts"]} == {"e1", "e2"}
    services.clock = lambda: NOW + timedelta(minutes=1)
    services.texts._clock = services.clock
    query = {"since": second["cursor"]}
    third = call(app, "GET", "/v1/trackers/aurora_air", query=query).json
    fourth = call(app, "GET", "/v1/trackers/aurora_air", query={"since": third["cursor"]}).json
    assert fourth["texts"] == []


def test_late_texts_are_given_also_after_paging_over_them(app):
    for number in range(4):
        put_text(number, "bad", NOW - timedelta(seconds=2, milliseconds=-number))
    first = call(app, "GET", "/v1/trackers/aurora_air", query={"limit": 1}).json
    page = call(
        app, "GET", "/v1/trackers/aurora_air", query={"since": first["cursor"], "limit": 3}
    ).json
    assert page["more"]
    put_text(9, "bad", NOW - timedelta(seconds=3))
    last = call(app, "GET", "/v1/trackers/aurora_air", query={"since": page["cursor"]}).json
    again = call(app, "GET", "/v1/trackers/aurora_air", query={"since": last["cursor"]}).json
    assert "e9" in {text["event_id"] for text in again["texts"]}


def test_markup_stays_text_in_json_that_no_browser_takes_for_a_page(app):
    put_text(1, f"bad {MARKUP}", START)
    answer = call(app, "GET", "/v1/trackers/aurora_air")
    assert answer.json["texts"][0]["text"] == f"bad {MARKUP}"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_asking_for_a_video_puts_it_into_the_sources_table_and_starts_a_reading(app, services):
    started = call(app, "POST", f"/v1/videos/{VIDEO}")
    assert (started.status, started.json["video"]) == (
        202,
        {
            "video_id": VIDEO,
            "state": "waiting",
            "texts_read": 0,
            "detail": None,
            "resumes_at": None,
        },
    )
    assert item(SOURCES, pk="youtube", sk=f"video#{VIDEO}") == {
        "pk": "youtube",
        "sk": f"video#{VIDEO}",
        "asked_at": "2026-02-24T12:30:00.000000Z",
    }
    (asked,) = services.client("lambda").calls
    assert (asked["FunctionName"], asked["InvocationType"]) == ("source-youtube", "Event")


def test_asking_again_changes_nothing(app, services):
    table = boto3.resource("dynamodb").Table(SOURCES)
    known = {
        "pk": "youtube",
        "sk": f"video#{VIDEO}",
        "version": 4,
        "walked_at": "2026-02-24T12:00:00.000000Z",
        "touched_at": "2026-02-24T12:00:00.000000Z",
        "texts_read": 17,
        "asked_at": "2026-02-24T11:00:00.000000Z",
    }
    table.put_item(Item=known)
    video = call(app, "POST", f"/v1/videos/{VIDEO}").json["video"]
    assert (video["state"], video["texts_read"]) == ("done", 17)
    assert item(SOURCES, pk="youtube", sk=f"video#{VIDEO}") == known
    assert services.client("lambda").calls == []


def test_where_the_source_is_off_nothing_is_started_and_the_state_says_so(cloud):
    make_tables()
    services = make_services(YOUTUBE_ENABLED="false")
    started = call(make_app(lambda: services), "POST", f"/v1/videos/{VIDEO}").json["video"]
    assert started["state"] == "off"
    assert "turned off" in started["detail"]
    assert services.client("lambda").calls == []


@pytest.mark.parametrize(
    ("found", "around", "expected"),
    [
        (None, {}, "unknown"),
        ({}, {}, "waiting"),
        ({}, {"enabled": False}, "off"),
        ({"walk": {}}, {}, "waiting"),
        ({"walk": {"page": 2}}, {}, "reading"),
        ({"walked_at": "…"}, {}, "done"),
        ({"state": "closed", "closed_reason": "video_gone"}, {"enabled": False}, "not_found"),
        ({"state": "closed", "closed_reason": "comments_disabled"}, {}, "failed"),
        ({}, {"last_run": {"stopped": "no_key"}}, "no_key"),
        ({"walked_at": "…"}, {"last_run": {"stopped": "key_refused"}}, "failed"),
        ({}, {"last_run": {"stopped": "quota_spent", "until": LATER}}, "quota_spent"),
        ({}, {"last_run": {"stopped": "quota_spent", "until": NOW.isoformat()}}, "waiting"),
        ({"walk": {"page": 2}}, {"last_run": {"stopped": "unavailable"}}, "reading"),
        ({}, {"pause": (NOW, "quota_spent")}, "quota_spent"),
        ({}, {"pause": (NOW, "rate_limited")}, "waiting"),
    ],
)
def test_a_videos_state_tells_why_nothing_is_read(found, around, expected):
    surroundings = {"enabled": True, "pause": None, "last_run": {}, **around}
    assert video_state(found, now=NOW, **surroundings)[0] == expected


def test_spent_quota_says_when_reading_goes_on():
    run = {"stopped": "quota_spent", "until": LATER}
    assert video_state({}, enabled=True, pause=None, last_run=run, now=NOW)[2] == (
        "2026-02-25T08:00:00.000000Z"
    )
