"""`outbox`: the e-mails and text messages that the laptop cloud sent to nobody."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from voxlake.cli.options import Json, Stage, out, print_json
from voxlake.cli.target import Target, cloud_state
from voxlake.errors import VoxlakeError

LIMIT = 20
_FILE = "outbox.jsonl"


class OutboxError(VoxlakeError):
    """There is no outbox here, or no such message in it."""


Limit = Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")]
Number = Annotated[int, typer.Argument(help="A message's number, as listed.", metavar="N")]

outbox = typer.Typer(
    add_completion=False,
    help="Lists what the laptop cloud would have mailed and texted, the newest first.",
    epilog="Example: voxlake outbox show 3",
)


@outbox.callback(invoke_without_command=True)
def _list_unless_told_otherwise(
    context: typer.Context, limit: Limit = LIMIT, stage: Stage = "local", json_: Json = False
) -> None:
    if context.invoked_subcommand is not None:
        return
    found = messages(stage)
    shown = list(reversed(found))[:limit]
    if json_:
        print_json(shown)
    elif not shown:
        out.print("The outbox is empty: nobody was told anything.")
    else:
        _print_list(shown, len(found))


@outbox.command()
def show(number: Number, stage: Stage = "local", json_: Json = False) -> None:
    """Shows one message as it was sent.

    Example: voxlake outbox show 3
    """
    found = messages(stage)
    if not 1 <= number <= len(found):
        raise OutboxError(f"expected a number from 1 to {len(found)}, found {number}")
    message = found[number - 1]
    if json_:
        print_json(message)
        return
    out.print(f"To:      {message['to']} ({message['protocol']})", markup=False)
    out.print(f"At:      {message['at']}", markup=False)
    out.print(f"Subject: {message['subject'] or '-'}\n", markup=False)
    out.print(message["message"], markup=False, soft_wrap=True)


def messages(stage: str) -> list[dict[str, Any]]:
    """What was sent, the oldest first, numbered from 1 (`number`).

    Raises:
        OutboxError: the stage is deployed.
        NotRunningError: the laptop cloud is not running.
    """
    if stage != "local":
        raise OutboxError(
            f"expected the laptop cloud, found the stage {stage}: SNS delivers its messages, and "
            "keeps none of them"
        )
    Target(stage).environment()  # a file that outlived its cloud says nothing of now
    file = cloud_state() / _FILE
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [{"number": number, **json.loads(line)} for number, line in enumerate(lines, 1)]


def _print_list(shown: list[dict[str, Any]], total: int) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("number", "at", "to", "subject"):
        table.add_column(name, justify="right" if name == "number" else "left")
    for message in shown:
        said = message["subject"] or " ".join(message["message"].split())
        to = Text(message["to"])
        at = message["at"][:16].replace("T", " ")
        table.add_row(str(message["number"]), at, to, Text(said, overflow="ellipsis"))
    out.print(table)
    if total > len(shown):
        out.print(f"{len(shown)} of {total}: --limit shows more")
