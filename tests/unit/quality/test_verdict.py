"""Rules held to numbers, and what a gate says of the verdicts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from voxlake.quality.errors import QualityHaltError
from voxlake.quality.rules import read_rules
from voxlake.quality.summary import QualityGateError, passed_gate, quality_item
from voxlake.quality.verdict import judge

NOW = datetime(2026, 3, 2, 1, 2, 3, tzinfo=UTC)
DAY = "2026-03-01"


def rule(text: str, level: str = "warn", name: str = "it", table: str = "posts"):
    (found,) = read_rules(f"{table}:\n  {level}:\n    {name}: {text}\n").rules
    return found


@pytest.mark.parametrize(
    ("text", "numbers", "passed", "found", "rows_failed"),
    [
        ("RowCount > 3", [3], False, "3", None),
        ("RowCount >= 3", [3], True, "3", None),
        ('IsComplete "text"', [0, 5], True, "0 of 5 rows that do not", 0),
        ('IsComplete "text"', [1, 5], False, "1 of 5 rows that do not", 1),
        ('Completeness "lang" > 0.5', [3, 5], False, "0.4 (3 of 5 rows without)", 3),
        ('Completeness "lang" > 0.5', [0, 0], True, "1 (0 of 0 rows without)", 0),
        (
            'ColumnValues "lang" = "en" with threshold > 0.5',
            [1_000, 5_000],
            True,
            "0.8 (1,000 of 5,000 rows do not meet it)",
            1_000,
        ),
        ('Mean "like_count" between 1 and 2', [1.5], True, "1.5", None),
        ('Mean "like_count" between 1 and 2', [2], False, "2", None),
        ('Mean "like_count" > 1', [None], None, "no value", None),
        ('CustomSql "select count(*) from primary where true" <= 2', [3, 9], False, "3 rows", 3),
        (
            'ReferentialIntegrity "post_id" "comments.thread_id" > 0.9',
            [1, 4],
            False,
            "0.75 (1 of 4 rows without)",
            1,
        ),
    ],
)
def test_a_partition_is_judged_by_its_numbers(text, numbers, passed, found, rows_failed):
    verdict = judge(rule(text), DAY, numbers)
    assert (verdict.passed, verdict.found, verdict.rows_failed) == (passed, found, rows_failed)
    assert verdict.expected == text


def test_volume_is_held_to_the_days_before_and_only_once_the_day_is_over():
    usual = rule("RowCount > median(last(3)) * 0.5")
    verdict = judge(usual, DAY, [40], earlier=[100, 90, 80, 1])
    assert (verdict.passed, verdict.expected) == (
        False,
        "RowCount > median(last(3)) * 0.5 (that is 45)",
    )
    assert judge(usual, DAY, [46], earlier=[100, 90, 80]).passed
    assert judge(rule("RowCount < avg(last(1))"), DAY, [5], earlier=[6, 0, 0]).passed
    young = judge(usual, DAY, [1], earlier=[100, 90])
    filling = judge(usual, DAY, [1], earlier=[100], day_over=False)
    assert [(one.passed, one.found) for one in (young, filling)] == [
        (None, "too few earlier days to compare with"),
        (None, "the day is not over"),
    ]


def test_a_halt_is_told_in_one_line_by_error_item_and_gate():
    stop = judge(rule("RowCount > 3", "halt", "enough"), DAY, [2])
    other = judge(rule('IsComplete "lang"', "halt", "told"), DAY, [1, 2])
    warned = judge(rule('IsComplete "text"'), DAY, [1, 2])
    line = "enough of posts dt=2026-03-01: expected RowCount > 3, found 2"
    assert str(QualityHaltError([stop, other])).startswith(
        f"halted by quality rule {line} (and 1 more);"
    )
    item = quality_item("r1", "some_job", [stop, warned, other], NOW)
    assert item == {
        "pk": "RUN#r1",
        "sk": "QUALITY#some_job",
        "run_id": "r1",
        "job": "some_job",
        "state": "halted",
        "checked": 3,
        "warned": 1,
        "warnings": [
            'it of posts dt=2026-03-01: expected IsComplete "text", found 1 of 2 rows that do not'
        ],
        "halted": 2,
        "reasons": [
            line,
            str(other),
        ],
        "checked_at": "2026-03-02T01:02:03.000000Z",
    }
    with pytest.raises(QualityGateError) as raised:
        passed_gate("r1", "some_job", item)
    assert str(raised.value) == f"some_job was halted by quality rule {line} (and 1 more)"


def test_the_gate_passes_with_warnings_and_where_nothing_was_written():
    item = quality_item("r1", "a", [judge(rule("RowCount > 3"), DAY, [2])], NOW)
    assert passed_gate("r1", "a", item) == {
        "run_id": "r1",
        "job": "a",
        "checked": 1,
        "warned": 1,
        "warnings": ["it of posts dt=2026-03-01: expected RowCount > 3, found 2"],
    }
    assert passed_gate("r1", "a", None)["checked"] == 0
