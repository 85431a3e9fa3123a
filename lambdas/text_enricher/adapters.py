"""Writes provisional scores and tickets to DynamoDB, and asks for replies."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config
from botocore.exceptions import ClientError

from voxlake.errors import TransientError
from voxlake.replies.items import opt_out_item
from voxlake.replies.requests import reply_request
from voxlake.tickets import items
from voxlake.tickets.items import ENRICHER
from voxlake.tickets.texts import StreamText

# Retries end well within the function's timeout, so that a failure is reported, not cut off.
CLIENT_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 4}, connect_timeout=3, read_timeout=10
)
BATCH_ITEMS = 25
"""What BatchWriteItem takes at once."""
BATCH_MESSAGES = 10
"""What SendMessageBatch takes at once."""
_ATTEMPTS = 5


class ScoresWriteError(TransientError):
    """DynamoDB kept leaving items of a batch unwritten."""


class RepliesNotAskedError(TransientError):
    """SQS left some of the requests for replies."""


class TicketIdTakenError(TransientError):
    """Every id that was tried belongs to the ticket of another text."""


class ScoresTable:
    """Provisional scores. Writing one again is harmless: the newest stands.

    Args:
        client: DynamoDB client.
        sleep: injected by tests.
    """

    def __init__(
        self, client: Any, table: str, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._table = table
        self._sleep = sleep

    def write(self, scores: Sequence[Mapping[str, Any]]) -> None:
        """Writes items; of those with one key the last.

        Raises:
            ScoresWriteError: some are left after the last attempt.
            ClientError: DynamoDB refuses.
        """
        # A batch with a key twice is refused; it holds one where a record was delivered twice.
        distinct = {(score["event_id"], score["tracker"]): score for score in scores}
        requests = [{"PutRequest": {"Item": serialised(score)}} for score in distinct.values()]
        for start in range(0, len(requests), BATCH_ITEMS):
            self._write(requests[start : start + BATCH_ITEMS])

    def _write(self, requests: list[dict[str, Any]]) -> None:
        wanted = len(requests)
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._sleep(0.05 * 2**attempt)
            answer = self._client.batch_write_item(RequestItems={self._table: requests})
            requests = answer.get("UnprocessedItems", {}).get(self._table, [])
            if not requests:
                return
        raise ScoresWriteError(
            f"expected {wanted} scores to be written within {_ATTEMPTS} attempts, found "
            f"{len(requests)} left; the batch is retried"
        )


@dataclass(frozen=True)
class Opened:
    """A ticket of this very event. new: it was not there before."""

    ticket_id: str
    new: bool


class TicketsTable:
    """Tickets, one a text for ever.

    First the text's item is put, if there is none; it names the ticket. Then the ticket, if its id
    is free. Not in one transaction: a crash between the two is repaired when the records come
    again, which they do, and a conditional put is half the price.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def open(self, make: Callable[[str], Mapping[str, Any]], ids: Iterable[str]) -> Opened | None:
        """Opens a ticket unless its text has one.

        Args:
            make: the ticket's item under an id.
            ids: what it may be called, in order of preference; the same ones each time.

        Returns:
            The event's ticket, None where the text has another event's (it was edited).

        Raises:
            TicketIdTakenError: all ids are other texts'.
            ClientError: DynamoDB refuses.
        """
        untried = iter(ids)
        ticket = make(next(untried))
        text = items.text_item(ticket)
        there = self._put(text, items.NEW)
        if there is not None:
            if there["event_id"] != ticket["event_id"]:
                return None  # an edit of a text that has its ticket
            text = there
        while True:
            ticket = make(text["ticket_id"])
            other = self._put(ticket, items.NEW)
            if other is None:
                return Opened(ticket["ticket_id"], new=True)
            if items.same_text(other, ticket):
                return Opened(ticket["ticket_id"], new=False)
            following = next(untried, None)
            if following is None:
                raise TicketIdTakenError(
                    f"expected an id of {text['ticket_id'].partition('-')[0]} to be free, found "
                    "all that were tried to be other texts'; the batch is retried"
                )
            renamed = {**text, "ticket_id": following}
            if self._put(renamed, items.STILL_NAMED, {":read": text["ticket_id"]}) is not None:
                return None  # whoever renamed it first opens it
            text = renamed

    def _put(
        self, item: Mapping[str, Any], condition: str, values: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | None:
        """Puts an item under a condition; the item that is there where it fails, else None."""
        named = {name: _serialise(value) for name, value in (values or {}).items()}
        try:
            self._client.put_item(
                TableName=self._table,
                Item=serialised(item),
                ConditionExpression=condition,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **({"ExpressionAttributeValues": named} if named else {}),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            there = error.response["Item"]
            return {name: _deserialise(value) for name, value in there.items()}
        return None


class Replies:
    """Where replies are asked for, and where authors' wishes to get none are kept.

    Args:
        sqs, dynamodb: clients.
    """

    def __init__(self, sqs: Any, outbox_url: str, dynamodb: Any, table: str) -> None:
        self._sqs = sqs
        self._outbox_url = outbox_url
        self._dynamodb = dynamodb
        self._table = table

    def ask(self, tickets: Iterable[tuple[str, str]], at: datetime) -> None:
        """Asks for the replies of up to `BATCH_MESSAGES` tickets; asking again is harmless.

        Args:
            tickets: id and source of each.

        Raises:
            RepliesNotAskedError: SQS took some and left others.
            ClientError: SQS refuses.
        """
        entries = [
            {"Id": str(number), **reply_request(ticket_id, ENRICHER, None, at, source=source)}
            for number, (ticket_id, source) in enumerate(tickets)
        ]
        answer = self._sqs.send_message_batch(QueueUrl=self._outbox_url, Entries=entries)
        if failed := answer.get("Failed"):
            raise RepliesNotAskedError(
                f"expected SQS to take {len(entries)} requests for replies, found {len(failed)} "
                f"left ({failed[0].get('Code')}); the batch is retried"
            )

    def opt_out(self, text: StreamText, at: datetime) -> None:
        """The text's author gets no replies from now on. Raises ClientError."""
        item = opt_out_item(text.source, text.author_id, by=ENRICHER, at=at)
        self._dynamodb.put_item(TableName=self._table, Item=serialised(item))


_serialise = TypeSerializer().serialize
_deserialise = TypeDeserializer().deserialize


def serialised(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item as the low-level client takes it; floats become decimals, None members are left."""
    return {name: _serialise(decimals(value)) for name, value in item.items() if value is not None}


def decimals(value: Any) -> Any:
    """A value with its floats as Decimal, all the way down: DynamoDB's client takes no float."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, Mapping):
        return {name: decimals(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [decimals(member) for member in value]
    return value
