"""`replies`: whether tickets are answered on X, what became of it, and the kill switch."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from voxlake.cli.options import Json, Stage, out, print_json
from voxlake.cli.target import Target
from voxlake.errors import VoxlakeError
from voxlake.ledger.items import plain
from voxlake.replies import items
from voxlake.replies.decision import Mode
from voxlake.replies.requests import reply_request
from voxlake.replies.words import reply_text
from voxlake.tickets.queues import load_queues
from voxlake.tickets.store import TicketStore

_DAYS = 7
_COUNTS = ("sent", "dry_run", "refused")

By = Annotated[str, typer.Option(help="Who, for the record.", show_default="your user name")]
Id = Annotated[str, typer.Argument(help="A ticket of the author's.", metavar="TICKET")]


class RepliesOffError(VoxlakeError):
    """The stage's configuration has replies turned off."""


replies = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Replies on X: status, kill switch, authors who want none.",
    epilog="Example: voxlake replies stop",
)


@replies.command()
def status(stage: Stage = "local", json_: Json = False) -> None:
    """Shows the mode, and what was sent, waits and was refused in the last seven days.

    Example: voxlake replies status
    """
    found = state_of(Target(stage), datetime.now(UTC))
    if json_:
        print_json(found)
        return
    out.print(f"mode      {found['mode']}" + (", stopped" if found["stopped_at"] else ""))
    if found["mode"] == Mode.OFF:
        return
    if found["stopped_at"]:
        out.print(f"stopped   {found['stopped_at'][:19]}Z by {found['stopped_by']}")
    if found["paused_until"]:
        out.print(f"paused    until {found['paused_until'][:19]}Z: {found['paused_why']}")
    out.print(f"waiting   {found['waiting']}, given up {found['given_up']}")
    for name in _COUNTS:
        counts = found[name]
        out.print(f"{name:9} {counts['today']} today, {counts['seven_days']} in 7 days")
    for reason, count in found["reasons"].items():
        out.print(f"          {count} {reason}")


@replies.command()
def stop(by: By = "", stage: Stage = "local") -> None:
    """Sends nothing from now on: what is asked for waits.

    Example: voxlake replies stop
    """
    table = _table(Target(stage))
    table.update_item(**items.stop(by=by or getpass.getuser(), at=datetime.now(UTC)))
    out.print("stopped: nothing is sent; `replies start` goes on")


@replies.command()
def start(stage: Stage = "local") -> None:
    """Goes on sending; whoever starts has put right what was wrong, so a pause ends too.

    Example: voxlake replies start
    """
    _table(Target(stage)).update_item(**items.start())
    out.print("started: what waits is sent within 15 minutes")


@replies.command("opt-out")
def opt_out(id_: Id, by: By = "", stage: Stage = "local") -> None:
    """The author of a ticket's text gets no replies any more.

    Example: voxlake replies opt-out BAG-5Q43E0-4TQ2M
    """
    target = Target(stage)
    source, author = _author(target, id_)
    who = f"agent:{by or getpass.getuser()}"
    _table(target).put_item(Item=items.opt_out_item(source, author, by=who, at=datetime.now(UTC)))
    out.print("the author gets no replies any more")


@replies.command("opt-in")
def opt_in(id_: Id, stage: Stage = "local") -> None:
    """Takes an author's opt-out back.

    Example: voxlake replies opt-in BAG-5Q43E0-4TQ2M
    """
    target = Target(stage)
    _table(target).delete_item(Key=items.opt_out_key(*_author(target, id_)))
    out.print("the author may get replies again")


def state_of(target: Target, now: datetime) -> dict[str, Any]:
    """What `status` shows; counts by what became of requests, and of reasons over seven days."""
    mode = Mode(target.output("RepliesMode"))
    found: dict[str, Any] = {
        "mode": mode.value,
        **dict.fromkeys(("stopped_at", "stopped_by", "paused_until", "paused_why")),
    }
    if mode is Mode.OFF:
        return found
    table = _table(target)
    account = _item(table, items.account_key())
    found |= {name: account.get(name) for name in found if name != "mode"}
    if (found["paused_until"] or "") < now.isoformat():
        found["paused_until"] = found["paused_why"] = None
    found["waiting"] = _messages(target, "OutboxUrl")
    found["given_up"] = _messages(target, "DeadRepliesUrl")
    days = [(now - timedelta(days=ago)).date().isoformat() for ago in range(_DAYS)]
    tallies = [_item(table, items.tally_key(mode, day)) for day in days]
    for name in _COUNTS:
        counts = [tally.get(name, 0) for tally in tallies]
        found[name] = {"today": counts[0], "seven_days": sum(counts)}
    reasons: dict[str, int] = {}
    for tally in tallies:
        for name, count in tally.items():
            if name.startswith("refused_"):
                reason = name.removeprefix("refused_")
                reasons[reason] = reasons.get(reason, 0) + count
    found["reasons"] = dict(sorted(reasons.items(), key=lambda one: (-one[1], one[0])))
    return found


def ask_for_reply(target: Target, ticket: Mapping[str, Any], words: str | None, *, by: str) -> None:
    """Asks for a ticket's reply.

    Raises:
        RepliesOffError: the stage has no outbox.
        ReplyTextError: the words do not fit into a post; said before anything is asked for.
    """
    if Mode(target.output("RepliesMode")) is Mode.OFF:
        raise RepliesOffError(
            "expected replies to be on, found mode off: set it in infra/config.py "
            "(docs/replies.md) and deploy"
        )
    reply_text(dict(ticket), load_queues().named(ticket["queue"]), words)
    message = reply_request(
        ticket["ticket_id"],
        by,
        words,
        datetime.now(UTC),
        attempt=ticket["revision"],
        source=ticket["source"],
    )
    target.client("sqs").send_message(QueueUrl=target.output("OutboxUrl"), **message)


def _table(target: Target) -> Any:
    return target.table("RepliesTable")


def _item(table: Any, key: dict[str, str]) -> dict[str, Any]:
    return plain(table.get_item(Key=key, ConsistentRead=True).get("Item", {}))


def _messages(target: Target, output: str) -> int:
    """Messages in a queue, those hidden for a while too."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = target.client("sqs").get_queue_attributes(
        QueueUrl=target.output(output), AttributeNames=names
    )["Attributes"]
    return sum(int(found[name]) for name in names)


def _author(target: Target, ticket_id: str) -> tuple[str, str]:
    """Source and pseudonym of the author of a ticket's text."""
    ticket = TicketStore(target.table("TicketsTable")).read(ticket_id)
    return ticket["source"], ticket["author_id"]
