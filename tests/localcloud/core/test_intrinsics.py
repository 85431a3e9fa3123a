"""Intrinsic functions."""

from __future__ import annotations

import pytest

from localcloud.cloudformation.intrinsics import Resolver
from localcloud.errors import DeployError


@pytest.fixture
def resolver() -> Resolver:
    return Resolver(
        {"Images": {"us-east-1": {"account": "7631"}}},
        {"AWS::Region": "us-east-1", "AWS::AccountId": "123456789012"},
        {"Bucket": "bucket-1"}.__getitem__,
        lambda name, attribute: {("Bucket", "Arn"): "arn:aws:s3:::bucket-1"}[name, attribute],
        {"other:Key": "key-1"}.__getitem__,
        lambda stack, key: f"{key} of {stack}",
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Bucket"}, "bucket-1"),
        ({"Ref": "AWS::Region"}, "us-east-1"),
        ({"Fn::GetAtt": ["Bucket", "Arn"]}, "arn:aws:s3:::bucket-1"),
        ({"Fn::Sub": "${Bucket}/${AWS::AccountId}"}, "bucket-1/123456789012"),
        (
            {"Fn::GetStackOutput": {"StackName": "lake", "OutputName": {"Ref": "Bucket"}}},
            "bucket-1 of lake",
        ),
        ({"Fn::Join": ["-", ["a", {"Ref": "Bucket"}, 1]]}, "a-bucket-1-1"),
        ({"Fn::FindInMap": ["Images", {"Ref": "AWS::Region"}, "account"]}, "7631"),
        ({"Fn::ImportValue": "other:Key"}, "key-1"),
        ({"a": [{"Ref": "Bucket"}, {"b": 1}]}, {"a": ["bucket-1", {"b": 1}]}),
        ({"Condition": {"StringEquals": {"a": "b"}}}, {"Condition": {"StringEquals": {"a": "b"}}}),
    ],
)
def test_values(resolver: Resolver, value, expected):
    assert resolver.resolve(value) == expected


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"Fn::Split": [",", "a,b"]}, "Fn::Split"),
        ({"Fn::If": ["IsProd", 1, 2]}, "Fn::If"),
        ({"Ref": "AWS::NoValue"}, "AWS::NoValue"),
        ({"Fn::Sub": ["${a}", {"a": "b"}]}, "Fn::Sub with variables"),
        ({"Fn::FindInMap": ["Images", "eu-west-1", "account"]}, "Images has no entry eu-west-1"),
    ],
)
def test_what_is_not_known_is_named(resolver: Resolver, value, named):
    with pytest.raises(DeployError, match=named):
        resolver.resolve(value)
