"""COPY and UNLOAD of Parquet, with the rights of the IAM role that the statement names.

https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from botocore.exceptions import ClientError

from localcloud.athena.types import literal, quote
from localcloud.errors import ServiceError
from localcloud.glue.credentials import client_as, split_s3_uri
from localcloud.redshift_data.errors import NotSupportedError, RedshiftError, scan_error

COPY = re.compile(
    r"COPY\s+(?P<table>[\w.\"]+)\s+FROM\s+'(?P<uri>[^']+)'\s+IAM_ROLE\s+"
    r"(?P<role>'[^']+'|DEFAULT)\s+(?P<options>.+)",
    re.IGNORECASE | re.DOTALL,
)
UNLOAD = re.compile(
    r"UNLOAD\s*\(\s*(?:'(?P<query>(?:[^']|'')*)'|\$\$(?P<plain>.*?)\$\$)\s*\)\s*TO\s*"
    r"'(?P<uri>[^']+)'\s+IAM_ROLE\s+(?P<role>'[^']+'|DEFAULT)\s+(?P<options>.+)",
    re.IGNORECASE | re.DOTALL,
)
_FORMAT = re.compile(r"(?:FORMAT\s+(?:AS\s+)?)?PARQUET\b", re.IGNORECASE)
# Redshift's type (as DuckDB has it) -> the Parquet columns it takes: physical type, logical types.
_TAKES = {
    "VARCHAR": ("BYTE_ARRAY", {"StringType()", None}),
    "BIGINT": ("INT64", {None, "IntType"}), "INTEGER": ("INT32", {None, "IntType"}),
    "SMALLINT": ("INT32", {None, "IntType"}), "DOUBLE": ("DOUBLE", {None}),
    "FLOAT": ("FLOAT", {None}), "BOOLEAN": ("BOOLEAN", {None}),
    "DATE": ("INT32", {"DateType()"}), "TIMESTAMP": ("INT64", {"TimestampType"}),
}  # fmt: skip


@dataclass(frozen=True)
class File:
    """One object to load; `size` is the manifest's content_length, None without a manifest."""

    uri: str
    size: int | None


class Transfer:
    """Moves data between S3 and one session's tables."""

    def __init__(self, cloud: Any, connection: duckdb.DuckDBPyConnection, arn: str) -> None:
        self._cloud, self._connection = cloud, connection
        try:
            self._s3 = client_as(
                cloud, arn, "s3", service="redshift.amazonaws.com", session_name="RedshiftIamRole"
            )
        except ServiceError as error:
            raise RedshiftError(
                f"ERROR: Not authorized to get credentials of role {arn}\n  Detail: {error.message}"
            ) from error

    def copy(self, table: str, uri: str, options: str) -> int:
        """Load files into a table, all or none; returns the rows. Raises RedshiftError."""
        words, manifest, nested = _FORMAT.sub("", options, count=1), False, False
        if words == options:
            raise NotSupportedError("COPY of another format than PARQUET")
        for word in words.upper().split():
            if word not in ("MANIFEST", "SERIALIZETOJSON"):
                raise NotSupportedError(f"COPY option {word}")
            manifest, nested = manifest or word == "MANIFEST", nested or word != "MANIFEST"
        files = self._manifest(uri) if manifest else self._listed(uri)
        columns = self._connection.execute(f"DESCRIBE {table}").fetchall()
        rows = 0
        for file in files:
            path = self._readable(file)
            values = self._values(path, file.uri, columns, nested)
            source = f"read_parquet({literal(str(path))}, hive_partitioning = false)"
            select = f"SELECT {', '.join(values)} FROM {source}"
            try:
                rows += self._connection.execute(f"INSERT INTO {table} {select}").fetchone()[0]
            except (duckdb.IOException, duckdb.InvalidInputException) as error:
                raise scan_error(f"File '{_https(file.uri)}' is damaged: {error}") from error
        return rows

    def unload(self, sql: str, uri: str, options: str, file: Path) -> int:
        """Write a query's rows (DuckDB's SQL) as one Parquet object; returns the rows."""
        words = _FORMAT.sub("", options, count=1)
        asked = set(words.upper().split())
        if words == options or asked - {"MANIFEST", "ALLOWOVERWRITE"}:
            raise NotSupportedError(f"UNLOAD with {options}; expected FORMAT AS PARQUET")
        bucket, key = split_s3_uri(uri)
        found = self._ask(uri, "list_objects_v2", Bucket=bucket, Prefix=key, MaxKeys=1)
        if found.get("Contents") and "ALLOWOVERWRITE" not in asked:
            raise RedshiftError(
                f"ERROR: Specified unload destination on S3 is not empty: {uri}\n"
                "  Hint: another prefix, or ALLOWOVERWRITE"
            )
        copied = self._connection.execute(f"COPY ({sql}) TO {literal(str(file))} (FORMAT parquet)")
        rows = copied.fetchone()[0]
        name = f"{key}0000_part_00.parquet"
        self._ask(uri, "put_object", Bucket=bucket, Key=name, Body=file.read_bytes())
        if "MANIFEST" in asked:
            meta = {"content_length": file.stat().st_size, "record_count": rows}
            body = json.dumps({"entries": [{"url": f"s3://{bucket}/{name}", "meta": meta}]})
            self._ask(uri, "put_object", Bucket=bucket, Key=f"{key}manifest", Body=body.encode())
        return rows

    def _manifest(self, uri: str) -> list[File]:
        bucket, key = split_s3_uri(uri)
        body = self._ask(uri, "get_object", manifest=True, Bucket=bucket, Key=key)["Body"].read()
        try:
            entries = json.loads(body)["entries"]
            files = [File(e["url"], e.get("meta", {}).get("content_length")) for e in entries]
        except (ValueError, LookupError, TypeError):
            raise RedshiftError(f"ERROR: Invalid manifest file: {uri}") from None
        if missing := next((file for file in files if file.size is None), None):
            raise RedshiftError(
                f"ERROR: COPY from PARQUET needs content_length in the manifest\n"
                f"  Detail: no meta.content_length for {missing.uri}"
            )
        return files

    def _listed(self, uri: str) -> list[File]:
        bucket, key = split_s3_uri(uri)
        found = self._ask(uri, "list_objects_v2", Bucket=bucket, Prefix=key)
        files = [File(f"s3://{bucket}/{o['Key']}", None) for o in found.get("Contents", [])]
        if not files:
            raise RedshiftError(f"ERROR: The specified S3 prefix '{key}' does not exist")
        return files

    def _readable(self, file: File) -> Path:
        """Return where an object lies, which the role may read and whose size is as said."""
        bucket, key = split_s3_uri(file.uri)
        found = self._ask(file.uri, "get_object", Bucket=bucket, Key=key, Range="bytes=0-3")
        found["Body"].close()
        size = int(found["ContentRange"].rpartition("/")[2])
        if file.size is not None and size != file.size:
            raise scan_error(
                f"File '{_https(file.uri)}' has {size} bytes; content_length in the manifest is "
                f"{file.size}"
            )
        return Path(self._cloud.s3_root) / bucket / key

    def _values(self, path: Path, uri: str, columns: list[tuple], nested: bool) -> list[str]:
        """Return what is selected from a file for each column of the table, by position."""
        try:
            listed = self._connection.execute(
                "SELECT name, type, logical_type, num_children, repetition_type FROM "
                f"parquet_schema({literal(str(path))})"
            ).fetchall()
        except duckdb.Error as error:
            why = f"has an invalid version number: {error}"
            raise scan_error(f"File '{_https(uri)}' {why}") from error
        leaves = _top_level(listed)
        if len(leaves) != len(columns):
            raise scan_error(
                "Unmatched number of columns between table and file. Table columns: "
                f"{len(columns)}, Data columns: {len(leaves)}, File name: {_https(uri)}"
            )
        values = []
        for (name, physical, logical, children, repetition), column in zip(
            leaves, columns, strict=True
        ):
            kind = column[1]
            if kind == "JSON" and nested:
                text = f"to_json({quote(name)})"
                values.append(f"CASE WHEN {quote(name)} IS NOT NULL THEN {text} END")
                continue
            base = kind.partition("(")[0]
            wanted, meanings = _TAKES.get(base, (physical, {logical}))
            simple = (logical or "").partition("(")[0] if base != "DATE" else logical
            fits = physical == wanted and not children and repetition != "REPEATED"
            if not fits or (logical not in meanings and simple not in meanings):
                raise scan_error(
                    f"File '{_https(uri)}' has an incompatible Parquet schema for column "
                    f"'{uri.rpartition('/')[0]}.{column[0]}'. Column type: {_shown(kind)}, Parquet "
                    f"schema:\n{(repetition or '').lower()} {(physical or 'group').lower()} {name}"
                )
            values.append(quote(name))
        return values

    def _ask(self, uri: str, operation: str, manifest: bool = False, **arguments: Any) -> Any:
        try:
            return getattr(self._s3, operation)(**arguments)
        except ClientError as error:
            found = error.response["Error"]
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            code = {"403": "AccessDenied", "404": "NoSuchKey"}.get(found["Code"], found["Code"])
            where = "Problem reading manifest file - " if manifest else ""
            raise RedshiftError(
                f"ERROR: {where}S3ServiceException:{found.get('Message')},Status {status},"
                f"Error {code}\n  Detail: {uri}"
            ) from error


def _top_level(schema: list[tuple]) -> list[tuple]:
    """Return the columns of a Parquet schema, which lists its tree depth first."""
    found, index = [], 1
    while index < len(schema):
        found.append(schema[index])
        left = 1
        while left:
            left += (schema[index][3] or 0) - 1
            index += 1
    return found


def _https(uri: str) -> str:
    return "https://s3.amazonaws.com/" + uri.partition("://")[2]


def _shown(kind: str) -> str:
    return {"JSON": "SUPER", "DOUBLE": "DOUBLE PRECISION"}.get(kind, kind)
