"""The stream path's two tables in moto, filled as text_enricher fills them, beside a small lake."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3

from glue_jobs import tickets_to_analytics
from glue_jobs.common.frames import table_schema
from glue_jobs.common.publisher import TableWrite
from glue_jobs.common.stream_tables import TicketsTable
from lambdas.text_enricher.adapters import decimals
from lambdas.text_enricher.scores import score_items
from tests.unit.glue.kit import LakeKit
from tests.unit.tickets.kit import scored, stream_text
from voxlake.ledger.items import Item
from voxlake.tables import TABLES
from voxlake.tickets.items import change, ticket_item
from voxlake.tickets.states import State
from voxlake.tickets.texts import StreamText

SCORED = TABLES["texts_scored"]
OPENED = datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC)


def text(number: int, day: str = "2026-03-01", **changed: Any) -> StreamText:
    made = {"dt": day, "occurred_at": f"{day}T11:59:59.000000Z"}
    made |= {"arrived_at": "2026-03-01T12:00:00.000000Z"}
    return replace(stream_text(f"text {number}", number, **made), **changed)


class StreamKit:
    """What the job reads, and the job.

    Args:
        lake: has the ledger, and the analytics tables that the job writes.
    """

    def __init__(self, lake: LakeKit) -> None:
        self.lake = lake
        self.scores_table = f"{lake.prefix}-scores"
        self.tickets_table = f"{lake.prefix}-tickets"
        dynamodb = boto3.resource("dynamodb")
        _create(self.scores_table, ("event_id", "tracker"))
        _create(self.tickets_table, ("pk",), by_change=("change_shard", "updated_at"))
        self.scores = dynamodb.Table(self.scores_table)
        self.tickets = dynamodb.Table(self.tickets_table)

    def run(self, run_id: str = "run-1", on_phase: Callable[[str], None] | None = None) -> Item:
        return tickets_to_analytics.run(
            self.lake.job(tickets_to_analytics.JOB, run_id, on_phase),
            TicketsTable(self.tickets_table),
            self.scores_table,
        )

    def score(self, one: StreamText, sentiment: str = "negative") -> None:
        """The stream path scores a text."""
        for item in score_items(one, scored(sentiment), scored_at=OPENED.timestamp(), days=7):
            self.scores.put_item(Item=_stored(item))

    def open(self, one: StreamText, at: datetime = OPENED, **changed: Any) -> Item:
        """The stream path opens a text's ticket."""
        about = {**one.identity, "text": one.text, "author_id": one.author_id}
        ticket = ticket_item(
            **{
                "ticket_id": f"BAG-5RW1J0-{one.event_id.upper()}",
                "queue": "baggage_issue",
                "text": {**about, **scored("negative")},
                "kind": "complaint",
                "confidence": 0.9,
                "queue_score": 0.75,
                "reason": "Lost Luggage",
                "opened_at": at,
                **changed,
            }
        )
        self.tickets.put_item(Item=_stored(ticket))
        return ticket

    def change(self, ticket: Item, state: State, at: datetime) -> None:
        """Somebody changes a ticket."""
        found = self.tickets.get_item(Key={"pk": ticket["pk"]})["Item"]
        self.tickets.update_item(**change(found, state, who="agent:kim", at=at))

    def publish_texts(self, run_id: str, texts: Iterable[StreamText]) -> None:
        """The batch path publishes texts_scored of these texts' days, with these texts only."""
        job = self.lake.job("scores_to_analytics", run_id)
        schema = table_schema(SCORED)
        rows = []
        for one in texts:
            # As a batch path has it whose model calls everything negative.
            score = scored("negative")
            shares = {f"p_{name}": share for name, share in score["sentiment_scores"].items()}
            row = dict.fromkeys(schema.names) | one.identity | score | shares | {"text": one.text}
            row["occurred_at"] = datetime.fromisoformat(one.occurred_at)
            rows.append(tuple(row[name] for name in schema.names))
        spark = job.spark()
        dts = tuple(sorted({one.dt for one in texts}))
        with job.leases([SCORED]) as leases:
            publisher = job.publisher(spark, leases)
            frame = spark.createDataFrame(rows, schema)
            publisher.publish(publisher.write([TableWrite(SCORED, frame, dts, small=True)]))


def _stored(item: Item) -> Item:
    return {name: decimals(value) for name, value in item.items() if value is not None}


def _create(table: str, keys: tuple[str, ...], **indexes: tuple[str, str]) -> None:
    def schema(names: tuple[str, ...]) -> list[dict[str, str]]:
        kinds = ("HASH", "RANGE")
        return [{"AttributeName": n, "KeyType": k} for n, k in zip(names, kinds, strict=False)]

    named = {*keys, *(name for of_index in indexes.values() for name in of_index)}
    listed = [
        {"IndexName": name, "KeySchema": schema(of_index), "Projection": {"ProjectionType": "ALL"}}
        for name, of_index in indexes.items()
    ]
    boto3.client("dynamodb").create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=schema(keys),
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in sorted(named)],
        **({"GlobalSecondaryIndexes": listed} if listed else {}),
    )
