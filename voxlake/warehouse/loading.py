"""What a load does, as SQL: which of the lake's partitions changed, and how they are replaced.

A table's changed days are replaced in one transaction: staged by COPY from a manifest that names
exactly the current files, deleted, inserted, and noted with their versions. Repeating a load, a
corrected day and an erased person are all the same to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from voxlake.tables import TABLES

_TYPES = {
    "string": "VARCHAR(65535)",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "double": "DOUBLE PRECISION",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
}
"""The lake's types as COPY wants them; anything nested is SUPER."""

DAYS_AT_ONCE = 200
PIECES_AT_ONCE = 5
"""The Data API takes 40 statements in a transaction, and a piece of a day takes up to 4."""

LOADED = "SELECT table_name, dt::VARCHAR, version FROM loading.versions"


@dataclass(frozen=True)
class Bridge:
    """A table with a row for each item of an array of the fact's rows."""

    table: str
    column: str
    array: str


@dataclass(frozen=True)
class Fact:
    """One of the lake's tables and the fact it becomes.

    Attributes:
        lake: name of the lake's table.
        star: the fact.
        key: the column by which bridges find a row, beside dt.
        dt: SQL of a row's day; None where no column says it, so that each day is copied alone (COPY
            does not load partition keys).
        left_out: columns that are not in the fact.
    """

    lake: str
    star: str
    dt: str | None
    left_out: tuple[str, ...] = ()
    bridges: tuple[Bridge, ...] = ()
    key: str = "event_id"

    @property
    def columns(self) -> list[str]:
        """The fact's columns but dt, in the lake's order."""
        return [name for name in TABLES[self.lake].column_names if name not in self.left_out]


FACTS = (
    Fact(
        "texts_scored",
        "star.fact_texts",
        "TRUNC(s.occurred_at)",
        ("trackers", "hashtags", "emotions", "emotion_scores", "entities"),
        (
            Bridge("star.text_trackers", "tracker", "trackers"),
            Bridge("star.text_emotions", "emotion", "emotions"),
        ),
    ),
    Fact(
        "interactions",
        "star.fact_interactions",
        "TRUNC(s.occurred_at)",
        ("schema_version", "arrival", "shard", "sequence"),
    ),
    Fact("tickets", "star.fact_tickets", None, ("trackers",), key="ticket_id"),
)


@dataclass(frozen=True)
class Change:
    """A day whose version in the lake is not the one loaded; `version` None: it is gone."""

    dt: str
    version: str | None = None
    location: str = ""
    rows: int = 0


@dataclass(frozen=True)
class Piece:
    """What one COPY brings: a manifest's URI and its days."""

    manifest: str
    dts: tuple[str, ...]


def changes(current: Mapping[str, Mapping[str, Any]], loaded: Mapping[str, str]) -> list[Change]:
    """Days to load, oldest first.

    Args:
        current: {dt: version item} of the ledger.
        loaded: {dt: version} as the warehouse says.
    """
    found = [
        Change(dt, item["version"], item["location"], int(item["rows"]))
        for dt, item in current.items()
        if loaded.get(dt) != item["version"]
    ]
    found += [Change(dt) for dt in loaded if dt not in current]
    return sorted(found, key=lambda change: change.dt)


def batches(fact: Fact, found: Sequence[Change]) -> list[list[Change]]:
    """Changes by transaction: as many days as a transaction takes."""
    size = DAYS_AT_ONCE if fact.dt else PIECES_AT_ONCE
    return [list(found[start : start + size]) for start in range(0, len(found), size)]


def manifest(files: Mapping[str, int]) -> str:
    """COPY's manifest of Parquet files. `files`: {URI: bytes}."""
    entries = [
        {"url": uri, "mandatory": True, "meta": {"content_length": size}}
        for uri, size in sorted(files.items())
    ]
    return json.dumps({"entries": entries}, separators=(",", ":"))


def load_statements(
    fact: Fact,
    found: Sequence[Change],
    pieces: Sequence[Piece],
    iam_role: str,
    trackers: Mapping[str, str],
) -> list[str]:
    """The statements of the transaction that brings a fact's changed days up to date.

    Args:
        found: the days, at most as many as `batches` puts together.
        pieces: where their files are; days without files are in none.
        iam_role: ARN of the role that COPY reads with.
        trackers: {tracker id: name} of today's trackers.
    """
    wanted = ", ".join(
        f"({_quoted(one.dt)}, {_quoted(one.version)}, {one.rows})" for one in found if one.version
    )
    days = ", ".join(_quoted(one.dt) for one in found)
    statements = [
        _staged(fact),
        "CREATE TEMP TABLE wanted (dt DATE, version VARCHAR(128), day_rows BIGINT)",
        *([f"INSERT INTO wanted VALUES {wanted}"] if wanted else []),
        f"DELETE FROM {fact.star} WHERE dt IN ({days})",
        *(f"DELETE FROM {bridge.table} WHERE dt IN ({days})" for bridge in fact.bridges),
    ]
    for piece in pieces:
        statements += _piece(fact, piece, iam_role)
    statements += [
        f"DELETE FROM loading.versions WHERE table_name = '{fact.lake}' AND dt IN ({days})",
        # NULL in loaded_rows ends the transaction: other rows came than the ledger counted.
        "INSERT INTO loading.versions "
        f"SELECT '{fact.lake}', w.dt, w.version, "
        "CASE WHEN NVL(f.found_rows, 0) = w.day_rows THEN w.day_rows END, GETDATE() "
        f"FROM wanted w LEFT JOIN (SELECT dt, COUNT(*) AS found_rows FROM {fact.star} "
        f"WHERE dt IN ({days}) GROUP BY dt) f ON f.dt = w.dt",
    ]
    return [*statements, *_dimensions(fact, trackers)]


def _piece(fact: Fact, piece: Piece, iam_role: str) -> list[str]:
    day = fact.dt or f"CAST({_quoted(piece.dts[0])} AS DATE)"
    columns = ", ".join(fact.columns)
    taken = ", ".join(f"s.{name}" for name in fact.columns)
    return [
        f"COPY staged FROM {_quoted(piece.manifest)} IAM_ROLE {_quoted(iam_role)} "
        "FORMAT AS PARQUET MANIFEST SERIALIZETOJSON",
        f"INSERT INTO {fact.star} (dt, {columns}) SELECT {day}, {taken} FROM staged s",
        *(
            f"INSERT INTO {bridge.table} ({fact.key}, dt, {bridge.column}) "
            f"SELECT s.{fact.key}, {day}, item::VARCHAR(256) "
            f"FROM staged AS s, s.{bridge.array} AS item"
            for bridge in fact.bridges
        ),
        "DELETE FROM staged",
    ]


def _staged(fact: Fact) -> str:
    """The staging table: every column of the lake's files in their order, as COPY demands."""
    columns = ", ".join(
        f"{column.name} {_TYPES.get(column.type, 'SUPER')}" for column in TABLES[fact.lake].columns
    )
    return f"CREATE TEMP TABLE staged ({columns})"


def _dimensions(fact: Fact, trackers: Mapping[str, str]) -> list[str]:
    """The dimensions that a fact's rows bring, counted anew from what is there now."""
    if fact.lake == "tickets":
        return []
    statements = [
        "DELETE FROM star.dim_author",
        "INSERT INTO star.dim_author SELECT author_id, MIN(occurred_at), MAX(occurred_at), "
        "SUM(texts)::BIGINT, SUM(interactions)::BIGINT FROM ("
        "SELECT author_id, occurred_at, 1 AS texts, 0 AS interactions FROM star.fact_texts "
        "UNION ALL SELECT author_id, occurred_at, 0, 1 FROM star.fact_interactions) seen "
        "WHERE author_id IS NOT NULL GROUP BY author_id",
    ]
    if fact.lake == "texts_scored":
        named = ", ".join(f"({_quoted(i)}, {_quoted(name)})" for i, name in trackers.items())
        statements += [
            "DELETE FROM star.dim_topic",
            "INSERT INTO star.dim_topic SELECT topic, MIN(dt), MAX(dt), COUNT(*) "
            "FROM star.fact_texts WHERE topic IS NOT NULL GROUP BY topic",
            "DELETE FROM star.dim_tracker",
            *([f"INSERT INTO star.dim_tracker VALUES {named}"] if named else []),
            # Followed once, and no more: its id is all that is known.
            "INSERT INTO star.dim_tracker SELECT DISTINCT tracker, tracker FROM star.text_trackers "
            "WHERE tracker NOT IN (SELECT tracker FROM star.dim_tracker)",
        ]
    return statements


def _quoted(text: str | None) -> str:
    return "'" + (text or "").replace("'", "''") + "'"
