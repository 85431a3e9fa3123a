"""What the quality rules said of the tables: the newest verdict of each rule on each partition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

SHOWN = 20
_NEWEST = """
    WITH newest AS (
        SELECT *, row_number() OVER (PARTITION BY table_name, partition_dt, rule
                                     ORDER BY checked_at DESC, run_id DESC) AS place
        FROM voxlake_analytics.quality_results)"""
_BY_TABLE = f"""{_NEWEST}
    SELECT table_name, count(DISTINCT rule) AS rules, count(DISTINCT partition_dt) AS partitions,
        sum(CASE WHEN passed THEN 1 ELSE 0 END) AS held,
        sum(CASE WHEN passed THEN 0 WHEN passed IS NULL THEN 0 ELSE 1 END) AS broken,
        sum(CASE WHEN passed IS NULL THEN 1 ELSE 0 END) AS unjudged
    FROM newest WHERE place = 1 GROUP BY 1 ORDER BY 1"""
_BROKEN = f"""{_NEWEST}
    SELECT table_name, rule, level, count(*) AS partitions, min(partition_dt) AS first_dt,
        max(partition_dt) AS last_dt, min_by(expected, partition_dt) AS expected,
        min_by(found, partition_dt) AS found
    FROM newest WHERE place = 1 AND NOT passed
    GROUP BY 1, 2, 3 ORDER BY level, partitions DESC, 1, 2 LIMIT {SHOWN}"""


@dataclass(frozen=True)
class TableQuality:
    """A table's rules, its partitions held to them, and how many verdicts came out how."""

    table_name: str
    rules: int
    partitions: int
    held: int
    broken: int
    unjudged: int


@dataclass(frozen=True)
class BrokenRule:
    """A rule that some partitions break; expected and found are the first one's."""

    table_name: str
    rule: str
    level: str
    partitions: int
    first_dt: str
    last_dt: str
    expected: str
    found: str


@dataclass
class Quality:
    """What the section shows."""

    tables: list[TableQuality] = field(default_factory=list)
    broken: list[BrokenRule] = field(default_factory=list)


def gather_quality(ask: Callable[[str], list[dict]]) -> Quality:
    """Asks quality_results; ``ask`` answers SQL with rows by column."""
    tables = [TableQuality(**row) for row in ask(_BY_TABLE)]
    any_broken = any(table.broken for table in tables)
    return Quality(tables, [BrokenRule(**row) for row in ask(_BROKEN)] if any_broken else [])
