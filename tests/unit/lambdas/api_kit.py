"""web_api over tables in moto, called in the process as a gateway would."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import boto3

from lambdas.text_enricher.adapters import serialised
from lambdas.text_enricher.scores import score_items
from lambdas.web_api.services import Services
from tests.unit.tickets.kit import FakeEncoder, scored, stream_text
from voxlake.scoring.errors import check_heads
from voxlake.tickets.ids import make_ticket_id
from voxlake.tickets.items import ticket_item

SCORES, TICKETS, SOURCES = "scores-table", "tickets-table", "sources-table"
NOW = datetime(2026, 2, 24, 12, 30, tzinfo=UTC)
START = datetime(2026, 2, 24, 12, tzinfo=UTC)
VIDEO = "dQw4w9WgXcQ"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:batch"
ENVIRONMENT = {
    "SCORES_TABLE": SCORES,
    "TICKETS_TABLE": TICKETS,
    "SOURCES_TABLE": SOURCES,
    "YOUTUBE_FUNCTION": "source-youtube",
    "YOUTUBE_ENABLED": "true",
    "ENRICHER_FUNCTION": "text-enricher",
    "BATCH_STATE_MACHINE": MACHINE,
    "REPLIES_MODE": "dry_run",
}


class Encoder(FakeEncoder):
    """Refuses heads as the real one does."""

    def score_texts(self, texts: list[str], heads: Sequence[str]) -> list[dict[str, Any]]:
        check_heads(self.id, self.heads, heads)
        return super().score_texts(texts, heads)


class FakeLambda:
    """Counts what it is asked to run."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def invoke(self, **call: Any) -> dict[str, Any]:
        self.calls.append(call)
        return {"StatusCode": 202}


class FakeStates:
    def __init__(self, *executions: dict[str, Any]) -> None:
        self.executions = list(executions)

    def list_executions(self, **_: Any) -> dict[str, Any]:
        return {"executions": self.executions}


def make_services(**environment: str) -> Services:
    """Services at `NOW`, with a model and functions that are no more than they have to be."""
    made = Services(ENVIRONMENT | environment, clock=lambda: NOW)
    made.__dict__["encoder"] = Encoder()
    made._clients |= {"lambda": FakeLambda(), "stepfunctions": FakeStates()}
    return made


def make_tables() -> None:
    client = boto3.client("dynamodb")
    for name, keys, indexes in (
        (
            SCORES,
            ("event_id", "tracker"),
            {"by_tracker": ("tracker", "arrived"), "by_thread": ("thread_id", "arrived")},
        ),
        (
            TICKETS,
            ("pk",),
            {"by_state": ("state", "opened_at"), "by_queue": ("queue", "opened_at")},
        ),
        (SOURCES, ("pk", "sk"), {}),
    ):
        attributes = {*keys, *(key for index in indexes.values() for key in index)}
        client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=_schema(keys),
            AttributeDefinitions=[
                {"AttributeName": key, "AttributeType": "S"} for key in sorted(attributes)
            ],
            **(
                {
                    "GlobalSecondaryIndexes": [
                        {
                            "IndexName": index,
                            "KeySchema": _schema(pair),
                            "Projection": {"ProjectionType": "ALL"},
                        }
                        for index, pair in indexes.items()
                    ]
                }
                if indexes
                else {}
            ),
        )


def _schema(keys: tuple[str, ...]) -> list[dict[str, str]]:
    kinds = ("HASH", "RANGE")
    return [{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, kinds, strict=False)]


def put_text(number: int, text: str, at: datetime, **changed: Any) -> None:
    """A scored text that came into the table at a time."""
    said = stream_text(text, number, **changed)
    sentiment = "negative" if "bad" in text else "positive"
    for item in score_items(said, scored(sentiment), scored_at=at.timestamp(), days=7):
        boto3.client("dynamodb").put_item(TableName=SCORES, Item=serialised(item))


def put_ticket(number: int, *, queue: str = "baggage_issue", prefix: str = "BAG") -> str:
    """A ticket opened `number` minutes after `START`; its id."""
    opened = START + timedelta(minutes=number)
    text = stream_text(f"@auroraair <b>bad</b> bag {number}", number)
    ticket_id = make_ticket_id(prefix, opened, "x", f"p{number}")
    item = ticket_item(
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
        reason="Lost Luggage",
        opened_at=opened,
    )
    boto3.client("dynamodb").put_item(TableName=TICKETS, Item=serialised(item))
    return ticket_id


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def call(
    app: Any,
    method: str,
    path: str,
    body: Any = None,
    *,
    query: Mapping[str, Any] | None = None,
    sub: str | None = "kim",
) -> Answer:
    """One call of the ASGI application, by whom the authorizer found; None: by nobody."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode() if body else b""
    claims = {"authorizer": {"jwt": {"claims": {"sub": sub}}}} if sub else {}
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": None,
        "root_path": "",
        "scheme": "https",
        "query_string": urlencode(query or {}).encode(),
        "headers": [(b"content-type", b"application/json")] if content else [],
        "server": ("api.example", 443),
        "client": ("192.0.2.1", 0),
        "aws.event": {"requestContext": {"requestId": "request-1", **claims}},
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], headers, b"".join(one.get("body", b"") for one in sent[1:]))
