"""COPY and UNLOAD of Parquet: what Redshift takes, what it refuses, with whose rights."""

from __future__ import annotations

import json
from typing import Any

import duckdb
import pytest

from tests.localcloud.data.redshift import Redshift

COLUMNS = "id BIGINT, name VARCHAR(10), at TIMESTAMP, tags SUPER"
ROWS = (
    "SELECT 1::BIGINT AS id, 'one' AS name, TIMESTAMP '2026-03-01 10:00:00.5' AS at, "
    "['a', 'b'] AS tags UNION ALL SELECT 2, NULL, NULL, NULL"
)
OPTIONS = "FORMAT AS PARQUET MANIFEST SERIALIZETOJSON"


@pytest.fixture(scope="module")
def role(create_role: Any) -> str:
    return create_role("copies", "s3:GetObject", "s3:ListBucket", "s3:PutObject")


@pytest.fixture(scope="module")
def redshift(client: Any, role: str, create_role: Any) -> Redshift:
    return Redshift(client, "copy", role, create_role("copies-nothing"))


@pytest.fixture
def files(client: Any, tmp_path: Any) -> Any:
    """Put Parquet files and manifests; returns the manifest's URI."""

    def put(*selects: str, cut: int = 0, **changed: Any) -> str:
        entries = []
        for number, select in enumerate(selects):
            path, key = tmp_path / f"{number}.parquet", f"copy/{tmp_path.name}/{number}.parquet"
            duckdb.sql(select).write_parquet(str(path))
            body = path.read_bytes()
            body = body[: len(body) - cut]
            client("s3").put_object(Bucket="lake", Key=key, Body=body)
            meta = {"content_length": len(body)} | changed
            entries.append({"url": f"s3://lake/{key}", "mandatory": True, "meta": meta})
        manifest = f"copy/{tmp_path.name}/manifest"
        body = json.dumps({"entries": entries}).encode()
        client("s3").put_object(Bucket="lake", Key=manifest, Body=body)
        return f"s3://lake/{manifest}"

    return put


def copy(uri: str, role: str) -> str:
    return f"COPY loaded FROM '{uri}' IAM_ROLE '{role}' {OPTIONS}"


def test_copy_loads_the_files_of_a_manifest_by_position(redshift, files, role):
    redshift.done("DROP TABLE IF EXISTS loaded", f"CREATE TABLE loaded ({COLUMNS})")
    done = redshift.done(copy(files(ROWS, ROWS.replace("1::", "3::")), role))
    assert done["ResultRows"] == 4
    found = redshift.rows("SELECT id, name, at, tags FROM loaded WHERE id <> 2 ORDER BY id")
    at = "2026-03-01 10:00:00.500000"
    assert found == [(1, "one", at, '["a","b"]'), (3, "one", at, '["a","b"]')]


REFUSED = {
    "truncated": ({"cut": 9}, ROWS, "has an invalid version number"),
    "another size": ({"content_length": 7}, ROWS, "content_length in the manifest is 7"),
    "no size": ({"content_length": None}, ROWS, "needs content_length in the manifest"),
    "a column less": ({}, "SELECT 1::BIGINT AS id, 'a' AS name, now()::TIMESTAMP AS at",
                      "Unmatched number of columns between table and file. Table columns: 4, Data "
                      "columns: 3"),
    "another type": ({}, ROWS.replace("BIGINT", "INTEGER"), "incompatible Parquet schema for"),
    "too long": ({}, ROWS.replace("'one'", "'longer than ten'"), "Value too long for character"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_one_bad_file_of_several_loads_nothing(redshift, files, role, case):
    changed, select, words = REFUSED[case]
    redshift.done("DROP TABLE IF EXISTS loaded", f"CREATE TABLE loaded ({COLUMNS})")
    assert words in redshift.error(copy(files(ROWS, select, **changed), role))
    assert redshift.rows("SELECT COUNT(*) FROM loaded") == [(0,)]


def test_a_file_or_manifest_that_is_not_there_loads_nothing(redshift, client, files, role):
    redshift.done("DROP TABLE IF EXISTS loaded", f"CREATE TABLE loaded ({COLUMNS})")
    uri = files(ROWS, ROWS)
    key = uri.removeprefix("s3://lake/").removesuffix("manifest") + "1.parquet"
    client("s3").delete_object(Bucket="lake", Key=key)
    assert "Status 404,Error NoSuchKey" in redshift.error(copy(uri, role))
    missing = redshift.error(copy("s3://lake/copy/none", role))
    assert missing.startswith("ERROR: Problem reading manifest file - S3ServiceException")
    assert redshift.rows("SELECT COUNT(*) FROM loaded") == [(0,)]


def test_copy_reads_with_the_rights_of_the_role_it_names(redshift, files, create_role, role):
    redshift.done("DROP TABLE IF EXISTS loaded", f"CREATE TABLE loaded ({COLUMNS})")
    uri, account = files(ROWS), role.rpartition("/")[0]
    denied = redshift.error(copy(uri, f"{account}/copies-nothing"))
    assert "Status 403,Error AccessDenied" in denied
    foreign = redshift.error(copy(uri, create_role("copies-elsewhere", "s3:*")))
    assert "is not associated with the namespace" in foreign


def test_unload_writes_parquet_that_copy_takes(redshift, client, role):
    redshift.done("DROP TABLE IF EXISTS loaded", f"CREATE TABLE loaded ({COLUMNS})")
    out = f"TO 's3://lake/unloaded/part-' IAM_ROLE '{role}' FORMAT AS PARQUET MANIFEST"
    sql = "SELECT 7::BIGINT, ''it'''''' || ''s'', NULL::TIMESTAMP"
    done = redshift.done(f"UNLOAD ('{sql}') {out}")
    assert done["ResultRows"] == 1
    assert "is not empty" in redshift.error(f"UNLOAD ('{sql}') {out}")
    redshift.done("CREATE TABLE back (id BIGINT, name VARCHAR(10), at TIMESTAMP)")
    redshift.done(
        f"COPY back FROM 's3://lake/unloaded/part-manifest' IAM_ROLE '{role}' PARQUET MANIFEST"
    )
    assert redshift.rows("SELECT * FROM back") == [(7, "it's", None)]
