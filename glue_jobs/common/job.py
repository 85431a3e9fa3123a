"""What a job runs with, and how often it tries."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession

from glue_jobs.common.arguments import JobArguments
from glue_jobs.common.catalog import Catalog
from glue_jobs.common.errors import (
    ColumnTypeError,
    LeaseLostError,
    ObjectClaimedError,
    ShortReadError,
    VersionConflictError,
)
from glue_jobs.common.gate import Gate
from glue_jobs.common.lake import Lake
from glue_jobs.common.lease import LEASE_SECONDS, Leases
from glue_jobs.common.ledger import Ledger
from glue_jobs.common.publisher import Publisher, TableWrite, Written, no_phase
from glue_jobs.common.report import number_table
from glue_jobs.common.session import spark_session
from voxlake.ledger import items
from voxlake.ledger.items import Item
from voxlake.quality.rules import Rules, default_rules
from voxlake.quality.summary import quality_key
from voxlake.tables import Table

ATTEMPTS = 3
_LOST_RACES = (LeaseLostError, ObjectClaimedError, ShortReadError, VersionConflictError)
_Result = TypeVar("_Result")
# What Spark says, deep in its own trace, of a file whose column has another type.
_COLUMN_TYPE = re.compile(
    r"Parquet column cannot be converted in file (\S+)\. "
    r"Column: \[([^\]]+)\], Expected: (\S+), Found: (\S+)\."
)


@dataclass(frozen=True)
class Job:
    """One run of one job, with its ways to the outside.

    Attributes:
        name: the job's name, such as ``landing_to_cleansed``.
        on_phase: called with each phase's name as it is reached (tests end the process there).
        rules: what has to hold in what is published.
        metrics_namespace: of CloudWatch, for rules that fail; empty: none are counted.
    """

    name: str
    run_id: str
    lake: Lake
    ledger: Ledger
    catalog: Catalog
    lease_wait_seconds: float = 900.0
    lease_seconds: int = LEASE_SECONDS
    on_phase: Callable[[str], None] = no_phase
    rules: Rules = field(default_factory=default_rules)
    metrics_namespace: str = ""

    @classmethod
    def from_arguments(cls, name: str, arguments: JobArguments) -> Job:
        """The job on AWS, or what stands in for it, as boto3's environment says.

        What an earlier attempt of the run was halted by is forgotten: it is checked again.
        """
        job = cls(
            name=name,
            run_id=arguments.run_id,
            lake=Lake.from_arguments(arguments),
            ledger=Ledger(arguments.ledger_table),
            catalog=Catalog(),
            lease_wait_seconds=arguments.lease_wait_seconds,
            metrics_namespace=arguments.metrics_namespace,
        )
        job.ledger.delete_run(job.run_id, quality_key(name))
        return job

    def spark(self) -> SparkSession:
        """The Spark session; starting one takes seconds, so a job with nothing to do asks none."""
        return spark_session(f"{self.name} {self.run_id}")

    def leases(self, tables: Iterable[Table]) -> Leases:
        """The leases of some tables, not yet taken."""
        return Leases(
            self.ledger,
            [(self.lake.database(table), table.name) for table in tables],
            f"{self.run_id}/{self.name}",
            wait_seconds=self.lease_wait_seconds,
            seconds=self.lease_seconds,
        )

    def publisher(self, spark: SparkSession, leases: Leases) -> Publisher:
        """A publisher for one attempt."""
        return Publisher(
            spark,
            self.lake,
            self.ledger,
            self.catalog,
            leases,
            self.run_id,
            self.on_phase,
            Gate(self),
        )

    def rewrite(
        self, spark: SparkSession, table: Table, dt: str, change: Callable[[DataFrame], DataFrame]
    ) -> None:
        """Publishes a day of a small table anew, under a lease of its own; no gate is asked.

        Args:
            change: makes the day's rows, with dt, of those it has.
        """
        with self.leases([table]) as leases:
            publisher = Publisher(spark, self.lake, self.ledger, self.catalog, leases, self.run_id)
            rows = change(publisher.read(table, [dt]))
            publisher.publish(publisher.write([TableWrite(table, rows, (dt,), small=True)]))

    def finish(self, started_at: str, written: Sequence[Written], what: str = "") -> Item:
        """Writes the run's item, done, with what was published; prints it.

        Args:
            what: of how much, in words, for the heading.
        """
        counts: dict[str, dict[str, int]] = {}
        partitions: dict[str, dict[str, int]] = {}
        for one in written:
            of_table = counts.setdefault(one.table.name, {"partitions": 0, "written": 0})
            of_table["partitions"] += 1
            of_table["written"] += one.rows
            partitions.setdefault(one.table.name, {})[one.dt] = one.rows
        item = items.run_item(
            run_id=self.run_id,
            job=self.name,
            state=items.STATE_DONE,
            started_at=started_at,
            finished_at=now_text(),
            counts=counts,
            partitions=partitions,
            bytes_out=sum(one.size_bytes for one in written),
        )
        self.ledger.put_run(item)
        if counts:
            print(number_table(f"{self.name} ({what})", ("partitions", "written"), counts))
        return item


def repeated(attempt: Callable[[], _Result], attempts: int = ATTEMPTS) -> _Result:
    """Runs an attempt again when it lost a race, each time from what is current then.

    Raises:
        TransientError: the last attempt lost too.
        ColumnTypeError: a file that was read has a column of another type.
    """
    for number in range(1, attempts):
        try:
            return _told(attempt)
        except _LOST_RACES as error:
            print(f"attempt {number} of {attempts}: {error}", flush=True)
            time.sleep(number)
    return _told(attempt)


def _told(attempt: Callable[[], _Result]) -> _Result:
    try:
        return attempt()
    except Py4JJavaError as error:
        if found := _COLUMN_TYPE.search(str(error)):
            raise ColumnTypeError(*found.groups()) from None
        raise


def now_text() -> str:
    """Now in RFC 3339, UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
