"""Runs one statement in a DuckDB connection of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from botocore.exceptions import ClientError
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from localcloud.athena import dialect, results, writes
from localcloud.athena.catalog import Catalog, presto_view_text
from localcloud.athena.ddl import Ddl
from localcloud.athena.errors import QueryCancelledError, QueryError, from_client, from_duckdb
from localcloud.athena.results import Result
from localcloud.athena.scan import bytes_scanned
from localcloud.athena.types import hive_type, trino_type
from localcloud.athena.views import Views

THREADS = 2
MEMORY_LIMIT = "2GB"

_QUERY = re.compile(r"\s*(?:\(|SELECT\b|WITH\b|VALUES\b|TABLE\b)", re.IGNORECASE)
_UNLOAD = re.compile(r"\s*UNLOAD\b", re.IGNORECASE)
_CTAS = re.compile(r"\s*CREATE\s+TABLE\b", re.IGNORECASE)
_VIEW = re.compile(r"\s*CREATE\s+(?:OR\s+REPLACE\s+)?VIEW\b", re.IGNORECASE)
_UTILITY = re.compile(r"\s*(?:SHOW|DESC|DESCRIBE)\b", re.IGNORECASE)
_COMMENTS = re.compile(r"(?:(?:--[^\n]*(?:\n|$)|/\*.*?\*/)\s*)*", re.DOTALL)


@dataclass(frozen=True)
class Statement:
    """What a client asked for: SQL without its trailing semicolon, and where it applies."""

    query_id: str
    sql: str
    database: str
    parameters: list[str]
    output: str  # s3:// folder of the results, ending in /
    location_enforced: bool
    scan_limit: int | None  # bytes
    encryption: dict[str, str]  # S3's arguments for what is written


def clean(sql: str) -> str:
    """Return a statement without leading comments and the trailing semicolon."""
    sql = sql.strip()
    return sql[_COMMENTS.match(sql).end() :].rstrip().rstrip(";").rstrip()


def statement_type(sql: str) -> str:
    """Return DML, DDL or UTILITY."""
    if _QUERY.match(sql) or _UNLOAD.match(sql):
        return "DML"
    return "UTILITY" if _UTILITY.match(sql) else "DDL"


def check_syntax(sql: str) -> str | None:
    """Return why Athena would refuse to start a query, or None."""
    if not (_QUERY.match(sql) or _CTAS.match(sql) or _VIEW.match(sql)):
        return None
    try:
        dialect.parse(sql)
    except (ParseError, TokenError) as error:
        found = (getattr(error, "errors", None) or [{}])[0]
        where = f"line {found.get('line', 1)}:{found.get('col', 1)}"
        what = found.get("description", error)
        return f"{where}: mismatched input '{found.get('highlight', '')}'. {what}"
    return None


def connect(scratch: Path) -> duckdb.DuckDBPyConnection:
    """Return a connection with Trino's functions and semantics, limited to its share."""
    limits = {"threads": THREADS, "memory_limit": MEMORY_LIMIT}
    connection = duckdb.connect(config=limits | {"temp_directory": str(scratch / "spill")})
    # Integers divide to integers, as in Trino; nothing is fetched from outside.
    connection.execute(
        "SET timezone = 'UTC'; SET integer_division = true; "
        "SET autoinstall_known_extensions = false"
    )
    connection.execute(dialect.MACROS)
    return connection


def translate(connection: duckdb.DuckDBPyConnection, query: exp.Expression) -> str:
    """Return DuckDB's SQL of a query whose tables are at hand."""
    sql = dialect.to_duckdb(query)
    if "MAP_ENTRIES(" in sql:
        try:
            connection.execute(f"EXPLAIN {sql}")
        except duckdb.BinderException:
            return dialect.to_duckdb(query, pairs_of="rows")
    return sql


class Engine:
    """One statement's run; `scanned` is set before anything is read."""

    def __init__(
        self,
        cloud: Any,
        principal: Any,
        statement: Statement,
        scratch: Path,
        connection: duckdb.DuckDBPyConnection,
    ) -> None:
        self._statement, self._scratch, self._connection = statement, scratch, connection
        self._catalog = Catalog(cloud, principal, scratch)
        self.scanned = 0

    def run(self, store: Any) -> Result:
        """Return the result, handed to `store` first. Raises QueryError in Athena's words."""
        sql = self._statement.sql
        try:
            result = self._dispatch(sql)
            store(result)  # the rows are computed while they are stored
        except duckdb.InterruptException:
            raise
        except duckdb.Error as error:
            raise from_duckdb(error, sql) from error
        except (ParseError, TokenError) as error:
            raise QueryError(f"SYNTAX_ERROR: {check_syntax(sql) or error}") from error
        except ClientError as error:
            raise from_client(error) from error
        return result

    def _dispatch(self, sql: str) -> Result:
        if _QUERY.match(sql):
            return results.of_query(self._connection, self._translated(dialect.parse(sql)))
        if _UNLOAD.match(sql):
            query, location, options = writes.parse_unload(sql)
            return self._written(dialect.parse(query), location, options)[0]
        if _CTAS.match(sql):
            return self._create_table_as(dialect.parse(sql))
        if _VIEW.match(sql):
            return self._create_view(dialect.parse(sql))
        return Ddl(self._catalog, self._statement.database, sql).run()

    def _translated(self, query: exp.Expression) -> str:
        """Return DuckDB's SQL of a query, its tables at hand; counts what it will scan."""
        holders = list(query.find_all(exp.Placeholder, bfs=False))
        for node, value in zip(holders, self._statement.parameters, strict=False):
            node.replace(dialect.parse(f"SELECT {value}").expressions[0])
        views = Views(self._connection, self._catalog, self._statement.sql)
        bound = views.bind(query, self._statement.database)
        self.scanned = bytes_scanned(self._connection, bound, views)
        limit = self._statement.scan_limit
        if limit is not None and self.scanned > limit:
            raise QueryCancelledError("Bytes scanned limit was exceeded")
        return translate(self._connection, bound)

    def _written(
        self, query: exp.Expression, location: str, options: dict[str, str]
    ) -> tuple[Result, writes.Written]:
        statement = self._statement
        written = writes.write(
            self._connection,
            self._translated(query),
            location,
            options,
            to=self._catalog,
            file=self._scratch / f"{statement.query_id}.parquet",
            sealed=statement.encryption,
        )
        result = results.of_table(["rows"], [[str(written.rows)]])
        result.written, result.update_count = written.files, written.rows
        result.location = f"{statement.output}{statement.query_id}"
        return result, written

    def _create_table_as(self, create: exp.Expression) -> Result:
        statement = self._statement
        if not isinstance(create, exp.Create) or create.expression is None:
            raise QueryError("SYNTAX_ERROR: line 1:8: expected CREATE TABLE … AS SELECT")
        database = (create.this.db or statement.database).lower()
        name = create.this.name.lower()
        if self._catalog.exists(database, name):
            if create.args.get("exists"):
                return results.of_table([], [])
            table = f"'awsdatacatalog.{database}.{name}'"
            raise QueryError(f"TABLE_ALREADY_EXISTS: line 1:1: {table} already exists")
        options = writes.create_options(create)
        if "external_location" in options and statement.location_enforced:
            raise QueryError(
                "The Create Table As Select query failed because it was submitted with an "
                "'external_location' property to an Athena Workgroup that enforces a centralized "
                "output location for all queries. Please remove the 'external_location' property "
                "and resubmit the query."
            )
        base = f"{statement.output}tables/{statement.query_id}"
        location = options.get("external_location", base)
        result, written = self._written(create.expression, location, options)
        writes.register(self._catalog, database, name, location, written)
        result.location = base
        return result

    def _create_view(self, create: exp.Expression) -> Result:
        statement = self._statement
        database = (create.this.db or statement.database).lower()
        name = create.this.name.lower()
        body = dialect.name_columns(create.expression)
        views = Views(self._connection, self._catalog, statement.sql)
        bound = views.bind(body, statement.database)
        relation = self._connection.sql(translate(self._connection, bound))
        pairs = zip(relation.columns, relation.types, strict=True)
        columns = [(column.lower(), hive_type(kind)) for column, kind in pairs]
        shown = [{"Name": column, "Type": kind} for column, kind in columns]
        trino = [(column, trino_type(kind)) for column, kind in columns]
        table = {
            "Name": name,
            "TableType": "VIRTUAL_VIEW",
            # Unqualified names in a view mean the database it was created in.
            "ViewOriginalText": presto_view_text(body.sql("athena"), statement.database, trino),
            "ViewExpandedText": "/* Presto View */",
            "Parameters": {"presto_view": "true"},
            "PartitionKeys": [],
            "StorageDescriptor": {"Columns": shown, "Location": "", "SerdeInfo": {}},
        }
        glue = self._catalog.glue
        if not self._catalog.exists(database, name):
            glue.create_table(DatabaseName=database, TableInput=table)
        elif create.args.get("replace"):
            glue.update_table(DatabaseName=database, TableInput=table)
        else:
            raise QueryError(
                f"TABLE_ALREADY_EXISTS: line 1:1: View '{database}.{name}' already exists"
            )
        return results.of_table([], [])
