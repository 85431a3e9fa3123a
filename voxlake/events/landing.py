"""Spark schemas of landing's JSON lines, as DDL strings."""

from __future__ import annotations

from importlib import resources

QUARANTINE_LINE_DDL = (
    "stream STRING, shard STRING, sequence STRING, arrival STRING, event_type STRING, "
    "event_id STRING, reason STRING, field STRING, detail STRING, data STRING"
)
"""A quarantine line; data is base64 of the original bytes."""


def landing_event_spark_schema(event_type: str) -> str:
    """Schema of an event type's landing lines: stream, shard, sequence, arrival, event.

    Times are strings; generated from the models, read from the package (also out of a zip).

    Raises:
        FileNotFoundError: no such event type.
    """
    schemas = resources.files("voxlake.events.schemas")
    return schemas.joinpath(f"landing_{event_type}.ddl").read_text(encoding="utf-8").strip()
