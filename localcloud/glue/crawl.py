"""One crawl of a bucket's folders, with the crawler's role: tables and partitions follow.

https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-folder-table-partition.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from localcloud.glue import schema
from localcloud.glue.credentials import client_as, split_s3_uri

_SAMPLE_FILES = 500  # a table; spread over its files
_SAMPLE_BYTES = 1024 * 1024
_BATCH = 100  # BatchCreatePartition's limit
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"
_STORAGE = {
    "json": (
        "org.apache.hadoop.mapred.TextInputFormat",
        "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        "org.openx.data.jsonserde.JsonSerDe",
    ),
    "parquet": (
        f"{_PARQUET}.MapredParquetInputFormat",
        f"{_PARQUET}.MapredParquetOutputFormat",
        f"{_PARQUET}.serde.ParquetHiveSerDe",
    ),
}

Columns = list[tuple[str, str]]


@dataclass
class FoundTable:
    """A folder that is a table: `partitions` maps each partition's values to its keys' folder."""

    name: str
    path: str
    keys: list[str] = field(default_factory=list)
    partitions: dict[tuple[str, ...], str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)


def excluded(path: str, patterns: Iterable[str]) -> bool:
    """Whether a path matches a glob: * and ? stay within a folder, ** crosses folders."""
    tokens = {"**": ".*", "*": "[^/]*", "?": "[^/]"}

    def regex(pattern: str) -> str:
        parts = re.split(r"(\*\*|\*|\?)", pattern)
        return "".join(tokens.get(part) or re.escape(part) for part in parts)

    return any(re.fullmatch(regex(pattern), path) for pattern in patterns)


def tables(bucket: str, keys: Iterable[str], level: int) -> list[FoundTable]:
    """Return the tables that keys lie in; `level` 1 is the bucket, 2 the folders in it."""
    found: dict[str, FoundTable] = {}
    for key in sorted(keys):
        *folders, name = key.split("/")
        hidden = any(part.startswith("_") for part in folders) or name.startswith(("_", "."))
        if hidden or not name or len(folders) < level - 1:
            continue
        path = "".join(f"{part}/" for part in folders[: level - 1])
        base = folders[level - 2] if level > 1 else bucket
        table = found.setdefault(
            path, FoundTable(re.sub(r"[^a-z0-9_]", "_", base.partition("=")[0].lower()), path)
        )
        table.files.append(key)
        parts = folders[level - 1 :]
        names = [
            part.partition("=")[0].lower() if "=" in part else f"partition_{index}"
            for index, part in enumerate(parts)
        ]
        table.keys = max(table.keys, names, key=len)
        values = tuple(part.partition("=")[2] or part for part in parts)
        table.partitions[values] = key[: len(key) - len(name)]
    for table in found.values():
        # Files above the depth of the others belong to no partition.
        depth = len(table.keys)
        table.partitions = {v: p for v, p in table.partitions.items() if v and len(v) == depth}
    return list(found.values())


class Crawl:
    """Crawls new folders once; `seen` holds the locations crawled before, `log` takes lines."""

    def __init__(
        self, cloud: Any, crawler: dict[str, Any], seen: set[str], log: Callable[[str], None]
    ) -> None:
        self._crawler, self._seen, self._log = crawler, seen, log
        role = {"service": "glue.amazonaws.com", "session_name": "AWS-Crawler"}
        self._s3 = client_as(cloud, crawler["Role"], "s3", **role)
        self._glue = client_as(cloud, crawler["Role"], "glue", **role)
        self._database = crawler["DatabaseName"]
        self.counts = {"tablesCreated": 0, "partitionsCreated": 0}

    def run(self) -> None:
        """Crawl every target. Raises botocore's ClientError."""
        level = json.loads(self._crawler["Configuration"])["Grouping"]["TableLevelConfiguration"]
        for target in self._crawler["Targets"]["S3Targets"]:
            bucket, prefix = split_s3_uri(target["Path"])
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            patterns = target.get("Exclusions") or []
            found = [item for page in pages for item in page.get("Contents", [])]
            keys = [
                item["Key"]
                for item in found
                if item["Size"] and not excluded(item["Key"].removeprefix(prefix), patterns)
            ]
            self._log(f"{target['Path']}: {len(keys)} objects")
            for table in tables(bucket, keys, level):
                self._publish(bucket, table)

    def _publish(self, bucket: str, table: FoundTable) -> None:
        folders = table.partitions or {(): table.path}
        uris = {values: f"s3://{bucket}/{path}" for values, path in folders.items()}
        new = {values: uri for values, uri in uris.items() if uri not in self._seen}
        if not new:
            return
        fresh = tuple(folders[values] for values in new)
        inferred = self._infer(bucket, [key for key in table.files if key.startswith(fresh)])
        if inferred is None:
            return
        storage = self._storage(bucket, table, *inferred)
        if table.partitions:
            wanted = [
                {"Values": list(values), "StorageDescriptor": storage | {"Location": uri}}
                for values, uri in new.items()
            ]
            for start in range(0, len(wanted), _BATCH):
                self._glue.batch_create_partition(
                    DatabaseName=self._database,
                    TableName=table.name,
                    PartitionInputList=wanted[start : start + _BATCH],
                )
            self.counts["partitionsCreated"] += len(wanted)
        self._seen |= set(new.values())

    def _storage(self, bucket: str, table: FoundTable, kind: str, columns: Columns) -> Any:
        """Return the table's StorageDescriptor, which its partitions inherit; create the table."""
        try:
            existing = self._glue.get_table(DatabaseName=self._database, Name=table.name)["Table"]
        except self._glue.exceptions.EntityNotFoundException:
            pass
        else:
            known = {c["Name"]: c.get("Type") for c in existing["StorageDescriptor"]["Columns"]}
            if changed := [name for name, type_ in columns if known.get(name) != type_]:
                self._log(f"{table.name}: schema change logged only: {', '.join(changed)}")
            return existing["StorageDescriptor"]
        reader, writer, serde = _STORAGE[kind]
        compressed = all(key.endswith(".gz") for key in table.files)
        storage = {
            "Columns": [{"Name": name, "Type": type_} for name, type_ in columns],
            "Location": f"s3://{bucket}/{table.path}",
            "InputFormat": reader,
            "OutputFormat": writer,
            "Compressed": compressed,
            "SerdeInfo": {
                "SerializationLibrary": serde,
                "Parameters": {"paths": ",".join(name for name, _ in columns)},
            },
        }
        created = {
            "Name": table.name,
            "TableType": "EXTERNAL_TABLE",
            "StorageDescriptor": storage,
            "PartitionKeys": [{"Name": key, "Type": "string"} for key in table.keys],
            "Parameters": {
                "classification": kind,
                "compressionType": "gzip" if compressed else "none",
                "UPDATED_BY_CRAWLER": self._crawler["Name"],
            },
        }
        self._glue.create_table(DatabaseName=self._database, TableInput=created)
        self.counts["tablesCreated"] += 1
        self._log(f"created table {self._database}.{table.name}")
        return storage

    def _infer(self, bucket: str, keys: list[str]) -> tuple[str, Columns] | None:
        """Return the classification and columns of a sample of files; None for other formats."""
        kind: schema.Kind = None
        parquet: dict[str, str] = {}
        for key in keys[:: max(1, len(keys) // _SAMPLE_FILES)][:_SAMPLE_FILES]:
            if key.endswith(".parquet"):
                body = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
                parquet |= dict(schema.parquet_columns(body))
                continue
            span = f"bytes=0-{_SAMPLE_BYTES - 1}"
            answer = self._s3.get_object(Bucket=bucket, Key=key, Range=span)
            body = answer["Body"].read()
            size = int(answer.get("ContentRange", "/0").rsplit("/", 1)[-1])
            lines = schema.json_kind(body, whole=size <= len(body))
            if lines is None:
                self._log(f"s3://{bucket}/{key}: neither JSON lines nor Parquet")
                return None
            kind = schema.merge(kind, lines)
        if parquet:
            return "parquet", list(parquet.items())
        return ("json", [(n, schema.glue_type(k)) for n, k in kind.items()]) if kind else None
