"""`reconcile`: checks that nothing is lost and nothing counted twice."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from voxlake.cli.options import Json, Stage, out, print_json
from voxlake.cli.target import Target
from voxlake.errors import VoxlakeError

COLUMNS = [
    "received",
    "redelivered",
    "cleansed",
    "duplicate",
    "quarantined",
    "erased",
    "pending",
    "unaccounted",
]


class ReconcileError(VoxlakeError):
    """Records are unaccounted for, or the reconciler itself failed."""


def reconcile(
    repair: Annotated[
        bool, typer.Option(help="Restore lost ledger items and catalog locations.")
    ] = True,
    stage: Stage = "local",
    json_: Json = False,
) -> None:
    """Checks received = cleansed + duplicate + quarantined + erased + pending, per event type.

    Against the stream's own count, a listing of landing and the tables' rows. Exit status 1 when a
    record is unaccounted for.

    Example: voxlake reconcile --json
    """
    result = ask(Target(stage), repair=repair)
    if json_:
        print_json(result)
    else:
        show(result)
    if result["unaccounted"]:
        raise ReconcileError(f"{result['unaccounted']:,} records are unaccounted for")


def ask(target: Target, *, repair: bool = True) -> dict:
    """Invokes the reconciler; its answer. Raises ReconcileError when the function fails."""
    answer = target.client("lambda").invoke(
        FunctionName=target.output("ReconcilerFunction"),
        Payload=json.dumps({"step": "reconcile", "repair": repair}),
    )
    payload = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise ReconcileError(f"the reconciler failed: {payload.get('errorMessage', payload)}")
    return payload


def show(result: dict) -> None:
    """Prints the accounts as a table, then findings and repairs."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("event type")
    for column in COLUMNS:
        table.add_column(column, justify="right")
    rows = [*sorted(result["event_types"].items()), ("total", result["total"])]
    for name, counts in rows:
        style = "bold" if name == "total" else None
        table.add_row(name, *(f"{counts[c]:,}" for c in COLUMNS), style=style)
    out.print(table)
    stream = result["stream"]
    if stream.get("incoming_records") is not None:
        out.print(
            f"The stream counted {stream['incoming_records']:,} records; "
            f"{stream['in_flight']:,} are still on their way."
        )
    for finding in result["findings"]:
        out.print(f"[yellow]{finding['kind']}[/yellow]: {finding['detail']}")
    for repaired in result["repaired"]:
        detail = repaired.get("detail", repaired) if isinstance(repaired, dict) else repaired
        out.print(f"[green]repaired[/green]: {detail}")
    if not result["unaccounted"]:
        out.print("[green]Every record is accounted for.[/green]")
