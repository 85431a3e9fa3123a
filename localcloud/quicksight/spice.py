"""Importing a data set: its SQL is asked of Athena under the data source's role."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from localcloud.core import Cloud
from localcloud.errors import ServiceError
from localcloud.glue.credentials import client_as

PRINCIPAL = "quicksight.amazonaws.com"
POLL_S = 0.02
# QuickSight's types and those of Athena that they hold; others it does not take.
TYPES = {
    "STRING": ("varchar", "char"), "INTEGER": ("tinyint", "smallint", "integer", "bigint"),
    "DECIMAL": ("float", "real", "double", "decimal"), "DATETIME": ("date", "timestamp"),
    "BOOLEAN": ("boolean",), "BIT": ("boolean",),
}  # fmt: skip
UNITS = {"HOUR": "hours", "DAY": "days", "WEEK": "weeks"}
Rows = list[list[str | None]]


class Spice:
    """The rows of one data set as they were imported."""

    def __init__(self) -> None:
        self.rows: Rows = []

    def load(
        self, cloud: Cloud, source: dict, table: dict, window: dict | None = None
    ) -> int:  # fmt: skip
        """Imports all, or anew what lies in the window; how many rows.

        Raises `ServiceError` InvalidParameterValueException for SQL that Athena or the role
        refuses, and for columns that are not as declared, with the column's name.
        """
        sql, kept = table["SqlQuery"], []
        if window:
            span = timedelta(**{UNITS[window["SizeUnit"]]: int(window["Size"])})
            since = f"{cloud.clock.now() - span:%Y-%m-%d %H:%M:%S}"
            column = window["ColumnName"]
            sql = f"SELECT * FROM ({sql}) AS spice WHERE \"{column}\" >= TIMESTAMP '{since}'"
            place = [c["Name"] for c in table["Columns"]].index(column)
            kept = [row for row in self.rows if (row[place] or "") < since]
        found, rows = _ask(cloud, source["DataSourceParameters"]["AthenaParameters"], sql)
        _check([(c["Name"], c["Type"]) for c in table["Columns"]], dict(found))
        order = [[name for name, _ in found].index(c["Name"]) for c in table["Columns"]]
        self.rows = kept + [[row[place] for place in order] for row in rows]
        return len(rows)


def _ask(cloud: Cloud, athena: dict[str, Any], sql: str) -> tuple[list[tuple[str, str]], Rows]:
    """Names and types of the columns, and the rows as text."""
    role, columns, rows = athena.get("RoleArn"), [], []
    if not role:
        raise invalid("AthenaParameters: expected a RoleArn, there is no account-wide role here")
    try:
        client = client_as(cloud, role, "athena", service=PRINCIPAL, session_name="quicksight")
        workgroup = athena.get("WorkGroup", "primary")
        started = client.start_query_execution(QueryString=sql, WorkGroup=workgroup)
        query = {"QueryExecutionId": started["QueryExecutionId"]}
        status = {"State": "QUEUED"}
        while status["State"] in ("QUEUED", "RUNNING"):
            time.sleep(POLL_S)
            status = client.get_query_execution(**query)["QueryExecution"]["Status"]
        if status["State"] != "SUCCEEDED":
            raise invalid(f"{status.get('StateChangeReason')}, asked as {role}")
        for page in client.get_paginator("get_query_results").paginate(**query):
            columns = page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
            rows += [[c.get("VarCharValue") for c in r["Data"]] for r in page["ResultSet"]["Rows"]]
    except ClientError as error:
        raise invalid(f"{role}: {error}") from error
    return [(column["Name"], column["Type"]) for column in columns], rows[1:]


def _check(declared: list[tuple[str, str]], given: dict[str, str]) -> None:
    for name, kind in declared:
        if name not in given:
            raise invalid(f"column {name}: the SQL gives {', '.join(given)}")
        base = given[name].partition("(")[0]
        if base not in TYPES.get(kind, ()):
            raise invalid(f"column {name}: declared {kind}, the SQL gives {base}")
    for name in given.keys() - dict(declared).keys():
        raise invalid(f"column {name}: the SQL gives it, and it is not declared")


def invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterValueException", message)
