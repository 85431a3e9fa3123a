"""`voxlake tickets` against DynamoDB in moto."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from lambdas.text_enricher.adapters import decimals
from tests.unit.tickets.kit import scored, stream_text
from voxlake.cli import tickets as verb
from voxlake.ledger.items import plain
from voxlake.tickets.ids import make_ticket_id
from voxlake.tickets.items import text_item, ticket_item
from voxlake.tickets.store import TicketStore

TABLE = "tickets-table"
START = datetime(2026, 2, 24, 12, tzinfo=UTC)
IDS = [
    make_ticket_id(prefix, START + timedelta(minutes=at), "x", f"p{at}")
    for at, prefix in enumerate(("BAG", "DLY", "BAG"))
]


class Target:
    """The verbs' target, in moto."""

    def __init__(self, stage: str) -> None:
        self.stage = stage

    def table(self, key: str):
        return boto3.resource("dynamodb").Table({"TicketsTable": TABLE}[key])


@pytest.fixture
def table(monkeypatch):
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(verb, "Target", Target)
    with mock_aws():
        made = boto3.resource("dynamodb").create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"}
                for name in ("pk", "state", "queue", "opened_at")
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": f"by_{name}",
                    "KeySchema": [
                        {"AttributeName": name, "KeyType": "HASH"},
                        {"AttributeName": "opened_at", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
                for name in ("state", "queue")
            ],
        )
        queues = ("baggage_issue", "delay_and_customer_service", "baggage_issue")
        for at, (ticket_id, queue) in enumerate(zip(IDS, queues, strict=True)):
            text = stream_text(f"@auroraair [bold]bad[/bold] {at}", at)
            ticket = ticket_item(
                ticket_id=ticket_id,
                queue=queue,
                text={
                    **text.identity,
                    "text": text.text,
                    "author_id": text.author_id,
                    **scored("negative"),
                },
                kind="complaint",
                confidence=0.9,
                queue_score=0.5,
                reason="Lost Luggage" if queue == "baggage_issue" else None,
                opened_at=START + timedelta(minutes=at),
            )
            for item in (text_item(ticket), ticket):
                made.put_item(Item=decimals(item))
        yield made


def run(*arguments: str):
    return CliRunner().invoke(verb.tickets, list(arguments))


def ids(*arguments: str) -> list[str]:
    answer = run(*arguments, "--json")
    assert answer.exit_code == 0, answer.output
    return [ticket["ticket_id"] for ticket in json.loads(answer.stdout)]


def test_tickets_are_listed_newest_first_by_queue_and_state(table):
    assert ids() == ids("list") == [IDS[2], IDS[1], IDS[0]]
    assert ids("--queue", "baggage_issue") == [IDS[2], IDS[0]]
    assert run("close", IDS[0], "--by", "kim").exit_code == 0
    assert ids("list", "--queue", "baggage_issue", "--state", "open") == [IDS[2]]
    assert ids("list", "--state", "closed") == [IDS[0]]
    assert ids("list", "--limit", "1") == [IDS[2]]


def test_a_list_shows_texts_as_they_are_written(table):
    answer = run("list", "--state", "open")
    assert answer.exit_code == 0
    assert "2026-02-24 12:02  @auroraair [bold]bad[/bold]" in answer.stdout
    assert run("list", "--state", "replied").stdout == "no tickets: nobody waits\n"


def test_a_ticket_is_shown_without_its_author_however_its_id_is_typed(table):
    answer = run("show", IDS[0].lower().replace("-", " "), "--json")
    ticket = json.loads(answer.stdout)
    item = plain(table.get_item(Key={"pk": f"TICKET#{IDS[0]}"})["Item"])
    assert ticket == {
        name: item[name] for name in item if name not in ("pk", "author_id", "change_shard")
    }
    shown = run("show", IDS[0]).stdout
    assert f"ticket  {IDS[0]}, open" in shown
    assert "why     complaint (confidence 0.90), Lost Luggage" in shown
    assert "2026-02-24T12:00:00Z opened by text_enricher" in shown
    assert "k1_0000" not in shown


def test_a_change_is_recorded_with_who_and_why_and_closed_is_for_ever(table):
    assert run("suppress", IDS[1], "--by", "kim", "--note", "phoned").stdout == (
        f"{IDS[1]} is suppressed\n"
    )
    assert run("close", IDS[1], "--by", "lee").stdout == f"{IDS[1]} is closed\n"
    item = plain(table.get_item(Key={"pk": f"TICKET#{IDS[1]}"})["Item"])
    assert [(e["what"], e["who"], e["note"]) for e in item["history"]] == [
        ("opened", "text_enricher", None),
        ("suppressed", "agent:kim", "phoned"),
        ("closed", "agent:lee", None),
    ]
    assert item["revision"] == 3
    refused = run("suppress", IDS[1])
    assert refused.exit_code == 1
    assert str(refused.exception) == (f"{IDS[1]} is closed: it stays so for ever, found suppressed")


def test_a_change_that_meets_another_reads_again(table, monkeypatch):
    read = TicketStore.read
    stale = iter([{**TicketStore(table).read(IDS[0]), "revision": 7}])
    monkeypatch.setattr(TicketStore, "read", lambda *given: next(stale, None) or read(*given))
    assert run("close", IDS[0]).exit_code == 0
    monkeypatch.setattr(
        TicketStore, "read", lambda *given: {**read(*given), "revision": 9, "state": "open"}
    )
    assert str(run("close", IDS[0]).exception) == (
        f"expected to change {IDS[0]}, found others changing it: try again"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "BAG-000000-00000"], "expected a ticket id whose check character fits"),
        (["show", make_ticket_id("BAG", START, "x", "none")], "expected the ticket BAG-"),
        (["list", "--queue", "nothing"], "expected one of baggage_issue, customer_experience,"),
    ],
)
def test_what_is_not_there_is_named(table, arguments, message):
    answer = run(*arguments)
    assert answer.exit_code == 1
    assert str(answer.exception).startswith(message)


def test_options_before_a_command_are_not_dropped_silently(table):
    answer = run("--queue", "baggage_issue", "show", IDS[0])
    assert answer.exit_code == 2
    assert "options go after `show`" in answer.output
