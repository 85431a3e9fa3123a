"""The single description of every table: catalog, Spark schemas and docs are made from it.

``python -m voxlake.tables > docs/tables.md`` writes the documentation.
"""

from __future__ import annotations

from voxlake.tables.analytics import ANALYTICS
from voxlake.tables.cleansed import CLEANSED
from voxlake.tables.model import (
    DATABASE_PREFIX,
    ZONES,
    Column,
    Table,
    glue_columns,
    glue_partition_keys,
    spark_schema_json,
)
from voxlake.tables.quality import QUALITY_RESULTS
from voxlake.tables.stream_path import STREAM_PATH

TABLES: dict[str, Table] = {
    table.name: table for table in (*CLEANSED, *ANALYTICS, *STREAM_PATH, QUALITY_RESULTS)
}
"""Every table by its name; names are unique across the databases."""

TABLE_OF_EVENT_TYPE: dict[str, str] = {
    "post": "posts",
    "comment": "comments",
    "profile": "profiles",
    "interaction": "interactions",
    "message": "messages",
}
"""Cleansed table of each event type."""

TEXT_EVENT_TYPES = ("post", "comment", "message")
"""The types that carry a text to score."""

ALL_TRACKERS = "(all)"
NO_TRACKER = "(none)"

__all__ = [
    "ALL_TRACKERS",
    "DATABASE_PREFIX",
    "NO_TRACKER",
    "TABLES",
    "TABLE_OF_EVENT_TYPE",
    "TEXT_EVENT_TYPES",
    "ZONES",
    "Column",
    "Table",
    "database_name",
    "glue_columns",
    "glue_partition_keys",
    "spark_schema_json",
    "tables_of_zone",
]


def database_name(zone: str, prefix: str = DATABASE_PREFIX) -> str:
    """Glue database of a zone, such as ``voxlake_landing``.

    Raises:
        ValueError: the zone has no database.
    """
    if zone not in ZONES:
        raise ValueError(f"expected one of {ZONES}, found {zone!r}")
    return f"{prefix}_{zone}"


def tables_of_zone(zone: str) -> list[Table]:
    """The tables of a zone in the order of the docs."""
    return [table for table in TABLES.values() if table.zone == zone]
