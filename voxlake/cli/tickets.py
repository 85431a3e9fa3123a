"""`tickets`: who waits for an answer, and what was done; texts are masked, authors are nowhere."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from voxlake.cli.options import Json, Stage, out, print_json
from voxlake.cli.replies import ask_for_reply
from voxlake.cli.target import Target
from voxlake.tickets.queues import load_queues
from voxlake.tickets.states import State
from voxlake.tickets.store import TicketStore, shown

# Enough for any screen; --limit raises it.
LIMIT = 20
_WIDTHS = {"ticket": 17, "state": 10, "opened": 16}


Id = Annotated[str, typer.Argument(help="A ticket id, as it was read out.", metavar="ID")]
Queue = Annotated[str, typer.Option(help="Only this queue, for example baggage_issue.")]
OfState = Annotated[State | None, typer.Option(help="Only this state.")]
Limit = Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")]
Note = Annotated[str, typer.Option(help="Why; kept in the ticket's history.")]
Words = Annotated[
    str, typer.Option(help="What to write.", metavar="TEXT", show_default="the queue's template")
]
By = Annotated[str, typer.Option(help="Who, for the history.", show_default="your user name")]

tickets = typer.Typer(
    add_completion=False,
    help="Lists tickets, the newest first; shows, closes, suppresses or answers one.",
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
    found = _store(Target(stage)).listed(queue=_queue(queue), state=state, limit=limit)
    if json_:
        print_json([shown(ticket) for ticket in found])
        return
    _print_list(found, limit)


@tickets.command()
def show(id_: Id, stage: Stage = "local", json_: Json = False) -> None:
    """Shows one ticket with its history.

    Example: voxlake tickets show BAG-5Q43E0-4TQ2M
    """
    ticket = shown(_store(Target(stage)).read(id_))
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


@tickets.command()
def reply(
    id_: Id, text: Words = "", by: By = "", stage: Stage = "local", json_: Json = False
) -> None:
    """Asks for a ticket to be answered, in your words or by its queue's template.

    The ticket's id is put at the end of your words.

    Example: voxlake tickets reply BAG-5Q43E0-4TQ2M --text "We found it. It is on its way to you."
    """
    target = Target(stage)
    ticket = _store(target).read(id_)
    ask_for_reply(target, ticket, text or None, by=f"agent:{by or getpass.getuser()}")
    if json_:
        print_json({"ticket_id": ticket["ticket_id"], "state": "queued"})
    else:
        out.print(f"{ticket['ticket_id']}: asked for; `tickets show` tells what came of it")


def _change(id_: str, wanted: State, note: str, by: str, stage: str, json_: bool) -> None:
    who = f"agent:{by or getpass.getuser()}"
    ticket = shown(
        _store(Target(stage)).changed(
            id_, wanted, who=who, clock=lambda: datetime.now(UTC), note=note
        )
    )
    if json_:
        print_json(ticket)
    else:
        out.print(f"{ticket['ticket_id']} is {ticket['state']}")


def _store(target: Target) -> TicketStore:
    return TicketStore(target.table("TicketsTable"))


def _queue(name: str) -> str | None:
    """Id of a queue. Raises QueuesError for one that the packaged file lacks."""
    return load_queues().named(name).id if name else None


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
