"""What a job runs with, and how often it tries."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from pyspark.sql import SparkSession

from glue_jobs.common.arguments import JobArguments
from glue_jobs.common.catalog import Catalog
from glue_jobs.common.errors import (
    LeaseLostError,
    ObjectClaimedError,
    ShortReadError,
    VersionConflictError,
)
from glue_jobs.common.lake import Lake
from glue_jobs.common.lease import LEASE_SECONDS, Leases
from glue_jobs.common.ledger import Ledger
from glue_jobs.common.publisher import Publisher, no_phase
from glue_jobs.common.session import spark_session
from voxlake.tables import Table

ATTEMPTS = 3
_LOST_RACES = (LeaseLostError, ObjectClaimedError, ShortReadError, VersionConflictError)
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Job:
    """One run of one job, with its ways to the outside.

    Attributes:
        name: the job's name, such as ``landing_to_cleansed``.
        on_phase: called with each phase's name as it is reached (tests end the process there).
    """

    name: str
    run_id: str
    lake: Lake
    ledger: Ledger
    catalog: Catalog
    lease_wait_seconds: float = 900.0
    lease_seconds: int = LEASE_SECONDS
    on_phase: Callable[[str], None] = no_phase

    @classmethod
    def from_arguments(cls, name: str, arguments: JobArguments) -> Job:
        """The job on AWS, or what stands in for it, as boto3's environment says."""
        return cls(
            name=name,
            run_id=arguments.run_id,
            lake=Lake.from_arguments(arguments),
            ledger=Ledger(arguments.ledger_table),
            catalog=Catalog(),
            lease_wait_seconds=arguments.lease_wait_seconds,
        )

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
            spark, self.lake, self.ledger, self.catalog, leases, self.run_id, self.on_phase
        )


def repeated(attempt: Callable[[], _Result], attempts: int = ATTEMPTS) -> _Result:
    """Runs an attempt again when it lost a race, each time from what is current then.

    Raises:
        TransientError: the last attempt lost too.
    """
    for number in range(1, attempts):
        try:
            return attempt()
        except _LOST_RACES as error:
            print(f"attempt {number} of {attempts}: {error}", flush=True)
            time.sleep(number)
    return attempt()


def now_text() -> str:
    """Now in RFC 3339, UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
