"""Scores and health, and how the API refuses: wrong input, nobody signed in, trouble behind it."""

from __future__ import annotations

from datetime import timedelta

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.unit.lambdas.api_kit import (
    NOW,
    START,
    TICKETS,
    VIDEO,
    FakeStates,
    call,
    put_text,
    put_ticket,
)
from tests.unit.lambdas.web_api.kit import item, problem


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
