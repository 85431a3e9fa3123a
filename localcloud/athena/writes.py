"""Statements that write query results into S3 as Parquet: CREATE TABLE AS and UNLOAD."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from sqlglot import exp

from localcloud.athena.catalog import Catalog
from localcloud.athena.errors import NotSupportedError, QueryError
from localcloud.athena.types import hive_type, literal, quote
from localcloud.glue.credentials import split_s3_uri

_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"
_CASTS = {"hugeint": "BIGINT", "uhugeint": "BIGINT", "timestamp with time zone": "TIMESTAMP"}
_COMPRESSION = ("write_compression", "parquet_compression", "compression")
_UNLOAD = re.compile(
    r"UNLOAD\s*\((?P<query>.*)\)\s*TO\s*'(?P<to>[^']+)'(?:\s*WITH\s*\((?P<options>.*)\))?",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class Written:
    """What was written: the files' URIs, the rows, and the columns as the catalog names them."""

    files: list[str]
    rows: int
    columns: list[tuple[str, str]]


def parse_unload(sql: str) -> tuple[str, str, dict[str, str]]:
    """Return the query, location and options of an UNLOAD. Raises QueryError."""
    match = _UNLOAD.fullmatch(sql.strip())
    if match is None:
        raise QueryError("SYNTAX_ERROR: line 1:1: expected UNLOAD (query) TO 's3://…' WITH (…)")
    return match["query"], match["to"], _options(match["options"] or "")


def create_options(create: exp.Create) -> dict[str, str]:
    """Return the WITH options of a parsed CREATE TABLE AS."""
    properties = create.args.get("properties")
    return _options(properties.sql("trino")) if properties else {}


def _options(text: str) -> dict[str, str]:
    found = re.findall(r"(\w+)\s*=\s*(ARRAY\s*\[[^\]]*\]|'[^']*'|[\w.]+)", text, re.IGNORECASE)
    return {name.lower(): value.strip("'") for name, value in found}


def write(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    location: str,
    options: dict[str, str],
    *,
    to: Catalog,
    file: Path,
    sealed: dict[str, str],
) -> Written:
    """Run DuckDB's `sql` and put its rows below a location, as an object of `file`'s name.

    Raises QueryError HIVE_PATH_ALREADY_EXISTS when the location is not empty, NotSupportedError
    for other formats than Parquet and options such as partitioned_by.
    """
    for name, value in options.items():
        if name not in ("format", "external_location", *_COMPRESSION):
            raise NotSupportedError(f"option {name}")
        if name == "format" and value.upper() != "PARQUET":
            raise NotSupportedError(f"format {value}; expected PARQUET")
    bucket, key = split_s3_uri(location.rstrip("/") + "/")
    if to.s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents"):
        raise QueryError(f"HIVE_PATH_ALREADY_EXISTS: Target directory already exists: {location}")
    relation = connection.sql(sql)
    columns, items = [], []
    for name, kind in zip(relation.columns, relation.types, strict=True):
        if kind.id == "null":
            raise QueryError(f"SYNTAX_ERROR: line 1:1: Column type is unknown: {name}")
        cast = _CASTS.get(kind.id)
        items.append(f"CAST({quote(name)} AS {cast}) AS {quote(name)}" if cast else quote(name))
        columns.append((name.lower(), hive_type(kind)))
    compression = next((options[name] for name in _COMPRESSION if name in options), "gzip")
    copied = connection.execute(
        f"COPY (SELECT {', '.join(items)} FROM ({sql})) TO {literal(str(file))} "
        f"(FORMAT parquet, COMPRESSION {compression.lower().replace('none', 'uncompressed')})"
    )
    rows = copied.fetchone()[0]
    to.s3.upload_file(str(file), bucket, f"{key}{file.name}", ExtraArgs=sealed)
    return Written([f"s3://{bucket}/{key}{file.name}"], rows, columns)


def register(catalog: Catalog, database: str, name: str, location: str, written: Written) -> None:
    """Create the table of a CREATE TABLE AS."""
    storage: dict[str, Any] = {
        "Columns": [{"Name": column, "Type": kind} for column, kind in written.columns],
        "Location": location.rstrip("/") + "/",
        "InputFormat": f"{_PARQUET}.MapredParquetInputFormat",
        "OutputFormat": f"{_PARQUET}.MapredParquetOutputFormat",
        "SerdeInfo": {"SerializationLibrary": f"{_PARQUET}.serde.ParquetHiveSerDe"},
    }
    table = {"Name": name, "TableType": "EXTERNAL_TABLE", "StorageDescriptor": storage}
    table |= {"PartitionKeys": [], "Parameters": {"EXTERNAL": "TRUE"}}
    catalog.glue.create_table(DatabaseName=database, TableInput=table)
