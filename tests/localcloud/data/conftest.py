"""A laptop cloud with the data services only, and small helpers to fill and ask it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from localcloud import server
from tests.localcloud.data import lake

SERVICES = [
    "localcloud.s3.service:S3Service",
    "localcloud.sts.service:StsService",
    "localcloud.logs.service:LogsService",
    "localcloud.glue.service:GlueService",
    "localcloud.athena.service:AthenaService",
    "localcloud.redshift_data.service:RedshiftDataService",
    "localcloud.quicksight.service:QuickSightService",
    "localcloud.sagemaker.service:SageMakerService",
]
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {
                "Service": [
                    "glue.amazonaws.com",
                    "quicksight.amazonaws.com",
                    "redshift.amazonaws.com",
                    "sagemaker.amazonaws.com",
                ],
                "AWS": "arn:aws:iam::123456789012:root",
            },
        }
    ],
}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One cloud per module: moto keeps its state per process, and other tests reset it."""
    with server.start(tmp_path_factory.mktemp("cloud"), services=SERVICES) as running:
        running.client("s3").create_bucket(Bucket="lake")
        running.client("s3").create_bucket(Bucket="results")
        yield running


@pytest.fixture(scope="module")
def client(cloud: Any) -> Callable[[str], Any]:
    """Return boto3 clients as a user makes them."""
    environment = cloud.root_environment()
    session = boto3.session.Session(
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=cloud.region,
    )
    return lambda service: session.client(service, endpoint_url=cloud.endpoint)


@pytest.fixture(scope="module")
def create_role(client: Callable[[str], Any]) -> Callable[..., str]:
    """Create a role that may do the given actions on everything; returns its ARN."""

    def create(name: str, *actions: str) -> str:
        iam = client("iam")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"][
            "Arn"
        ]
        if actions:
            iam.put_role_policy(
                RoleName=name,
                PolicyName="p",
                PolicyDocument=json.dumps(
                    {
                        "Version": "2012-10-17",
                        "Statement": [
                            {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
                        ],
                    }
                ),
            )
        return arn

    return create


def wait_for(probe: Callable[[], Any], done: Callable[[Any], bool], seconds: float = 60) -> Any:
    """Poll until `done` of what `probe` returns; returns that."""
    deadline = time.monotonic() + seconds
    while True:
        value = probe()
        if done(value):
            return value
        assert time.monotonic() < deadline, f"still {value}"
        time.sleep(0.02)


class Warehouse:
    """Asks Athena as a client does."""

    def __init__(self, athena: Any) -> None:
        self.athena = athena

    def execute(self, sql: str, **options: Any) -> dict[str, Any]:
        """Run a statement to its end and return its QueryExecution."""
        options = {
            "QueryExecutionContext": {"Database": "db"},
            "ResultConfiguration": {"OutputLocation": "s3://results/q/"},
        } | options
        query_id = self.athena.start_query_execution(QueryString=sql, **options)["QueryExecutionId"]
        return wait_for(
            lambda: self.athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"],
            lambda e: e["Status"]["State"] in ("SUCCEEDED", "FAILED", "CANCELLED"),
        )

    def rows(self, sql: str, **options: Any) -> list[tuple[str | None, ...]]:
        """Return the rows of a query that succeeds, without the header."""
        execution = self.execute(sql, **options)
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
        pages = self.athena.get_paginator("get_query_results").paginate(
            QueryExecutionId=execution["QueryExecutionId"]
        )
        rows = [
            tuple(value.get("VarCharValue") for value in row["Data"])
            for page in pages
            for row in page["ResultSet"]["Rows"]
        ]
        return rows[1:] if execution["StatementType"] == "DML" else rows

    def reason(self, sql: str, **options: Any) -> str:
        """Return why a statement fails."""
        execution = self.execute(sql, **options)
        assert execution["Status"]["State"] == "FAILED", execution["Status"]
        return execution["Status"]["StateChangeReason"]


@pytest.fixture(scope="module")
def warehouse(client: Callable[[str], Any]) -> Warehouse:
    return Warehouse(client("athena"))


@pytest.fixture(scope="module")
def tables(client: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    """The database `db` of the Athena tests."""
    lake.build(client, tmp_path_factory.mktemp("files"))
