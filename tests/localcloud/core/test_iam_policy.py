"""Evaluation of policy documents."""

from __future__ import annotations

import pytest

from localcloud.errors import AccessDeniedError
from localcloud.iam.policy import Decision, evaluate

BUCKET = "arn:aws:s3:::lake"
OBJECT = "arn:aws:s3:::lake/posts/1"


def decide(*statements, action="s3:GetObject", resource=OBJECT, **context):
    context = {k.replace("__", ":"): v for k, v in context.items()}
    return evaluate([{"Statement": list(statements)}], action, resource, context)


def allow(action="s3:GetObject", resource=OBJECT, **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (allow(), Decision.ALLOW),
        (allow(["s3:PutObject", "S3:getobject"]), Decision.ALLOW),
        (allow("s3:Get*"), Decision.ALLOW),
        (allow("s3:PutObject"), Decision.NEUTRAL),
        (allow(resource=f"{BUCKET}/*"), Decision.ALLOW),
        (allow(resource=f"{BUCKET}/post?/1"), Decision.ALLOW),
        (allow(resource=f"{BUCKET}/comments/*"), Decision.NEUTRAL),
        (allow(resource=BUCKET), Decision.NEUTRAL),
        (allow(resource="arn:aws:s3:::LAKE/*"), Decision.NEUTRAL),
    ],
)
def test_actions_and_resources(statement, expected):
    assert decide(statement) is expected


def test_an_explicit_deny_wins():
    denied = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
    assert decide(allow(), denied) is Decision.DENY


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"StringEquals": {"kms:ViaService": "s3"}}, True),
        ({"StringEquals": {"kms:ViaService": ["kinesis", "s3"]}}, True),
        ({"StringEquals": {"kms:ViaService": "kinesis"}}, False),
        ({"StringEquals": {"aws:absent": "x"}}, False),
        ({"StringLike": {"s3:prefix": "posts/*"}}, True),
        ({"StringLike": {"s3:prefix": "comments/*"}}, False),
        ({"Bool": {"aws:SecureTransport": "true"}}, True),
        ({"Bool": {"aws:SecureTransport": False}}, False),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/lake-*"}}, True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:*:role/lake-*"}}, False),
        ({"StringLike": {"s3:prefix": "posts/*"}, "Bool": {"aws:SecureTransport": "false"}}, False),
    ],
)
def test_conditions(condition, holds):
    context = {
        "kms__viaservice": "s3",
        "s3__prefix": "posts/dt=2015-02-24",
        "aws__securetransport": True,
        "aws__principalarn": "arn:aws:iam::123456789012:role/lake-consumer",
    }
    found = decide(allow(Condition=condition), **context)
    assert found is (Decision.ALLOW if holds else Decision.NEUTRAL)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (allow(Condition={"StringNotEquals": {"aws:RequestedRegion": "x"}}), "StringNotEquals"),
        (allow(Condition={"ForAllValues:StringEquals": {"aws:TagKeys": "x"}}), "ForAllValues"),
        ({"Effect": "Allow", "NotAction": "s3:Put*", "Resource": "*"}, "NotAction"),
        ({"Effect": "Allow", "Action": "*", "NotResource": "x"}, "NotResource"),
        (allow(resource=f"{BUCKET}/${{aws:PrincipalAccount}}/*"), "policy variable"),
    ],
)
def test_what_is_not_evaluated_refuses_and_is_named(statement, named):
    with pytest.raises(AccessDeniedError, match=named):
        decide(statement)


def test_a_resource_policy_counts_for_whom_it_names():
    document = {"Statement": {
        "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": ["glue.amazonaws.com", "lambda.amazonaws.com"]},
    }}  # fmt: skip

    def trusts(**principal):
        return evaluate([document], "sts:AssumeRole", "", {}, principal)

    assert trusts(Service=["lambda.amazonaws.com"]) is Decision.ALLOW
    assert trusts(Service=["states.amazonaws.com"]) is Decision.NEUTRAL
    assert trusts(AWS=["123456789012"]) is Decision.NEUTRAL
