"""The ledger, the lake's files and the Data API, as the loader needs them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from boto3.dynamodb.types import TypeDeserializer

from lambdas.warehouse_loader.errors import (
    LakeFilesError,
    LostRaceError,
    StatementFailedError,
    StillRunningError,
)
from voxlake.ledger.items import plain, table_id

_FINAL = ("FINISHED", "FAILED", "ABORTED")
_ATTEMPTS = 3
_SERIALIZABLE = "1023"


class Lake:
    """What the ledger says of partitions, and their files.

    Args:
        dynamodb, s3: boto3 clients.
        ledger_table: name of the ledger's table.
    """

    def __init__(self, dynamodb: Any, s3: Any, ledger_table: str) -> None:
        self._dynamodb, self._s3, self._table = dynamodb, s3, ledger_table

    def versions(self, database: str, table: str) -> dict[str, dict[str, Any]]:
        """{dt: version item} of a table."""
        read = TypeDeserializer().deserialize
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"VERSION#{table_id(database, table)}"}},
            ConsistentRead=True,
        )
        items = (item for page in pages for item in page["Items"])
        found = ({name: plain(read(value)) for name, value in item.items()} for item in items)
        return {item["sk"].removeprefix("dt="): item for item in found}

    def files(self, version: dict[str, Any]) -> dict[str, int]:
        """{URI: bytes} of a version's data files.

        Raises:
            LakeFilesError: they are not as many, or not as large, as the ledger says.
        """
        address = urlsplit(version["location"])
        bucket, prefix = address.netloc, address.path.lstrip("/")
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        found = {
            f"s3://{bucket}/{item['Key']}": item["Size"]
            for page in pages
            for item in page.get("Contents", [])
            if not item["Key"].rpartition("/")[2].startswith(("_", "."))
        }
        there, said = (len(found), sum(found.values())), (version["files"], version["bytes"])
        if there != said:
            raise LakeFilesError(
                f"{version['location']}: expected {said[0]} files of {said[1]} bytes as the ledger "
                f"says, found {there[0]} of {there[1]}; make {version['dt']} again"
            )
        return found

    def put(self, bucket: str, key: str, body: str) -> str:
        """Write a small object; returns its URI."""
        self._s3.put_object(Bucket=bucket, Key=key, Body=body.encode())
        return f"s3://{bucket}/{key}"


class Warehouse:
    """Runs SQL as the warehouse's administrator and waits for its end.

    Args:
        data: boto3 client of the Data API.
        secret_arn: of the administrator's password.
        remaining: seconds that are left to wait.
    """

    def __init__(
        self,
        data: Any,
        *,
        workgroup: str,
        database: str,
        secret_arn: str,
        remaining: Callable[[], float],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._data, self._remaining, self._sleep = data, remaining, sleep
        self._where = {"WorkgroupName": workgroup, "Database": database, "SecretArn": secret_arn}

    def run(self, sqls: Sequence[str], name: str) -> str:
        """Run statements as one transaction; returns the statement's id.

        An invocation that finds the same work already running, by the name that its SQL gives it,
        waits for that.

        Raises:
            StatementFailedError, LostRaceError, StillRunningError.
        """
        digest = hashlib.sha256("\0".join(sqls).encode()).hexdigest()
        named = f"{name} {digest[:16]}"
        error = ""
        for _ in range(_ATTEMPTS):
            identity = (
                self._running(named)
                or self._data.batch_execute_statement(
                    Sqls=list(sqls), StatementName=named, **self._where
                )["Id"]
            )
            found = self._wait(identity)
            if found["Status"] == "FINISHED":
                return identity
            error = found.get("Error") or f"it was {found['Status'].lower()}"
            if _SERIALIZABLE not in error:
                raise StatementFailedError(f"{name}: {error}")
        raise LostRaceError(f"{name}: {error}; run the load again")

    def _running(self, named: str) -> str | None:
        pages = self._data.get_paginator("list_statements").paginate(
            StatementName=named, Status="ALL"
        )
        listed = (one for page in pages for one in page["Statements"])
        return next((one["Id"] for one in listed if one["Status"] not in _FINAL), None)

    def rows(self, sql: str, name: str) -> list[tuple[Any, ...]]:
        """The rows of a query, NULL as None. Raises as `run`."""
        started = self._data.execute_statement(Sql=sql, StatementName=name, **self._where)
        found = self._wait(started["Id"])
        if found["Status"] != "FINISHED":
            raise StatementFailedError(f"{name}: {found.get('Error', found['Status'])}")
        pages = self._data.get_paginator("get_statement_result").paginate(Id=started["Id"])
        return [
            tuple(None if "isNull" in cell else next(iter(cell.values())) for cell in record)
            for page in pages
            for record in page["Records"]
        ]

    def _wait(self, identity: str) -> dict[str, Any]:
        pause = 0.05
        while True:
            found = self._data.describe_statement(Id=identity)
            if found["Status"] in _FINAL:
                return found
            if self._remaining() < pause:
                raise StillRunningError(f"statement {identity} is still {found['Status']}")
            self._sleep(pause)
            pause = min(2 * pause, 2.0)


def keep_usage_limit(serverless: Any, workgroup_arn: str, rpu_hours: int) -> None:
    """Hold the workgroup to its hours a day: CloudFormation has no type for usage limits."""
    found = serverless.list_usage_limits(resourceArn=workgroup_arn, usageType="serverless-compute")[
        "usageLimits"
    ]
    daily = next((limit for limit in found if limit["period"] == "daily"), None)
    if daily is None:
        serverless.create_usage_limit(
            resourceArn=workgroup_arn,
            usageType="serverless-compute",
            amount=rpu_hours,
            period="daily",
            breachAction="deactivate",
        )
    elif (daily["amount"], daily["breachAction"]) != (rpu_hours, "deactivate"):
        serverless.update_usage_limit(
            usageLimitId=daily["usageLimitId"], amount=rpu_hours, breachAction="deactivate"
        )
