"""`tickets`: who waits for an answer, and what was done; texts are masked, authors are nowhere."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from voxlake.cli.options import Json, Stage, out, print_json
from voxlake.cli.target import Target
from voxlake.errors import VoxlakeError
from voxlake.ledger.items import plain
from voxlake.tickets.ids import parse_ticket_id
from voxlake.tickets.items import BY_QUEUE, BY_STATE, change, ticket_key
from voxlake.tickets.queues import load_queues
from voxlake.tickets.states import State

# Enough for any screen; --limit raises it.
LIMIT = 20
_ATTEMPTS = 5
_WIDTHS = {"ticket": 17, "state": 10, "opened": 16}
# Pseudonyms join a person's texts; nobody who reads tickets has to.
_HIDDEN = ("pk", "author_id")


class TicketError(VoxlakeError):
    """There is no such ticket, or it could not be changed."""


Id = Annotated[str, typer.Argument(help="A ticket id, as it was read out.", metavar="ID")]
Queue = Annotated[str, typer.Option(help="Only this queue, for example baggage_issue.")]
OfState = Annotated[State | None, typer.Option(help="Only this state.")]
Limit = Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")]
Note = Annotated[str, typer.Option(help="Why; kept in the ticket's history.")]
By = Annotated[str, typer.Option(help="Who, for the history.", show_default="your user name")]

tickets = typer.Typer(
    add_completion=False,
    help="Lists tickets, the newest first; shows, closes or suppresses one.",
    epilog="Example: voxlake tickets list --queue baggage_issue --state open",
)


@tickets.callback(invoke_without_command=True)
def _list_unless_told_otherwise(
    context: typer.Context,
    queue: Queue = "",
    state: OfState = None,
    limit: Limit = LIMIT,
    stage: Stage = "local",
    json_: Json = False,
) -> None:
    if context.invoked_subcommand is None:
        list_(queue=queue, state=state, limit=limit, stage=stage, json_=json_)
    elif (queue, state, limit, stage, json_) != ("", None, LIMIT, "local", False):
        raise typer.BadParameter(f"options go after `{context.invoked_subcommand}`")


@tickets.command("list")
def list_(
    queue: Queue = "",
    state: OfState = None,
    limit: Limit = LIMIT,
    stage: Stage = "local",
    json_: Json = False,
) -> None:
    """Lists tickets, the newest first.

    Example: voxlake tickets list --queue baggage_issue --state open
    """
    found = listed(Target(stage), queue=queue, state=state, limit=limit)
    if json_:
        print_json([shown(ticket) for ticket in found])
        return
    _print_list(found, limit)


@tickets.command()
def show(id_: Id, stage: Stage = "local", json_: Json = False) -> None:
    """Shows one ticket with its history.

    Example: voxlake tickets show BAG-5Q43E0-4TQ2M
    """
    ticket = shown(read(Target(stage), id_))
    if json_:
        print_json(ticket)
    else:
        _print_one(ticket)


@tickets.command()
def close(
    id_: Id, note: Note = "", by: By = "", stage: Stage = "local", json_: Json = False
) -> None:
    """Closes a ticket for ever: nothing is left to do.

    Example: voxlake tickets close BAG-5Q43E0-4TQ2M --note "bag found, sent to the hotel"
    """
    _change(id_, State.CLOSED, note, by, stage, json_)


@tickets.command()
def suppress(
    id_: Id, note: Note = "", by: By = "", stage: Stage = "local", json_: Json = False
) -> None:
    """Keeps a ticket from being answered.

    Example: voxlake tickets suppress BAG-5Q43E0-4TQ2M --note "answered by phone"
    """
    _change(id_, State.SUPPRESSED, note, by, stage, json_)


def _change(id_: str, wanted: State, note: str, by: str, stage: str, json_: bool) -> None:
    ticket = shown(
        changed(Target(stage), id_, wanted, who=f"agent:{by or getpass.getuser()}", note=note)
    )
    if json_:
        print_json(ticket)
    else:
        out.print(f"{ticket['ticket_id']} is {ticket['state']}")


def listed(target: Target, *, queue: str, state: State | None, limit: int) -> list[dict[str, Any]]:
    """Tickets, the newest first. Raises QueuesError for a queue that the packaged file lacks."""
    queues = load_queues()
    table = target.output("TicketsTable")
    if queue:
        values = {":one": {"S": queues.named(queue).id}}
        condition, index = "queue = :one", BY_QUEUE
        more: dict[str, Any] = {}
        if state:
            more = {
                "FilterExpression": "#state = :state",
                "ExpressionAttributeNames": {"#state": "state"},
            }
            values[":state"] = {"S": state.value}
        return _query(target, table, index, condition, values, limit, more)
    names = {"ExpressionAttributeNames": {"#state": "state"}}
    found = [
        ticket
        for one in ([state] if state else State)
        for ticket in _query(
            target, table, BY_STATE, "#state = :one", {":one": {"S": one.value}}, limit, names
        )
    ]
    return sorted(found, key=lambda ticket: ticket["opened_at"], reverse=True)[:limit]


def _query(
    target: Target,
    table: str,
    index: str,
    condition: str,
    values: dict[str, Any],
    limit: int,
    more: dict[str, Any],
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    pages = (
        target.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=table,
            IndexName=index,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ScanIndexForward=False,
            **more,
        )
    )
    for ticket in _items(pages):
        found.append(ticket)
        if len(found) == limit:
            break
    return found


def _items(pages: Any) -> Iterator[dict[str, Any]]:
    for page in pages:
        for item in page["Items"]:
            yield _read(item)


def read(target: Target, id_: str) -> dict[str, Any]:
    """One ticket. Raises TicketIdError for a mistyped id, TicketError where there is none."""
    ticket_id = parse_ticket_id(id_).text
    answer = target.client("dynamodb").get_item(
        TableName=target.output("TicketsTable"),
        Key=_write(ticket_key(ticket_id)),
        ConsistentRead=True,
    )
    if "Item" not in answer:
        raise TicketError(f"expected the ticket {ticket_id}, found none: look at `tickets list`")
    return _read(answer["Item"])


def changed(target: Target, id_: str, wanted: State, *, who: str, note: str = "") -> dict[str, Any]:
    """A ticket after a change of its state.

    Raises:
        TicketStateError: it cannot go there from the state it has.
        TicketError: others kept changing it.
    """
    from botocore.exceptions import ClientError

    for _ in range(_ATTEMPTS):
        ticket = read(target, id_)
        update = change(ticket, wanted, who=who, at=datetime.now(UTC), note=note or None)
        update["Key"] = _write(update["Key"])
        update["ExpressionAttributeValues"] = _write(update["ExpressionAttributeValues"])
        try:
            answer = target.client("dynamodb").update_item(
                TableName=target.output("TicketsTable"), ReturnValues="ALL_NEW", **update
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            continue
        return _read(answer["Attributes"])
    raise TicketError(f"expected to change {id_}, found others changing it: try again")


def shown(ticket: dict[str, Any]) -> dict[str, Any]:
    """A ticket without what no reader needs."""
    return {name: value for name, value in ticket.items() if name not in _HIDDEN}


def _read(item: dict[str, Any]) -> dict[str, Any]:
    from boto3.dynamodb.types import TypeDeserializer

    read_one = TypeDeserializer().deserialize
    return {name: plain(read_one(value)) for name, value in item.items()}


def _write(members: dict[str, Any]) -> dict[str, Any]:
    from boto3.dynamodb.types import TypeSerializer

    write_one = TypeSerializer().serialize
    return {name: write_one(value) for name, value in members.items()}


def _print_list(found: list[dict[str, Any]], limit: int) -> None:
    from rich.table import Table
    from rich.text import Text

    if not found:
        out.print("no tickets: nobody waits")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    # An id's prefix tells the queue; what the other columns leave is the text's.
    for column, width in _WIDTHS.items():
        table.add_column(column, no_wrap=True, min_width=width)
    room = max(20, out.width - sum(_WIDTHS.values()) - 2 * len(_WIDTHS))
    table.add_column("text", no_wrap=True)
    for ticket in found:
        text = Text(" ".join(ticket["text"].split()))  # people's texts are no markup
        text.truncate(room, overflow="ellipsis")
        opened = ticket["opened_at"][:16].replace("T", " ")
        table.add_row(ticket["ticket_id"], ticket["state"], opened, text)
    out.print(table)
    if len(found) == limit:
        out.print(f"the newest {limit}; --limit shows more")


def _print_one(ticket: dict[str, Any]) -> None:
    from rich.text import Text

    queue = load_queues().by_id.get(ticket["queue"])
    rows = {
        "ticket": f"{ticket['ticket_id']}, {ticket['state']}",
        "queue": f"{queue.name if queue else ticket['queue']} (score {ticket['queue_score']:.2f})",
        "why": f"{ticket['kind']} (confidence {ticket['confidence']:.2f})"
        + (f", {ticket['reason']}" if ticket.get("reason") else ""),
        "said": f"{ticket['occurred_at'][:19]}Z on {ticket['source']}, {ticket['sentiment']}"
        + (f", {ticket['main_emotion']}" if ticket.get("main_emotion") else ""),
        "text": ticket["text"],
    }
    for name, value in rows.items():
        out.print(Text(f"{name:8}{value}"))
    for entry in ticket["history"]:
        note = f": {entry['note']}" if entry.get("note") else ""
        out.print(Text(f"{entry['at'][:19]}Z {entry['what']} by {entry['who']}{note}"))
