"""Reads what the planner needs from the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from botocore.config import Config

from voxlake.ledger.items import PENDING_INDEX, pending_shards, plain, table_id

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
        self._deserialise = TypeDeserializer().deserialize

    def pending(self) -> Iterator[dict[str, Any]]:
        """`records` of every pending object (the index follows the table within moments)."""
        for shard in pending_shards():
            yield from self._query(
                IndexName=PENDING_INDEX,
                KeyConditionExpression="pending_shard = :shard",
                ExpressionAttributeValues={":shard": {"S": shard}},
                ProjectionExpression="#records",
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
        return self._plain(answer["Item"]) if "Item" in answer else None

    def _query(self, **request: Any) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("query").paginate(TableName=self._table, **request)
        for page in pages:
            yield from map(self._plain, page["Items"])

    def _plain(self, item: dict[str, Any]) -> dict[str, Any]:
        return {name: plain(self._deserialise(value)) for name, value in item.items()}
