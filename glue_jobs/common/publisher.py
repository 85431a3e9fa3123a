"""Publishing: new versions are written whole, then each partition changes in one step.

Order: leases -> current versions -> Parquet under new ``v=`` folders -> per dt the version item
(conditional on the revision read), then the catalog. Dying anywhere leaves every partition at one
whole version; what was written but not published is never seen.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from glue_jobs.common.catalog import Catalog
from glue_jobs.common.checks import Measured, measure, reference_days
from glue_jobs.common.errors import WrittenRowsError
from glue_jobs.common.files import LakeFiles
from glue_jobs.common.frames import read_versions, table_columns, table_schema
from glue_jobs.common.lake import Lake
from glue_jobs.common.lease import Leases
from glue_jobs.common.ledger import Ledger
from voxlake.ledger import rules
from voxlake.ledger.items import Item
from voxlake.quality.rules import Rule
from voxlake.tables import Table

if TYPE_CHECKING:
    from glue_jobs.common.gate import Gate

BEFORE_WRITE = "before_write"
AFTER_WRITE = "after_write"
BETWEEN_PUBLISHES = "between_publishes"
BEFORE_LEDGER_MARK = "before_ledger_mark"

_WRITE_THREADS = 3

SMALL_ROWS = 20_000
"""Up to so many rows a table's write is one task."""


def no_phase(_: str) -> None:
    """The callback of a publisher nobody watches."""


@dataclass(frozen=True)
class TableWrite:
    """New contents of some partitions of a table.

    Attributes:
        table: the table.
        frame: all rows of these partitions, with the table's columns and dt; every dt in it
            must be in ``dts``.
        dts: the partitions; one without rows becomes a file without rows.
        rows: {dt: rows} that the frame must hold, where the job knows; else None.
        sources: {dt: {source table: its version}} the rows are made from.
        small: the frame has few rows, so that one task writes them sooner than a shuffle.
        by_day: rows of a dt lie together already; written without a shuffle.
    """

    table: Table
    frame: DataFrame
    dts: tuple[str, ...]
    rows: Mapping[str, int] | None = None
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    small: bool = False
    by_day: bool = False


@dataclass(frozen=True)
class Written:
    """A partition's new version in storage, not yet published. Sizes in bytes."""

    table: Table
    dt: str
    version: str
    location: str
    rows: int
    size_bytes: int
    files: int
    sources: Mapping[str, str]


class Publisher:
    """Writes and publishes versions for one attempt of one job.

    Args:
        leases: of every table that is published; must be held.
        on_phase: called with the name of each phase as it is reached.
        gate: what written partitions have to pass; None lets everything pass.
    """

    def __init__(
        self,
        spark: SparkSession,
        lake: Lake,
        ledger: Ledger,
        catalog: Catalog,
        leases: Leases,
        run_id: str,
        on_phase: Callable[[str], None] = no_phase,
        gate: Gate | None = None,
    ) -> None:
        self.spark = spark
        self.lake = lake
        self.ledger = ledger
        self.files = LakeFiles(spark)
        self.run_id = run_id
        self.on_phase = on_phase
        # Unique per attempt, so that what a dead attempt left is never mixed with this one's.
        self.version = rules.version_name(run_id, secrets.token_hex(2))
        self._catalog = catalog
        self._leases = leases
        self._gate = gate
        self._current: dict[str, dict[str, Item]] = {}

    def versions(self, table: Table) -> dict[str, Item]:
        """{dt: version item} of a table as this attempt first read it; do not change it."""
        known = self._current.get(table.name)
        if known is None:
            known = self.ledger.versions(self.lake.database(table), table.name)
            self._current[table.name] = known
        return known

    def read(self, table: Table, dts: Iterable[str]) -> DataFrame:
        """Current rows of some partitions, with dt; those never published are empty."""
        current = self.versions(table)
        return read_versions(
            self.spark, self.lake, table, [current[dt] for dt in sorted(set(dts)) if dt in current]
        )

    def write(self, writes: Sequence[TableWrite]) -> list[Written]:
        """Writes all, tables side by side, and counts what then lies in storage.

        Raises:
            WrittenRowsError: a partition holds other rows than its job reckoned with.
            LeaseLostError: the leases ended meanwhile.
            QualityHaltError: a quality rule of level halt does not hold.
        """
        self.on_phase(BEFORE_WRITE)
        writes = [write for write in writes if write.dts]
        with ThreadPoolExecutor(_WRITE_THREADS) as pool:
            list(pool.map(self._write, writes))
        written, measured = self._measure(writes)
        for write in writes:
            # Read back, not believed: what is published is what lies there.
            for one in written:
                expected = (write.rows or {}).get(one.dt)
                if one.table is write.table and expected not in (None, one.rows):
                    raise WrittenRowsError(one.table.name, one.dt, expected, one.rows)
        self.on_phase(AFTER_WRITE)
        if self._gate:
            self._leases.check()
            self._gate.check(self, written, measured)
        return written

    def publish(self, written: Sequence[Written]) -> None:
        """Makes written versions current, one partition after the other.

        Raises:
            LeaseLostError: the leases ended meanwhile; what was published before stays.
            VersionConflictError: another publisher was there since the versions were read.
        """
        for position, one in enumerate(written):
            if position:
                self.on_phase(BETWEEN_PUBLISHES)
            self._leases.check()
            self._publish(one)

    def publish_and(self, written: Sequence[Written], mark: Callable[[], None]) -> None:
        """Publishes, then marks the work done in the ledger; never the other way round."""
        self.publish(written)
        self.on_phase(BEFORE_LEDGER_MARK)
        mark()

    def _publish(self, one: Written) -> None:
        current = self.versions(one.table).get(one.dt)
        database = self.lake.database(one.table)
        self.ledger.publish(
            rules.next_version(
                current,
                database=database,
                table=one.table.name,
                dt=one.dt,
                version=one.version,
                location=one.location,
                rows=one.rows,
                size_bytes=one.size_bytes,
                files=one.files,
                run_id=self.run_id,
                published_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                sources=one.sources,
            )
        )
        self._catalog.point(
            database, one.table.name, one.dt, one.location, exists=current is not None
        )

    def _write(self, write: TableWrite) -> None:
        root = self.lake.root(write.table)
        for name in self.files.folders(root):
            # A killed attempt's half-written files; the lease says that nobody else writes here.
            if name.startswith(".spark-staging") or name == "_temporary":
                self.files.delete(root + name)
        frame = write.frame.select(*table_columns(write.table), "dt")
        # One task writes one file a dt as well, and the shuffle costs more than it spreads.
        if write.small:
            frame = frame.coalesce(1)
        elif not write.by_day:
            frame = rebalanced(frame)
        # Dynamic overwrite stages in a folder of its own, while appending writers share one:
        # a zombie's commit there could take along or drop this job's files. As v= is new, no
        # file is ever overwritten.
        (
            frame.withColumn("v", F.lit(self.version))
            .write.mode("overwrite")
            .option("partitionOverwriteMode", "dynamic")
            .partitionBy("dt", "v")
            .parquet(root)
        )

    def _measure(
        self, writes: Sequence[TableWrite]
    ) -> tuple[list[Written], dict[tuple[str, str], Measured]]:
        """Sizes, files, rows and what rules ask of every partition, as they lie in storage."""
        sizes = {
            (write.table.name, dt): self.files.sizes(
                self.lake.location(write.table, dt, self.version)
            )
            for write in writes
            for dt in write.dts
        }
        for write in writes:
            for dt in write.dts:
                if not sizes[write.table.name, dt]:
                    sizes[write.table.name, dt] = self._write_empty(write.table, dt)
        measured = self._look([(write.table, list(write.dts)) for write in writes])
        nothing = Measured()
        written = [
            Written(
                table=write.table,
                dt=dt,
                version=self.version,
                location=self.lake.location(write.table, dt, self.version),
                rows=measured.get((write.table.name, dt), nothing).rows,
                size_bytes=sum(sizes[write.table.name, dt].values()),
                files=len(sizes[write.table.name, dt]),
                sources=dict(write.sources.get(dt, {})),
            )
            for write in writes
            for dt in write.dts
        ]
        return written, measured

    def _write_empty(self, table: Table, dt: str) -> dict[str, int]:
        """Writes a partition that lost its last row: readers fail on a folder without files."""
        location = self.lake.location(table, dt, self.version)
        schema = StructType([one for one in table_schema(table) if one.name != "dt"])
        self.spark.createDataFrame([], schema).coalesce(1).write.parquet(location)
        return self.files.sizes(location)

    def _look(
        self, partitions: Sequence[tuple[Table, list[str]]]
    ) -> dict[tuple[str, str], Measured]:
        """{(table, dt): rows and numbers}; without rules the files' footers tell all of it."""
        rules: Callable[[str], Sequence[Rule]] = self._gate.rules if self._gate else lambda _: ()
        written = {table.name: self._places(table, dts) for table, dts in partitions}

        def reference(table: Table, of: str) -> DataFrame:
            current, ours = self.versions(table), written.get(table.name, {})
            days = reference_days(written[of])
            places = [ours.get(dt) or current.get(dt) for dt in days]
            return read_versions(self.spark, self.lake, table, [one for one in places if one])

        return measure(
            [
                (
                    table,
                    read_versions(self.spark, self.lake, table, list(written[table.name].values())),
                )
                for table, dts in partitions
                if dts
            ],
            rules,
            reference,
        )

    def _places(self, table: Table, dts: Iterable[str]) -> dict[str, Item]:
        """{dt: this attempt's version}, as ``read_versions`` takes it."""
        return {
            dt: {"location": self.lake.location(table, dt, self.version), "files": 1} for dt in dts
        }


def rebalanced(frame: DataFrame) -> DataFrame:
    """The same rows, those of a dt together in files of about 128 MB (see session.py)."""
    return frame.sparkSession.sql("SELECT /*+ REBALANCE(dt) */ * FROM {frame}", frame=frame)
