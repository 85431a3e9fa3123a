"""The enricher with models that say what their texts say, over DynamoDB in moto."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError

from lambdas.common.settings import read_settings
from lambdas.text_enricher import handler as enricher
from lambdas.text_enricher.adapters import Opened, ScoresTable, TicketsTable
from lambdas.text_enricher.settings import Settings
from tests.unit.lambdas.kit import event
from tests.unit.tickets.kit import FakeEncoder, FakeReasons
from voxlake.ids import Pseudonymiser
from voxlake.ledger.items import plain
from voxlake.tickets import load_queues
from voxlake.tickets.desk import Desk
from voxlake.trackers import load_trackers

SCORES, TICKETS = "scores-table", "tickets-table"
ARRIVAL = 1771934400.25  # 2026-02-24T12:00:00.250000Z, as the records' fixture has it
NOW = ARRIVAL + 1.5
SECRET = {"key_id": "k1", "key": "0123456789abcdef"}
SETTINGS = read_settings(
    Settings, {"SCORES_TABLE": SCORES, "TICKETS_TABLE": TICKETS, "PSEUDONYM_SECRET_ARN": "arn"}
)
WHEN = datetime.fromtimestamp(NOW, UTC)
EMPTY = {"batchItemFailures": []}
COMPLAINT = "@AuroraAir bad: my bag is lost, mail me at kim@example.com @kim_k"


def application(**changed: Any) -> enricher.Application:
    client = boto3.client("dynamodb")
    trackers = load_trackers()
    return enricher.Application(
        **{
            "settings": SETTINGS,
            "people": Pseudonymiser.from_secret(SECRET),
            "trackers": trackers,
            "desk": Desk(FakeEncoder(), FakeReasons(), load_queues(), trackers),
            "scores": ScoresTable(client, SCORES, sleep=lambda _: None),
            "tickets": TicketsTable(client, TICKETS),
            "clock": lambda: NOW,
            **changed,
        }
    )


def rows(table: str) -> list[dict[str, Any]]:
    found = boto3.resource("dynamodb").Table(table).scan()["Items"]
    return [plain(one) for one in found]


def tickets() -> list[dict[str, Any]]:
    return [one for one in rows(TICKETS) if one["pk"].startswith("TICKET#")]


def post(number: int, text: str, **changed: Any) -> bytes:
    return event(number, body={"post_id": f"p{number}", "text": text}, **changed)


class FailingTickets:
    """Opens tickets until it comes to one of a text."""

    def __init__(self, native_id: str) -> None:
        self.native_id = native_id
        self.opened: list[str] = []

    def open(self, make: Any, ids: Any) -> bool:
        ticket = make(next(iter(ids)))
        if ticket["native_id"] == self.native_id:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "Write")
        self.opened.append(ticket["native_id"])
        return Opened("BAG-1", new=True)


def four(record):
    return {
        "Records": [
            record(10, b"{"),
            record(11, post(1, COMPLAINT)),
            record(12, post(2, COMPLAINT)),
            record(13, post(3, COMPLAINT)),
        ]
    }
