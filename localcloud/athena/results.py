"""Results of a query: the file in S3 as Athena writes it, and pages for GetQueryResults."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from localcloud.athena.types import column_info, format_value, text_column

_FETCH_ROWS = 10_000


@dataclass
class Result:
    """What a statement gave: columns in the shape of ResultSetMetadata, rows of texts.

    `written` holds the URIs that a CTAS or UNLOAD wrote, `location` the key of their manifest.
    """

    columns: list[dict[str, Any]]
    rows: Iterable[list[str | None]] = ()
    header: bool = True  # queries show their column names as the first row, DDL does not
    update_count: int = 0
    written: list[str] = field(default_factory=list)
    location: str | None = None


def of_query(connection: duckdb.DuckDBPyConnection, sql: str) -> Result:
    """Return the rows of a query as Athena's texts; it runs when the rows are asked for."""
    relation = connection.sql(sql)
    kinds = relation.types
    columns = [column_info(name, kind) for name, kind in zip(relation.columns, kinds, strict=True)]

    def rows() -> Iterator[list[str | None]]:
        cursor = connection.execute(sql)
        while batch := cursor.fetchmany(_FETCH_ROWS):
            for row in batch:
                yield [format_value(v, kind) for v, kind in zip(row, kinds, strict=True)]

    return Result(columns, rows())


def of_texts(name: str, lines: Iterable[str]) -> Result:
    """Return the one-column result of a SHOW statement."""
    return of_table([name], ([line] for line in lines))


def of_table(names: list[str], rows: Iterable[list[str | None]]) -> Result:
    """Return the result of a DDL statement."""
    return Result([text_column(name) for name in names], rows, header=False)


class StoredResult:
    """The rows of an ended query in local files: one for S3, one that pages are read from."""

    def __init__(self, folder: Path, query_id: str) -> None:
        self._pages = folder / f"{query_id}.jsonl"
        self.columns: list[dict[str, Any]] = []
        self.update_count = 0

    def store(self, result: Result, file: Path) -> None:
        """Write the rows into `file` (CSV for queries, plain text for DDL) and for paging."""
        self.columns, self.update_count = result.columns, result.update_count
        with self._pages.open("w") as pages, file.open("w", newline="") as out:
            if result.header:
                names = [column["Name"] for column in result.columns]
                pages.write(json.dumps(names) + "\n")
                out.write(csv_line(names))
            for row in result.rows:
                pages.write(json.dumps(row) + "\n")
                plain = "\t".join(value or "" for value in row) + "\n"
                out.write(csv_line(row) if result.header else plain)

    def page(self, token: str | None, size: int) -> tuple[list[dict[str, Any]], str | None]:
        """Return the rows from `token` (None: the first) and the token of the next page."""
        rows = []
        with self._pages.open("rb") as pages:
            pages.seek(int(token or 0))
            while len(rows) < size and (line := pages.readline()):
                cells = json.loads(line)
                rows.append({"Data": [{} if v is None else {"VarCharValue": v} for v in cells]})
            following = pages.tell()
            return rows, str(following) if pages.readline() else None


def csv_line(values: Iterable[str | None]) -> str:
    """Return a line as Athena writes it: every value quoted, NULL as nothing."""
    cells = ("" if v is None else '"' + v.replace('"', '""') + '"' for v in values)
    return ",".join(cells) + "\n"
