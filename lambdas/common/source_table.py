"""The table of the sources: what is followed, how far it was read, what a day has used.

One partition a source (``pk`` is ``youtube`` or ``x``). Sort keys: ``video#<id>`` and
``search#<tracker>#<n>`` hold what is followed and its cursor; ``day#<date>`` counts a day's use;
``pause`` says until when nothing is to be asked for; ``last_run`` how the last run
ended. No text and no person is in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config
from botocore.exceptions import ClientError

from voxlake.errors import TransientError
from voxlake.ledger.items import plain
from voxlake.times import format_rfc3339, parse_rfc3339

CLIENT_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 5}, connect_timeout=3, read_timeout=15
)
PAUSE, LAST_RUN = "pause", "last_run"
VIDEO = "video#"
"""Beginning of a video's sort key."""
_KEPT = timedelta(days=40)


class CursorMovedError(TransientError):
    """Another run has moved the cursor since it was read: that run goes on, this one stops."""


class SourceTable:
    """A source's partition of the table, as plain values.

    Args:
        client: DynamoDB client.
        table: name of the table.
        source: its ``pk``.
    """

    def __init__(self, client: Any, table: str, source: str) -> None:
        self._client = client
        self._table = table
        self._source = source
        self._serialise = TypeSerializer().serialize
        self._deserialise = TypeDeserializer().deserialize

    def items(self, prefix: str) -> Iterator[dict[str, Any]]:
        """Items whose sort key begins with the prefix."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={":pk": {"S": self._source}, ":prefix": {"S": prefix}},
            ConsistentRead=True,
        )
        for page in pages:
            for item in page["Items"]:
                yield self._plain(item)

    def item(self, sk: str) -> dict[str, Any] | None:
        """The item of a sort key."""
        answer = self._client.get_item(
            TableName=self._table, Key=self._key(sk), ConsistentRead=True
        )
        return self._plain(answer["Item"]) if "Item" in answer else None

    def follow(self, sk: str, at: datetime) -> dict[str, Any]:
        """Adds an item to what is followed, if it is not there; the item as it is then."""
        answer = self._client.update_item(
            TableName=self._table,
            Key=self._key(sk),
            UpdateExpression="SET asked_at = if_not_exists(asked_at, :at)",
            ExpressionAttributeValues={":at": {"S": format_rfc3339(at)}},
            ReturnValues="ALL_NEW",
        )
        return self._plain(answer["Attributes"])

    def note_run(self, at: datetime, stopped: str | None, until: str | None) -> None:
        """Keeps how a run ended, for whoever wonders why nothing is read."""
        found = {":at": format_rfc3339(at), ":stopped": stopped, ":until": until}
        values = {name: {"S": value} if value else {"NULL": True} for name, value in found.items()}
        self._client.update_item(
            TableName=self._table,
            Key=self._key(LAST_RUN),
            UpdateExpression="SET #at = :at, stopped = :stopped, #until = :until",
            ExpressionAttributeNames={"#at": "at", "#until": "until"},
            ExpressionAttributeValues=values,
        )

    def save(self, sk: str, values: Mapping[str, Any], *, version: int | None) -> int:
        """Sets members of an item (None removes one), and its version; other members stay.

        Args:
            version: of the item as it was read; None for one that has none yet.

        Returns:
            The new version.

        Raises:
            CursorMovedError: the item has another version by now.
        """
        following = (version or 0) + 1
        wanted = {name: value for name, value in values.items() if value is not None}
        wanted["version"] = following
        gone = [name for name, value in values.items() if value is None]
        names = {f"#{i}": name for i, name in enumerate([*wanted, *gone])}
        sets = ", ".join(f"#{i} = :{i}" for i in range(len(wanted)))
        removes = ", ".join(f"#{i}" for i in range(len(wanted), len(names)))
        numbered = {f":{i}": self._serialise(value) for i, value in enumerate(wanted.values())}
        if version is not None:
            numbered[":read"] = {"N": str(version)}
        try:
            self._client.update_item(
                TableName=self._table,
                Key=self._key(sk),
                UpdateExpression=f"SET {sets}" + (f" REMOVE {removes}" if removes else ""),
                ConditionExpression=(
                    "attribute_not_exists(version)" if version is None else "version = :read"
                ),
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=numbered,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            raise CursorMovedError(
                f"expected version {version} of {self._source} {sk}, found another; the run that "
                "moved it goes on"
            ) from None
        return following

    def used(self, day: str) -> int:
        """What was counted for a day."""
        answer = self._client.get_item(
            TableName=self._table, Key=self._key(f"day#{day}"), ConsistentRead=True
        )
        return int(answer.get("Item", {}).get("used", {}).get("N", 0))

    def use(self, day: str, amount: int, *, now: datetime, limit: int | None = None) -> bool:
        """Counts an amount for a day; False, and nothing counted, where the limit is reached.

        Args:
            limit: nothing is counted once the day's count is this or more.
        """
        condition: dict[str, Any] = {}
        values = {
            ":amount": {"N": str(amount)},
            ":expires": {"N": str(int((now + _KEPT).timestamp()))},
        }
        if limit is not None:
            condition["ConditionExpression"] = "attribute_not_exists(used) OR used < :limit"
            values[":limit"] = {"N": str(limit)}
        try:
            self._client.update_item(
                TableName=self._table,
                Key=self._key(f"day#{day}"),
                UpdateExpression="ADD used :amount SET expires_at = :expires",
                ExpressionAttributeValues=values,
                **condition,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def paused_until(self, now: datetime) -> tuple[datetime, str] | None:
        """Until when nothing is to be asked for, and why; None where nothing forbids it."""
        answer = self._client.get_item(
            TableName=self._table, Key=self._key(PAUSE), ConsistentRead=True
        )
        if "Item" not in answer:
            return None
        until = parse_rfc3339(answer["Item"]["until"]["S"])
        return (until, answer["Item"]["reason"]["S"]) if now < until else None

    def pause(self, until: datetime, reason: str) -> None:
        """Keeps every run from asking before a time. Deleting the item ends it earlier."""
        self._client.update_item(
            TableName=self._table,
            Key=self._key(PAUSE),
            UpdateExpression="SET #until = :until, reason = :reason, expires_at = :expires",
            ExpressionAttributeNames={"#until": "until"},
            ExpressionAttributeValues={
                ":until": {"S": format_rfc3339(until)},
                ":reason": {"S": reason},
                ":expires": {"N": str(int((until + _KEPT).timestamp()))},
            },
        )

    def _plain(self, item: Mapping[str, Any]) -> dict[str, Any]:
        return {name: plain(self._deserialise(value)) for name, value in item.items()}

    def _key(self, sk: str) -> dict[str, Any]:
        return {"pk": {"S": self._source}, "sk": {"S": sk}}
