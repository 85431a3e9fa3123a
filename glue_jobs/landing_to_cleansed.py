"""Glue job: pending landing objects become cleansed Parquet, each event once.

Claims what the ledger has pending, finds redelivered and duplicate lines, masks and normalises,
puts every event into the ``dt`` of its event time, and publishes new versions of the partitions
that change. Repeating it, also after a crash, gives the same tables.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce

import boto3
from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from glue_jobs.common import landing
from glue_jobs.common.arguments import JobArguments
from glue_jobs.common.cleaning import cleansed, with_cleaning
from glue_jobs.common.cleaning_by_python import CleaningRules
from glue_jobs.common.damage import find_damage, lost_lines
from glue_jobs.common.files import LakeFiles
from glue_jobs.common.frames import table_columns
from glue_jobs.common.job import Job, now_text, repeated
from glue_jobs.common.ledger import Ledger
from glue_jobs.common.publisher import SMALL_ROWS, Publisher, TableWrite, Written
from glue_jobs.common.report import number_table
from glue_jobs.common.row_rules import put_aside
from glue_jobs.common.session import shuffle_partitions
from glue_jobs.common.standing import (
    IDENTITY,
    TARGETS,
    count_cells,
    existing_identities,
    with_existing_row,
    with_status,
)
from glue_jobs.common.tally import (
    NEW,
    QUARANTINE_TABLE,
    REDELIVERED,
    REPLACES,
    Cell,
    Tally,
    tally,
    with_existing,
)
from voxlake.ids import Pseudonymiser
from voxlake.ledger import items, rules
from voxlake.ledger.items import Item
from voxlake.quality.rules import Rule
from voxlake.tables import Table
from voxlake.trackers import load_trackers

JOB = "landing_to_cleansed"
REPORT_COLUMNS = ("read", "valid", "redelivered", "duplicate", "quarantined", "written")

_ROWS_EACH_SALT = 1_000_000
# So many keys of the run's lines go to every task; more of them are shuffled instead.
_BROADCAST_ROWS = 200_000


def rows_of(table: Table, lines: DataFrame) -> DataFrame:
    """Lines of a table's events, or quarantined lines, as its rows."""
    if table.name == QUARANTINE_TABLE:
        return lines.select(*table_columns(table), "dt")
    return cleansed(lines, table)


@dataclass(frozen=True)
class Claim:
    """The landing objects of a run.

    Attributes:
        objects: their ledger items, by key.
        overlaps: {key: stretches that objects processed before hold}.
    """

    objects: dict[str, Item]
    overlaps: dict[str, list[tuple[int, int]]]

    @property
    def records(self) -> int:
        return sum(item["records"] for item in self.objects.values())

    @property
    def size_bytes(self) -> int:
        return sum(item["bytes"] for item in self.objects.values())


def claim(ledger: Ledger, files: LakeFiles, root: str) -> Claim:
    """What is pending and lies in storage; to be called under the leases.

    An object that is not there stays pending for reconcile to report, and says so here.
    """
    seen = ledger.pending_objects()
    shards: dict[tuple[str, str], int] = {}
    for item in seen:
        pair = (item["kind"], item["shard"])
        shards[pair] = min(int(item["first"]), shards.get(pair, int(item["first"])))
    # The index lags behind the table, so what it shows is asked again, consistently.
    with ThreadPoolExecutor(8) as pool:
        parts = pool.map(lambda pair: ledger.objects_from(*pair, shards[pair]), shards)
        near = [item for part in parts for item in part]
    pending = {item["key"]: item for item in near if item["state"] == items.STATE_PENDING}
    present = files.present(root, pending)
    for key in sorted(pending.keys() - present):
        print(f"missing: {key} is pending in the ledger but not in landing; left pending")
    objects = {key: pending[key] for key in sorted(present)}
    done = [item for item in near if item["state"] == items.STATE_DONE]
    return Claim(objects, rules.overlaps(objects.values(), done))


@dataclass(frozen=True)
class Decided:
    """The run's lines, what became of them, and the rows they meet in the tables."""

    lines: DataFrame
    existing: DataFrame | None
    sums: Tally


def decide(
    spark: SparkSession,
    publisher: Publisher,
    claimed: Claim,
    root: str,
    cleaning: CleaningRules,
    put_aside_by: Sequence[Rule] = (),
) -> Decided:
    """Reads the claimed objects once and says of every line what it is.

    Args:
        put_aside_by: quality rules of level quarantine.
    """
    shuffle_partitions(spark, claimed.records)
    raw = landing.read_objects(spark, root, list(claimed.objects))
    salts = max(1, claimed.records // _ROWS_EACH_SALT)
    cleaned = with_cleaning(landing.lines(raw, claimed.overlaps), cleaning)
    lines = with_status(put_aside(cleaned, put_aside_by), salts).persist(
        StorageLevel.MEMORY_AND_DISK
    )
    cells = count_cells(lines)

    read = tally(cells).lines
    short = {
        key: (read[key], item["records"])
        for key, item in claimed.objects.items()
        if read[key] < item["records"]
    }
    damaged = find_damage(spark, root, short)
    if damaged:
        for one in damaged:
            print(f"damaged: {one.key}: {one.why}; {one.lost} lines go to quarantine")
        lost = lost_lines(lines, damaged)
        lines, cells = lines.unionByName(lost), cells + count_cells(lost)

    existing = meet_existing(publisher, lines, cells)
    if existing is None:
        return Decided(lines, None, tally(cells))
    unseen = lines.where(F.col("_status") != REDELIVERED)
    matched = count_cells(with_existing_row(unseen, existing).where(F.col("_existing").isNotNull()))
    return Decided(lines, existing if matched else None, tally(with_existing(cells, matched)))


def meet_existing(
    publisher: Publisher, lines: DataFrame, cells: Sequence[Cell]
) -> DataFrame | None:
    """Identities of existing rows that lines of the run have too; None where there can be none.

    Reads four columns of the touched partitions and nothing else.
    """
    new = [cell for cell in cells if cell.status == NEW]
    parts = []
    for table in TARGETS:
        dts = {cell.dt for cell in new if cell.table == table.name}
        if dts & publisher.versions(table).keys():
            parts.append(existing_identities(publisher.read(table, dts), table))
    if not parts:
        return None
    keys = lines.where(F.col("_status") == NEW).select(*IDENTITY)
    if sum(cell.lines for cell in new) <= _BROADCAST_ROWS:
        keys = F.broadcast(keys)
    everything = reduce(DataFrame.unionByName, parts)
    return everything.join(keys, list(IDENTITY), "left_semi").persist(StorageLevel.MEMORY_AND_DISK)


def table_write(table: Table, decided: Decided, publisher: Publisher) -> TableWrite:
    """New contents of a table's partitions that gain or exchange rows; the others stay."""
    dts = decided.sums.touched(table.name)
    current = publisher.versions(table)
    chosen = decided.lines.where(
        (F.col("_table") == table.name) & (F.col("_status") == NEW) & F.col("dt").isin(dts)
    )
    if decided.existing is not None:
        of_table = decided.existing.where(F.col("_table") == table.name)
        chosen = with_existing_row(chosen, of_table).where(
            F.col("_existing").isNull() | (F.col("_existing") == REPLACES)
        )
    frame = rows_of(table, chosen)
    fresh = not any(dt in current for dt in dts)
    if not fresh:
        kept = publisher.read(table, dts)
        if any(decided.sums.replaced[table.name, dt] for dt in dts):
            gone = chosen.where(F.col("_existing") == REPLACES).select("dt", "event_id")
            kept = kept.join(gone, ["dt", "event_id"], "left_anti")
        frame = kept.unionByName(frame)
    rows = {
        dt: decided.sums.net[table.name, dt] + (current[dt]["rows"] if dt in current else 0)
        for dt in dts
    }
    return TableWrite(
        table=table,
        frame=frame,
        dts=tuple(dts),
        rows=rows,
        small=sum(rows.values()) <= SMALL_ROWS,
        by_day=fresh,  # as ``with_status`` left them
    )


def run(job: Job, cleaning: CleaningRules) -> Item | None:
    """One run of the job.

    Returns:
        The run's ledger item; None where nothing was pending and nothing was done.
    """
    started_at = now_text()
    if not job.ledger.pending_objects():
        print("nothing pending: no object to process, nothing done")
        return None
    spark = job.spark()
    return repeated(lambda: _attempt(job, spark, cleaning, started_at))


def _attempt(
    job: Job, spark: SparkSession, cleaning: CleaningRules, started_at: str
) -> Item | None:
    with job.leases(TARGETS) as leases:
        publisher = job.publisher(spark, leases)
        claimed = claim(job.ledger, publisher.files, job.lake.landing)
        if not claimed.objects:
            print("nothing pending: another run has processed it, nothing done")
            return None
        job.ledger.put_run(
            items.run_item(
                run_id=job.run_id, job=JOB, state=items.STATE_STARTED, started_at=started_at
            )
        )
        decided = decide(
            spark, publisher, claimed, job.lake.landing, cleaning, job.rules.quarantining()
        )
        for of_object in decided.sums.objects.values():
            rules.check_counts(of_object)
        written = publisher.write(
            [
                table_write(table, decided, publisher)
                for table in TARGETS
                if decided.sums.touched(table.name)
            ]
        )
        publisher.publish_and(
            written,
            lambda: job.ledger.mark_done(
                [(item, decided.sums.objects[key]) for key, item in claimed.objects.items()],
                job.run_id,
            ),
        )
        item = finished(job, claimed, decided.sums, written, started_at)
        job.ledger.put_run(item)
        spark.catalog.clearCache()
    show(item, len(claimed.objects))
    return item


def finished(
    job: Job, claimed: Claim, sums: Tally, written: Sequence[Written], started_at: str
) -> Item:
    """The run's item: counts by table, rows by partition, bytes."""
    counts = {
        name: {column: of_table[column] for column in REPORT_COLUMNS}
        for name, of_table in sums.tables.items()
    }
    partitions: dict[str, dict[str, int]] = {}
    for one in written:
        partitions.setdefault(one.table.name, {})[one.dt] = one.rows
        counts[one.table.name]["written"] += one.rows
    return items.run_item(
        run_id=job.run_id,
        job=JOB,
        state=items.STATE_DONE,
        started_at=started_at,
        finished_at=now_text(),
        counts=counts,
        partitions=partitions,
        bytes_in=claimed.size_bytes,
        bytes_out=sum(one.size_bytes for one in written),
    )


def show(item: Item, objects: int) -> None:
    """Prints what a run did."""
    print(number_table(JOB, REPORT_COLUMNS, item["counts"]))
    rewritten = sum(len(dts) for dts in item["partitions"].values())
    print(
        f"{objects} objects, {item['bytes_in']:,} bytes in; {rewritten} partitions, "
        f"{item['bytes_out']:,} bytes out; write amplification {item['write_amplification']}"
    )


def main(argv: Sequence[str]) -> None:
    """Runs the job as Glue starts it."""
    arguments = JobArguments.parse(argv)
    secret = boto3.client("secretsmanager").get_secret_value(
        SecretId=arguments.pseudonym_secret_arn
    )["SecretString"]
    key = json.loads(secret)
    Pseudonymiser.from_secret(key)  # a bad key fails here, by name, not in a Python worker
    cleaning = CleaningRules(key["key_id"], key["key"].encode(), load_trackers().kept_handles)
    run(Job.from_arguments(JOB, arguments), cleaning)


if __name__ == "__main__":
    main(sys.argv[1:])
