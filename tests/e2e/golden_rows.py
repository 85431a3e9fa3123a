"""The golden events, and every row of a lake in a form that compares with the golden rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"
EVENTS = [line.encode() for line in (GOLDEN / "events.jsonl").read_text().splitlines()]
TABLES = {
    "voxlake_cleansed": ("posts", "comments", "profiles", "interactions", "messages"),
    "voxlake_analytics": (
        "texts_scored",
        "sentiment_hourly",
        "emotion_daily",
        "entities_daily",
        "topic_daily",
        "engagement_daily",
        "authors_daily",
        "conversations",
        "word_frequencies",
        "tickets",
        "stream_scores",
    ),
}
PROVENANCE = {"arrival", "shard", "sequence"}
# When it was put on the stream, and what comes of that.
PROVENANCE |= {"arrived_at", "scored_at", "opened_at", "updated_at", "ticket_id"}
TOLERANCE = 1e-3
"""Processors differ in the last places of a probability; labels and counts must be the same."""


def all_rows(lake) -> dict[str, list]:
    found = {}
    for database, tables in TABLES.items():
        for table in tables:
            rows = lake.sql(f"SELECT * FROM {database}.{table}")
            rows = [{k: plain(v) for k, v in r.items() if k not in PROVENANCE} for r in rows]
            found[f"{database}.{table}"] = sorted(rows, key=exact)
    return found


def plain(value):
    """Floats rounded, also those of a map that Athena wrote as text."""
    if isinstance(value, str) and value.startswith("{") and "=0." in value:
        pairs = (pair.split("=") for pair in value[1:-1].split(", "))
        return {name: round(float(number), 4) for name, number in pairs}
    return round(value, 4) if isinstance(value, float) else value


def exact(row: dict) -> str:
    """What of a row is the same on every processor, to sort by."""
    return json.dumps({k: v for k, v in row.items() if not isinstance(v, float | dict)})


def close(rows: list[dict]) -> list:
    """Rows to compare others with: floats within the tolerance, all else exactly."""
    return [
        {
            name: pytest.approx(value, abs=TOLERANCE) if isinstance(value, float | dict) else value
            for name, value in row.items()
        }
        for row in rows
    ]
