"""Quality rules in the report: asked of the laptop's SQL engine over made-up results."""

from __future__ import annotations

import duckdb

from localcloud.athena import dialect
from tests.unit.cli.test_report import page_data
from voxlake.cli.report.quality import BrokenRule, Quality, TableQuality, gather_quality
from voxlake.cli.report.verb import render
from voxlake.cli.run import quality_lines

COLUMNS = """run_id VARCHAR, table_name VARCHAR, partition_dt VARCHAR, rule VARCHAR, level VARCHAR,
    passed BOOLEAN, expected VARCHAR, found VARCHAR, checked_at TIMESTAMP"""
RARE, SPARSE = "RowCount > 5", "RowCount > 1"


def gathered(*rows: tuple) -> Quality:
    connection = duckdb.connect()
    connection.execute(dialect.MACROS)
    connection.execute(
        f"CREATE SCHEMA voxlake_analytics; USE voxlake_analytics;"
        f"CREATE TABLE quality_results ({COLUMNS})"
    )
    if rows:
        connection.executemany("INSERT INTO quality_results VALUES (?,?,?,?,?,?,?,?,?)", rows)

    def ask(sql: str) -> list[dict]:
        done = connection.execute(dialect.to_duckdb(dialect.parse(sql)))
        names = [column[0] for column in done.description]
        return [dict(zip(names, row, strict=True)) for row in done.fetchall()]

    return gather_quality(ask)


def result(run: int, table: str, dt: str, rule: str, passed: bool | None, found: str, **other):
    level, expected = other.get("level", "warn"), other.get("expected", RARE)
    at = f"2026-03-05 0{run}:00:00"
    return (f"r{run}", table, dt, rule, level, passed, expected, found, at)


def test_the_newest_verdict_of_a_partition_counts():
    told = gathered(
        result(1, "posts", "2026-03-01", "usual", False, "2"),
        result(2, "posts", "2026-03-01", "usual", True, "7"),
        result(1, "posts", "2026-03-02", "usual", False, "3"),
        result(2, "posts", "2026-03-03", "usual", False, "4"),
        result(2, "posts", "2026-03-04", "usual", None, "the day is not over"),
        result(2, "texts_scored", "2026-03-03", "some", False, "0", level="halt", expected=SPARSE),
    )
    assert told == Quality(
        [TableQuality("posts", 1, 4, 1, 2, 1), TableQuality("texts_scored", 1, 1, 0, 1, 0)],
        [
            BrokenRule("texts_scored", "some", "halt", 1, "2026-03-03", "2026-03-03", SPARSE, "0"),
            BrokenRule("posts", "usual", "warn", 2, "2026-03-02", "2026-03-03", RARE, "3"),
        ],
    )
    page = render(page_data(quality=told))
    assert '<td class="bad">halt</td>' in page
    assert "2026-03-02 and 1 more,<br>last 2026-03-03" in page
    assert "RowCount &gt; 5" in page


def test_without_results_the_section_says_so():
    assert gathered() == Quality()
    assert "No partition was held to a rule." in render(page_data())


def test_a_run_tells_its_warnings():
    item = {"checked": 12, "warned": 2, "warnings": ["usual of posts …", "told of posts …"]}
    many = {"checked": 30, "warned": 25, "warnings": ["one"] * 20}
    assert quality_lines({"a": {"counts": {}}}) == []
    assert quality_lines({"a": {}, "QUALITY#a": item}) == [
        "Quality: 12 checks, 2 warnings",
        "  warn: usual of posts …",
        "  warn: told of posts …",
    ]
    assert quality_lines({"QUALITY#b": many})[-1] == "  and 5 more: see quality_results"
