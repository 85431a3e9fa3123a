"""Tickets, what agents do with them, and replies that are asked for."""

from __future__ import annotations

import json

import boto3

from lambdas.web_api.app import make_app
from tests.unit.lambdas.api_kit import TICKETS, call, make_services, make_tables, put_ticket
from tests.unit.lambdas.web_api.kit import item, problem


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
