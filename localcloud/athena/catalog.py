"""The Glue Data Catalog's tables, and exactly the files that the catalog points to.

Locations are read from the catalog for each query. A table's files are linked into a scratch
folder by partition, `<key>=<value>/`: DuckDB then prunes partitions by itself, partition values
come from the catalog alone, and nothing in the real path (such as `v=`) becomes a column.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote as url_quote

from localcloud.athena.errors import NotSupportedError, QueryError, position
from localcloud.athena.types import duckdb_type, literal, quote
from localcloud.glue.credentials import client_of, split_s3_uri

_VIEW = re.compile(r"/\* Presto View: (\S+) \*/")


@dataclass
class Table:
    """One table of the catalog: `glue` is the Table of GetTable, `partitions` of GetPartitions."""

    database: str
    name: str
    glue: dict[str, Any]
    partitions: list[dict[str, Any]] = field(default_factory=list)

    @property
    def columns(self) -> list[tuple[str, str]]:
        """(name, Hive type) of the columns that files hold."""
        return _pairs(self.glue.get("StorageDescriptor", {}).get("Columns"))

    @property
    def keys(self) -> list[tuple[str, str]]:
        """(name, Hive type) of the partition keys."""
        return _pairs(self.glue.get("PartitionKeys"))

    @property
    def view_sql(self) -> str | None:
        """The query of a view (Trino's SQL), None for a table."""
        if self.glue.get("TableType") != "VIRTUAL_VIEW":
            return None
        text = self.glue.get("ViewOriginalText", "")
        if match := _VIEW.search(text):
            return json.loads(base64.b64decode(match[1]))["originalSql"]
        return text

    @cached_property
    def format(self) -> str:
        """parquet or json. Raises NotSupportedError for other serialisations."""
        serde = self.glue["StorageDescriptor"].get("SerdeInfo") or {}
        library = serde.get("SerializationLibrary", "").lower()
        for kind in ("parquet", "json"):
            if kind in library:
                return kind
        raise NotSupportedError(f"table {self.database}.{self.name} with SerDe {library or 'none'}")


def _pairs(columns: list[dict[str, str]] | None) -> list[tuple[str, str]]:
    return [(c["Name"].lower(), c.get("Type", "string")) for c in columns or []]


def presto_view_text(sql: str, database: str, columns: list[tuple[str, str]]) -> str:
    """Return ViewOriginalText as Athena writes it; `columns` are (name, Trino type)."""
    shown = [{"name": name, "type": kind} for name, kind in columns]
    view = {"originalSql": sql, "catalog": "awsdatacatalog", "schema": database, "columns": shown}
    return f"/* Presto View: {base64.b64encode(json.dumps(view).encode()).decode()} */"


class Catalog:
    """Reads tables with the caller's rights and lays their files out for one query."""

    def __init__(self, cloud: Any, principal: Any, scratch: Path) -> None:
        self._cloud, self._principal, self._scratch = cloud, principal, scratch
        self.glue = client_of(cloud, principal, "glue")
        self.s3 = client_of(cloud, principal, "s3")

    def table(self, database: str, name: str, sql: str) -> Table:
        """Return a table with its partitions. Raises QueryError TABLE_NOT_FOUND, in `sql`."""
        missing = self.glue.exceptions.EntityNotFoundException
        try:
            found = self.glue.get_table(DatabaseName=database, Name=name)["Table"]
        except missing:
            where = position(sql, name)
            try:
                self.glue.get_database(Name=database)
            except missing:
                reason = f"SCHEMA_NOT_FOUND: {where}: Schema '{database}' does not exist"
                raise QueryError(reason) from None
            table = f"Table 'awsdatacatalog.{database}.{name}' does not exist"
            raise QueryError(f"TABLE_NOT_FOUND: {where}: {table}") from None
        table = Table(database, name, found)
        if table.keys and table.view_sql is None:
            where = {"DatabaseName": database, "TableName": name}
            pages = self.glue.get_paginator("get_partitions").paginate(**where)
            table.partitions = [p for page in pages for p in page["Partitions"]]
        return table

    def exists(self, database: str, name: str) -> bool:
        """Whether there is a table or view of that name."""
        try:
            self.glue.get_table(DatabaseName=database, Name=name)
        except self.glue.exceptions.EntityNotFoundException:
            return False
        return True

    def files(self, table: Table) -> dict[str, tuple[str, ...]]:
        """Link a table's files into the scratch folder: path -> its partition's values."""
        if not table.keys:
            location = table.glue["StorageDescriptor"]["Location"]
            self._check_readable(location)
            return {str(path): () for path in _files(self._folder(location))}
        root = self._scratch / f"{table.database}.{table.name}"
        if table.partitions:
            self._check_readable(table.partitions[-1]["StorageDescriptor"]["Location"])
        linked: dict[str, tuple[str, ...]] = {}
        for partition in table.partitions:
            folder = self._folder(partition["StorageDescriptor"]["Location"])
            values = tuple(partition["Values"])
            pairs = zip(table.keys, values, strict=True)
            link = root.joinpath(*(f"{name}={url_quote(v, safe='')}" for (name, _), v in pairs))
            if paths := list(_files(folder)):
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(folder)
                linked |= {str(link / path.relative_to(folder)): values for path in paths}
        return linked

    def _folder(self, location: str) -> Path:
        bucket, key = split_s3_uri(location)
        return Path(self._cloud.s3_root) / bucket / key.strip("/")

    def _check_readable(self, location: str) -> None:
        """Raise ClientError unless the caller may list a location and read its objects."""
        if self._principal.kind == "root":
            return
        bucket, key = split_s3_uri(location)
        prefix = key.rstrip("/") + "/" if key else ""
        found = self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
        for item in found.get("Contents", []):
            self.s3.head_object(Bucket=bucket, Key=item["Key"])


def reader(table: Table, files: list[str]) -> str:
    """Return the DuckDB table function that reads `files` with the partition keys added."""
    listed = "[" + ", ".join(literal(path) for path in files) + "]"
    options = "hive_partitioning = false"
    if table.keys:
        kinds = ", ".join(f"{quote(name)}: VARCHAR" for name, _ in table.keys)
        options = f"hive_partitioning = true, hive_types = {{{kinds}}}"
    if table.format == "parquet":
        return f"read_parquet({listed}, union_by_name = true, {options})"
    kinds = ", ".join(f"{literal(n)}: {literal(duckdb_type(kind))}" for n, kind in table.columns)
    options += ", format = 'newline_delimited', maximum_object_size = 67108864"
    return f"read_json({listed}, columns = {{{kinds}}}, {options})"


def _files(folder: Path) -> Iterator[Path]:
    """Yield a folder's files; hidden ones are no data."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(("_", ".")))
        yield from (Path(root, n) for n in sorted(names) if not n.startswith(("_", ".")))
