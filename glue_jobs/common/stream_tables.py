"""The stream path's DynamoDB tables, read: what changed of tickets, provisional scores by text."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import boto3
from boto3.dynamodb.conditions import Key
from botocore.config import Config

from glue_jobs.common.errors import ScoresLeftError
from voxlake.ledger.items import Item, plain
from voxlake.tickets.items import BY_CHANGE, change_shards
from voxlake.tickets.lake import ATTRIBUTES

GET_ITEMS = 100
"""What BatchGetItem takes at once."""
_ATTEMPTS = 8
_CONFIG = Config(retries={"mode": "standard", "max_attempts": 8}, max_pool_connections=16)


@dataclass(frozen=True)
class ChangedTickets:
    """What was read of the tickets that changed.

    Attributes:
        more_since: None where these are all; else there are more that changed at or after it.
    """

    tickets: list[Item]
    more_since: str | None


class TicketsTable:
    """The tickets, by what changed of them."""

    def __init__(self, name: str) -> None:
        self._table = boto3.resource("dynamodb", config=_CONFIG).Table(name)
        # A resource's client takes plain Python values too, and may be shared by threads.
        self._client = self._table.meta.client

    def changed(self, since: str, most: int) -> ChangedTickets:
        """Tickets whose last change is not before a time (RFC 3339).

        Args:
            most: about how many to read at once.
        """
        shards = change_shards()
        most_each = -(-most // len(shards))
        with ThreadPoolExecutor(len(shards)) as pool:
            parts = list(pool.map(lambda one: self._changed_of(one, since, most_each), shards))
        ends = [tickets[-1]["updated_at"] for tickets, more in parts if more]
        found = [ticket for tickets, _ in parts for ticket in tickets]
        return ChangedTickets(found, min(ends, default=None))

    def _changed_of(self, shard: str, since: str, most: int) -> tuple[list[Item], bool]:
        """One shard's, and whether there are more."""
        found: list[Item] = []
        condition = Key("change_shard").eq(shard) & Key("updated_at").gte(since)
        names, projection = _projected(ATTRIBUTES)
        start: dict[str, Any] = {}
        while True:
            page = self._client.query(
                TableName=self._table.name,
                IndexName=BY_CHANGE,
                KeyConditionExpression=condition,
                ProjectionExpression=projection,
                ExpressionAttributeNames=names,
                Limit=most,
                **start,
            )
            found += [plain(item) for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                return found, False
            if len(found) >= most:
                return found, True
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def read_scores(
    table: str, keys: Iterable[tuple[str, str]], attributes: Sequence[str]
) -> Iterator[Item]:
    """Provisional scores by (event_id, tracker); keys without an item are left out.

    Runs in Spark's tasks.

    Raises:
        ScoresLeftError: DynamoDB kept leaving keys unread.
    """
    dynamodb = boto3.resource("dynamodb", config=_CONFIG)
    names, projection = _projected(attributes)
    distinct = list(dict.fromkeys(keys))
    for start in range(0, len(distinct), GET_ITEMS):
        some = distinct[start : start + GET_ITEMS]
        wanted: Any = {
            "Keys": [{"event_id": event_id, "tracker": tracker} for event_id, tracker in some],
            "ProjectionExpression": projection,
            "ExpressionAttributeNames": names,
        }
        for attempt in range(_ATTEMPTS):
            if attempt:
                time.sleep(0.05 * 2**attempt)
            answer = dynamodb.batch_get_item(RequestItems={table: wanted})
            yield from map(plain, answer["Responses"].get(table, []))
            wanted = answer.get("UnprocessedKeys", {}).get(table)
            if not wanted:
                break
        else:
            raise ScoresLeftError(table, len(wanted["Keys"]))


def _projected(attributes: Sequence[str]) -> tuple[Mapping[str, str], str]:
    """Names and projection of some attributes: several are words that DynamoDB reserves."""
    names = {f"#{name}": name for name in attributes}
    return names, ", ".join(names)
