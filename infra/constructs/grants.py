"""Least privilege, said action by action.

The library's own `grant_read` and friends hand out action wildcards and, for writers, deletion.
The laptop cloud enforces these policies as AWS does, so what is missing here fails in the demo.
"""

from collections.abc import Sequence

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3


def allow(
    role: iam.IRole,
    actions: Sequence[str],
    resources: Sequence[str],
    *,
    conditions: dict | None = None,
) -> None:
    """Adds one statement to the role's own policy."""
    role.add_to_principal_policy(
        iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions=conditions)
    )


def read_with_key(key: kms.IKey, role: iam.IRole) -> None:
    """What reading anything under the key takes (S3, Kinesis, DynamoDB, Secrets Manager)."""
    allow(role, ["kms:Decrypt"], [key.key_arn])


def write_with_key(key: kms.IKey, role: iam.IRole) -> None:
    """What writing under the key takes; a multipart upload to S3 and DynamoDB decrypt too."""
    allow(role, ["kms:Decrypt", "kms:GenerateDataKey"], [key.key_arn])


def list_bucket(bucket: s3.IBucket, role: iam.IRole) -> None:
    """Listing; without it a missing object is reported as AccessDenied and not as missing."""
    allow(role, ["s3:ListBucket", "s3:GetBucketLocation"], [bucket.bucket_arn])


def read_objects(bucket: s3.IBucket, role: iam.IRole, prefix: str = "") -> None:
    """Listing and reading objects under a prefix."""
    list_bucket(bucket, role)
    allow(role, ["s3:GetObject"], [bucket.arn_for_objects(f"{prefix}*")])


def put_objects(bucket: s3.IBucket, role: iam.IRole, prefix: str = "") -> None:
    """Writing objects under a prefix, and giving up an upload; neither reading nor deleting."""
    allow(
        role,
        ["s3:PutObject", "s3:AbortMultipartUpload"],
        [bucket.arn_for_objects(f"{prefix}*")],
    )


def publish_objects(bucket: s3.IBucket, role: iam.IRole, prefix: str = "") -> None:
    """What a Spark writer needs: reading, writing, and deleting its own temporary files."""
    read_objects(bucket, role, prefix)
    put_objects(bucket, role, prefix)
    allow(role, ["s3:DeleteObject"], [bucket.arn_for_objects(f"{prefix}*")])


def use_ledger(ledger: dynamodb.ITable, role: iam.IRole, actions: Sequence[str]) -> None:
    """Ledger actions by their short names (`PutItem`); `Query` covers the pending index too."""
    resources = [ledger.table_arn]
    if "Query" in actions:
        resources.append(f"{ledger.table_arn}/index/pending")
    allow(role, [f"dynamodb:{action}" for action in actions], resources)
