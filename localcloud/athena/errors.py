"""Why a query failed, in Athena's words."""

from __future__ import annotations

import re

import duckdb
from botocore.exceptions import ClientError

from localcloud.errors import LocalCloudError

USER, SYSTEM = 2, 1  # ErrorCategory of AthenaError
_UNRESOLVED = "cannot be resolved or requester is not authorized to access requested resources"
# What DuckDB says of a name -> Athena's error, and what it says of the name.
_NAMED = (
    (
        r'Referenced (?:column|table) "([^"]+)" not found|does not have a column named "([^"]+)"'
        r'|Could not find key "([^"]+)" in struct',
        "COLUMN_NOT_FOUND: {where}: Column '{name}' " + _UNRESOLVED,
    ),
    (
        r'Function with name "?([\w.]+)"? does not exist',
        "FUNCTION_NOT_FOUND: {where}: Function '{name}' not registered",
    ),
    (
        r'column "([^"]+)" must appear in the GROUP BY',
        "EXPRESSION_NOT_AGGREGATE: {where}: '{name}' must be an aggregate expression or appear in "
        "GROUP BY clause",
    ),
)
_KINDS = (
    (duckdb.ConversionException, "INVALID_CAST_ARGUMENT: ", USER),
    (duckdb.OutOfMemoryException, "EXCEEDED_LOCAL_MEMORY_LIMIT: ", SYSTEM),
    (duckdb.BinderException, "SYNTAX_ERROR: line 1:1: ", USER),
    (duckdb.ParserException, "SYNTAX_ERROR: line 1:1: ", USER),
    (duckdb.CatalogException, "SYNTAX_ERROR: line 1:1: ", USER),
    (duckdb.IOException, "HIVE_BAD_DATA: ", USER),
    (duckdb.InvalidInputException, "HIVE_BAD_DATA: ", USER),
    (duckdb.Error, "GENERIC_INTERNAL_ERROR: ", SYSTEM),
)


class QueryError(LocalCloudError):
    """A query that fails; `reason` is its StateChangeReason."""

    def __init__(self, reason: str, category: int = USER) -> None:
        super().__init__(reason)
        self.reason = reason
        self.category = category


class QueryCancelledError(QueryError):
    """A query that Athena cancels itself, such as one over the workgroup's scan limit."""


class NotSupportedError(QueryError):
    """Valid for Athena, not done by the laptop cloud."""

    def __init__(self, what: str) -> None:
        super().__init__(f"NOT_SUPPORTED: {what} (a limit of the laptop cloud)")


def position(sql: str, word: str) -> str:
    """Return `line L:C` of the first occurrence of a name in the query, as Trino words it."""
    match = re.search(rf"(?<![\w]){re.escape(word)}(?![\w])", sql, re.IGNORECASE)
    offset = match.start() if match else 0
    before = sql[:offset].split("\n")
    return f"line {len(before)}:{len(before[-1]) + 1}"


def from_duckdb(error: duckdb.Error, sql: str) -> QueryError:
    """Translate DuckDB's error into Athena's wording; the rest of the text is DuckDB's."""
    text = str(error).strip()
    for pattern, reason in _NAMED:
        if found := re.search(pattern, text):
            name = next(group for group in found.groups() if group)
            return QueryError(reason.format(where=position(sql, name), name=name))
    if "Division by zero" in text:
        return QueryError("DIVISION_BY_ZERO: / by zero")
    message = text.split("\n")[0].partition(": ")[2] or text
    prefix, category = next((p, c) for kind, p, c in _KINDS if isinstance(error, kind))
    return QueryError(prefix + message, category)


def from_client(error: ClientError) -> QueryError:
    """Translate an error of Glue or S3, met on the caller's behalf."""
    found = error.response["Error"]
    if "AccessDenied" in found["Code"] or found["Code"] == "403":
        why = f"{error.operation_name}: {found.get('Message', '')}"
        return QueryError(f"Insufficient permissions to execute the query. {why}")
    return QueryError(f"GENERIC_USER_ERROR: {error}")
