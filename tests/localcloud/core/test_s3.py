"""S3 and the folders that Spark reads and writes."""

from __future__ import annotations

import http.client
import os
from pathlib import Path

import boto3
import pytest
from boto3.s3.transfer import TransferConfig

from localcloud.core import Cloud


def files(cloud: Cloud, bucket: str) -> dict[str, bytes]:
    root = cloud.s3_root / bucket
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def objects(cloud: Cloud, bucket: str) -> dict[str, bytes]:
    s3 = cloud.client("s3")
    found = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {o["Key"]: s3.get_object(Bucket=bucket, Key=o["Key"])["Body"].read() for o in found}


def test_a_put_object_lies_at_its_key_in_the_folder(cloud: Cloud, bucket: str):
    keys = ["dt=2015-02-24/v=a1/part-0.parquet", "a b/ü %3A+x.json", "top"]
    for key in keys:
        cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert files(cloud, bucket) == {key: key.encode() for key in keys}
    assert objects(cloud, bucket) == {key: key.encode() for key in keys}


def test_overwrite_copy_and_delete_reach_the_folder(cloud: Cloud, bucket: str):
    s3 = cloud.client("s3")
    s3.put_object(Bucket=bucket, Key="a/1", Body=b"old")
    s3.put_object(Bucket=bucket, Key="a/1", Body=b"new")
    s3.copy_object(Bucket=bucket, Key="b/2", CopySource={"Bucket": bucket, "Key": "a/1"})
    s3.put_object(Bucket=bucket, Key="c/3", Body=b"x")
    s3.delete_object(Bucket=bucket, Key="a/1")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "c/3"}]})
    assert files(cloud, bucket) == {"b/2": b"new"}
    assert not (cloud.s3_root / bucket / "a").exists()


def test_a_multipart_upload_becomes_one_file(cloud: Cloud, bucket: str, tmp_path: Path):
    source = tmp_path / "big"
    source.write_bytes(os.urandom(11 << 20))
    transfer = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
    cloud.client("s3").upload_file(str(source), bucket, "big", Config=transfer)
    assert files(cloud, bucket) == {"big": source.read_bytes()}


def test_versions_outlive_deletion_from_the_folder(cloud: Cloud, bucket: str):
    s3 = cloud.client("s3")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"2")
    (cloud.s3_root / bucket / "k").unlink()
    assert cloud.s3_sync_in(bucket) == 1
    assert objects(cloud, bucket) == {}
    assert s3.get_object(Bucket=bucket, Key="k", VersionId=first)["Body"].read() == b"1"
    marker = s3.list_object_versions(Bucket=bucket)["DeleteMarkers"][0]["VersionId"]
    s3.delete_object(Bucket=bucket, Key="k", VersionId=marker)
    assert files(cloud, bucket) == {"k": b"2"}


def test_sync_in_takes_new_changed_and_removed_files(cloud: Cloud, bucket: str):
    s3, root = cloud.client("s3"), cloud.s3_root / bucket
    for key in ("kept", "changed", "removed/1"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"before")
    (root / "t/dt=2015-02-24").mkdir(parents=True)
    (root / "t/dt=2015-02-24/part-0.parquet").write_bytes(b"rows")
    (root / "t/_temporary/0").mkdir(parents=True)
    (root / "t/_temporary/0/part-0.parquet").write_bytes(b"half")
    (root / "changed").unlink()
    (root / "changed").write_bytes(b"after")
    (root / "removed/1").unlink()
    assert cloud.s3_sync_in(bucket) == 3
    assert objects(cloud, bucket) == {
        "changed": b"after",
        "kept": b"before",
        "t/dt=2015-02-24/part-0.parquet": b"rows",
    }
    assert cloud.s3_sync_in(bucket) == 0


def test_an_object_beside_a_prefix_of_its_name_stays_readable(cloud: Cloud, bucket: str):
    s3 = cloud.client("s3")
    s3.put_object(Bucket=bucket, Key="a/b", Body=b"1")
    s3.put_object(Bucket=bucket, Key="a", Body=b"2")
    s3.put_object(Bucket=bucket, Key="x//y", Body=b"3")
    assert objects(cloud, bucket) == {"a": b"2", "a/b": b"1", "x//y": b"3"}
    assert cloud.s3_sync_in(bucket) == 0


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA256"])
def test_checksummed_streamed_uploads_are_decoded(
    cloud: Cloud, bucket: str, algorithm: str, tmp_path: Path
):
    (tmp_path / "f").write_bytes(b"streamed" * 1000)
    with (tmp_path / "f").open("rb") as body:
        cloud.client("s3").put_object(
            Bucket=bucket, Key="k", Body=body, ChecksumAlgorithm=algorithm
        )
    assert files(cloud, bucket) == {"k": b"streamed" * 1000}


def test_a_chunked_request_is_read_to_its_end(cloud: Cloud, bucket: str):
    url = boto3.client(
        "s3", endpoint_url=cloud.endpoint, region_name="us-east-1",
        aws_access_key_id="x", aws_secret_access_key="y",
    ).generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"})  # fmt: skip
    connection = http.client.HTTPConnection(cloud.endpoint.removeprefix("http://"))
    for _ in range(2):  # the second request needs the first to be consumed exactly
        connection.request(
            "PUT", url.removeprefix(cloud.endpoint), iter([b"ab", b"cd"]), encode_chunked=True,
            headers={"Transfer-Encoding": "chunked"},
        )  # fmt: skip
        response = connection.getresponse()
        response.read()
        assert response.status == 200
    assert files(cloud, bucket) == {"k": b"abcd"}


def test_a_listing_has_prefixes_pages_and_every_kind_of_key(cloud: Cloud, bucket: str):
    s3 = cloud.client("s3")
    keys = ["a&<b>/x 1", "a&<b>/ü+2", "top%20", "z/1", "z/2"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    s3.put_object(Bucket=bucket, Key="gone", Body=b"")
    s3.delete_object(Bucket=bucket, Key="gone")
    whole = s3.list_objects_v2(Bucket=bucket)
    head = s3.head_object(Bucket=bucket, Key="z/1")
    assert [o["Key"] for o in whole["Contents"]] == sorted(keys)
    assert (whole["KeyCount"], whole["IsTruncated"]) == (5, False)
    assert {**whole["Contents"][3], "LastModified": None} == {
        "Key": "z/1", "Size": 3, "ETag": head["ETag"], "StorageClass": "STANDARD",
        "LastModified": None,
    }  # fmt: skip
    paginator = s3.get_paginator("list_objects_v2")
    pages = list(paginator.paginate(Bucket=bucket, PaginationConfig={"PageSize": 2}))
    assert [[o["Key"] for o in page["Contents"]] for page in pages] == [
        sorted(keys)[:2], sorted(keys)[2:4], sorted(keys)[4:],
    ]  # fmt: skip
    folders = s3.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert [p["Prefix"] for p in folders["CommonPrefixes"]] == ["a&<b>/", "z/"]
    assert [o["Key"] for o in folders["Contents"]] == ["top%20"]
    after = s3.list_objects_v2(Bucket=bucket, Prefix="z/", StartAfter="z/1")
    assert [o["Key"] for o in after["Contents"]] == ["z/2"]
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.list_objects_v2(Bucket="absent")
