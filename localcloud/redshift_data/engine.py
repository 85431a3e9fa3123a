"""Databases in DuckDB files, and the statements of one session in one."""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
from sqlglot import exp
from sqlglot.errors import SqlglotError

from localcloud.athena.engine import MEMORY_LIMIT, THREADS, clean
from localcloud.redshift_data import dialect, privileges
from localcloud.redshift_data.errors import NotSupportedError, RedshiftError, from_engine
from localcloud.redshift_data.privileges import Privileges, User
from localcloud.redshift_data.transfer import COPY, UNLOAD, Transfer
from localcloud.redshift_data.types import column_metadata
from localcloud.redshift_data.types import field as data_field

_NOTHING = re.compile(r"\s*(?:ANALYZE|VACUUM)\b", re.IGNORECASE)  # a laptop needs neither
_TRANSACTION = re.compile(r"\s*(?:BEGIN|START\s+TRANSACTION|COMMIT|END|ROLLBACK|ABORT)\b", re.I)
_CHANGES = (exp.Insert, exp.Delete, exp.Update, exp.Merge)
_ALLOWED = (exp.Query, exp.Create, exp.Drop, exp.Alter, exp.TruncateTable, exp.Comment, *_CHANGES)
_FETCH_ROWS = 10_000


@dataclass
class Outcome:
    """What a statement gave: ColumnMetadata and where its rows lie, or how many it changed."""

    columns: list[dict[str, Any]] = field(default_factory=list)
    rows: int = 0
    size: int = 0
    file: Path | None = None


class Database:
    """One database of a namespace: a DuckDB file that sessions share."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        limits = {"threads": THREADS, "memory_limit": MEMORY_LIMIT}
        self._connection = duckdb.connect(str(path), config=limits)
        self._connection.execute(privileges.TABLES)
        if not self._connection.execute("SELECT 1 FROM _redshift.grants").fetchone():
            self._connection.executemany(
                "INSERT INTO _redshift.grants VALUES (?, ?, ?, ?)", privileges.FIRST_GRANTS
            )
        self._lock = threading.Lock()

    def session(self) -> duckdb.DuckDBPyConnection:
        """Return a connection of its own with Redshift's functions and semantics."""
        with self._lock:
            cursor = self._connection.cursor()
        cursor.execute(
            "SET timezone = 'UTC'; SET integer_division = true; SET schema = 'public'; "
            + dialect.MACROS
        )
        return cursor

    def close(self) -> None:
        self._connection.close()


class Session:
    """Runs statements as a database user; `iam_roles` are those of the namespace."""

    def __init__(
        self,
        cloud: Any,
        connection: duckdb.DuckDBPyConnection,
        user: User,
        iam_roles: list[str],
        default_role: str | None,
        folder: Path,
    ) -> None:
        self._cloud, self._connection, self._folder = cloud, connection, folder
        self._privileges = Privileges(connection, user)
        self._iam_roles, self._default_role = iam_roles, default_role

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is run within, or nothing of it."""
        self._connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        with self._in_redshifts_words("COMMIT"):
            self._connection.execute("COMMIT")

    def run(self, sql: str, parameters: dict[str, str]) -> Outcome:
        """Run one statement. Raises RedshiftError."""
        sql = clean(sql)
        with self._in_redshifts_words(sql):
            if _TRANSACTION.match(sql):
                raise NotSupportedError("BEGIN, COMMIT and ROLLBACK in the Data API")
            if _NOTHING.match(sql):
                return Outcome()
            if privileges.STATEMENT.match(sql):
                self._privileges.run(sql)
                return Outcome()
            if match := COPY.fullmatch(sql):
                return self._copy(match)
            if match := UNLOAD.fullmatch(sql):
                return self._unload(match)
            return self._statement(dialect.bind(dialect.parse(sql), parameters))

    @contextmanager
    def _in_redshifts_words(self, sql: str) -> Iterator[None]:
        try:
            yield
        except duckdb.InterruptException:
            raise
        except (duckdb.Error, SqlglotError) as error:
            raise from_engine(error, sql) from error

    def _statement(self, statement: exp.Expression) -> Outcome:
        if not isinstance(statement, _ALLOWED):
            raise NotSupportedError(statement.sql("redshift").split(" ")[0])
        self._privileges.check(statement)
        if isinstance(statement, exp.Query):
            return self._query(dialect.to_duckdb(statement))
        if isinstance(statement, exp.Create):
            for column in statement.find_all(exp.ColumnDef):
                if column.find(exp.GeneratedAsIdentityColumnConstraint):
                    name = dialect.identity_sequence(statement.this.this.name, column.name)
                    self._connection.execute(f"CREATE SEQUENCE {name}")
        done = self._connection.execute(dialect.to_duckdb(statement)).fetchall()
        if isinstance(statement, exp.Create):
            self._privileges.made(statement)
            return Outcome()
        changed = isinstance(statement, _CHANGES)
        return Outcome(rows=done[0][0] if changed and done else 0)

    def _query(self, sql: str) -> Outcome:
        """Run a query and keep its rows in a file, a line for each."""
        relation = self._connection.sql(sql)
        columns = [
            column_metadata(name, kind)
            for name, kind in zip(relation.columns, relation.types, strict=True)
        ]
        kinds = [column["typeName"] for column in columns]
        file = self._folder / f"{uuid.uuid4()}.jsonl"
        outcome, cursor = Outcome(columns, file=file), self._connection.execute(sql)
        with file.open("w") as out:
            while batch := cursor.fetchmany(_FETCH_ROWS):
                outcome.rows += len(batch)
                for row in batch:
                    cells = [data_field(v, kind) for v, kind in zip(row, kinds, strict=True)]
                    outcome.size += out.write(json.dumps(cells) + "\n")
        return outcome

    def _copy(self, match: re.Match[str]) -> Outcome:
        table = exp.to_table(match["table"], dialect="redshift")
        self._privileges.relation(table, "INSERT")
        transfer = self._transfer(match["role"])
        rows = transfer.copy(table.sql(dialect="duckdb"), match["uri"], match["options"])
        return Outcome(rows=rows)

    def _unload(self, match: re.Match[str]) -> Outcome:
        query = dialect.parse((match["query"] or "").replace("''", "'") or match["plain"])
        self._privileges.check(query)
        transfer = self._transfer(match["role"])
        file = self._folder / f"{uuid.uuid4()}.parquet"
        try:
            rows = transfer.unload(dialect.to_duckdb(query), match["uri"], match["options"], file)
        finally:
            file.unlink(missing_ok=True)
        return Outcome(rows=rows)

    def _transfer(self, role: str) -> Transfer:
        arn = self._default_role if role.upper() == "DEFAULT" else role.strip("'")
        if arn is None or arn not in self._iam_roles:
            raise RedshiftError(
                f"ERROR: The IAM role {arn or 'default'} is not associated with the namespace"
            )
        self._privileges.assume_role(arn)
        return Transfer(self._cloud, self._connection, arn)
