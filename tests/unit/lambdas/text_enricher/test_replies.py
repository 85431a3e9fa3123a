"""Replies that are asked for, and authors who want none."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import boto3
from botocore.exceptions import ClientError

from lambdas.text_enricher import handler as enricher
from lambdas.text_enricher.adapters import Replies
from tests.unit.lambdas.text_enricher.kit import (
    COMPLAINT,
    EMPTY,
    SECRET,
    TICKETS,
    WHEN,
    FailingTickets,
    application,
    four,
    post,
    rows,
    tickets,
)
from voxlake.ids import Pseudonymiser
from voxlake.replies.requests import reply_request


class Outbox:
    """Takes messages as SQS does, or fails as it does."""

    def __init__(self, failures: int = 0) -> None:
        self.failures, self.bodies, self.groups = failures, [], []
        self.left: set[str] = set()

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:
        assert len({entry["Id"] for entry in Entries}) == len(Entries) <= 10
        if self.failures:
            self.failures -= 1
            raise ClientError({"Error": {"Code": "ServiceUnavailable"}}, "SendMessageBatch")
        taken = [entry for entry in Entries if entry["MessageDeduplicationId"] not in self.left]
        self.bodies += [json.loads(entry["MessageBody"]) for entry in taken]
        self.groups += [entry["MessageGroupId"] for entry in taken]
        return {"Failed": [{"Code": "Left"}] if len(taken) < len(Entries) else []}


def asking(outbox: Outbox) -> enricher.Application:
    return application(replies=Replies(outbox, "url", boto3.client("dynamodb"), TICKETS))


def test_a_reply_is_asked_for_each_ticket_and_for_nothing_else(tables, kinesis_record):
    outbox = Outbox()
    praise = kinesis_record(11, post(2, "@auroraair great, is it not?"))
    batch = {"Records": [kinesis_record(10, post(1, COMPLAINT)), praise]}
    assert enricher.enrich(batch, asking(outbox)) == EMPTY
    (ticket,) = tickets()
    assert outbox.bodies == [
        {
            "ticket_id": ticket["ticket_id"],
            "by": "text_enricher",
            "text": None,
            "requested_at": "2026-02-24T12:00:01.750000Z",
        }
    ]
    assert outbox.groups == ["api"]


def test_a_ticket_whose_asking_failed_is_asked_for_when_its_record_comes_again(
    tables, kinesis_record
):
    """An edit of its text asks for nothing."""
    outbox = Outbox(failures=1)
    records = [kinesis_record(9, post(5, "hello")), kinesis_record(10, post(1, COMPLAINT))]
    failed = {"batchItemFailures": [{"itemIdentifier": "10"}]}
    assert enricher.enrich({"Records": records}, asking(outbox)) == failed
    assert (len(tickets()), outbox.bodies) == (1, [])
    edit = kinesis_record(11, post(1, "@auroraair bad bag, still", event_id="e1-edited"))
    assert enricher.enrich({"Records": [records[1], edit]}, asking(outbox)) == EMPTY
    assert [one["ticket_id"] for one in outbox.bodies] == [tickets()[0]["ticket_id"]]


def test_many_replies_are_asked_for_in_few_calls_and_those_left_are_asked_for_again(
    tables, kinesis_record
):
    records = [kinesis_record(at, post(at, COMPLAINT)) for at in range(10, 40)]
    outbox = Outbox()
    for _ in range(2):
        assert enricher.enrich({"Records": records}, asking(outbox)) == EMPTY
    ids = [one["ticket_id"] for one in outbox.bodies]
    assert (len(ids), set(ids)) == (60, {one["ticket_id"] for one in tickets()})

    place = {one["native_id"]: at for at, one in enumerate(tickets())}
    left = Outbox()
    left.left = {
        reply_request(tickets()[place["p25"]]["ticket_id"], "text_enricher", None, WHEN)[
            "MessageDeduplicationId"
        ]
    }
    answer = enricher.enrich({"Records": records}, asking(left))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "20"}]}
    rest = {"Records": records[10:]}
    left.left = set()
    assert enricher.enrich(rest, asking(left)) == EMPTY
    assert {one["ticket_id"] for one in left.bodies} == set(ids)


def test_a_ticket_opened_before_a_failure_is_asked_for_when_the_batch_resumes(
    tables, kinesis_record
):
    batch, outbox = four(kinesis_record), Outbox()
    app = asking(outbox)
    broken = dataclasses.replace(app, tickets=FailingTickets("p2"))
    answer = enricher.enrich(batch, broken)
    assert (answer, outbox.bodies) == ({"batchItemFailures": [{"itemIdentifier": "11"}]}, [])
    assert enricher.enrich({"Records": batch["Records"][1:]}, app) == EMPTY
    assert sorted(one["ticket_id"] for one in outbox.bodies) == sorted(
        one["ticket_id"] for one in tickets()
    )


def test_who_tells_us_to_stop_is_kept_as_such(tables, kinesis_record):
    said = ("@auroraair STOP", "stop", "@auroraair stop losing bags", "@united stop please")
    records = [
        kinesis_record(10 + at, post(at, text, author_id=f"author{at}"))
        for at, text in enumerate(said)
    ]
    enricher.enrich({"Records": records}, asking(Outbox()))
    people = Pseudonymiser.from_secret(SECRET)
    assert {one["pk"] for one in rows(TICKETS) if one["pk"].startswith("OPTOUT")} == {
        f"OPTOUT#api#{people.pseudonym('api', author)}" for author in ("author0", "author3")
    }
