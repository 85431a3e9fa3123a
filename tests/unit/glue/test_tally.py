"""Counts of lines: every line ends in exactly one of them."""

from __future__ import annotations

import pytest

from glue_jobs.common.tally import (
    LATER,
    NEW,
    RECORDED,
    REDELIVERED,
    REPEATED,
    REPLACES,
    Cell,
    DisagreeingTallyError,
    tally,
    with_existing,
)
from voxlake.ledger.rules import check_counts


def cell(status: str, lines: int, existing: str | None = None, table: str = "posts") -> Cell:
    event_type = "post" if table == "posts" else "unknown"
    return Cell("o", event_type, table, "2026-03-01", status, existing, lines)


def test_each_fate_is_counted_once_and_adds_up():
    sums = tally(
        [cell(NEW, 5), cell(REPEATED, 2), cell(REDELIVERED, 3), cell(NEW, 4, table="quarantine")]
    )
    assert sums.objects == {
        "o": {
            "post": {"received": 7, "cleansed": 5, "duplicate": 2, "redelivered": 3},
            "unknown": {"received": 4, "quarantined": 4},
        }
    }
    assert sums.tables["posts"] == {"read": 10, "valid": 7, "duplicate": 2, "redelivered": 3}
    assert sums.touched("posts") == ["2026-03-01"]
    assert sums.net["posts", "2026-03-01"] == 5
    check_counts(sums.objects["o"])


def test_the_very_row_of_a_line_counts_as_cleansed_and_adds_no_row():
    sums = tally(with_existing([cell(NEW, 5)], [cell(NEW, 5, RECORDED)]))
    assert sums.objects["o"]["post"] == {"received": 5, "cleansed": 5}
    assert sums.touched("posts") == []


def test_an_earlier_arrival_takes_the_place_of_a_row_and_counts_as_duplicate():
    sums = tally(
        with_existing(
            [cell(NEW, 5), cell(REPEATED, 1)],
            [cell(NEW, 1, REPLACES), cell(NEW, 1, LATER), cell(REPEATED, 1, LATER)],
        )
    )
    assert sums.objects["o"]["post"] == {"received": 6, "cleansed": 3, "duplicate": 3}
    assert sums.net["posts", "2026-03-01"] == 3
    assert sums.replaced["posts", "2026-03-01"] == 1


def test_a_second_count_of_more_lines_than_the_first_is_refused():
    with pytest.raises(DisagreeingTallyError):
        with_existing([cell(NEW, 1)], [cell(NEW, 2, LATER)])
