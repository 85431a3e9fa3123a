"""Tickets as the command line, web_api and their readers find them in DynamoDB.

The table is handed in, as boto3's resource has it; nothing here knows of credentials or places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from voxlake.ledger.items import plain
from voxlake.tickets.errors import NoTicketError, TicketChangedError
from voxlake.tickets.ids import parse_ticket_id
from voxlake.tickets.items import BY_QUEUE, BY_STATE, change, ticket_key
from voxlake.tickets.states import State

Ticket = dict[str, Any]
_ATTEMPTS = 5
# Pseudonyms join a person's texts; nobody who reads tickets has to.
_HIDDEN = ("pk", "author_id", "change_shard")


def shown(ticket: Mapping[str, Any]) -> Ticket:
    """A ticket without what no reader needs."""
    return {name: value for name, value in ticket.items() if name not in _HIDDEN}


def place(ticket: Mapping[str, Any]) -> tuple[str, str]:
    """By which tickets are listed: when one was opened, and its id."""
    return ticket["opened_at"], ticket["ticket_id"]


class TicketStore:
    """The tickets table.

    Args:
        table: boto3's `Table`.
    """

    def __init__(self, table: Any) -> None:
        self._table = table

    def read(self, ticket_id: str) -> Ticket:
        """One ticket, as it was last written.

        Raises:
            TicketIdError: a mistyped id.
            NoTicketError: there is none.
        """
        id_ = parse_ticket_id(ticket_id).text
        answer = self._table.get_item(Key=ticket_key(id_), ConsistentRead=True)
        if "Item" not in answer:
            raise NoTicketError(f"expected the ticket {id_}, found none: look at the list")
        return plain(answer["Item"])

    def listed(
        self,
        *,
        queue: str | None = None,
        state: State | None = None,
        before: tuple[str, str] | None = None,
        limit: int,
    ) -> list[Ticket]:
        """Tickets, the newest first.

        Args:
            queue: id of a queue.
            before: only those listed after this `place`.
        """
        if queue:
            found = self._of(BY_QUEUE, "queue", queue, before, limit, state)
        else:
            found = [
                ticket
                for one in ([state] if state else State)
                for ticket in self._of(BY_STATE, "state", one.value, before, limit, None)
            ]
        return sorted(found, key=place, reverse=True)[:limit]

    def _of(
        self,
        index: str,
        attribute: str,
        value: str,
        before: tuple[str, str] | None,
        limit: int,
        state: State | None,
    ) -> list[Ticket]:
        """At least the first `limit` of a partition of an index, all of a moment or none."""
        names, values = {"#of": attribute}, {":of": value}
        condition, filters = "#of = :of", {}
        if before:
            condition += " AND opened_at <= :at"
            values[":at"] = before[0]
        if state:
            names["#state"], values[":state"] = "state", state.value
            filters = {"FilterExpression": "#state = :state"}
        found: list[Ticket] = []
        for ticket in self._query(
            IndexName=index,
            KeyConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
            ScanIndexForward=False,
            **filters,
        ):
            if before and place(ticket) >= before:
                continue
            # Those of one moment come in any order.
            if len(found) >= limit and ticket["opened_at"] != found[-1]["opened_at"]:
                break
            found.append(ticket)
        return found

    def _query(self, **question: Any) -> Iterator[Ticket]:
        pages = self._table.meta.client.get_paginator("query").paginate(
            TableName=self._table.name, PaginationConfig={"PageSize": 100}, **question
        )
        for page in pages:
            yield from (plain(item) for item in page["Items"])

    def changed(
        self,
        ticket_id: str,
        wanted: State,
        *,
        who: str,
        clock: Callable[[], datetime],
        note: str | None = None,
        revision: int | None = None,
    ) -> Ticket:
        """A ticket after a change of its state.

        Args:
            revision: the one it has to have; None for whichever it has.

        Raises:
            TicketIdError, NoTicketError: as `read`.
            TicketStateError: it cannot go there from the state it has.
            TicketChangedError: it has another revision, or others kept changing it.
        """
        refused = self._table.meta.client.exceptions.ConditionalCheckFailedException
        for _ in range(_ATTEMPTS):
            ticket = self.read(ticket_id)
            if revision not in (None, ticket["revision"]):
                raise TicketChangedError(
                    f"expected revision {revision} of {ticket['ticket_id']}, found "
                    f"{ticket['revision']}: somebody has changed it; read it again"
                )
            update = change(ticket, wanted, who=who, at=clock(), note=note or None)
            try:
                answer = self._table.update_item(ReturnValues="ALL_NEW", **update)
            except refused:
                continue
            return plain(answer["Attributes"])
        raise TicketChangedError(
            f"expected to change {ticket_id}, found others changing it: try again"
        )
