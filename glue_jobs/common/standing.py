"""What a line is among the lines of its run, and beside the row that its table has already."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from glue_jobs.common import landing
from glue_jobs.common.tally import (
    LATER,
    NEW,
    QUARANTINE_TABLE,
    RECORDED,
    REDELIVERED,
    REPEATED,
    REPLACES,
    Cell,
)
from voxlake.tables import TABLE_OF_EVENT_TYPE, TABLES, Table

TARGETS = [TABLES[name] for name in (*TABLE_OF_EVENT_TYPE.values(), QUARANTINE_TABLE)]
"""The tables that lines become rows of."""
IDENTITY = ("_table", "dt", "_id")
"""What two lines of one event share."""


def arrival_order(prefix: str = "") -> list[Column]:
    """What makes a line the first: arrival, shard, sequence number (as a number)."""
    sequence = F.col(f"{prefix}sequence")
    return [F.col(f"{prefix}arrival"), F.col(f"{prefix}shard"), F.length(sequence), sequence]


def with_status(lines: DataFrame, salts: int = 1) -> DataFrame:
    """Says of each line what it is among the lines of the run.

    Args:
        lines: see ``landing.lines``.
        salts: into how many tasks a table's day may be spread.

    Returns:
        The lines with ``_status``: ``new`` for the first of its (_table, dt, _id) in order of
        arrival, ``repeated`` for the others, ``redelivered`` for a line that an object processed
        before, or an earlier object of this run, holds.
    """
    # The sort before the window compares numbers this way, hardly ever the texts after them. A
    # table's lines stay together, so that reading one table from the cache skips the others, and
    # in it a day's, so that the writer's sort by dt finds its work done.
    near = F.xxhash64("_id").bitwiseAND(F.lit(2**40 - 1))
    day = F.unix_date(F.col("dt").cast("date")).bitwiseAND(F.lit(2**16 - 1)).cast("bigint")
    places = [part for at, table in enumerate(TARGETS) for part in (table.name, at * 2**56)]
    table_at = F.create_map(*map(F.lit, places))[F.col("_table")]
    sort_key = table_at + F.shiftleft(day, 40) + near
    same_event = Window.partitionBy(
        "_sort_key", "_table", "dt", "_salt", "_id", "_covered"
    ).orderBy(*arrival_order(), "_object")
    same_record = F.lag("shard").over(same_event).eqNullSafe(F.col("shard")) & F.lag(
        "sequence"
    ).over(same_event).eqNullSafe(F.col("sequence"))
    # Without its sequence number a line is nothing but its place among its equals.
    nameless = F.col("sequence").isNull()
    status = (
        F.when(nameless, NEW)
        .when(F.col("_covered") | F.col("_again"), REDELIVERED)
        .when(F.col("_place") == 1, NEW)
        .otherwise(REPEATED)
    )

    def numbered(name: str) -> Column:
        return F.when(nameless, F.concat(F.col(name), F.lit("#"), F.col("_place"))).otherwise(
            F.col(name)
        )

    return (
        lines.withColumn("_salt", F.pmod(F.xxhash64("_id"), F.lit(salts)))
        # By day, not by identity: one shuffle serves the window and the files.
        .repartition("_table", "dt", "_salt")
        .withColumn("_sort_key", sort_key)
        # In one go: Spark sorts again for a window it meets in another step.
        .withColumns({"_place": F.row_number().over(same_event), "_again": same_record})
        .withColumn("_status", status)
        .withColumns({"_id": numbered("_id"), "detail": numbered("detail")})
        .drop("_sort_key", "_salt", "_place", "_again", "_covered")
    )


def existing_identities(rows: DataFrame, table: Table) -> DataFrame:
    """Identity and delivery of a cleansed table's rows: _table, dt, _id, _was_arrival, …"""
    identity = landing.quarantine_id() if table.name == QUARANTINE_TABLE else F.col("event_id")
    return rows.select(
        F.lit(table.name).alias("_table"),
        "dt",
        identity.alias("_id"),
        *[F.col(name).alias(f"_was_{name}") for name in landing.DELIVERY],
    )


def with_existing_row(lines: DataFrame, existing: DataFrame) -> DataFrame:
    """Says of each line what it is beside the row its table has, in ``_existing``.

    Args:
        lines: with ``_status``.
        existing: see ``existing_identities``; an identity once.

    Returns:
        The lines with ``_existing``: null where the table has no such row, ``recorded`` where the
        row is this very line, ``replaces`` where this line arrived before the row and is the
        first of its run, else ``later``.
    """
    there = F.col("_was_arrival").isNotNull()
    same = F.col("_was_shard").eqNullSafe(F.col("shard")) & F.col("_was_sequence").eqNullSafe(
        F.col("sequence")
    )

    def order(prefix: str) -> Column:
        return F.struct(
            *[column.alias(f"by{at}") for at, column in enumerate(arrival_order(prefix))]
        )

    first_now = (F.col("_status") == NEW) & (order("") < order("_was_"))
    existing_is = (
        F.when(there & same, RECORDED).when(there & first_now, REPLACES).when(there, LATER)
    )
    return (
        lines.join(existing, list(IDENTITY), "left")
        .withColumn("_existing", existing_is)
        .drop(*[f"_was_{name}" for name in landing.DELIVERY])
    )


def count_cells(lines: DataFrame) -> list[Cell]:
    """The lines counted by what they are."""
    if "_existing" not in lines.columns:
        lines = lines.withColumn("_existing", F.lit(None).cast("string"))
    keys = ("_object", "_type", "_table", "dt", "_status", "_existing")
    return [Cell(*row) for row in lines.groupBy(*keys).count().collect()]
