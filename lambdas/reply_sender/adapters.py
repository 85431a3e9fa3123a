"""The tables and the outbox as the sender sees them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config
from botocore.exceptions import ClientError

from voxlake.ledger.items import plain
from voxlake.replies import items
from voxlake.replies.decision import Account
from voxlake.tickets.errors import NoTicketError, TicketChangedError
from voxlake.tickets.items import ticket_key
from voxlake.times import parse_rfc3339

CLIENT_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 4}, connect_timeout=3, read_timeout=10
)
LONGEST_VISIBILITY = 43_200 - 600
"""Seconds: SQS hides a message for 12 hours at most, counted from when it was received."""
_FAILED = "ConditionalCheckFailedException"


class Tables:
    """Tickets, and the table of replies.

    Args:
        client: DynamoDB client.
    """

    def __init__(self, client: Any, *, tickets: str, replies: str) -> None:
        self._client = client
        self._tickets = tickets
        self._replies = replies

    def ticket(self, ticket_id: str) -> dict[str, Any]:
        """A ticket, by consistent read. Raises NoTicketError."""
        found = self._read(self._tickets, ticket_key(ticket_id))
        if found is None:
            raise NoTicketError(
                f"expected the ticket {ticket_id}, found none: whoever asked did so before opening "
                "it, or on another stage"
            )
        return found

    def account(self) -> Account:
        """Kill switch and pause, by consistent read."""
        item = self._read(self._replies, items.account_key()) or {}
        until = item.get(items.PAUSED)
        return Account(
            stopped=items.STOPPED in item,
            paused_until=parse_rfc3339(until) if until else None,
            why=item.get("paused_why", ""),
        )

    def opted_out(self, source: str, author_id: str) -> bool:
        """Whether an author (by pseudonym) wants no replies."""
        return self._read(self._replies, items.opt_out_key(source, author_id)) is not None

    def pause(self, *, until: datetime, why: str) -> None:
        """No call of X before a time."""
        self.count(items.pause(until=until, why=why))

    def change(self, update: items.Update) -> None:
        """Carries out an update of a ticket. Raises TicketChangedError where it was not the newest
        that was read."""
        if not self._update(self._tickets, update):
            raise TicketChangedError("the ticket was changed since it was read")

    def count(self, update: items.Update) -> bool:
        """Carries out an update of the replies table; False where its condition fails."""
        return self._update(self._replies, update)

    def _update(self, table: str, update: items.Update) -> bool:
        write = TypeSerializer().serialize
        values = {
            name: {key: write(one) for key, one in update[name].items()}
            for name in ("Key", "ExpressionAttributeValues")
            if name in update
        }
        try:
            self._client.update_item(TableName=table, **{**update, **values})
        except ClientError as error:
            if error.response["Error"]["Code"] != _FAILED:
                raise
            return False
        return True

    def _read(self, table: str, key: Mapping[str, str]) -> dict[str, Any] | None:
        answer = self._client.get_item(
            TableName=table,
            Key={name: {"S": value} for name, value in key.items()},
            ConsistentRead=True,
        )
        if "Item" not in answer:
            return None
        read = TypeDeserializer().deserialize
        return {name: plain(read(value)) for name, value in answer["Item"].items()}


class Outbox:
    """The queue that the messages come from.

    Args:
        client: SQS client.
    """

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    def hide(self, message: Mapping[str, Any], seconds: float) -> None:
        """Nobody gets a message, nor those behind it, for so long."""
        self._client.change_message_visibility(
            QueueUrl=self._url,
            ReceiptHandle=message["receiptHandle"],
            VisibilityTimeout=max(0, min(round(seconds), LONGEST_VISIBILITY)),
        )

    def renew(self, message: Mapping[str, Any]) -> None:
        """Sends a copy, which nobody has received yet. The caller has the original deleted; should
        that fail there are two, and the ticket tells that they ask for the same."""
        again = hashlib.sha256(f"{message['messageId']}\0again".encode()).hexdigest()
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=message["body"],
            MessageGroupId=message["attributes"]["MessageGroupId"],
            MessageDeduplicationId=again,
        )
