"""A bucket that is closed to the public, takes TLS only and is encrypted by the lake's key."""

from typing import Any

from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct


def closed_bucket(scope: Construct, id: str, *, key: kms.IKey, **properties: Any) -> s3.Bucket:
    """The bucket, with what else `aws_s3.Bucket` takes. Nobody but its owner owns its objects
    unless `object_ownership` says so."""
    ownership = s3.ObjectOwnership.BUCKET_OWNER_ENFORCED
    return s3.Bucket(
        scope,
        id,
        encryption=s3.BucketEncryption.KMS,
        encryption_key=key,
        bucket_key_enabled=True,
        enforce_ssl=True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        **{"object_ownership": ownership, **properties},
    )
