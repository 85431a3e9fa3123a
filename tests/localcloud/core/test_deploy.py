"""Deploying a cloud assembly, and asking CloudFormation about it."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from localcloud.core import Cloud
from localcloud.errors import (
    DeployError,
    ReplacementRequiredError,
    UnsupportedPropertyError,
    UnsupportedTypeError,
)
from tests.localcloud.core.conftest import code_of, write_assembly

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "lambda.amazonaws.com"},
    }],
}  # fmt: skip


def storage() -> dict[str, Any]:
    return {
        "Resources": {
            "Key": {
                "Type": "AWS::KMS::Key",
                "Properties": {"EnableKeyRotation": True, "PendingWindowInDays": 7},
                "DeletionPolicy": "Delete",
            },
            "Landing": {
                "Type": "AWS::S3::Bucket",
                "Properties": {
                    "BucketEncryption": {"ServerSideEncryptionConfiguration": [{
                        "BucketKeyEnabled": True,
                        "ServerSideEncryptionByDefault": {
                            "SSEAlgorithm": "aws:kms",
                            "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]},
                        },
                    }]},
                    "VersioningConfiguration": {"Status": "Enabled"},
                    "PublicAccessBlockConfiguration": {
                        "BlockPublicAcls": True, "BlockPublicPolicy": True,
                        "IgnorePublicAcls": True, "RestrictPublicBuckets": True,
                    },
                    "LifecycleConfiguration": {"Rules": [{
                        "Id": "old", "Status": "Enabled", "ExpirationInDays": "30",
                        "Prefix": "post/",
                        "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
                        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3},
                    }]},
                    "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
                },
            },
            "Ledger": {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {
                    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                    "BillingMode": "PAY_PER_REQUEST",
                    "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
                    "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
                    "SSESpecification": {
                        "SSEEnabled": True, "SSEType": "KMS",
                        "KMSMasterKeyId": {"Fn::GetAtt": ["Key", "Arn"]},
                    },
                },
            },
            "Pseudonyms": {
                "Type": "AWS::SecretsManager::Secret",
                "Properties": {"GenerateSecretString": {
                    "SecretStringTemplate": '{"key_id": "k1"}', "GenerateStringKey": "key",
                    "PasswordLength": 64, "ExcludePunctuation": True,
                }},
            },
        },
        "Outputs": {
            "LandingBucket": {"Value": {"Ref": "Landing"}},
            "LandingArn": {
                "Value": {"Fn::GetAtt": ["Landing", "Arn"]},
                "Export": {"Name": "storage:LandingArn"},
            },
        },
    }  # fmt: skip


def ingest(action: str = "s3:PutObject") -> dict[str, Any]:
    return {
        "Resources": {
            "Grant": {
                "Type": "AWS::IAM::Policy",
                "Properties": {
                    "PolicyName": "grant",
                    "Roles": [{"Ref": "Consumer"}],
                    "PolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": [{
                            "Effect": "Allow", "Action": action,
                            "Resource": {"Fn::Join": ["", [
                                {"Fn::ImportValue": "storage:LandingArn"}, "/*",
                            ]]},
                        }],
                    },
                },
            },
            "Consumer": {
                "Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST},
            },
            "Stream": {
                "Type": "AWS::Kinesis::Stream",
                "Properties": {
                    "StreamModeDetails": {"StreamMode": "ON_DEMAND"}, "RetentionPeriodHours": 48,
                },
            },
        },
        "Outputs": {"RoleArn": {"Value": {"Fn::GetAtt": ["Consumer", "Arn"]}}},
    }  # fmt: skip


@pytest.fixture(scope="module")
def deployed(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("assembly")
    (folder / "asset.abc").mkdir()
    (folder / "asset.abc" / "handler.py").write_text("x = 1\n")
    bucket = "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"
    destination = {"d": {"bucketName": bucket, "objectKey": "abc.zip"}}
    (folder / "storage.assets.json").write_text(json.dumps({"files": {"abc": {
        "source": {"path": "asset.abc", "packaging": "zip"}, "destinations": destination,
    }}}))  # fmt: skip
    write_assembly(folder, {"ingest": ingest(), "storage": storage()}, ingest=["storage"])
    return {
        "folder": folder,
        "report": cloud.services["cloudformation"].deploy(str(folder)),
    }


def outputs(cloud: Cloud, stack: str) -> dict[str, str]:
    found = cloud.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {o["OutputKey"]: o["OutputValue"] for o in found["Outputs"]}


def test_stacks_come_after_those_they_depend_on(deployed):
    assert [(s["name"], s["status"]) for s in deployed["report"]["stacks"]] == [
        ("storage", "CREATE_COMPLETE"),
        ("ingest", "CREATE_COMPLETE"),
    ]
    made = [r["logical_id"] for r in deployed["report"]["stacks"][0]["resources"]]
    assert made == ["Key", "Landing", "Ledger", "Pseudonyms"]
    made = [r["logical_id"] for r in deployed["report"]["stacks"][1]["resources"]]
    assert made == ["Consumer", "Grant", "Stream"]


def test_bucket_settings_that_moto_drops_are_applied(cloud: Cloud, deployed):
    s3, name = cloud.client("s3"), outputs(cloud, "storage")["LandingBucket"]
    assert name.startswith("storage-landing-")
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    assert s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"] == [{
        "ID": "old", "Status": "Enabled", "Filter": {"Prefix": "post/"},
        "Expiration": {"Days": 30}, "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3},
    }]  # fmt: skip
    access = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert set(access.values()) == {True}
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    head = s3.head_object(Bucket=name, Key="k")
    assert (head["ServerSideEncryption"], head["BucketKeyEnabled"]) == ("aws:kms", True)


def test_table_stream_and_secret_are_as_declared(cloud: Cloud, deployed):
    resources = {
        r["LogicalResourceId"]: r["PhysicalResourceId"]
        for stack in ("storage", "ingest")
        for r in cloud.client("cloudformation").describe_stack_resources(StackName=stack)[
            "StackResources"
        ]
    }
    dynamodb = cloud.client("dynamodb")
    backups = dynamodb.describe_continuous_backups(TableName=resources["Ledger"])
    ttl = dynamodb.describe_time_to_live(TableName=resources["Ledger"])
    stream = cloud.client("kinesis").describe_stream_summary(StreamName=resources["Stream"])
    secret = cloud.client("secretsmanager").get_secret_value(SecretId=resources["Pseudonyms"])
    content = json.loads(secret["SecretString"])
    assert backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"][
        "PointInTimeRecoveryStatus"
    ] == "ENABLED"  # fmt: skip
    assert ttl["TimeToLiveDescription"]["AttributeName"] == "expires_at"
    assert stream["StreamDescriptionSummary"]["RetentionPeriodHours"] == 48
    assert content["key_id"] == "k1"
    assert len(content["key"]) == 64
    assert content["key"].isalnum()
    assert set(content) == {"key_id", "key"}


def test_assets_lie_in_the_bootstrap_bucket_as_zips(cloud: Cloud, deployed):
    body = (
        cloud.client("s3")
        .get_object(Bucket="cdk-hnb659fds-assets-123456789012-us-east-1", Key="abc.zip")["Body"]
        .read()
    )
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.namelist() == ["handler.py"]


def test_the_api_tells_of_stacks_and_resources_and_refuses_the_rest(cloud: Cloud, deployed):
    client = cloud.client("cloudformation")
    names = {s["StackName"]: s["StackStatus"] for s in client.list_stacks()["StackSummaries"]}
    assert names["storage"] == names["ingest"] == "CREATE_COMPLETE"
    described = client.describe_stacks(StackName="storage")["Stacks"][0]
    arn = f"arn:aws:s3:::{outputs(cloud, 'storage')['LandingBucket']}"
    assert described["Outputs"][1] == {
        "OutputKey": "LandingArn", "OutputValue": arn, "ExportName": "storage:LandingArn",
    }  # fmt: skip
    listed = client.describe_stack_resources(StackName="ingest")["StackResources"]
    assert [(r["LogicalResourceId"], r["ResourceType"]) for r in listed] == [
        ("Consumer", "AWS::IAM::Role"),
        ("Grant", "AWS::IAM::Policy"),
        ("Stream", "AWS::Kinesis::Stream"),
    ]
    refused = code_of(lambda: client.describe_stacks(StackName="absent"))
    assert refused == ("ValidationError", 400, "Stack with id absent does not exist")
    for call in (client.delete_stack, client.get_template):
        assert "is not emulated" in code_of(lambda call=call: call(StackName="ingest"))[2]


def test_an_unchanged_template_is_not_deployed_again(cloud: Cloud, deployed):
    report = cloud.services["cloudformation"].deploy(str(deployed["folder"]))
    assert [s["status"] for s in report["stacks"]] == ["UNCHANGED", "UNCHANGED"]
    assert {r["status"] for s in report["stacks"] for r in s["resources"]} == {"UNCHANGED"}


def test_a_changed_policy_is_updated_in_place(cloud: Cloud, deployed, tmp_path: Path):
    write_assembly(tmp_path, {"ingest": ingest("s3:GetObject")})
    report = cloud.services["cloudformation"].deploy(str(tmp_path))["stacks"][0]
    changed = {r["logical_id"]: r["status"] for r in report["resources"]}
    assert changed == {"Consumer": "UNCHANGED", "Grant": "UPDATE_COMPLETE", "Stream": "UNCHANGED"}
    role = outputs(cloud, "ingest")["RoleArn"].rpartition("/")[2]
    document = cloud.client("iam").get_role_policy(RoleName=role, PolicyName="grant")
    assert document["PolicyDocument"]["Statement"][0]["Action"] == "s3:GetObject"
    write_assembly(tmp_path, {"ingest": ingest()})
    cloud.services["cloudformation"].deploy(str(tmp_path))


def test_what_needs_a_replacement_says_so(cloud: Cloud, deployed, tmp_path: Path):
    template = ingest()
    template["Resources"]["Stream"]["Properties"]["StreamModeDetails"] = {
        "StreamMode": "PROVISIONED"
    }
    write_assembly(tmp_path, {"ingest": template})
    with pytest.raises(ReplacementRequiredError) as raised:
        cloud.services["cloudformation"].deploy(str(tmp_path))
    assert "ingest/Stream (AWS::Kinesis::Stream): property StreamModeDetails" in str(raised.value)
    del template["Resources"]["Stream"]
    write_assembly(tmp_path, {"ingest": template})
    with pytest.raises(ReplacementRequiredError, match="no longer holds Stream"):
        cloud.services["cloudformation"].deploy(str(tmp_path))
    write_assembly(tmp_path, {"ingest": ingest()})
    cloud.services["cloudformation"].deploy(str(tmp_path))


def refusal(cloud: Cloud, folder: Path, resource: dict[str, Any]) -> DeployError:
    write_assembly(folder, {"refused": {"Resources": {"It": resource}}})
    with pytest.raises(DeployError) as raised:
        cloud.services["cloudformation"].deploy(str(folder))
    return raised.value


def test_an_unknown_type_is_an_error_that_names_it(cloud: Cloud, tmp_path: Path):
    error = refusal(cloud, tmp_path, {"Type": "AWS::MSK::Cluster", "Properties": {}})
    assert isinstance(error, UnsupportedTypeError)
    assert "refused/It (AWS::MSK::Cluster)" in str(error)


@pytest.mark.parametrize(
    ("resource", "named"),
    [
        (
            {"Type": "AWS::S3::Bucket", "Properties": {"WebsiteConfiguration": {}}},
            "WebsiteConfiguration",
        ),
        (
            {"Type": "AWS::S3::Bucket", "Properties": {"LifecycleConfiguration": {
                "Rules": [{"Status": "Enabled", "TagFilters": []}]}}},
            "LifecycleConfiguration.Rules.0.TagFilters",
        ),
        (
            {"Type": "AWS::Glue::Job", "Properties": {
                "Role": "r", "Command": {"Name": "glueetl", "Unknown": "x"}}},
            "Command.Unknown",
        ),
        ({"Type": "AWS::SNS::Topic", "UpdatePolicy": {}}, "UpdatePolicy"),
        ({"Type": "AWS::IAM::Role", "Properties": {
            "AssumeRolePolicyDocument": TRUST, "Path": "/"}}, "Path"),
    ],
)  # fmt: skip
def test_an_unconsumed_property_is_an_error_that_names_it(cloud, tmp_path, resource, named):
    error = refusal(cloud, tmp_path, resource)
    assert isinstance(error, UnsupportedPropertyError)
    assert f"refused/It ({resource['Type']})" in str(error)
    assert named in str(error)


def test_a_get_att_that_is_not_known_is_an_error(cloud: Cloud, tmp_path: Path):
    template = {"Resources": {
        "A": {"Type": "AWS::S3::Bucket", "Properties": {}},
        "B": {"Type": "AWS::SNS::Topic",
              "Properties": {"DisplayName": {"Fn::GetAtt": ["A", "WebsiteURL"]}}},
    }}  # fmt: skip
    write_assembly(tmp_path, {"attributes": template})
    with pytest.raises(UnsupportedPropertyError, match="WebsiteURL of attributes/A"):
        cloud.services["cloudformation"].deploy(str(tmp_path))


def test_a_template_section_that_is_not_evaluated_is_an_error(cloud: Cloud, tmp_path: Path):
    write_assembly(tmp_path, {"conditional": {"Conditions": {}, "Resources": {}}})
    with pytest.raises(DeployError, match="Conditions"):
        cloud.services["cloudformation"].deploy(str(tmp_path))


def test_a_circle_of_dependencies_is_an_error(cloud: Cloud, tmp_path: Path):
    resources = {
        "A": {"Type": "AWS::SNS::Topic", "DependsOn": "B"},
        "B": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "A"}}},
    }
    write_assembly(tmp_path, {"circle": {"Resources": resources}})
    with pytest.raises(DeployError, match="circle"):
        cloud.services["cloudformation"].deploy(str(tmp_path))


def test_a_missing_assembly_is_a_clear_error(cloud: Cloud, tmp_path: Path):
    with pytest.raises(DeployError, match="expected a cloud assembly"):
        cloud.services["cloudformation"].deploy(str(tmp_path / "absent"))
