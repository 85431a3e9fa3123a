"""Distributions: which origin answers a path, and what they need to be allowed."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from localcloud import server
from localcloud.core import Cloud
from localcloud.errors import DeployError, UnsupportedPropertyError
from localcloud.request import Response
from tests.localcloud.core.conftest import SERVICES, write_assembly

HOST = "abc.execute-api.us-east-1.amazonaws.com"
NOT_CACHED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
PAGE = {"index.html": b"<p>page</p>", "js/app.js": b"run()"}


class Api:
    """An HTTP API's place in the cloud: answers by its host what it was asked."""

    name = "api"

    def __init__(self, cloud: Cloud) -> None:
        self.actions: dict[str, Any] = {}

    def serve(self, environ: dict[str, Any], body: bytes) -> Response | None:
        if environ.get("HTTP_HOST") != HOST:
            return None
        names = ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "HTTP_AUTHORIZATION")
        asked = {name: environ.get(name) for name in names} | {"body": body.decode()}
        headers = [("Content-Type", "application/json"), ("Content-Security-Policy", "its own")]
        return Response(200, headers, json.dumps(asked).encode())


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    services = [*SERVICES, "localcloud.lambda_.service:LambdaService"]
    services += ["localcloud.cloudfront.service:CloudFrontService"]
    state = tmp_path_factory.mktemp("cloud")
    with server.start(state, services=services) as running:
        running.application.add(Api(running))
        yield running


def template(**config: Any) -> dict[str, Any]:
    behavior = {
        "TargetOriginId": "page", "CachePolicyId": NOT_CACHED, "ViewerProtocolPolicy": "allow-all",
        "ResponseHeadersPolicyId": {"Ref": "Headers"},
    }  # fmt: skip
    return {
        "Resources": {
            "Page": {"Type": "AWS::S3::Bucket", "Properties": {}},
            "Access": {
                "Type": "AWS::CloudFront::OriginAccessControl",
                "Properties": {"OriginAccessControlConfig": {
                    "Name": "a", "OriginAccessControlOriginType": "s3",
                    "SigningBehavior": "always", "SigningProtocol": "sigv4",
                }},
            },
            "Headers": {
                "Type": "AWS::CloudFront::ResponseHeadersPolicy",
                "Properties": {"ResponseHeadersPolicyConfig": {
                    "Name": "h",
                    "SecurityHeadersConfig": {
                        "ContentSecurityPolicy": {
                            "ContentSecurityPolicy": "default-src 'none'", "Override": False,
                        },
                        "FrameOptions": {"FrameOption": "DENY", "Override": True},
                    },
                }},
            },
            "Site": {
                "Type": "AWS::CloudFront::Distribution",
                "Properties": {"DistributionConfig": {
                    "Enabled": True, "DefaultRootObject": "index.html",
                    "Origins": [
                        {
                            "Id": "page", "S3OriginConfig": {"OriginAccessIdentity": ""},
                            "DomainName": {"Fn::GetAtt": ["Page", "RegionalDomainName"]},
                            "OriginAccessControlId": {"Fn::GetAtt": ["Access", "Id"]},
                        },
                        {"Id": "api", "DomainName": HOST, "CustomOriginConfig": {}},
                    ],
                    "DefaultCacheBehavior": behavior,
                    "CacheBehaviors": [{
                        **behavior, "PathPattern": "/v1/*", "TargetOriginId": "api",
                        "AllowedMethods": ["GET", "HEAD", "POST"],
                        "OriginRequestPolicyId": ALL_VIEWER,
                    }],
                    **config,
                }},
            },
        },
        "Outputs": {"Site": {"Value": {"Ref": "Site"}}, "Page": {"Value": {"Ref": "Page"}}},
    }  # fmt: skip


@pytest.fixture(scope="module")
def site(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The distribution's address and arn, and its bucket, which admits nobody yet."""
    folder = write_assembly(tmp_path_factory.mktemp("assembly"), {"site": template()})
    cloud.services["cloudformation"].deploy(str(folder))
    (stack,) = cloud.client("cloudformation").describe_stacks(StackName="site")["Stacks"]
    outputs = {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}
    for key, body in PAGE.items():
        cloud.client("s3").put_object(
            Bucket=outputs["Page"], Key=key, Body=body, ContentType="text/html"
        )
    return {
        "address": f"{cloud.endpoint}/_cloudfront/{outputs['Site']}",
        "arn": f"arn:aws:cloudfront::{cloud.account}:distribution/{outputs['Site']}",
        "bucket": outputs["Page"],
    }


def admit(cloud: Cloud, bucket: str, source_arn: str) -> None:
    statement = {
        "Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"StringEquals": {"AWS:SourceArn": source_arn}},
    }  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    cloud.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)


def ask(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        return urllib.request.urlopen(
            urllib.request.Request(url, data=body, headers=named, method=method), timeout=10
        )
    except urllib.error.HTTPError as error:
        return error


def test_the_bucket_has_to_admit_the_distribution(cloud, site):
    cloud.client("s3").delete_bucket_policy(Bucket=site["bucket"])
    assert ask(f"{site['address']}/index.html").status == 403
    admit(cloud, site["bucket"], site["arn"] + "X")
    assert ask(f"{site['address']}/index.html").status == 403
    admit(cloud, site["bucket"], site["arn"])
    assert ask(f"{site['address']}/index.html").read() == PAGE["index.html"]


def test_files_come_with_their_type_and_the_policys_headers(cloud, site):
    admit(cloud, site["bucket"], site["arn"])
    answer = ask(f"{site['address']}/")
    assert answer.read() == PAGE["index.html"]
    assert answer.headers["content-type"] == "text/html"
    assert answer.headers["content-security-policy"] == "default-src 'none'"
    assert answer.headers["x-frame-options"] == "DENY"
    again = ask(f"{site['address']}/", If_None_Match=answer.headers["etag"])
    assert (again.status, again.read()) == (304, b"")
    assert ask(f"{site['address']}/nothing.js").status == 403
    assert ask(f"{site['address']}/index.html", "POST", b"x").status == 403
    assert ask(site["address"]).url == f"{site['address']}/"
    assert ask(f"{cloud.endpoint}/_cloudfront/ENOSUCH/").status == 404


def test_paths_of_a_behavior_go_to_its_origin_whole(site):
    answer = ask(
        f"{site['address']}/v1/a%20b?since=1&x=%26", "POST", b"{}", Authorization="Bearer t"
    )
    assert json.loads(answer.read()) == {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/v1/a b",
        "QUERY_STRING": "since=1&x=%26",
        "HTTP_AUTHORIZATION": "Bearer t",
        "body": "{}",
    }
    # The policy's own says not to replace the origin's.
    assert answer.headers["content-security-policy"] == "its own"
    assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    ("config", "error", "said"),
    [
        ({"OriginGroups": {}}, UnsupportedPropertyError, "OriginGroups"),
        ({"Enabled": False}, DeployError, "Enabled"),
        (
            {"DefaultCacheBehavior": {"TargetOriginId": "page", "CachePolicyId": "own"}},
            DeployError,
            "CachingOptimized",
        ),
    ],
    ids=["unknown member", "disabled", "unknown policy"],
)
def test_what_is_not_honoured_is_an_error_by_name(cloud, tmp_path, config, error, said):
    folder = write_assembly(tmp_path, {f"wrong-{said.lower()}": template(**config)})
    with pytest.raises(error, match=said):
        cloud.services["cloudformation"].deploy(str(folder))


def test_a_bucket_deployment_publishes_under_its_functions_role(cloud, role, tmp_path, bucket):
    """Files with their types, what is gone removed; without the right to put, an error."""
    s3 = cloud.client("s3")
    source = tmp_path / "page.zip"
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr("index.html", "new")
        archive.writestr("js/app.js", "run()")
    s3.put_object(Bucket=bucket, Key="page.zip", Body=source.read_bytes())
    s3.create_bucket(Bucket="published-page")
    s3.put_object(Bucket="published-page", Key="old.html", Body=b"old")
    deployment = {
        "Type": "Custom::CDKBucketDeployment",
        "Properties": {
            "ServiceToken": {"Fn::GetAtt": ["Publisher", "Arn"]},
            "SourceBucketNames": [bucket], "SourceObjectKeys": ["page.zip"],
            "DestinationBucketName": "published-page", "Prune": True,
            "SystemMetadata": {"cache-control": "no-cache"},
        },
    }  # fmt: skip

    def deploy(name: str, *actions: str) -> None:
        allowed = [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]
        stack = {
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {
                "Statement": [{
                    "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }],
            }}},
            "Policy": {"Type": "AWS::IAM::Policy", "Properties": {
                "PolicyName": "p", "Roles": [{"Ref": "Role"}],
                "PolicyDocument": {"Version": "2012-10-17", "Statement": allowed},
            }},
            "Publisher": {"Type": "AWS::Lambda::Function", "DependsOn": "Policy", "Properties": {
                "Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Handler": "index.handler",
                "Runtime": "python3.12", "Code": {"S3Bucket": bucket, "S3Key": "page.zip"},
            }},
            "Files": deployment,
        }  # fmt: skip
        folder = write_assembly(tmp_path / name, {name: {"Resources": stack}})
        cloud.services["cloudformation"].deploy(str(folder))

    reads = ("s3:GetObject", "s3:ListBucket")
    with pytest.raises(DeployError, match="s3:PutObject"):
        deploy("reader", *reads)
    deploy("writer", *reads, "s3:PutObject", "s3:DeleteObject")
    listed = s3.list_objects_v2(Bucket="published-page")["Contents"]
    assert [o["Key"] for o in listed] == ["index.html", "js/app.js"]
    found = s3.get_object(Bucket="published-page", Key="js/app.js")
    assert found["ContentType"] in ("text/javascript", "application/javascript")
    assert found["CacheControl"] == "no-cache"
