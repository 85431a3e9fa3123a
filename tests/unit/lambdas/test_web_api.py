"""web_api's routes over tables in moto: what they answer, whom, and how they refuse."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from lambdas.web_api.app import make_app
from lambdas.web_api.services import Services
from lambdas.web_api.videos import video_state
from tests.unit.lambdas.api_kit import (
    NOW,
    SOURCES,
    START,
    TICKETS,
    VIDEO,
    Answer,
    FakeStates,
    call,
    make_services,
    make_tables,
    put_text,
    put_ticket,
)
from voxlake.ledger.items import plain

MARKUP = '<img src=x onerror="alert(1)">'


@pytest.fixture
def services(cloud) -> Services:
    make_tables()
    return make_services()


@pytest.fixture
def app(services):
    return make_app(lambda: services)


def item(table: str, **key: str) -> dict[str, Any]:
    return plain(boto3.resource("dynamodb").Table(table).get_item(Key=key)["Item"])


def problem(answer: Answer) -> tuple[int, list[str]]:
    """(status, names of the wrong fields) of a problem document."""
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json
    assert set(document) == {"type", "title", "status", "detail", "errors"}
    assert document["status"] == answer.status
    return answer.status, [error["field"] for error in document["errors"]]


# ----- texts


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


# ----- videos


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


LATER = "2026-02-25T08:00:00+00:00"


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


# ----- tickets


def test_tickets_come_newest_first_and_page_to_the_older(app):
    ids = [put_ticket(n, queue=("baggage_issue", "seating_preferences")[n % 2]) for n in range(5)]
    first = call(app, "GET", "/v1/tickets", query={"limit": 2}).json
    assert [one["ticket_id"] for one in first["tickets"]] == ids[:2:-1]
    assert first["more"]
    query = {"limit": 10, "since": first["cursor"]}
    rest = call(app, "GET", "/v1/tickets", query=query).json
    assert [one["ticket_id"] for one in rest["tickets"]] == ids[2::-1]
    assert not rest["more"]
    bags = call(app, "GET", "/v1/tickets", query={"queue": "baggage_issue", "state": "open"}).json
    assert [one["ticket_id"] for one in bags["tickets"]] == ids[4::-2]
    assert bags["tickets"][0] == {
        "ticket_id": ids[4],
        "queue": "baggage_issue",
        "queue_name": "Baggage Issue",
        "state": "open",
        "kind": "complaint",
        "opened_at": "2026-02-24T12:04:00.000000Z",
        "updated_at": "2026-02-24T12:04:00.000000Z",
        "source": "x",
        "sentiment": "negative",
        "text": "@auroraair <b>bad</b> bag 4",
        "replied_at": None,
    }


def test_a_tickets_public_view_needs_no_token_and_shows_nothing_of_the_text(app):
    ticket_id = put_ticket(1)
    answer = call(app, "GET", f"/v1/tickets/{ticket_id.lower()}", sub=None)
    assert answer.json == {
        "ticket_id": ticket_id,
        "queue": "Baggage Issue",
        "state": "open",
        "opened_at": "2026-02-24T12:01:00.000000Z",
        "updated_at": "2026-02-24T12:01:00.000000Z",
        "hours": "24/7",
        "history": [{"what": "opened", "at": "2026-02-24T12:01:00.000000Z"}],
    }


def test_an_action_is_recorded_with_who_and_refused_where_the_state_forbids_it(app):
    ticket_id = put_ticket(1)
    path = f"/v1/tickets/{ticket_id}/actions"
    body = {"action": "suppress", "note": "phoned", "revision": 1}
    changed = call(app, "POST", path, body)
    assert (changed.status, changed.json["state"], changed.json["revision"]) == (
        200,
        "suppressed",
        2,
    )
    assert "author_id" not in changed.json
    assert changed.json["history"][-1] == {
        "what": "suppressed",
        "who": "agent:kim",
        "at": "2026-02-24T12:30:00.000000Z",
        "note": "phoned",
    }
    assert call(app, "POST", path, {"action": "reopen"}).json["state"] == "open"
    stale = call(app, "POST", path, {"action": "close", "revision": 1})
    assert problem(stale) == (409, [])
    assert "found 3" in stale.json["detail"]
    assert call(app, "POST", path, {"action": "close"}).json["state"] == "closed"
    assert problem(call(app, "POST", path, {"action": "reopen"})) == (409, [])
    assert item(TICKETS, pk=f"TICKET#{ticket_id}")["revision"] == 4


# ----- replies


def test_a_reply_is_put_into_the_outbox_in_the_callers_name(cloud):
    make_tables()
    ticket_id = put_ticket(1)
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="outbox.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    services = make_services(OUTBOX_URL=queue)
    app = make_app(lambda: services)
    answer = call(app, "POST", "/v1/replies", {"ticket_id": ticket_id, "text": "we found it"})
    assert (answer.status, answer.json) == (202, {"ticket_id": ticket_id, "state": "queued"})
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"]) == {
        "ticket_id": ticket_id,
        "by": "agent:kim",
        "text": "we found it",
        "requested_at": "2026-02-24T12:30:00.000000Z",
    }
    blank = call(app, "POST", "/v1/replies", {"ticket_id": ticket_id, "text": "  "})
    assert problem(blank) == (422, ["body.text"])
    call(app, "POST", f"/v1/tickets/{ticket_id}/actions", {"action": "close"})
    assert problem(call(app, "POST", "/v1/replies", {"ticket_id": ticket_id})) == (409, [])


def test_where_replies_are_off_asking_for_one_is_refused(app):
    refused = call(app, "POST", "/v1/replies", {"ticket_id": put_ticket(1)})
    assert problem(refused) == (409, [])
    assert "replies are turned off" in refused.json["detail"]


# ----- scores and health


def test_texts_are_scored_by_all_heads_or_those_asked_for(app):
    answer = call(app, "POST", "/v1/score", {"texts": ["bad", "great"]})
    assert [score["sentiment"] for score in answer.json["scores"]] == ["negative", "positive"]
    refused = call(app, "POST", "/v1/score", {"texts": ["bad"], "heads": ["colour"]})
    assert problem(refused) == (422, ["body.heads.0"])


def test_a_head_that_the_model_lacks_is_refused_by_name(app, services):
    services.encoder.heads = ("sentiment",)
    refused = call(app, "POST", "/v1/score", {"texts": ["bad"], "heads": ["emotions"]})
    assert problem(refused) == (422, ["body.heads"])


def test_health_tells_lag_newest_text_last_run_and_replies(app, services):
    put_text(1, "bad", START, trackers=())
    boto3.client("cloudwatch").put_metric_data(
        Namespace="AWS/Lambda",
        MetricData=[
            {
                "MetricName": "IteratorAge",
                "Dimensions": [{"Name": "FunctionName", "Value": "text-enricher"}],
                "Timestamp": NOW - timedelta(minutes=minutes),
                "Value": milliseconds,
                "Unit": "Milliseconds",
            }
            for minutes, milliseconds in ((1, 70_000), (3, 5_000_000))
        ],
    )
    run = {"name": "run-1", "status": "SUCCEEDED", "stopDate": START}
    services._clients["stepfunctions"] = FakeStates(run)
    assert call(app, "GET", "/v1/health").json == {
        "status": "late",
        "stream": {"lag_seconds": 70.0},
        "newest_text": {"arrived_at": "2026-02-24T12:00:00.250000Z"},
        "batch": {
            "last_run": {
                "run_id": "run-1",
                "state": "SUCCEEDED",
                "ended_at": "2026-02-24T12:00:00.000000Z",
            }
        },
        "replies": {"mode": "dry_run"},
    }


# ----- refusals


@pytest.mark.parametrize(
    ("method", "path", "body", "query", "fields"),
    [
        ("GET", "/v1/videos/short", None, {}, ["path.video_id"]),
        ("GET", f"/v1/videos/{VIDEO}", None, {"limit": 501}, ["query.limit"]),
        ("GET", f"/v1/videos/{VIDEO}", None, {"since": "not a cursor"}, ["query.since"]),
        ("GET", f"/v1/videos/{VIDEO}", None, {"since": ""}, ["query.since"]),
        ("GET", "/v1/tickets", None, {"since": "MAo="}, ["query.since"]),
        ("GET", "/v1/tickets", None, {"queue": "none"}, ["query.queue"]),
        ("GET", "/v1/tickets", None, {"state": "lost"}, ["query.state"]),
        ("POST", "/v1/score", b"{", {}, ["body"]),
        ("POST", "/v1/score", b"\xff", {}, ["body"]),
        ("POST", "/v1/score", {"texts": []}, {}, ["body.texts"]),
        ("POST", "/v1/score", {"texts": ["a", 1], "x": 1}, {}, ["body.texts.1", "body.x"]),
        ("POST", "/v1/score", {"texts": ["a" * 10_001]}, {}, ["body.texts.0"]),
        ("POST", "/v1/score", b'{"texts": ["\\ud800"]}', {}, ["body.texts.0"]),
        ("POST", "/v1/replies", {}, {}, ["body.ticket_id"]),
    ],
)
def test_wrong_input_gets_a_problem_that_names_the_field(app, method, path, body, query, fields):
    if body == {}:
        body = b"{}"
    assert problem(call(app, method, path, body, query=query)) == (422, fields)


@pytest.mark.parametrize(
    "path",
    ["/v1/trackers/nobody", "/v1/tickets/BAG-000000-00000", "/v1/tickets/x/details", "/v1/none"],
)
def test_what_is_not_there_is_404(app, path):
    assert problem(call(app, "GET", path))[0] == 404


def test_another_method_is_told_which_there_are(app):
    refused = call(app, "PUT", f"/v1/videos/{VIDEO}")
    assert (problem(refused)[0], refused.headers["allow"]) == (405, "GET, POST")


def test_nobody_gets_past_a_route_that_no_authorizer_saw(app):
    ticket_id = put_ticket(1)
    for method, path in (
        ("GET", "/v1/health"),
        ("GET", "/v1/tickets"),
        ("GET", f"/v1/tickets/{ticket_id}/details"),
        ("POST", f"/v1/tickets/{ticket_id}/actions"),
        ("POST", f"/v1/videos/{VIDEO}"),
        ("POST", "/v1/score"),
        ("POST", "/v1/replies"),
    ):
        assert problem(call(app, method, path, sub=None))[0] == 401, path
    assert item(TICKETS, pk=f"TICKET#{ticket_id}")["revision"] == 1


def test_throttling_is_told_with_a_time_to_ask_again(app, services, monkeypatch):
    def throttled(*_: object, **__: object) -> None:
        error = {"Error": {"Code": "ProvisionedThroughputExceededException", "Message": "slow"}}
        raise ClientError(error, "Query")

    monkeypatch.setattr(services.tickets, "listed", throttled)
    answer = call(app, "GET", "/v1/tickets")
    assert problem(answer) == (503, [])
    assert answer.headers["retry-after"] == "1"


def test_what_nobody_expected_is_logged_and_told_without_its_inside(
    app, services, monkeypatch, caplog
):
    def broken(*_: object, **__: object) -> None:
        raise KeyError("inner-secret")

    monkeypatch.setattr(services.tickets, "listed", broken)
    answer = call(app, "GET", "/v1/tickets")
    assert problem(answer) == (500, [])
    assert "inner-secret" not in answer.body.decode()
    assert "request-1" in answer.json["detail"]
    (line,) = (record for record in caplog.records if record.exc_info)
    assert (line.request_id, line.path) == ("request-1", "/v1/tickets")
    assert "inner-secret" in str(line.exc_info[1])


def test_the_docs_page_loads_from_its_own_folder_only(app):
    page = call(app, "GET", "/v1/docs", sub=None)
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "http" not in page.body.decode()
    for name in ("swagger-ui.js", "swagger-ui.css", "start.js"):
        assert f'"docs/{name}"' in page.body.decode()
        assert call(app, "GET", f"/v1/docs/{name}", sub=None).status == 200
    assert call(app, "GET", "/v1/docs/other", sub=None).status == 404
