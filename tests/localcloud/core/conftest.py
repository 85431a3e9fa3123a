"""A laptop cloud of the core services, and clients of root and of roles."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from localcloud import server
from localcloud.core import Cloud

SERVICES = [
    "localcloud.s3.service:S3Service",
    "localcloud.sts.service:StsService",
    "localcloud.kinesis.service:KinesisService",
    "localcloud.sns.service:SnsService",
    "localcloud.cloudwatch.service:CloudWatchService",
    "localcloud.logs.service:LogsService",
    "localcloud.cloudformation.service:CloudFormationService",
]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with server.start(tmp_path_factory.mktemp("cloud"), services=SERVICES) as running:
        yield running


@pytest.fixture
def bucket(cloud: Cloud, request: pytest.FixtureRequest) -> str:
    name = request.node.name.replace("_", "-").replace("[", "-").strip("]").lower()[:60].strip("-")
    cloud.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def role(cloud: Cloud, request: pytest.FixtureRequest) -> Callable[..., Callable[[str], Any]]:
    """Makes a role with the given statements; returns a maker of clients with its rights."""
    numbers = iter(range(100))

    def make(*statements: dict[str, Any], **options: Any) -> Callable[[str], Any]:
        name = f"{request.node.name[:50]}-{next(numbers)}".replace("[", "-").replace("]", "-")
        trust = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }]}  # fmt: skip
        iam = cloud.client("iam")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), **options)[
            "Role"
        ]["Arn"]
        if statements:
            iam.put_role_policy(
                RoleName=name,
                PolicyName="given",
                PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": list(statements)}),
            )
        keys = cloud.role_credentials(arn, "session", "lambda.amazonaws.com")
        session = boto3.session.Session(
            aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=keys["AWS_SESSION_TOKEN"],
            region_name=cloud.region,
        )
        config = Config(retries={"total_max_attempts": 1}, proxies={})
        return lambda service: session.client(service, endpoint_url=cloud.endpoint, config=config)

    return make


def code_of(call: Callable[[], Any]) -> tuple[str, int, str]:
    """Error code, HTTP status and message of a call that AWS refuses."""
    from botocore.exceptions import ClientError

    try:
        call()
    except ClientError as error:
        details = error.response["Error"]
        return (
            details["Code"],
            error.response["ResponseMetadata"]["HTTPStatusCode"],
            details.get("Message", ""),
        )
    return ("", 200, "")


def write_assembly(folder: Path, stacks: dict[str, dict[str, Any]], **depends: list[str]) -> Path:
    """A cloud assembly with these templates; `depends` names what each stack comes after."""
    folder.mkdir(parents=True, exist_ok=True)
    artifacts: dict[str, Any] = {}
    for name, template in stacks.items():
        (folder / f"{name}.template.json").write_text(json.dumps(template))
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "properties": {"templateFile": f"{name}.template.json", "stackName": name},
            "dependencies": depends.get(name, []),
        }
        if (folder / f"{name}.assets.json").exists():
            artifacts[f"{name}.assets"] = {
                "type": "cdk:asset-manifest",
                "properties": {"file": f"{name}.assets.json"},
            }
            artifacts[name]["dependencies"] = [*depends.get(name, []), f"{name}.assets"]
    (folder / "manifest.json").write_text(json.dumps({"version": "1", "artifacts": artifacts}))
    return folder
