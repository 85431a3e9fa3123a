"""Scores, tickets, what is skipped, and failures."""

from __future__ import annotations

import json

import boto3
import orjson
import pytest
from botocore.exceptions import ClientError

from lambdas.text_enricher import handler as enricher
from lambdas.text_enricher.adapters import (
    Opened,
    ScoresTable,
    ScoresWriteError,
    TicketIdTakenError,
    TicketsTable,
    serialised,
)
from lambdas.text_enricher.records import UnexpectedRecordError
from tests.unit.lambdas.kit import event
from tests.unit.lambdas.text_enricher.kit import (
    ARRIVAL,
    COMPLAINT,
    EMPTY,
    NOW,
    SCORES,
    SECRET,
    SETTINGS,
    TICKETS,
    FailingTickets,
    application,
    four,
    post,
    rows,
    tickets,
)
from tests.unit.tickets.kit import FakeEncoder, FakeReasons, scored
from voxlake.ids import Pseudonymiser
from voxlake.tickets import items
from voxlake.tickets.ids import parse_ticket_id
from voxlake.trackers import load_trackers


def test_a_complaint_is_scored_masked_and_gets_one_ticket(tables, kinesis_record):
    batch = {"Records": [kinesis_record(10, post(1, COMPLAINT))]}
    assert enricher.enrich(batch, application()) == EMPTY

    people = Pseudonymiser.from_secret(SECRET)
    text = f"@AuroraAir bad: my bag is lost, mail me at <email> @{people.pseudonym('api', 'kim_k')}"
    identity = {
        "event_id": "e1",
        "event_type": "post",
        "dt": "2026-02-24",
        "source": "api",
        "native_id": "p1",
        "occurred_at": "2026-02-24T11:59:59.000000Z",
        "arrived_at": "2026-02-24T12:00:00.250000Z",
        "trackers": ["aurora_air"],
        "text": text,
    }
    score = {name: value for name, value in scored("negative").items() if value is not None}
    assert rows(SCORES) == [
        {
            **identity,
            **score,
            "tracker": "aurora_air",
            "arrived": "2026-02-24T12:00:01.750000Z#e1",
            "scored_at": "2026-02-24T12:00:01.750000Z",
            "expires_at": int(NOW) + 7 * 86_400,
        }
    ]
    (ticket,) = tickets()
    assert parse_ticket_id(ticket["ticket_id"]).prefix == "BAG"
    assert {name: ticket[name] for name in identity} == identity
    assert {name: ticket[name] for name in ("state", "queue", "kind", "reason", "author_id")} == {
        "state": "open",
        "queue": "baggage_issue",
        "kind": "complaint",
        "reason": "Lost Luggage",
        "author_id": people.pseudonym("api", "somebody"),
    }
    assert ticket["history"] == [
        {
            "what": "opened",
            "who": "text_enricher",
            "at": "2026-02-24T12:00:01.750000Z",
            "note": None,
        }
    ]


def test_praise_our_own_posts_reposts_and_other_peoples_talk_get_none(tables, kinesis_record):
    records = [
        kinesis_record(10, post(1, "@auroraair great, is it not?")),
        kinesis_record(11, post(2, "bad @auroraair", author_id="AuroraAir")),
        kinesis_record(12, post(3, "RT @auroraair: bad bag")),
        kinesis_record(13, post(4, "bad bag, said to nobody")),
        kinesis_record(14, event(5, "interaction")),
        kinesis_record(15, b"{"),
    ]
    assert enricher.enrich({"Records": records}, application()) == EMPTY
    assert rows(TICKETS) == []
    assert sorted((one["event_id"], one["tracker"]) for one in rows(SCORES)) == [
        ("e1", "aurora_air"),
        ("e2", "aurora_air"),
        ("e3", "aurora_air"),
        ("e4", "-"),
    ]


def redelivered(record):
    """The same record again, an edit of its post, and its event sent once more."""
    edit = post(1, "@auroraair bad bag, still", event_id="e1-edited")
    again = post(1, COMPLAINT)
    return [
        [record(10, post(1, COMPLAINT))],
        [record(10, post(1, COMPLAINT))],
        [record(11, edit), record(12, again, arrival=ARRIVAL + 3600)],
        [record(13, edit), record(14, edit)],
    ]


def test_a_text_has_one_ticket_for_ever_however_often_it_comes_or_is_edited(tables, kinesis_record):
    for records in redelivered(kinesis_record):
        assert enricher.enrich({"Records": records}, application()) == EMPTY
    assert len(tickets()) == 1
    assert sorted({one["event_id"] for one in rows(SCORES)}) == ["e1", "e1-edited"]


def test_without_the_condition_the_same_batches_would_open_more(
    tables, kinesis_record, monkeypatch
):
    monkeypatch.setattr(items, "NEW", "attribute_exists(pk) OR attribute_not_exists(pk)")
    for records in redelivered(kinesis_record):
        enricher.enrich({"Records": records}, application())
    assert len(tickets()) > 1


def test_a_closed_ticket_stays_closed_when_its_text_comes_again(tables, kinesis_record):
    batch = {"Records": [kinesis_record(10, post(1, COMPLAINT))]}
    enricher.enrich(batch, application())
    table = boto3.resource("dynamodb").Table(TICKETS)
    table.update_item(
        Key={"pk": tickets()[0]["pk"]},
        UpdateExpression="SET #state = :closed",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={":closed": "closed"},
    )
    enricher.enrich(batch, application())
    assert [one["state"] for one in tickets()] == ["closed"]


def test_an_id_that_is_taken_gives_way_to_another(tables, kinesis_record):
    batch = {"Records": [kinesis_record(10, post(1, COMPLAINT))]}
    enricher.enrich(batch, application())
    (made,) = tickets()
    table = boto3.resource("dynamodb").Table(TICKETS)
    table.delete_item(Key={"pk": "TEXT#api#p1"})
    table.update_item(
        Key={"pk": made["pk"]},
        UpdateExpression="SET native_id = :other",
        ExpressionAttributeValues={":other": "p2"},
    )
    for _ in range(2):
        enricher.enrich(batch, application())
    found = {one["native_id"]: one["ticket_id"] for one in tickets()}
    assert set(found) == {"p1", "p2"}
    assert found["p1"] != found["p2"] == made["ticket_id"]
    assert {one["ticket_id"] for one in rows(TICKETS) if one["pk"] == "TEXT#api#p1"} == {
        found["p1"]
    }


def test_a_crash_before_the_ticket_is_repaired_when_the_record_comes_again(
    tables, kinesis_record, monkeypatch
):
    app = application()
    batch = {"Records": [kinesis_record(9, b"{"), kinesis_record(10, post(1, COMPLAINT))]}
    put = app.tickets._put

    def dies_before_the_ticket(item, *rest):
        if item["pk"].startswith("TICKET#"):
            raise ClientError({"Error": {"Code": "Throttled", "Message": ""}}, "PutItem")
        return put(item, *rest)

    monkeypatch.setattr(app.tickets, "_put", dies_before_the_ticket)
    answer = enricher.enrich(batch, app)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "10"}]}
    assert [one["pk"] for one in rows(TICKETS)] == ["TEXT#api#p1"]
    assert enricher.enrich(batch, application()) == EMPTY
    assert len(tickets()) == 1


def test_ids_that_are_all_taken_are_said(tables):
    def make(ticket_id):
        return {
            "pk": f"TICKET#{ticket_id}",
            "ticket_id": ticket_id,
            "source": "x",
            "native_id": "mine" if free else "another's",
            "event_id": "e1",
            "opened_at": "T",
        }

    table = TicketsTable(boto3.client("dynamodb"), TICKETS)
    free = False
    assert table.open(make, ["BAG-1"]) == Opened("BAG-1", new=True)
    free = True
    with pytest.raises(TicketIdTakenError, match="expected an id of BAG to be free"):
        table.open(make, ["BAG-1"])


def test_a_comment_is_listed_once_in_its_thread_and_under_each_tracker(tables, kinesis_record):
    body = {"comment_id": "c1", "thread_id": "v1", "text": "@united or @delta?"}
    enricher.enrich(
        {"Records": [kinesis_record(10, event(1, "comment", body=body))]}, application()
    )
    assert sorted((one["tracker"], one.get("thread_id")) for one in rows(SCORES)) == [
        ("delta", "v1"),
        ("united", None),
    ]


def test_a_failure_resumes_at_its_record(tables, kinesis_record):
    failing = FailingTickets("p2")
    answer = enricher.enrich(four(kinesis_record), application(tickets=failing))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "12"}]}
    assert failing.opened == ["p1"]


def test_a_failure_at_the_very_first_record_raises(tables, kinesis_record):
    batch = {"Records": four(kinesis_record)["Records"][1:]}
    with pytest.raises(enricher.EnrichmentError, match="3 texts to be written, found ClientErr"):
        enricher.enrich(batch, application(tickets=FailingTickets("p1")))


def test_scores_that_stay_unwritten_fail_the_batch(tables, kinesis_record):
    class Throttled:
        def batch_write_item(self, RequestItems):
            return {"UnprocessedItems": RequestItems}

    table = ScoresTable(Throttled(), SCORES, sleep=lambda _: None)
    with pytest.raises(ScoresWriteError, match="expected 1 scores to be written within 5 attempts"):
        table.write([{"event_id": "e1", "tracker": "-"}])
    answer = enricher.enrich(four(kinesis_record), application(scores=table))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "11"}]}
    assert rows(TICKETS) == []


def test_a_large_batch_is_written_whole(tables, kinesis_record):
    records = [kinesis_record(at, post(at, f"just landed, {at}")) for at in range(10, 70)]
    assert enricher.enrich({"Records": records}, application()) == EMPTY
    assert len(rows(SCORES)) == 60


def test_what_is_no_kinesis_record_is_named(tables):
    with pytest.raises(UnexpectedRecordError, match="text_enricher expects Kinesis records"):
        enricher.enrich({"Records": [{"body": "sqs"}]}, application())


def test_floats_are_stored_as_decimals_and_nothing_as_nothing():
    assert serialised({"a": 0.1, "b": [1.5], "c": None, "d": {"e": 2}}) == {
        "a": {"N": "0.1"},
        "b": {"L": [{"N": "1.5"}]},
        "d": {"M": {"e": {"N": "2"}}},
    }


def test_the_handler_is_set_up_from_its_environment_and_counts(
    tables, kinesis_record, monkeypatch, capsys
):
    arn = boto3.client("secretsmanager").create_secret(
        Name="pseudonyms", SecretString=json.dumps(SECRET)
    )["ARN"]
    for name, value in (
        ("SCORES_TABLE", SCORES),
        ("TICKETS_TABLE", TICKETS),
        ("PSEUDONYM_SECRET_ARN", arn),
    ):
        monkeypatch.setenv(name, value)
    loaded = []

    def load(path, **options):
        loaded.append((str(path), options))
        return FakeEncoder() if path.name == "encoder" else FakeReasons()

    monkeypatch.setattr(enricher, "load_model", load)
    enricher._application.cache_clear()
    try:
        for _ in range(2):
            answer = enricher.handler(four(kinesis_record), None)
    finally:
        enricher._application.cache_clear()
    assert answer == EMPTY
    assert loaded == [("models/encoder", {"threads": 1}), ("models/complaint_reason", {})]
    lines = [line for line in capsys.readouterr().out.splitlines() if '"TextsScored"' in line]
    names = ("TextsScored", "TicketsOpened", "RecordsSkipped")
    assert [{name: orjson.loads(line)[name] for name in names} for line in lines] == [
        {"TextsScored": [3.0], "TicketsOpened": [opened], "RecordsSkipped": [1.0]}
        for opened in (3.0, 0.0)
    ]
    assert len(orjson.loads(lines[0])["SecondsToScore"]) == 3


def test_the_account_that_posts_is_one_of_ours(tables):
    settings = SETTINGS.model_copy(update={"x_account_id": "99"})
    queues = enricher._queues(settings)
    assert queues.own_accounts(load_trackers()).is_us("x", "99")
    assert not queues.own_accounts(load_trackers()).is_us("x", "77")
