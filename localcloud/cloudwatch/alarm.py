"""A metric alarm: its data points, what they say, and the state it is in.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from localcloud.cloudwatch.queries import Queries, invalid
from localcloud.cloudwatch.store import MetricStore

OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"
ACTIONS = {OK: "OKActions", ALARM: "AlarmActions", INSUFFICIENT: "InsufficientDataActions"}
_EXTRA_POINTS = 2  # retrieved beyond the evaluation periods, in case some are missing
_MISSING = ("missing", "ignore", "breaching", "notBreaching")
# operator -> (threshold's side, comparison, words)
_SIMPLE = {
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
_BANDED = {
    "GreaterThanUpperThreshold": "greater than the upper thresholds",
    "LessThanLowerThreshold": "less than the lower thresholds",
    "LessThanLowerOrGreaterThanUpperThreshold": "outside the thresholds",
}
SETTINGS = {
    *("AlarmName", "AlarmDescription", "ActionsEnabled", *ACTIONS.values()),
    *("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period"),
    "Metrics",
    *("EvaluationPeriods", "DatapointsToAlarm", "Threshold", "ThresholdMetricId"),
    *("ComparisonOperator", "TreatMissingData", "Tags"),
}


class Point(NamedTuple):
    """A data point: the minute it starts at, its value, whether it breaches, and what it met."""

    start: int
    value: float
    breaches: bool
    limit: tuple[float, ...]


class Alarm:
    """Raises `ServiceError` ValidationError for settings that are wrong or not emulated."""

    def __init__(
        self, store: MetricStore, settings: Mapping[str, Any], arn: str, now: datetime
    ) -> None:
        if unknown := sorted(set(settings) - SETTINGS):
            raise invalid(f"{', '.join(unknown)} of an alarm is not emulated")
        self.settings = {"ActionsEnabled": True, **settings}
        self.name, self.arn = settings["AlarmName"], arn
        self.updated = now
        self.state, self.state_since = INSUFFICIENT, now
        self.reason = "Unchecked: Initial alarm creation"
        self.periods = int(settings["EvaluationPeriods"])
        self.needed = int(settings.get("DatapointsToAlarm") or self.periods)
        self.missing = settings.get("TreatMissingData") or "missing"
        self.comparison = settings["ComparisonOperator"]
        self.band = settings.get("ThresholdMetricId")
        if self.missing not in _MISSING:
            raise invalid(f"TreatMissingData is {self.missing}: expected {', '.join(_MISSING)}")
        if not 1 <= self.needed <= self.periods:
            raise invalid(f"DatapointsToAlarm is {self.needed}: expected 1 to {self.periods}")
        if self.comparison not in (_BANDED if self.band else _SIMPLE):
            raise invalid(f"ComparisonOperator {self.comparison} does not fit the alarm")
        for arn_ in (a for kind in ACTIONS.values() for a in settings.get(kind) or ()):
            if not arn_.startswith("arn:aws:sns:"):
                raise invalid(f"the action {arn_} is not emulated: expected a topic of SNS")
        self.queries = Queries(store, settings.get("Metrics") or [_as_query(settings)])
        watched = [q.id for q in self.queries.by_id.values() if q.returned and not q.of]
        if len(watched) > 1 and self.band:
            watched = [self.queries.by_id[self.band].of]
        if len(watched) != 1:
            raise invalid(f"expected one query that returns data, found {len(watched)}")
        self.watched = watched[0]
        self.period = self.queries.by_id[self.watched].period

    def evaluate(self, now: int) -> tuple[str, str]:
        """(state, reason) at the end of the minute before `now`, a minute since 1970.

        With a band only at the end of a whole period, since what is usual is known for those.
        """
        if self.band and now % self.period:
            return self.state, ""
        starts = [now - (back + 1) * self.period for back in range(self.periods + _EXTRA_POINTS)]
        points = [self._point(start) for start in starts]
        state = judge(
            [None if p is None else p.breaches for p in points],
            needed=self.needed, of=self.periods, missing=self.missing, state=self.state,
        )  # fmt: skip
        return state, "" if state == self.state else self._why(state, points)

    def describe(self) -> dict[str, Any]:
        """In the form of DescribeAlarms."""
        shown = {name: value for name, value in self.settings.items() if name != "Tags"}
        return {
            **{name: [] for name in (*ACTIONS.values(), "Dimensions")},
            **shown,
            "AlarmArn": self.arn,
            "AlarmConfigurationUpdatedTimestamp": self.updated,
            "StateValue": self.state,
            "StateReason": self.reason,
            "StateUpdatedTimestamp": self.state_since,
            "StateTransitionedTimestamp": self.state_since,
        }

    def _point(self, start: int) -> Point | None:
        value = self.queries.value(self.watched, start)
        if value is None:
            return None
        if not self.band:
            limit = float(self.settings["Threshold"])
            return Point(start, value, _SIMPLE[self.comparison][0](value, limit), (limit,))
        band = self.queries.band(self.band, start)
        if band is None:
            return None  # nothing is known to be usual, so nothing is unusual
        low, high = band
        under = value < low and self.comparison != "GreaterThanUpperThreshold"
        over = value > high and self.comparison != "LessThanLowerThreshold"
        return Point(start, value, under or over, band)

    def _why(self, state: str, points: Sequence[Point | None]) -> str:
        """The reason of a change, in the words of CloudWatch."""
        real = [p for p in points if p is not None][: self.periods]
        if not real:
            nothing = f"no datapoints were received for {self.periods} period{_s(self.periods)}"
            said = {"breaching": "Breaching", "notBreaching": "NonBreaching"}.get(self.missing)
            if not said:
                return f"Insufficient Data: {nothing}."
            was = "was" if self.periods == 1 else "were"
            return (
                f"Threshold Crossed: {nothing} and {self.periods} missing"
                f" datapoint{_s(self.periods)} {was} treated as [{said}]."
            )
        shown = [p for p in real if p.breaches == (state == ALARM)] or real
        values = ", ".join(f"{number(p.value)} ({_stamp(p.start)})" for p in shown)
        if self.band:
            words = _BANDED[self.comparison]
            limits = ", ".join(
                f"{number(p.limit[1])}" if self.comparison.startswith("Greater")
                else f"{number(p.limit[0])} to {number(p.limit[1])}"
                for p in shown
            )  # fmt: skip
            limits = f"[{limits}]"
        else:
            words = f"{_SIMPLE[self.comparison][1]} the threshold"
            limits = f"({number(real[0].limit[0])})"
        was = ("was" if len(shown) == 1 else "were") + ("" if state == ALARM else " not")
        return (
            f"Threshold Crossed: {len(shown)} out of the last {self.periods}"
            f" datapoint{_s(len(shown))} [{values}] {was} {words} {limits} (minimum {self.needed}"
            f" datapoint{_s(self.needed)} for OK -> ALARM transition)."
        )


def judge(points: Sequence[bool | None], *, needed: int, of: int, missing: str, state: str) -> str:
    """The state that data points give.

    Args:
        points: of the evaluation range, the newest first: breaching, not breaching, None: missing.
        needed: datapoints to alarm.
        of: evaluation periods.
        missing: how missing points are treated.
        state: the state so far.
    """
    real = [(age, point) for age, point in enumerate(points) if point is not None][:of]
    if not real:
        nothing = {"missing": INSUFFICIENT, "ignore": state, "breaching": ALARM}
        return nothing.get(missing, OK)
    filled = of - len(real)
    breaching = sum(point for _, point in real) + (filled if missing == "breaching" else 0)
    if breaching >= needed:
        return ALARM
    # All that came breaches, and it began long enough ago: as good as an alarm.
    premature = filled and len(real) == breaching and real[-1][0] + 1 >= needed
    if premature and missing == "missing":
        return ALARM
    return state if premature and missing == "ignore" else OK


def _as_query(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The one metric of an alarm without Metrics, as a query."""
    stat = settings.get("Statistic") or settings.get("ExtendedStatistic")
    absent = [name for name in ("MetricName", "Namespace", "Period") if name not in settings]
    if absent or not stat:
        raise invalid(f"expected {', '.join(absent) or 'Statistic'}, found none")
    metric = {name: settings.get(name) for name in ("Namespace", "MetricName", "Dimensions")}
    one = {"Metric": metric, "Stat": stat, "Period": settings["Period"]}
    return {"Id": "m1", "MetricStat": one}


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def number(value: float) -> str:
    """As the messages write it: at most six significant digits, and a decimal point."""
    text = f"{value:.6g}"
    return text if any(sign in text for sign in ".en") else f"{text}.0"


def _stamp(minute: int) -> str:
    return f"{datetime.fromtimestamp(minute * 60, UTC):%d/%m/%y %H:%M:%S}"
