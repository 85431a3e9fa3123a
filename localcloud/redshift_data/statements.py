"""Statements of the Data API: one SQL, or several in one transaction, from SUBMITTED to the end."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb

from localcloud.redshift_data.engine import Outcome, Session
from localcloud.redshift_data.errors import RedshiftError

FINAL = frozenset({"FINISHED", "FAILED", "ABORTED"})


@dataclass
class Part:
    """One SQL of a statement."""

    id: str
    sql: str
    status: str = "SUBMITTED"
    error: str | None = None
    outcome: Outcome = field(default_factory=Outcome)
    duration_ns: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return what DescribeStatement says of it."""
        done = self.status == "FINISHED"
        shown = {
            "Id": self.id, "QueryString": self.sql, "Status": self.status,
            "Duration": self.duration_ns if self.status in FINAL else -1,
            "HasResultSet": done and bool(self.outcome.columns),
            "ResultRows": self.outcome.rows if done else -1,
            "ResultSize": self.outcome.size if done else -1,
            "RedshiftQueryId": -1 if self.status == "SUBMITTED" else abs(hash(self.id)) % 10**9,
        }  # fmt: skip
        return shown | ({"Error": self.error} if self.error else {})


@dataclass
class Statement:
    """What one call of ExecuteStatement or BatchExecuteStatement asked for."""

    id: str
    parts: list[Part]
    batch: bool
    principal: Any
    user: Any
    shown: dict[str, Any]  # WorkgroupName, Database, SecretArn
    name: str | None
    parameters: list[dict[str, str]]
    created: datetime
    updated: datetime
    status: str = "SUBMITTED"
    error: str | None = None
    connection: duckdb.DuckDBPyConnection | None = None
    cancelled: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the statement as DescribeStatement shows it."""
        parts = [part.to_dict() for part in self.parts]
        took = sum(part.duration_ns for part in self.parts) if self.status in FINAL else -1
        answer = parts[-1] | self.shown | {
            "Id": self.id, "Status": self.status, "CreatedAt": self.created, "Duration": took,
            "UpdatedAt": self.updated, "RedshiftPid": 1073000000, "DbUser": self.user.name,
        }  # fmt: skip
        if self.batch:
            answer |= {"SubStatements": parts, "QueryString": "", "RedshiftQueryId": 0}
        if self.parameters:
            answer["QueryParameters"] = self.parameters
        return answer | ({"Error": self.error} if self.error else {})

    def summary(self) -> dict[str, Any]:
        """Return the statement as ListStatements shows it."""
        sqls = [part.sql for part in self.parts]
        answer = {
            "Id": self.id, "Status": self.status, "CreatedAt": self.created,
            "UpdatedAt": self.updated, "IsBatchStatement": self.batch, "QueryString": sqls[0],
        }  # fmt: skip
        named = {"StatementName": self.name} if self.name else {}
        return answer | named | ({"QueryStrings": sqls} if self.batch else {})

    def cancel(self) -> None:
        """Ask the statement to end; DuckDB is interrupted where it is."""
        self.cancelled = True
        if (connection := self.connection) is not None:
            connection.interrupt()


def run(statement: Statement, session: Session, now: Any) -> None:
    """Run a statement to its end, all of it or nothing. Never raises."""
    values = {given["name"]: given["value"] for given in statement.parameters}
    statement.status, failed = "STARTED", None
    try:
        with session.transaction():
            for part in statement.parts:
                if statement.cancelled:
                    raise duckdb.InterruptException("cancelled")
                failed = part
                _run_part(part, session, values)
            failed = None
        status = "FINISHED"
    except duckdb.InterruptException:
        status = "ABORTED"
    except Exception as error:  # a statement must end with a reason whatever it is
        text = str(error)
        if not isinstance(error, RedshiftError):
            text = f"ERROR: XX000 internal error {type(error).__name__}: {error}"
        status, statement.error = "FAILED", text
        if failed is not None:
            failed.status, failed.error = "FAILED", text
            number = statement.parts.index(failed) + 1
            if statement.batch:
                statement.error = f"Query #{number} failed with {text}"
    if status != "FINISHED":
        for part in statement.parts:
            if part.status != "FAILED":
                part.status = "ABORTED"
    statement.updated = now()
    statement.status = status


def _run_part(part: Part, session: Session, values: dict[str, str]) -> None:
    begun = time.perf_counter_ns()
    part.status = "STARTED"
    try:
        part.outcome = session.run(part.sql, values)
        part.status = "FINISHED"
    finally:
        part.duration_ns = time.perf_counter_ns() - begun
