"""Reads what the planner needs from the ledger, and which tickets changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from botocore.config import Config

from voxlake.ledger.items import PENDING_INDEX, pending_shards, plain, position_keys, table_id
from voxlake.tickets.items import BY_CHANGE, change_shards

CLIENT_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 5}, connect_timeout=3, read_timeout=15
)


class LedgerReader:
    """Items of the ledger as plain dicts.

    Args:
        client: DynamoDB client.
        table: name of the ledger's table.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def pending(self) -> Iterator[dict[str, Any]]:
        """`records` and `arrival_first` of every pending object (the index follows the table within
        moments)."""
        for shard in pending_shards():
            yield from self._query(
                IndexName=PENDING_INDEX,
                KeyConditionExpression="pending_shard = :shard",
                ExpressionAttributeValues={":shard": {"S": shard}},
                ProjectionExpression="#records, arrival_first",
                ExpressionAttributeNames={"#records": "records"},
            )

    def versions(self, database: str, table: str) -> dict[str, dict[str, Any]]:
        """{dt: version item} of a table."""
        found = self._query(
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"VERSION#{table_id(database, table)}"}},
            ConsistentRead=True,
        )
        return {item["sk"].removeprefix("dt="): item for item in found}

    def run(self, run_id: str, job: str) -> dict[str, Any] | None:
        """The run item of a job, or None."""
        answer = self._client.get_item(
            TableName=self._table,
            Key={"pk": {"S": f"RUN#{run_id}"}, "sk": {"S": job}},
            ConsistentRead=True,
        )
        return _plain(answer["Item"]) if "Item" in answer else None

    def position(self, job: str) -> dict[str, Any]:
        """How far a job has read; empty before its first run."""
        key = {name: {"S": value} for name, value in position_keys(job).items()}
        answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return _plain(answer.get("Item", {}))

    def _query(self, **request: Any) -> Iterator[dict[str, Any]]:
        return _query(self._client, TableName=self._table, **request)


class TicketsReader:
    """The stream path's tickets. client: DynamoDB client; table: name of their table."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def changed(self, since: str) -> Iterator[dict[str, Any]]:
        """ticket_id and revision of the tickets that changed since a time (RFC 3339)."""
        for shard in change_shards():
            yield from _query(
                self._client,
                TableName=self._table,
                IndexName=BY_CHANGE,
                KeyConditionExpression="change_shard = :shard AND updated_at >= :since",
                ExpressionAttributeValues={":shard": {"S": shard}, ":since": {"S": since}},
                ProjectionExpression="ticket_id, revision",
            )


def _query(client: Any, **request: Any) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator("query").paginate(**request):
        yield from map(_plain, page["Items"])


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    return {name: plain(_deserialise(value)) for name, value in item.items()}


_deserialise = TypeDeserializer().deserialize
