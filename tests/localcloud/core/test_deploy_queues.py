"""Queues of a template: as declared, under their key, and changed in place where they can be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from localcloud.core import Cloud
from localcloud.errors import ReplacementRequiredError, UnsupportedPropertyError
from tests.localcloud.core.conftest import code_of, write_assembly
from tests.localcloud.core.test_iam_enforcement import allow


def template(**changed: Any) -> dict[str, Any]:
    dead = {"Fn::GetAtt": ["Dead", "Arn"]}
    common = {
        "FifoQueue": True,
        "KmsMasterKeyId": {"Fn::GetAtt": ["QueuesKey", "Arn"]},
        "MessageRetentionPeriod": 1209600,
    }
    outbox = {
        **common,
        "VisibilityTimeout": 360,
        "RedrivePolicy": {"deadLetterTargetArn": dead, "maxReceiveCount": 8},
        **changed,
    }
    deny = {
        "Statement": [
            {
                "Effect": "Deny",
                "Action": "sqs:*",
                "Principal": {"AWS": "*"},
                "Resource": {"Fn::GetAtt": ["Outbox", "Arn"]},
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ]
    }
    return {
        "Resources": {
            "QueuesKey": {"Type": "AWS::KMS::Key", "Properties": {}},
            "Dead": {"Type": "AWS::SQS::Queue", "Properties": common},
            "Outbox": {"Type": "AWS::SQS::Queue", "Properties": outbox},
            "Tls": {
                "Type": "AWS::SQS::QueuePolicy",
                "Properties": {"PolicyDocument": deny, "Queues": [{"Ref": "Outbox"}]},
            },
        },
        "Outputs": {
            "Url": {"Value": {"Ref": "Outbox"}},
            "Arn": {"Value": {"Fn::GetAtt": ["Outbox", "Arn"]}},
            "KeyArn": {"Value": {"Fn::GetAtt": ["QueuesKey", "Arn"]}},
        },
    }


@pytest.fixture(scope="module")
def queue(cloud: Cloud, tmp_path_factory) -> dict[str, str]:
    deploy(cloud, tmp_path_factory.mktemp("queues"))
    (stack,) = cloud.client("cloudformation").describe_stacks(StackName="queues")["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def deploy(cloud: Cloud, folder: Path, **changed: Any) -> None:
    assembly = write_assembly(folder, {"queues": template(**changed)})
    cloud.services["cloudformation"].deploy(str(assembly))


def attributes(cloud: Cloud, url: str) -> dict[str, str]:
    return cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])[
        "Attributes"
    ]


def test_a_queue_is_as_declared(cloud: Cloud, queue):
    found = attributes(cloud, queue["Url"])
    assert found["QueueArn"] == queue["Arn"]
    assert queue["Arn"].endswith(".fifo")
    assert (found["VisibilityTimeout"], found["MessageRetentionPeriod"]) == ("360", "1209600")
    assert json.loads(found["RedrivePolicy"])["maxReceiveCount"] in (8, "8")
    assert found["KmsMasterKeyId"] == queue["KeyArn"]
    assert "aws:SecureTransport" in found["Policy"]


@pytest.mark.parametrize(
    ("keys", "code"),
    [(["kms:Decrypt", "kms:GenerateDataKey"], ""), (["kms:Decrypt"], "AccessDeniedException")],
)
def test_sending_takes_right_and_key(cloud: Cloud, queue, role, keys, code):
    client = role(allow("sqs:SendMessage", queue["Arn"]), allow(keys, queue["KeyArn"]))("sqs")
    sent = code_of(
        lambda: client.send_message(
            QueueUrl=queue["Url"],
            MessageBody="{}",
            MessageGroupId="g",
            MessageDeduplicationId=f"{keys}"[:20],
        )
    )
    assert sent[0] == code
    received = code_of(lambda: client.receive_message(QueueUrl=queue["Url"]))
    assert received[0] == "AccessDeniedException"


def test_what_can_change_does_and_what_cannot_says_so(cloud: Cloud, queue, tmp_path: Path):
    deploy(cloud, tmp_path / "a", VisibilityTimeout=720)
    assert attributes(cloud, queue["Url"])["VisibilityTimeout"] == "720"
    with pytest.raises(ReplacementRequiredError, match="FifoThroughputLimit cannot be changed in"):
        deploy(cloud, tmp_path / "b", VisibilityTimeout=720, FifoThroughputLimit="perQueue")


def test_a_property_without_a_mapping_is_named(cloud: Cloud, queue, tmp_path: Path):
    resources = {"Other": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 5}}}
    assembly = write_assembly(tmp_path / "c", {"others": {"Resources": resources}})
    with pytest.raises(UnsupportedPropertyError, match="property DelaySeconds is not supported"):
        cloud.services["cloudformation"].deploy(str(assembly))
