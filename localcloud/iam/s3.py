"""What a request to S3 needs permission for.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote
from xml.sax.saxutils import unescape

from localcloud.core import Cloud
from localcloud.iam.needs import Need, key_arn
from localcloud.request import Request

# S3's operations -> IAM's actions, where they differ.
ACTIONS = {
    "HeadObject": "GetObject",
    "GetObjectAttributes": "GetObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "ListParts": "ListMultipartUploadParts",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "HeadBucket": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
}
WRITES = {
    "PutObject": "kms:GenerateDataKey",
    "CopyObject": "kms:GenerateDataKey",
    "CreateMultipartUpload": "kms:GenerateDataKey",
    "UploadPart": "kms:Decrypt",
    "UploadPartCopy": "kms:Decrypt",
    "CompleteMultipartUpload": "kms:Decrypt",
}


def bucket_and_key(request: Request) -> tuple[str, str]:
    """Bucket and key of a path-style request; empty where there is none."""
    path = request.path.encode("latin-1", "replace").decode("utf-8", "replace")
    bucket, _, key = path.removeprefix("/").partition("/")
    return bucket, key


def s3_needs(cloud: Cloud, request: Request) -> list[Need]:
    """Actions on objects and buckets, and on the KMS keys that encrypt them."""
    bucket, key = bucket_and_key(request)
    if not bucket:
        return [Need("s3:ListAllMyBuckets", "*")]
    bucket_arn = f"arn:aws:s3:::{bucket}"
    if request.action == "DeleteObjects":
        keys = re.findall(r"<Key>(.*?)</Key>", request.body.decode(), re.DOTALL)
        quotes = {"&quot;": '"', "&apos;": "'"}
        return [Need("s3:DeleteObject", f"{bucket_arn}/{unescape(k, quotes)}") for k in keys]
    action = "s3:" + ACTIONS.get(request.action, request.action)
    if not key:
        context = {"s3:prefix": request.query["prefix"]} if "prefix" in request.query else {}
        return [Need(action, bucket_arn, context)]
    if "versionId" in request.query and action in ("s3:GetObject", "s3:DeleteObject"):
        action += "Version"
    found = [Need(action, f"{bucket_arn}/{key}")]
    if request.action in WRITES:
        kms_key = request.headers.get("x-amz-server-side-encryption-aws-kms-key-id")
        if not kms_key and request.headers.get("x-amz-server-side-encryption") != "AES256":
            kms_key = _default_key(cloud, bucket)
        found += _kms(cloud, WRITES[request.action], kms_key, bucket)
    if request.action in ("CopyObject", "UploadPartCopy"):
        source = unquote(request.headers.get("x-amz-copy-source", "")).split("?")[0].lstrip("/")
        found.append(Need("s3:GetObject", f"arn:aws:s3:::{source}"))
        found += _reading(cloud, *source.partition("/")[::2])
    if request.action == "GetObject":
        found += _reading(cloud, bucket, key)
    return found


def _reading(cloud: Cloud, bucket: str, key: str) -> list[Need]:
    """The key of an object; S3 hides from those who may not list whether one exists."""
    found = _bucket(cloud, bucket)
    if found is None:
        return []
    if found.keys.current(key) is None:
        return [Need("s3:ListBucket", f"arn:aws:s3:::{bucket}")]
    return _kms(cloud, "kms:Decrypt", found.keys.get(key).kms_key_id, bucket)


def _kms(cloud: Cloud, action: str, kms_key: str | None, bucket: str) -> list[Need]:
    context = {
        "kms:viaservice": f"s3.{cloud.region}.amazonaws.com",
        "kms:encryptioncontext:aws:s3:arn": f"arn:aws:s3:::{bucket}",
    }
    return [Need(action, key_arn(cloud, kms_key), context)] if kms_key else []


def _default_key(cloud: Cloud, bucket: str) -> str | None:
    found = _bucket(cloud, bucket)
    if found is None or not found.encryption:
        return None
    rule: Any = found.encryption["Rule"]
    rule = rule[0] if isinstance(rule, list) else rule
    return rule["ApplyServerSideEncryptionByDefault"].get("KMSMasterKeyID")


def _bucket(cloud: Cloud, name: str) -> Any:
    from moto.s3.models import s3_backends

    return s3_backends[cloud.account]["aws"].buckets.get(name)
