"""S3, DynamoDB, Secrets Manager."""

from __future__ import annotations

import json
from typing import Any

from localcloud.cloudformation.resource import Resource, maps

Result = tuple[str, dict[str, Any]]

# Property -> (operation, its parameter), both for a bucket of any age.
BUCKET_SETTINGS = {
    "VersioningConfiguration": ("PutBucketVersioning", "VersioningConfiguration"),
    "BucketEncryption": ("PutBucketEncryption", "ServerSideEncryptionConfiguration"),
    "LifecycleConfiguration": ("PutBucketLifecycleConfiguration", "LifecycleConfiguration"),
    "PublicAccessBlockConfiguration": ("PutPublicAccessBlock", "PublicAccessBlockConfiguration"),
    "OwnershipControls": ("PutBucketOwnershipControls", "OwnershipControls"),
    "Tags": ("PutBucketTagging", "Tagging"),
}


@maps("AWS::S3::Bucket", in_place=BUCKET_SETTINGS)
def bucket(r: Resource) -> Result:
    name, settings = r.name(None, 63, lower=True), r.same(*BUCKET_SETTINGS)
    if "Tags" in settings:
        settings["Tags"] = {"TagSet": settings["Tags"]}
    r.done()
    if "BucketEncryption" in settings:
        rules = settings["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        settings["BucketEncryption"] = {"Rules": [_encryption_rule(**rule) for rule in rules]}
    if "LifecycleConfiguration" in settings:
        rules = settings["LifecycleConfiguration"]["Rules"]
        settings["LifecycleConfiguration"] = {"Rules": [_lifecycle_rule(**rule) for rule in rules]}
    if not r.old:
        r.call("s3", "CreateBucket", Bucket=name)
    for setting, value in settings.items():
        operation, parameter = BUCKET_SETTINGS[setting]
        r.call("s3", operation, Bucket=name, **{parameter: value})
    domain = f"{name}.s3.{r.cloud.region}.amazonaws.com"
    return name, {"Arn": f"arn:aws:s3:::{name}", "RegionalDomainName": domain}


def _encryption_rule(ServerSideEncryptionByDefault: Any, **same: Any) -> dict[str, Any]:
    return {"ApplyServerSideEncryptionByDefault": ServerSideEncryptionByDefault, **same}


def _lifecycle_rule(
    Id: str | None = None, Prefix: str = "", ExpirationInDays: Any = None, **same: Any
) -> dict[str, Any]:
    """CloudFormation flattens what the API nests."""
    rule = {"Filter": {"Prefix": Prefix}, **same}
    if Id is not None:
        rule["ID"] = Id
    if ExpirationInDays is not None:
        rule["Expiration"] = {"Days": ExpirationInDays}
    return rule


@maps("AWS::S3::BucketPolicy", in_place=["PolicyDocument"])
def bucket_policy(r: Resource) -> Result:
    name, document = r.require("Bucket"), r.require("PolicyDocument")
    r.done()
    r.call("s3", "PutBucketPolicy", Bucket=name, Policy=document)
    return name, {}


@maps("AWS::DynamoDB::Table")
def table(r: Resource) -> Result:
    name, sse = r.name(None, 255), r.take("SSESpecification")
    ttl, recovery = r.take("TimeToLiveSpecification"), r.take("PointInTimeRecoverySpecification")
    settings = r.same(
        "KeySchema", "AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes",
        "DeletionProtectionEnabled",
    )  # fmt: skip
    r.done()
    if sse:
        sse = {"Enabled" if k == "SSEEnabled" else k: v for k, v in sse.items()}
    made = r.call("dynamodb", "CreateTable", TableName=name, SSESpecification=sse, **settings)
    if ttl:
        r.call("dynamodb", "UpdateTimeToLive", TableName=name, TimeToLiveSpecification=ttl)
    if recovery:
        r.call(
            "dynamodb", "UpdateContinuousBackups", TableName=name,
            PointInTimeRecoverySpecification=recovery,
        )  # fmt: skip
    return name, {"Arn": made["TableDescription"]["TableArn"]}


@maps("AWS::SecretsManager::Secret", in_place=["SecretString", "Description"])
def secret(r: Resource) -> Result:
    name = r.name("Name", 512)
    settings = r.same("Description", "KmsKeyId", "SecretString")
    generate = r.take("GenerateSecretString")
    r.done()
    if generate:  # without it a secret has no value until somebody puts one
        generate = dict(generate)
        template = json.loads(generate.pop("SecretStringTemplate"))
        key = generate.pop("GenerateStringKey")
        password = r.call("secretsmanager", "GetRandomPassword", **generate)["RandomPassword"]
        settings["SecretString"] = json.dumps({**template, key: password})
    if r.old:
        made = r.call("secretsmanager", "UpdateSecret", SecretId=name, **settings)
    else:
        made = r.call("secretsmanager", "CreateSecret", Name=name, **settings)
    return made["ARN"], {}
