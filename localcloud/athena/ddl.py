"""Statements that look into the Glue catalog or drop from it, with the caller's rights."""

from __future__ import annotations

import re
from collections.abc import Callable

from localcloud.athena import results
from localcloud.athena.catalog import Catalog, Table
from localcloud.athena.errors import NotSupportedError, QueryError
from localcloud.athena.results import Result

_NAME = r"[`\"]?(?:(?P<db>[\w-]+)[`\"]?\.[`\"]?)?(?P<name>[\w-]+)[`\"]?"
_IN = r"(?:\s+(?:IN|FROM)\s+[`\"]?(?P<db>[\w-]+)[`\"]?)?"
_LIKE = r"(?:\s+(?:LIKE\s+)?'(?P<like>[^']*)')?"


class Ddl:
    """Runs one statement for one query; `database` is that of the query's context."""

    def __init__(self, catalog: Catalog, database: str, sql: str) -> None:
        self._catalog, self._database, self._sql = catalog, database, sql

    def run(self) -> Result:
        """Return the statement's result. Raises QueryError; NOT_SUPPORTED for others."""
        for pattern, action in _STATEMENTS:
            if match := re.fullmatch(pattern, self._sql, re.IGNORECASE | re.DOTALL):
                return action(self, match)
        raise NotSupportedError(f"statement {' '.join(self._sql.split()[:3])}")

    def _where(self, match: re.Match[str]) -> str:
        return (match["db"] or self._database).lower()

    def _table(self, match: re.Match[str]) -> Table:
        return self._catalog.table(self._where(match), match["name"].lower(), self._sql)

    def show_databases(self, match: re.Match[str]) -> Result:
        pages = self._catalog.glue.get_paginator("get_databases").paginate()
        names = [d["Name"] for page in pages for d in page["DatabaseList"]]
        return results.of_texts("database_name", _like(names, match["like"]))

    def show_tables(self, match: re.Match[str]) -> Result:
        glue, database = self._catalog.glue, self._where(match)
        views = match["kind"].upper() == "VIEWS"
        try:
            pages = list(glue.get_paginator("get_tables").paginate(DatabaseName=database))
        except glue.exceptions.EntityNotFoundException:
            raise QueryError(f"SCHEMA_NOT_FOUND: Schema '{database}' does not exist") from None
        tables = [t for page in pages for t in page["TableList"]]
        names = [t["Name"] for t in tables if not views or t.get("TableType") == "VIRTUAL_VIEW"]
        return results.of_texts("views" if views else "tab_name", _like(names, match["like"]))

    def show_partitions(self, match: re.Match[str]) -> Result:
        table = self._table(match)
        if not table.keys:
            raise QueryError(f"FAILED: Table {table.name} is not a partitioned table")
        names = [name for name, _ in table.keys]
        pairs = (zip(names, p["Values"], strict=True) for p in table.partitions)
        lines = ("/".join(f"{name}={value}" for name, value in pair) for pair in pairs)
        return results.of_texts("partition", sorted(lines))

    def describe(self, match: re.Match[str]) -> Result:
        glue = self._table(match).glue
        columns = glue.get("StorageDescriptor", {}).get("Columns", [])
        rows, keys = (
            [[c["Name"], c.get("Type", "string"), c.get("Comment", "")] for c in part]
            for part in (columns, glue.get("PartitionKeys") or [])
        )
        if keys:
            title = [
                ["# Partition Information", None, None],
                ["# col_name", "data_type", "comment"],
            ]
            blank: list[list[str | None]] = [["", None, None]]
            rows = rows + keys + blank + title + blank + keys
        return results.of_table(["col_name", "data_type", "comment"], rows)

    def drop_table(self, match: re.Match[str]) -> Result:
        glue, database, name = self._catalog.glue, self._where(match), match["name"].lower()
        try:
            glue.delete_table(DatabaseName=database, Name=name)
        except glue.exceptions.EntityNotFoundException:
            if not match["exists"]:
                reason = f"FAILED: SemanticException Table not found {database}.{name}"
                raise QueryError(reason) from None
        return results.of_table([], [])


def _like(names: list[str], pattern: str | None) -> list[str]:
    regex = (pattern or "*").replace("*", ".*")
    return sorted(name for name in names if re.fullmatch(regex, name, re.IGNORECASE))


_STATEMENTS: list[tuple[str, Callable[[Ddl, re.Match[str]], Result]]] = [
    (rf"SHOW\s+(?:DATABASES|SCHEMAS){_LIKE}", Ddl.show_databases),
    (rf"SHOW\s+(?P<kind>TABLES|VIEWS){_IN}{_LIKE}", Ddl.show_tables),
    (rf"SHOW\s+PARTITIONS\s+{_NAME}", Ddl.show_partitions),
    (rf"(?:DESCRIBE|DESC)\s+(?:EXTENDED\s+|FORMATTED\s+)?{_NAME}", Ddl.describe),
    (rf"DROP\s+(?:TABLE|VIEW)(?P<exists>\s+IF\s+EXISTS)?\s+{_NAME}", Ddl.drop_table),
]
