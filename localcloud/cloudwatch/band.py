"""What is usual for a metric at a time: the band of ANOMALY_DETECTION_BAND.

CloudWatch's model is not public. Here the middle is the median of the values at the same hour of
the day, over up to two weeks, moved by how far the last six hours lay from theirs (a trend). The
spread is the median distance of the past from middles made in this way, scaled so that it is the
standard deviation where values are normal; the larger of this hour's and all hours', since a few
days say little of one hour; and at least a twentieth of the middle. Medians forget what was not
usual, a day of two weeks as two hours of six. There is no band before the hour of the day has had
values on three days.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from statistics import median

DAYS = 14
LEAST_DAYS = 3
TREND_HOURS = 6
DAY_MINUTES = 24 * 60
_NORMAL = 1.4826  # median distance to standard deviation
_LEAST_SHARE = 0.05


class Bands:
    """Bands of one metric or expression.

    Args:
        value: its value over the period that starts at a minute since 1970, None where missing.
        period: in minutes.
    """

    def __init__(self, value: Callable[[int], float | None], period: int) -> None:
        self._value, self._period = value, period
        self._past: dict[int, float | None] = {}
        self._cached: tuple[int, tuple[float, float] | None] = (-1, None)

    def band(self, start: int, width: float) -> tuple[float, float] | None:
        """(lower, upper) at the period that starts at a minute since 1970; None without a band.

        Args:
            width: in spreads to either side of the middle.
        """
        # What is usual does not change within an hour.
        step = max(self._period, 60)
        at = start // step * step
        if self._cached[0] != at:
            self._cached = (at, self._usual(at))
        if self._cached[1] is None:
            return None
        middle, spread = self._cached[1]
        return middle - width * spread, middle + width * spread

    def _usual(self, at: int) -> tuple[float, float] | None:
        """(middle, spread) of the periods that start in the hour from minute `at` on."""
        history = list(self._history(at))
        by_hour: dict[int, list[float]] = defaultdict(list)
        for start, value in history:
            by_hour[start // 60 % 24].append(value)
        now = at // 60 % 24
        if len({start // DAY_MINUTES for start, _ in history if start // 60 % 24 == now}) < (
            LEAST_DAYS
        ):
            return None
        middles = {hour: median(values) for hour, values in by_hour.items()}
        off: dict[int, list[float]] = defaultdict(list)  # hour since 1970: how far off its middle
        for start, value in history:
            off[start // 60].append(value - middles[start // 60 % 24])
        shifts = {hour: median(values) for hour, values in off.items()}
        distances: dict[int, list[float]] = defaultdict(list)
        for hour, values in off.items():
            trend = _trend(shifts, hour)
            distances[hour % 24] += [abs(value - trend) for value in values]
        everywhere = median(one for some in distances.values() for one in some)
        middle = middles[now] + _trend(shifts, at // 60)
        spread = _NORMAL * max(median(distances[now]), everywhere)
        return middle, max(spread, _LEAST_SHARE * abs(middle), 1e-9)

    def _history(self, at: int) -> Iterable[tuple[int, float]]:
        first = at - DAYS * DAY_MINUTES
        for start in range(first, at - self._period + 1, self._period):
            # The latest may still grow; what is older is read once.
            if start > at - 2 * self._period:
                value = self._value(start)
            else:
                if start not in self._past:
                    self._past[start] = self._value(start)
                value = self._past[start]
            if value is not None:
                yield start, value
        for old in [start for start in self._past if start < first]:
            del self._past[old]


def _trend(shifts: Mapping[int, float], hour: int) -> float:
    """How far the hours before an hour since 1970 lay from their middles."""
    past = [shifts[one] for one in range(hour - TREND_HOURS, hour) if one in shifts]
    return median(past) if past else 0.0
