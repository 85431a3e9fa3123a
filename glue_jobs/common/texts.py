"""The three text tables as one frame, and which versions of them a run works on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from glue_jobs.common.frames import read_versions
from glue_jobs.common.lake import Lake
from voxlake.ledger.items import Item
from voxlake.tables import TABLE_OF_EVENT_TYPE, TABLES, TEXT_EVENT_TYPES, Table

TEXT_TABLES: dict[str, Table] = {
    event_type: TABLES[TABLE_OF_EVENT_TYPE[event_type]] for event_type in TEXT_EVENT_TYPES
}
TEXT_KEY = ("dt", "event_type", "event_id")

_NATIVE_ID = {"post": "post_id", "comment": "comment_id", "message": "event_id"}
_THREAD_ID = {"post": None, "comment": "thread_id", "message": "conversation_id"}
_TYPES = {
    "lang": "string",
    "hashtags": "array<string>",
    "like_count": "bigint",
    "share_count": "bigint",
}

Chosen = Mapping[str, Mapping[str, str]]
"""{dt: {table: version}}."""


def read_chosen(spark: SparkSession, lake: Lake, table: Table, chosen: Chosen) -> DataFrame:
    """Rows of a table at the versions a run chose, whatever has been published since.

    Versions are immutable and kept for a day after the next one, longer than any run.
    """
    return read_versions(
        spark,
        lake,
        table,
        [
            {"location": lake.location(table, dt, versions[table.name]), "files": 1}
            for dt, versions in sorted(chosen.items())
            if table.name in versions
        ],
    )


def texts(spark: SparkSession, lake: Lake, chosen: Chosen) -> DataFrame:
    """All texts of the chosen versions.

    Returns:
        One row a text: dt, event_id, event_type, source, native_id, thread_id, occurred_at,
        author_id, lang, text, hashtags, like_count, share_count; null where its type has no such
        field.
    """
    return reduce(
        DataFrame.unionByName,
        [
            as_texts(read_chosen(spark, lake, table, chosen), event_type)
            for event_type, table in TEXT_TABLES.items()
        ],
    )


def as_texts(rows: DataFrame, event_type: str) -> DataFrame:
    """Rows of one text table in the shape of ``texts``."""
    thread = _THREAD_ID[event_type]
    return rows.select(
        "dt",
        "event_id",
        F.lit(event_type).alias("event_type"),
        "source",
        F.col(_NATIVE_ID[event_type]).alias("native_id"),
        (F.col(thread) if thread else F.lit(None).cast("string")).alias("thread_id"),
        "occurred_at",
        "author_id",
        "text",
        *[
            (F.col(name) if name in rows.columns else F.lit(None).cast(kind)).alias(name)
            for name, kind in _TYPES.items()
        ],
    )


def chosen_versions(versions: Mapping[str, Mapping[str, Item]], dts: list[str]) -> Chosen:
    """Current versions of some tables for some days.

    Args:
        versions: {table: {dt: version item}}.
    """
    return {
        dt: {table: by_dt[dt]["version"] for table, by_dt in versions.items() if dt in by_dt}
        for dt in dts
    }
