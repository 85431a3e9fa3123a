"""The ledger in DynamoDB: moves the items that ``voxlake.ledger`` builds and decides on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from boto3.dynamodb.conditions import Key
from botocore.config import Config
from botocore.exceptions import ClientError

from glue_jobs.common.errors import ObjectClaimedError, VersionConflictError
from voxlake.ledger import items
from voxlake.ledger.items import Item

_MARK_THREADS = 8
_CONFIG = Config(retries={"mode": "standard", "max_attempts": 8}, max_pool_connections=16)


class Ledger:
    """One ledger table.

    Args:
        table_name: the DynamoDB table.
        resource: boto3's DynamoDB resource; a plain one by default.
    """

    def __init__(self, table_name: str, resource: Any = None) -> None:
        self._name = table_name
        resource = resource or boto3.resource("dynamodb", config=_CONFIG)
        self._table = resource.Table(table_name)
        # A resource's client takes plain Python values too, and unlike the resource may be
        # shared by threads.
        self._client = self._table.meta.client

    def pending_objects(self) -> list[Item]:
        """Items of all objects not yet processed, by key."""
        with ThreadPoolExecutor(items.PENDING_SHARDS) as pool:
            found = pool.map(self._pending_of, items.pending_shards())
            return sorted((item for part in found for item in part), key=lambda item: item["key"])

    def _pending_of(self, shard: str) -> list[Item]:
        return list(
            self._query(
                IndexName=items.PENDING_INDEX,
                KeyConditionExpression=Key("pending_shard").eq(shard),
            )
        )

    def objects_from(self, kind: str, shard: str, first: int) -> list[Item]:
        """Objects of a kind and shard, in any state, that end at or after a sequence number."""
        condition = Key("pk").eq(items.object_pk(kind, shard))
        return list(
            self._query(
                KeyConditionExpression=condition & Key("sk").gte(items.pad_sequence(first)),
                ConsistentRead=True,
            )
        )

    def mark_done(
        self, done: Iterable[tuple[Item, Mapping[str, Mapping[str, int]]]], run_id: str
    ) -> None:
        """Marks objects processed, each with its counts.

        Raises:
            ObjectClaimedError: an item is no longer pending; the others are marked all the same.
        """

        def mark(pair: tuple[Item, Mapping[str, Mapping[str, int]]]) -> str | None:
            item, counts = pair
            update = items.done_update(counts, run_id)
            # Were the item done by somebody else, marking it again would overwrite their counts.
            update["ConditionExpression"] += " AND #state = :pending"
            update["ExpressionAttributeValues"][":pending"] = items.STATE_PENDING
            done = self._conditional(
                self._client.update_item, Key=items.object_keys(item), **update
            )
            return None if done else item["key"]

        with ThreadPoolExecutor(_MARK_THREADS) as pool:
            refused = [key for key in pool.map(mark, done) if key]
        if refused:
            raise ObjectClaimedError(refused[0])

    def versions(self, database: str, table: str) -> dict[str, Item]:
        """{dt: version item} of every partition of a table."""
        pk = items.version_keys(database, table, "")["pk"]
        found = self._query(KeyConditionExpression=Key("pk").eq(pk), ConsistentRead=True)
        return {item["dt"]: item for item in found}

    def publish(self, item: Item) -> None:
        """Makes a version current.

        Raises:
            VersionConflictError: another version was published since this one's was read.
        """
        if not self._conditional(self._client.put_item, **items.version_put(item)):
            table_id = items.table_id(item["database"], item["table"])
            raise VersionConflictError(table_id, item["dt"], item["revision"])

    def put_run(self, item: Item) -> None:
        """Writes a run's item, over the one an earlier attempt left."""
        self._client.put_item(TableName=self._name, Item=item)

    def delete_run(self, run_id: str, job: str) -> None:
        """Removes an item of a run, where there is one."""
        key = {"pk": f"RUN#{run_id}", "sk": job}
        self._client.delete_item(TableName=self._name, Key=key)

    def run(self, run_id: str, job: str) -> Item | None:
        """A run's item of a job, or None."""
        key = {"pk": f"RUN#{run_id}", "sk": job}
        found = self._client.get_item(TableName=self._name, Key=key, ConsistentRead=True)
        return items.plain(found["Item"]) if "Item" in found else None

    def position(self, job: str) -> Item | None:
        """How far a job has read; None before its first run."""
        key = items.position_keys(job)
        found = self._client.get_item(TableName=self._name, Key=key, ConsistentRead=True)
        return items.plain(found["Item"]) if "Item" in found else None

    def put_position(self, item: Item) -> None:
        """Notes how far a job has read."""
        self._client.put_item(TableName=self._name, Item=item)

    def take_lease(self, database: str, table: str, owner: str, now: int, seconds: int) -> bool:
        """Takes or renews a lease until now + seconds; False where another holds it."""
        item = items.lease_item(database, table, owner, now + seconds)
        return self._conditional(self._client.put_item, **items.lease_put(item, now))

    def lease_holder(self, database: str, table: str) -> str:
        """Who holds a lease; ``nobody`` where it is free."""
        found = self._client.get_item(
            TableName=self._name, Key=items.lease_keys(database, table), ConsistentRead=True
        )
        return found.get("Item", {}).get("owner", "nobody")

    def release_lease(self, database: str, table: str, owner: str) -> None:
        """Gives a lease back; nothing happens where it is not the owner's."""
        self._conditional(self._client.delete_item, **items.lease_delete(database, table, owner))

    def _query(self, **arguments: Any) -> Iterator[Item]:
        start: dict[str, Any] = {}
        while True:
            page = self._client.query(TableName=self._name, **arguments, **start)
            yield from (items.plain(item) for item in page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _conditional(self, call: Any, **arguments: Any) -> bool:
        try:
            call(TableName=self._name, **arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True
