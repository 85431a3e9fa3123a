"""Why a statement failed, in Redshift's words; numbers such as 1023 and 15007 are Redshift's."""

from __future__ import annotations

import re

import duckdb
from sqlglot.errors import ParseError, SqlglotError

from localcloud.errors import LocalCloudError

# What DuckDB says -> what Redshift says; groups are names.
_WORDS = (
    (r'schema "([^"]+)" does not exist|Schema with name (\S+) does not exist',
     'schema "{0}" does not exist'),
    (r"(?:Table|View) with name (\S+) does not exist", 'relation "{0}" does not exist'),
    (r'Referenced column "([^"]+)" not found|does not have a column named "([^"]+)"',
     'column "{0}" does not exist'),
    (r'Referenced table "([^"]+)" not found', 'missing FROM-clause entry for table "{0}"'),
    (r'(?:Table|View) with name "?([^"\s]+)"? already exists', 'Relation "{0}" already exists'),
    (r'Schema with name "?([^"\s]+)"? already exists', 'Schema "{0}" already exists'),
    (r"Function with name (\w+) does not exist", "function {0}() does not exist"),
    (r'NOT NULL constraint failed: \S+\."?(\w+)"?', "Cannot insert a NULL value into column {0}"),
    (r"CHECK\(\(strlen\(\"?(\w+)\"?\) <= (\d+)\)\)",
     "Value too long for character type\n  Detail: column {0}: character varying({1})"),
    (r"Division by zero", "Divide by zero"),
    (r"Conflict on|write-write conflict|[Cc]onflict",
     "1023\n  Detail: Serializable isolation violation on a table in Redshift; run it again"),
    (r'column "([^"]+)" must appear in the GROUP BY', 'column "{0}" must appear in the GROUP BY '
     "clause or be used in an aggregate function"),
)  # fmt: skip
_CONFLICT = duckdb.TransactionException
_FIRST_WORDS = {"SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "CREATE", "DROP", "ALTER"}


class RedshiftError(LocalCloudError):
    """A statement that fails; the text is the Error of DescribeStatement."""


class NotSupportedError(RedshiftError):
    """Valid for Redshift, not done by the laptop cloud."""

    def __init__(self, what: str) -> None:
        super().__init__(f"ERROR: {what} is not supported (a limit of the laptop cloud)")


class PermissionDeniedError(RedshiftError):
    """The database user lacks a privilege."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"ERROR: permission denied for {kind} {name}")


def from_engine(error: Exception, sql: str) -> RedshiftError:
    """Translate an error of DuckDB or sqlglot; what has no counterpart keeps its own words."""
    if isinstance(error, SqlglotError):
        found = (error.errors or [{}])[0] if isinstance(error, ParseError) else {}
        first = sql.split()[0]
        near = (found.get("highlight") if first.upper() in _FIRST_WORDS else None) or first
        return RedshiftError(f'ERROR: syntax error at or near "{near}"')
    text = str(error).strip()
    for pattern, words in _WORDS:
        if pattern.startswith("Conflict") and not isinstance(error, _CONFLICT):
            continue
        if found := re.search(pattern, text):
            names = [name.strip('"!') for name in found.groups() if name]
            return RedshiftError("ERROR: " + words.format(*names))
    return RedshiftError("ERROR: " + (text.split("\n")[0].partition(": ")[2] or text))


def scan_error(context: str) -> RedshiftError:
    """Return the error with which COPY refuses a Parquet file."""
    rule = "-" * 47
    return RedshiftError(
        f"ERROR: Spectrum Scan Error\n  Detail: \n  {rule}\n  error:  Spectrum Scan Error\n"
        f"  code:      15007\n  context:   {context}\n  {rule}\n"
    )
