"""Glue job: what the stream path knows becomes the analytics tables tickets and stream_scores.

Tickets: those that changed since the last run, by the table's index of changes, into the days of
their texts. Provisional scores: of each day that texts_scored has in another version than
stream_scores was made from; the texts name the keys, so nothing is scanned. DynamoDB's scores
expire; those that the lake has, it keeps as long as their texts.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType, TimestampType

from glue_jobs.common.arguments import JobArguments
from glue_jobs.common.frames import table_columns, table_schema
from glue_jobs.common.job import Job, now_text, repeated
from glue_jobs.common.publisher import SMALL_ROWS, Publisher, TableWrite
from glue_jobs.common.stream_tables import ChangedTickets, TicketsTable, read_scores
from voxlake.ledger import items, rules
from voxlake.ledger.items import Item
from voxlake.tables import TABLES, Table
from voxlake.tables.stream_path import STREAM_PATH
from voxlake.tickets.lake import JOB, fingerprint, ticket_row
from voxlake.times import format_rfc3339

if TYPE_CHECKING:
    import pandas

TICKETS, SCORES, SCORED = TABLES["tickets"], TABLES["stream_scores"], TABLES["texts_scored"]

# Writers' clocks differ and an index follows its table: what is as new as this is read again.
OVERLAP = timedelta(minutes=15)
# What one run takes; the rest is the next one's.
MAX_TICKETS = 200_000
MAX_DAYS = 1000

UNTRACKED = "-"
"""Sort key of the score of a text without tracker."""
_KEY = ("dt", "event_id")


def as_read(table: Table, *more: str) -> StructType:
    """A table's columns and dt with times as text (RFC 3339), and more columns of text."""
    fields = [
        StructField(field.name, StringType())
        if isinstance(field.dataType, TimestampType)
        else StructField(field.name, field.dataType)
        for field in table_schema(table)
    ]
    return StructType(fields + [StructField(name, StringType()) for name in more])


def ticket_frame(spark: SparkSession, tickets: Sequence[Item]) -> DataFrame:
    """Rows of the table tickets with dt. tickets: their items in DynamoDB."""
    schema = as_read(TICKETS)
    rows = [ticket_row(ticket) for ticket in tickets]
    values = [tuple(row[name] for name in schema.names) for row in rows]
    return spark.createDataFrame(values, schema).select(*table_columns(TICKETS), "dt")


def not_known(changed: DataFrame, known: DataFrame) -> DataFrame:
    """Tickets that the lake does not have as they are."""
    same = ["ticket_id", "revision"]
    return changed.join(known.select(*same), same, "left_anti")


def merged(known: DataFrame, fresh: DataFrame) -> DataFrame:
    """Known tickets, with the fresh ones in place of what they were."""
    kept = known.join(fresh.select("ticket_id"), "ticket_id", "left_anti")
    return kept.unionByName(fresh.select(*kept.columns))


def provisional_scores(texts: DataFrame, table: str) -> DataFrame:
    """Rows of stream_scores with dt, of those texts that have a provisional score.

    Args:
        texts: rows of texts_scored with dt.
        table: the scores' table in DynamoDB.
    """
    # What the record knows of a text is not asked again: an answer costs by its attributes.
    of_record = ("dt", "event_type", "source")
    asked = [field for field in as_read(SCORES, "text") if field.name not in of_record]
    schema = StructType(asked)

    def ask(batches: Iterator[pandas.DataFrame]) -> Iterator[pandas.DataFrame]:
        import pandas as pd

        for batch in batches:
            keys = zip(batch["event_id"], batch["tracker"], strict=True)
            found = read_scores(table, keys, schema.names)
            rows = [[item.get(name) for name in schema.names] for item in found]
            yield pd.DataFrame(rows, columns=schema.names).astype({"polarity": float})

    tracker = F.coalesce(F.get("trackers", F.lit(0)), F.lit(UNTRACKED))
    found = texts.select("event_id", tracker.alias("tracker")).mapInPandas(ask, schema)
    # Of an event that came twice with two texts, only the score of the record's text is meant.
    record = texts.select("event_id", "text", *of_record)
    return found.join(record, ["event_id", "text"]).select(*table_columns(SCORES), "dt")


def with_scores(texts: DataFrame, known: DataFrame, table: str) -> DataFrame:
    """stream_scores as it will be of some days: what is known of their texts, and what is new.

    Args:
        texts, table: see ``provisional_scores``.
        known: rows of stream_scores of these days.
    """
    kept = known.join(texts.select(*_KEY), list(_KEY), "left_semi")
    asked = texts.join(known.select(*_KEY), list(_KEY), "left_anti")
    return kept.unionByName(provisional_scores(asked, table).select(*kept.columns))


def run(job: Job, tickets: TicketsTable, scores_table: str) -> Item:
    """One run of the job; returns its ledger item."""
    started_at = now_text()
    return repeated(lambda: _attempt(job, tickets, scores_table, started_at))


def _attempt(job: Job, tickets: TicketsTable, scores_table: str, started_at: str) -> Item:
    with job.leases(STREAM_PATH) as leases:
        read_at = datetime.now(UTC)
        position = job.ledger.position(JOB) or {}
        changed = tickets.changed(position.get("since", items.FROM_THE_BEGINNING), MAX_TICKETS)
        scored = job.ledger.versions(job.lake.database(SCORED), SCORED.name)
        stale = rules.stale_dts(
            job.ledger.versions(job.lake.database(SCORES), SCORES.name), {SCORED.name: scored}
        )[-MAX_DAYS:]
        if fingerprint(changed.tickets) == position.get("seen", fingerprint([])) and not stale:
            print("no ticket and no scored text changed, nothing done")
            return job.finish(started_at, [])
        publisher = job.publisher(job.spark(), leases)
        writes = _tickets_write(publisher, changed.tickets)
        if stale:
            writes.append(_scores_write(publisher, stale, scores_table))
        written = publisher.write(writes)
        following = _position(job, changed, read_at)
        publisher.publish_and(written, lambda: job.ledger.put_position(following))
        publisher.spark.catalog.clearCache()
        return job.finish(started_at, written, f"{len(changed.tickets):,} tickets read")


def _tickets_write(publisher: Publisher, tickets: Sequence[Item]) -> list[TableWrite]:
    """The days of tickets that the lake does not have as they are."""
    if not tickets:
        return []
    known = publisher.read(TICKETS, {ticket["dt"] for ticket in tickets})
    fresh = not_known(ticket_frame(publisher.spark, tickets), known).persist(
        StorageLevel.MEMORY_AND_DISK
    )
    dts = tuple(sorted(row["dt"] for row in fresh.select("dt").distinct().collect()))
    frame = merged(known.where(F.col("dt").isin(*dts)), fresh)
    versions = publisher.versions(TICKETS)
    rows = len(tickets) + sum(versions[dt]["rows"] for dt in dts if dt in versions)
    return [TableWrite(TICKETS, frame, dts, small=rows <= SMALL_ROWS)]


def _scores_write(publisher: Publisher, dts: Sequence[str], table: str) -> TableWrite:
    scored = publisher.versions(SCORED)
    frame = with_scores(publisher.read(SCORED, dts), publisher.read(SCORES, dts), table)
    made = {dt: {SCORED.name: scored[dt]["version"]} for dt in dts}
    small = sum(scored[dt]["rows"] for dt in dts) <= SMALL_ROWS
    return TableWrite(SCORES, frame, tuple(dts), sources=made, small=small)


def _position(job: Job, changed: ChangedTickets, read_at: datetime) -> Item:
    """Where the next run reads on, and what this one has seen from there on."""
    since = changed.more_since or format_rfc3339(read_at - OVERLAP)
    again = [ticket for ticket in changed.tickets if ticket["updated_at"] >= since]
    # Of a part it is not known what it looks like whole: no fingerprint is its own.
    seen = "" if changed.more_since else fingerprint(again)
    return items.position_item(JOB, since=since, seen=seen, run_id=job.run_id)


def main(argv: Sequence[str]) -> None:
    """Runs the job as Glue starts it."""
    arguments = JobArguments.parse(argv)
    arguments.demand("tickets_table", "scores_table")
    job = Job.from_arguments(JOB, arguments)
    run(job, TicketsTable(arguments.tickets_table), arguments.scores_table)


if __name__ == "__main__":
    main(sys.argv[1:])
