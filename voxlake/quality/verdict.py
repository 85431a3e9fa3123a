"""Rules held to the numbers that a partition's rows gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voxlake.quality.dqdl import Expression, Last
from voxlake.quality.rules import HALT, Rule

TOO_FEW_DAYS = "too few earlier days to compare with"
DAY_NOT_OVER = "the day is not over"


@dataclass(frozen=True)
class Verdict:
    """What became of one rule on one partition.

    Attributes:
        passed: None where it could not be judged; ``found`` says why.
        expected, found: in words and numbers, never a text of a row.
        rows_failed: rows that break it, where it counts rows.
    """

    rule: Rule
    dt: str
    passed: bool | None
    expected: str
    found: str
    rows_failed: int | None = None

    @property
    def halts(self) -> bool:
        return self.passed is False and self.rule.level == HALT

    def __str__(self) -> str:
        return (
            f"{self.rule.name} of {self.rule.table} dt={self.dt}: expected {self.expected}, "
            f"found {self.found}"
        )


def judge(
    rule: Rule,
    dt: str,
    numbers: Sequence[float | None],
    *,
    earlier: Sequence[float] = (),
    day_over: bool = True,
) -> Verdict:
    """Holds a partition to a rule.

    Args:
        numbers: what ``expressions.measures`` asked for; of the types of ``PER_KEY`` rows that
            break it and rows looked at.
        earlier: rows of the days before, newest first; only rules with ``last`` look at them.
        day_over: whether the partition's day has ended; while it fills, the days before say
            nothing about it.
    """
    expression, expected = rule.expression, rule.expression.text
    condition, threshold = expression.condition, expression.threshold
    if condition and condition.last_days:
        if not day_over:
            return Verdict(rule, dt, None, expected, DAY_NOT_OVER)
        if len(earlier) < condition.last_days:
            return Verdict(rule, dt, None, expected, TOO_FEW_DAYS)
        expected += f" ({_bounds(expression, earlier)})"
    if expression.type in ("RowCount", "Mean", "StandardDeviation", "Sum"):
        (value,) = numbers
        if value is None:
            return Verdict(rule, dt, None, expected, "no value")
        met = condition.holds(value, earlier)
        return Verdict(rule, dt, met, expected, _shown(value))
    failed, looked_at = (int(number or 0) for number in numbers)
    rows = f"{failed:,} of {looked_at:,} rows"
    if expression.type == "CustomSql":
        met = condition.holds(failed)
        return Verdict(rule, dt, met, expected, f"{failed:,} rows", failed)
    share = 1 - failed / looked_at if looked_at else 1.0
    if expression.type in ("Completeness", "ReferentialIntegrity"):
        met, shown = condition.holds(share), f"{_shown(share)} ({rows} without)"
    elif threshold:
        met, shown = threshold.holds(share), f"{_shown(share)} ({rows} do not meet it)"
    else:
        met, shown = not failed, f"{rows} that do not"
    return Verdict(rule, dt, met if looked_at else True, expected, shown, failed)


def _bounds(expression: Expression, earlier: Sequence[float]) -> str:
    """The bounds as numbers."""
    bounds = [one.of(earlier) for one in expression.condition.operands if isinstance(one, Last)]
    return f"that is {' and '.join(map(_shown, bounds))}"


def _shown(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}"
