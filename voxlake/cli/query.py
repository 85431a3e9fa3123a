"""`query`: asks the warehouse in SQL."""

from __future__ import annotations

import csv
import sys
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from voxlake.cli.options import Json, Stage, err, out, print_json
from voxlake.cli.target import Target
from voxlake.errors import VoxlakeError

SHOWN_ROWS = 50
# Athena's names, then Redshift's.
WHOLE = {"tinyint", "smallint", "integer", "bigint", "int2", "int4", "int8", "numeric"}
REAL = {"double", "float", "real", "float4", "float8"}


class QueryError(VoxlakeError):
    """The engine refused or failed the query; the message is the engine's own."""


class Engine(StrEnum):
    """What answers a query."""

    athena = "athena"
    redshift = "redshift"


@dataclass(frozen=True)
class Answer:
    """A query's rows: `types` are the engine's names, values are Python's by type, else text.

    `scanned_bytes` is None where the engine does not say.
    """

    columns: list[str]
    types: list[str]
    rows: list[list]
    scanned_bytes: int | None

    def dicts(self) -> list[dict]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def query(
    sql: Annotated[str, typer.Argument(help="One statement.")],
    engine: Annotated[Engine, typer.Option(help="What answers.")] = Engine.athena,
    csv_: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    stage: Stage = "local",
    json_: Json = False,
) -> None:
    """Asks the warehouse.

    Athena has the tables of voxlake_cleansed and voxlake_analytics (docs/tables.md describes each
    column), Redshift those of star and marts (docs/warehouse.md).

    Example: voxlake query "SELECT dt, count(*) FROM voxlake_analytics.texts_scored GROUP BY dt"
    """
    from voxlake.cli import redshift

    answer = (ask if engine is Engine.athena else redshift.ask)(Target(stage), sql)
    if json_:
        print_json(answer.dicts())
    elif csv_:
        writer = csv.writer(sys.stdout)
        writer.writerow(answer.columns)
        writer.writerows(answer.rows)
    else:
        show(answer)
        scanned = answer.scanned_bytes
        what = "" if scanned is None else f", {scanned:,} bytes scanned"
        err.print(f"{len(answer.rows):,} rows{what}")


def ask(target: Target, sql: str) -> Answer:
    """Runs one statement through Athena and fetches every row.

    Raises QueryError with Athena's reason when it fails or is cancelled.
    """
    athena = target.client("athena")
    started = athena.start_query_execution(
        QueryString=sql, WorkGroup=target.output("AthenaWorkgroup")
    )
    run = _wait(athena, started["QueryExecutionId"], 0.05 if target.is_local else 0.5)
    columns: list[str] = []
    types: list[str] = []
    rows: list[list] = []
    pages = athena.get_paginator("get_query_results").paginate(
        QueryExecutionId=started["QueryExecutionId"]
    )
    for number, page in enumerate(pages):
        info = page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
        columns, types = [c["Name"] for c in info], [c["Type"] for c in info]
        found = page["ResultSet"]["Rows"]
        # A SELECT's first row repeats the column names; other statements have no such row.
        if number == 0 and found and _texts(found[0]) == columns:
            found = found[1:]
        rows += [[_value(v, t) for v, t in zip(_texts(row), types, strict=True)] for row in found]
    scanned = run["Statistics"].get("DataScannedInBytes", 0)
    return Answer(columns, types, rows, scanned)


def _wait(athena, query_id: str, pause: float) -> dict:
    while True:
        run = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
        state = run["Status"]["State"]
        if state == "SUCCEEDED":
            return run
        if state in ("FAILED", "CANCELLED"):
            reason = run["Status"].get("StateChangeReason", "no reason given")
            raise QueryError(f"the query {state.lower()}: {reason}")
        time.sleep(pause)


def _texts(row: dict) -> list[str | None]:
    return [cell.get("VarCharValue") for cell in row["Data"]]


def _value(text: str | None, type_: str):
    if text is None:
        return None
    if type_ in WHOLE:
        return int(text)
    return float(text) if type_ in REAL else text


def show(answer: Answer, *, rows: int = SHOWN_ROWS) -> None:
    """Prints the first rows as a table that fits the terminal."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column, type_ in zip(answer.columns, answer.types, strict=True):
        table.add_column(escape(column), justify="right" if type_ in WHOLE | REAL else "left")
    for row in answer.rows[:rows]:
        table.add_row(*(_cell(v) for v in row))
    out.print(table)
    if len(answer.rows) > rows:
        out.print(f"… and {len(answer.rows) - rows:,} more rows (--csv or --json prints all)")


def _cell(value) -> str:
    from rich.markup import escape

    if value is None:
        return "[dim]null[/dim]"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else escape(value)
