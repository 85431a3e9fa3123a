"""Asks Redshift through its Data API, as an analyst: with a role that reads and nothing else."""

from __future__ import annotations

import time

from voxlake.cli.query import Answer, QueryError
from voxlake.cli.target import NotDeployedError, Target

_FINAL = ("FINISHED", "FAILED", "ABORTED")


def ask(target: Target, sql: str) -> Answer:
    """Runs one statement and fetches every row.

    Raises NotDeployedError where the stage has no Redshift, QueryError with Redshift's reason when
    the statement fails or is cancelled.
    """
    if "RedshiftWorkgroup" not in target.outputs:
        raise NotDeployedError(
            f"expected Redshift in the stage {target.stage}, found none: set redshift_enabled in "
            "infra/config.py and deploy, or ask Athena"
        )
    data = target.client("redshift-data", role=target.output("WarehouseAnalystRoleArn"))
    identity = data.execute_statement(
        Sql=sql,
        WorkgroupName=target.output("RedshiftWorkgroup"),
        Database=target.output("RedshiftDatabase"),
        StatementName="voxlake query",
    )["Id"]
    found = _wait(data, identity, 0.05 if target.is_local else 0.3)
    if not found["HasResultSet"]:
        return Answer([], [], [], None)
    columns: list[dict] = []
    rows: list[list] = []
    for page in data.get_paginator("get_statement_result").paginate(Id=identity):
        columns = page["ColumnMetadata"]
        rows += [
            [_value(cell, column["typeName"]) for cell, column in zip(record, columns, strict=True)]
            for record in page["Records"]
        ]
    return Answer([c["name"] for c in columns], [c["typeName"] for c in columns], rows, None)


def _wait(data, identity: str, pause: float) -> dict:
    while True:
        found = data.describe_statement(Id=identity)
        if found["Status"] == "FINISHED":
            return found
        if found["Status"] in _FINAL:
            raise QueryError(
                f"the query {found['Status'].lower()}: {found.get('Error', 'no reason given')}"
            )
        time.sleep(pause)


def _value(cell: dict, kind: str):
    if "isNull" in cell:
        return None
    (value,) = cell.values()
    if kind == "numeric":
        # Exact numbers come as text; sums of whole numbers have no fraction.
        return float(value) if "." in value else int(value)
    return value
