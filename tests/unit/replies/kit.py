"""An outbox with a clock that tests move, tickets, and reply_sender between them and X."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from lambdas.common.settings import read_settings
from lambdas.reply_sender import handler as reply_sender
from lambdas.reply_sender.adapters import Outbox, Tables
from lambdas.reply_sender.posting import KEYS, XPoster
from lambdas.reply_sender.sending import Sender
from lambdas.reply_sender.settings import Settings
from tests.servers.x import XServer, post_id
from tests.unit.lambdas.source_kit import Clock
from tests.unit.tickets.kit import scored
from voxlake.ledger.items import plain
from voxlake.replies.requests import reply_request
from voxlake.tickets import load_queues
from voxlake.tickets.ids import make_ticket_id
from voxlake.tickets.items import ticket_item

TICKETS, REPLIES = "tickets-table", "replies-table"
NOW = Clock().now
SAID = "@auroraair my bag is lost, case 4711 zanzibar"


@dataclass
class Message:
    """As SQS keeps it."""

    id: str
    body: str
    group: str
    visible_at: datetime
    sent_at: datetime
    received: int = 0


@dataclass
class Queue:
    """A FIFO queue as SQS documents it, as far as Lambda and the sender use one; also the client.

    Attributes:
        dead: messages that were received too often.
        most: receives.
    """

    clock: Callable[[], datetime]
    most: int = 8
    hidden_for: timedelta = timedelta(minutes=12)
    messages: list[Message] = field(default_factory=list)
    dead: list[Message] = field(default_factory=list)
    seen: dict[str, datetime] = field(default_factory=dict)

    def send_message(self, **sent: Any) -> None:
        now, key = self.clock(), sent["MessageDeduplicationId"]
        if key in self.seen and now - self.seen[key] < timedelta(minutes=5):
            return
        self.seen[key] = now
        name = f"m{len(self.seen)}-{key[:8]}"
        self.messages.append(Message(name, sent["MessageBody"], sent["MessageGroupId"], now, now))

    def change_message_visibility(self, **wanted: Any) -> None:
        (message,) = (one for one in self.messages if one.id == wanted["ReceiptHandle"])
        message.visible_at = self.clock() + timedelta(seconds=wanted["VisibilityTimeout"])

    def receive(self, count: int) -> list[Message]:
        """The next messages of one group, hidden from now on."""
        while self.messages:
            head = self.messages[0]
            if head.visible_at > self.clock():
                return []
            if head.received >= self.most:
                self.dead.append(self.messages.pop(0))
                continue
            found = []
            for message in self.messages[:count]:
                if message.visible_at > self.clock():
                    break
                message.received += 1
                message.visible_at = self.clock() + self.hidden_for
                found.append(message)
            return found
        return []

    def next_visible(self) -> datetime:
        """When the head may be received: in a group nobody overtakes it."""
        return self.messages[0].visible_at


class Killed(BaseException):
    """The process is gone, in the middle of something."""


@dataclass
class Laboratory:
    """Everything between an asking and X's log."""

    server: XServer
    clock: Clock
    queue: Queue
    settings: Settings
    batch: int = 1
    poster: Any = None
    """Stands between the sender and X; None where nothing does."""
    invocations: int = 0

    def application(self) -> reply_sender.Application:
        live = self.settings.mode == "live"
        poster = XPoster(self.settings, boto3.client("secretsmanager"), self.clock)
        tables = Tables(boto3.client("dynamodb"), tickets=TICKETS, replies=REPLIES)
        sender = Sender(
            tables,
            load_queues(),
            self.settings.rules,
            (self.poster(poster) if self.poster else poster) if live else None,
            self.clock,
        )
        return reply_sender.Application(sender, Outbox(self.queue, self.settings.outbox_url))

    def ask(self, ticket: dict[str, Any], by: str = "text_enricher", **more: Any) -> None:
        request = reply_request(
            ticket["ticket_id"], by, more.pop("text", None), self.clock(), **more
        )
        self.queue.send_message(QueueUrl="", **request)

    def invoke(self) -> bool:
        """One poll and call as Lambda makes them; False where nothing was there."""
        found = self.queue.receive(self.batch)
        if not found:
            return False
        self.invocations += 1
        records = [
            {
                "messageId": one.id,
                "receiptHandle": one.id,
                "body": one.body,
                "attributes": {
                    "ApproximateReceiveCount": str(one.received),
                    "MessageGroupId": one.group,
                },
            }
            for one in found
        ]
        try:
            answer = reply_sender.answer({"Records": records}, self.application_())
        except Killed:
            self.app = None
            return True
        failed = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
        self.queue.messages = [
            one for one in self.queue.messages if one not in found or one.id in failed
        ]
        return True

    app: Any = None

    def application_(self) -> reply_sender.Application:
        """A worker's, kept warm until it is killed."""
        self.app = self.app or self.application()
        return self.app

    def run(self, hours: float = 48) -> None:
        """Calls until the queue is empty, moving the clock where everything waits."""
        end = self.clock() + timedelta(hours=hours)
        while self.clock() < end:
            if self.invoke():
                continue
            if not self.queue.messages:
                return
            self.clock.now = max(self.clock.now, self.queue.next_visible())
            self.clock.pass_(milliseconds=1)
        raise AssertionError(f"after {hours} h there are {len(self.queue.messages)} messages left")

    def ticket(self, ticket: dict[str, Any]) -> dict[str, Any]:
        item = boto3.resource("dynamodb").Table(TICKETS).get_item(Key={"pk": ticket["pk"]})["Item"]
        return plain(item)

    def replies_item(self, pk: str) -> dict[str, Any] | None:
        found = boto3.resource("dynamodb").Table(REPLIES).get_item(Key={"pk": pk})
        return plain(found["Item"]) if "Item" in found else None

    def tally(self) -> dict[str, int]:
        """What was counted, over all days."""
        total: dict[str, int] = {}
        for item in boto3.resource("dynamodb").Table(REPLIES).scan()["Items"]:
            if item["pk"].startswith("TALLY#"):
                for name, value in item.items():
                    if name not in ("pk", "expires_at"):
                        total[name] = total.get(name, 0) + int(value)
        return total


def make_settings(server: XServer, secret: str, **changed: Any) -> Settings:
    return read_settings(
        Settings,
        {
            "TICKETS_TABLE": TICKETS,
            "REPLIES_TABLE": REPLIES,
            "OUTBOX_URL": "https://sqs.test/outbox.fifo",
            "REPLIES_MODE": "live",
            "X_POSTING_SECRET": secret,
            "X_API_URL": server.url,
            "API_READ_SECONDS": "0.3",
            "REPLIES_PER_HOUR": "100000",
            "REPLIES_PER_DAY": "100000",
            **changed,
        },
    )


def make_tables() -> None:
    for name in (TICKETS, REPLIES):
        boto3.client("dynamodb").create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        )


def make_secret() -> str:
    keys = {name: f"good-{name}" for name in KEYS} | {"access_token": "good-access"}
    return boto3.client("secretsmanager").create_secret(Name="x", SecretString=json.dumps(keys))[
        "ARN"
    ]


def laboratory(**changed: Any) -> Iterator[Laboratory]:
    clock = Clock()
    make_tables()
    secret = make_secret()
    with XServer(clock) as server:
        yield Laboratory(server, clock, Queue(clock), make_settings(server, secret, **changed))


def make_ticket(number: int, **changed: Any) -> dict[str, Any]:
    """A ticket in the table, of a post on X."""
    from lambdas.text_enricher.adapters import serialised

    said = changed.pop("said", SAID)
    at = NOW - timedelta(minutes=5)
    native_id = post_id(at, number)
    text = {
        "source": "x",
        "native_id": native_id,
        "event_id": f"e{number}",
        "event_type": "post",
        "dt": "2026-02-24",
        "thread_id": None,
        "author_id": f"k1_author{number}",
        "text": said,
        "occurred_at": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "arrived_at": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "trackers": ["aurora_air"],
        **scored("negative"),
    }
    ticket = {
        **ticket_item(
            ticket_id=make_ticket_id("BAG", at, "x", native_id),
            queue="baggage_issue",
            text=text,
            kind="complaint",
            confidence=0.9,
            queue_score=0.5,
            reason="Lost Luggage",
            opened_at=at,
        ),
        **changed,
    }
    boto3.client("dynamodb").put_item(TableName=TICKETS, Item=serialised(ticket))
    return ticket
