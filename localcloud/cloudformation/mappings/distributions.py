"""CloudFront, and the files that CDK's BucketDeployment puts into a bucket."""

from __future__ import annotations

import io
import mimetypes
import zipfile
from typing import Any

from botocore.exceptions import ClientError

from localcloud.cloudformation.resource import ANY, Resource, maps
from localcloud.cloudfront.distribution import read_distribution, response_headers
from localcloud.errors import DeployError
from localcloud.lambda_.role_clients import RoleClients

Result = tuple[str, dict[str, Any]]


@maps("AWS::CloudFront::OriginAccessControl")
def origin_access_control(r: Resource) -> Result:
    config, id_ = r.require("OriginAccessControlConfig"), _id(r)
    r.done()
    signing = [config[n] for n in ("OriginAccessControlOriginType", "SigningBehavior")]
    if signing != ["s3", "always"]:
        raise DeployError(f"{r.where}: expected an origin of type s3 that always signs")
    r.cloud.services["cloudfront"].access_controls.add(id_)
    return id_, {"Id": id_}


@maps("AWS::CloudFront::ResponseHeadersPolicy", in_place=ANY)
def response_headers_policy(r: Resource) -> Result:
    config, id_ = r.require("ResponseHeadersPolicyConfig"), _id(r)
    r.done()
    r.cloud.services["cloudfront"].header_policies[id_] = response_headers(r.where, config)
    return id_, {"Id": id_}


@maps("AWS::CloudFront::Distribution", in_place=ANY)
def distribution(r: Resource) -> Result:
    config, id_ = r.require("DistributionConfig"), _id(r)
    r.without_effect("Tags", "stack tags are not put on resources")
    r.done()
    arn = f"arn:aws:cloudfront::{r.cloud.account}:distribution/{id_}"
    service = r.cloud.services["cloudfront"]
    service.distributions[id_] = read_distribution(r.where, id_, arn, config)
    return id_, {"Id": id_, "DomainName": f"{id_.lower()}.cloudfront.net"}


def _id(r: Resource) -> str:
    return "E" + r.name(None, 255).rpartition("-")[2]


@maps("Custom::CDKBucketDeployment", in_place=ANY)
def bucket_deployment(r: Resource) -> Result:
    """What the construct's function does on AWS, done here under that function's role.

    The function itself stands on a build of the AWS CLI for Amazon Linux.
    """
    bucket, prune = r.require("DestinationBucketName"), r.take("Prune", "true")
    sources = zip(r.require("SourceBucketNames"), r.require("SourceObjectKeys"), strict=True)
    cache_control = (r.take("SystemMetadata") or {}).get("cache-control")
    function = r.require("ServiceToken")
    r.without_effect("WaitForDistributionInvalidation", "nothing is cached")
    r.without_effect("OutputObjectKeys", "no template asks for them")
    r.done()
    role = r.cloud.client("lambda").get_function_configuration(FunctionName=function)["Role"]
    s3 = RoleClients(r.cloud, "lambda.amazonaws.com").client(role, "s3")
    try:
        kept = [n for b, k in sources for n in _unpack(s3, b, k, bucket, cache_control)]
        if str(prune).lower() == "true":
            listed = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
            for gone in {o["Key"] for o in listed} - set(kept):
                s3.delete_object(Bucket=bucket, Key=gone)
    except ClientError as error:
        raise DeployError(f"{r.where}: {error}") from error
    return r.name(None, 255), {}


def _unpack(s3: Any, source: str, key: str, bucket: str, cache_control: str | None) -> list[str]:
    extra = {"CacheControl": cache_control} if cache_control else {}
    with zipfile.ZipFile(io.BytesIO(s3.get_object(Bucket=source, Key=key)["Body"].read())) as files:
        for name in files.namelist():
            kind = mimetypes.guess_type(name)[0] or "binary/octet-stream"
            s3.put_object(Bucket=bucket, Key=name, Body=files.read(name), ContentType=kind, **extra)
        return files.namelist()
