"""A laptop cloud with the compute services, and what tests put into it."""

from __future__ import annotations

import io
import json
import textwrap
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from localcloud import server
from localcloud.core import Cloud

SERVICES = [
    "localcloud.s3.service:S3Service",
    "localcloud.sts.service:StsService",
    "localcloud.kinesis.service:KinesisService",
    "localcloud.cloudwatch.service:CloudWatchService",
    "localcloud.lambda_.service:LambdaService",
    "localcloud.event_source.service:EventSourceService",
    "localcloud.events.service:EventsService",
    "localcloud.stepfunctions.service:StepFunctionsService",
    "localcloud.apigateway.service:ApiGatewayService",
]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory) -> Iterator[Cloud]:
    """One cloud for the tests of a module, which name their resources apart."""
    running = server.start(tmp_path_factory.mktemp("cloud") / "state", services=SERVICES)
    yield running.cloud
    running.stop()


def eventually(check: Callable[[], Any], timeout: float = 15.0) -> Any:
    """The first true result of `check`; fails after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        result = check()
        if result:
            return result
        assert time.monotonic() < deadline, f"did not happen within {timeout} s: {result!r}"
        time.sleep(0.02)


def make_role(cloud: Cloud, name: str, service: str, statements: list[dict[str, Any]]) -> str:
    """The ARN of a role that `service` may assume and that allows `statements`."""
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    iam = cloud.client("iam")
    arn = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    if statements:
        iam.put_role_policy(
            RoleName=name,
            PolicyName="grants",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}),
        )
    return arn


def allow(actions: str | list[str], resources: str | list[str] = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


def zip_of(code: str, name: str = "app.py") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, textwrap.dedent(code))
    return buffer.getvalue()


def make_function(cloud: Cloud, name: str, code: str, role: str = "", **options: Any) -> str:
    """The ARN of a function whose module `app` holds `code` with a `handler`."""
    role = role or make_role(cloud, f"{name}-role", "lambda.amazonaws.com", [])
    return cloud.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=role,
        Handler="app.handler",
        Code={"ZipFile": zip_of(code)},
        **{"Timeout": 5, **options},
    )["FunctionArn"]
