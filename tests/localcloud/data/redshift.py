"""A Redshift Serverless workgroup of the tests, asked as a client asks the Data API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.localcloud.data.conftest import wait_for

FINAL = ("FINISHED", "FAILED", "ABORTED")


class Redshift:
    """Runs statements in one database; as the administrator unless a client is given."""

    def __init__(self, client: Callable[[str], Any], name: str, *roles: str) -> None:
        serverless = client("redshift-serverless")
        made = serverless.create_namespace(
            namespaceName=name, dbName="lake", manageAdminPassword=True, iamRoles=list(roles)
        )
        self.secret = made["namespace"]["adminPasswordSecretArn"]
        serverless.create_workgroup(workgroupName=name, namespaceName=name, baseCapacity=8)
        self.name, self.data = name, client("redshift-data")

    def start(self, *sqls: str, data: Any = None, **options: Any) -> str:
        """Start one SQL, or several in one transaction; returns the statement's id."""
        where = {"WorkgroupName": self.name, "Database": "lake"}
        if data is None:
            where["SecretArn"] = self.secret
        one = (data or self.data).execute_statement
        many = (data or self.data).batch_execute_statement
        if len(sqls) == 1:
            return one(Sql=sqls[0], **where, **options)["Id"]
        return many(Sqls=list(sqls), **where, **options)["Id"]

    def run(self, *sqls: str, data: Any = None, **options: Any) -> dict[str, Any]:
        """Run to the end; returns what DescribeStatement says."""
        identity = self.start(*sqls, data=data, **options)
        return wait_for(
            lambda: (data or self.data).describe_statement(Id=identity),
            lambda found: found["Status"] in FINAL,
        )

    def done(self, *sqls: str, **options: Any) -> dict[str, Any]:
        """Run what has to succeed."""
        found = self.run(*sqls, **options)
        assert found["Status"] == "FINISHED", found.get("Error")
        return found

    def error(self, *sqls: str, **options: Any) -> str:
        """Return why a statement fails."""
        found = self.run(*sqls, **options)
        assert found["Status"] == "FAILED", found
        return found["Error"]

    def rows(self, sql: str, data: Any = None, **options: Any) -> list[tuple[Any, ...]]:
        """Return all rows of a query, NULL as None."""
        identity = self.done(sql, data=data, **options)["Id"]
        pages = (data or self.data).get_paginator("get_statement_result").paginate(Id=identity)
        return [
            tuple(None if "isNull" in cell else next(iter(cell.values())) for cell in row)
            for page in pages
            for row in page["Records"]
        ]
