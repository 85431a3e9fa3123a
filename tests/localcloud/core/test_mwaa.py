"""Environments of MWAA: what is refused, and what their processes are started with."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from localcloud import server
from localcloud.core import Cloud
from localcloud.errors import DeployError, ReplacementRequiredError, UnsupportedPropertyError
from tests.localcloud.core.conftest import SERVICES, code_of, write_assembly

TOPIC = "arn:aws:sns:us-east-1:123456789012:told"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    services = [*SERVICES, "localcloud.mwaa.service:MwaaService"]
    with server.start(tmp_path_factory.mktemp("cloud"), services=services) as running:
        yield running


def template(
    service: str = "airflow-env", versioned: str = "Enabled", **changed: Any
) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole",
                 "Principal": {"Service": f"{service}.amazonaws.com"}}  # fmt: skip
    may = {"Effect": "Allow", "Action": "sns:Publish", "Resource": TOPIC}
    closed = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    properties = {
        "Name": "lake",
        "AirflowVersion": "3.0.6",
        "DagS3Path": "dags",
        "SourceBucketArn": {"Fn::GetAtt": ["Files", "Arn"]},
        "ExecutionRoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
        "NetworkConfiguration": {
            "SubnetIds": [{"Ref": "One"}, {"Ref": "Two"}],
            "SecurityGroupIds": [{"Fn::GetAtt": ["Group", "GroupId"]}],
        },
        "AirflowConfigurationOptions": {"voxlake.schedule": "@hourly", "core.load_examples": "no"},
        "MaxWorkers": 2,
        **changed,
    }
    endpoint = {
        "VpcId": {"Ref": "Vpc"}, "ServiceName": "com.amazonaws.us-east-1.sqs",
        "VpcEndpointType": "Interface", "PrivateDnsEnabled": True, "SubnetIds": [{"Ref": "One"}],
        "SecurityGroupIds": [{"Fn::GetAtt": ["Group", "GroupId"]}],
    }  # fmt: skip
    resources = {
        "Vpc": ("AWS::EC2::VPC", {"CidrBlock": "10.0.0.0/16"}),
        "One": ("AWS::EC2::Subnet", {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/24"}),
        "Two": ("AWS::EC2::Subnet", {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.1.0/24"}),
        "Group": ("AWS::EC2::SecurityGroup", {"VpcId": {"Ref": "Vpc"}, "GroupDescription": "-"}),
        "Endpoint": ("AWS::EC2::VPCEndpoint", endpoint),
        "Files": ("AWS::S3::Bucket", {
            "VersioningConfiguration": {"Status": versioned},
            "PublicAccessBlockConfiguration": dict.fromkeys(closed, True),
        }),
        "Role": ("AWS::IAM::Role", {
            "AssumeRolePolicyDocument": {"Statement": [statement]},
        }),
        "Rights": ("AWS::IAM::Policy", {
            "PolicyName": "own", "Roles": [{"Ref": "Role"}],
            "PolicyDocument": {"Version": "2012-10-17", "Statement": [may]},
        }),
        "Environment": ("AWS::MWAA::Environment", properties),
    }  # fmt: skip
    return {"Resources": {k: {"Type": t, "Properties": p} for k, (t, p) in resources.items()}}


def deploy(cloud: Cloud, folder: Path, stack: str = "airflow", **changed: Any) -> None:
    assembly = write_assembly(folder, {stack: template(**changed)})
    cloud.services["cloudformation"].deploy(str(assembly))


def process(cloud: Cloud, name: str) -> dict[str, str]:
    with urllib.request.urlopen(f"{cloud.endpoint}/_mwaa/{name}", timeout=30) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def environment(cloud: Cloud, tmp_path_factory) -> str:
    deploy(cloud, tmp_path_factory.mktemp("airflow"))
    return "lake"


def test_an_environment_is_as_declared(cloud: Cloud, environment):
    mwaa = cloud.client("mwaa")
    assert mwaa.list_environments()["Environments"] == [environment]
    found = mwaa.get_environment(Name=environment)["Environment"]
    assert (found["Status"], found["AirflowVersion"], found["MaxWorkers"]) == (
        "AVAILABLE",
        "3.0.6",
        2,
    )
    assert code_of(lambda: mwaa.get_environment(Name="other"))[0] == "ResourceNotFoundException"


def test_its_processes_work_under_its_role_with_its_options(cloud: Cloud, environment):
    variables = process(cloud, environment)
    assert variables["AIRFLOW__VOXLAKE__SCHEDULE"] == "@hourly"
    assert variables["AIRFLOW__CORE__LOAD_EXAMPLES"] == "no"
    session = boto3.session.Session(
        variables["AWS_ACCESS_KEY_ID"],
        variables["AWS_SECRET_ACCESS_KEY"],
        variables["AWS_SESSION_TOKEN"],
        region_name=variables["AWS_REGION"],
    )
    client = {
        name: session.client(name, endpoint_url=variables["AWS_ENDPOINT_URL"])
        for name in ("sts", "sns", "s3")
    }
    assert ":assumed-role/airflow-Role" in client["sts"].get_caller_identity()["Arn"]
    cloud.client("sns").create_topic(Name="told")
    client["sns"].publish(TopicArn=TOPIC, Message="-")
    code, _, message = code_of(lambda: client["s3"].list_objects_v2(Bucket="other"))
    assert (code, "s3:ListBucket" in message) == ("AccessDenied", True)
    used = cloud.services["sts"].status()["used_actions"]
    assert [a for role, a in used.items() if role.startswith("airflow-Role")] == [["sns:Publish"]]


def test_nobody_takes_the_role_by_sts(cloud: Cloud, environment):
    role = cloud.client("mwaa").get_environment(Name=environment)["Environment"]
    sts = cloud.client("sts")
    taken = code_of(lambda: sts.assume_role(RoleArn=role["ExecutionRoleArn"], RoleSessionName="me"))
    assert taken[0] == "AccessDenied"


def test_there_is_no_process_of_an_environment_that_is_not_there(cloud: Cloud):
    with pytest.raises(urllib.error.HTTPError, match="404"):
        process(cloud, "other")


def test_options_change_in_place_and_subnets_do_not(cloud: Cloud, environment, tmp_path):
    deploy(cloud, tmp_path, AirflowConfigurationOptions={"voxlake.schedule": "@daily"})
    assert process(cloud, environment)["AIRFLOW__VOXLAKE__SCHEDULE"] == "@daily"
    with pytest.raises(ReplacementRequiredError, match="NetworkConfiguration"):
        deploy(cloud, tmp_path, NetworkConfiguration={"SubnetIds": ["subnet-a", "subnet-b"]})


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"WorkerCount": 2}, UnsupportedPropertyError, "property WorkerCount is not supported"),
        (
            {"LoggingConfiguration": {"TaskLog": {}}},
            UnsupportedPropertyError,
            "property LoggingConfiguration.TaskLog is not supported",
        ),
        ({"service": "lambda"}, DeployError, "airflow-env.amazonaws.com is not authorized"),
        ({"versioned": "Suspended"}, DeployError, "keeps no versions"),
        ({"RequirementsS3Path": "none.txt"}, DeployError, "RequirementsS3Path: no none.txt in"),
        (
            {"NetworkConfiguration": {"SubnetIds": ["subnet-a", "subnet-a"]}},
            DeployError,
            "expected two private subnets",
        ),
    ],
)
def test_what_mwaa_would_refuse_is_refused(
    cloud: Cloud, environment, tmp_path, request, changed, error, message
):
    stack = f"refused-{request.node.callspec.indices['changed']}"
    with pytest.raises(error, match=message):
        deploy(cloud, tmp_path, stack, **({"Name": stack} | changed))
    assert cloud.client("mwaa").list_environments()["Environments"] == [environment]
