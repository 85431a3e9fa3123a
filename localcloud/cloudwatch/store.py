"""Where metrics are kept: a bucket a metric and minute, however often something was counted."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

Dimensions = tuple[tuple[str, str], ...]
Key = tuple[str, str, Dimensions]

KEPT_MINUTES = 15 * 24 * 60
"""How long points of one minute are kept, as CloudWatch does; those of an hour stay."""


def minute_of(moment: datetime) -> int:
    """The minute since 1970 that a moment lies in."""
    return int(moment.timestamp() // 60)


def dimensions_of(members: Iterable[Mapping[str, str]]) -> Dimensions:
    """The API's [{"Name", "Value"}], in a form that does not depend on their order."""
    return tuple(sorted((member["Name"], member["Value"]) for member in members))


@dataclass(slots=True)
class Bucket:
    """What was counted within some time.

    `values` says how often each value came, to three significant digits, for percentiles
    (CloudWatch rounds more coarsely); it is empty where only sums are known or wanted.
    """

    total: float
    samples: float
    low: float
    high: float
    values: dict[float, float] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Sequence[float], counts: Sequence[float] | None = None) -> Bucket:
        """A bucket of values, each of which came so often."""
        counts = counts or [1] * len(values)
        total = sum(v * n for v, n in zip(values, counts, strict=True))
        bucket = cls(total, sum(counts), min(values), max(values))
        for value, count in zip(values, counts, strict=True):
            rounded = float(f"{value:.3g}")
            bucket.values[rounded] = bucket.values.get(rounded, 0) + count
        return bucket

    def copy(self, spread: bool) -> Bucket:
        values = dict(self.values) if spread else {}
        return Bucket(self.total, self.samples, self.low, self.high, values)

    def add(self, other: Bucket, spread: bool) -> None:
        self.total += other.total
        self.samples += other.samples
        self.low = min(self.low, other.low)
        self.high = max(self.high, other.high)
        if spread:
            for value, count in other.values.items():
                self.values[value] = self.values.get(value, 0) + count

    def statistic(self, name: str) -> float | None:
        """One of `STATISTICS`, or a percentile (`p99.9`): None where values are not known."""
        if name in STATISTICS:
            return STATISTICS[name](self)
        wanted, seen = float(name[1:]) / 100 * sum(self.values.values()), 0.0
        for value in sorted(self.values):
            seen += self.values[value]
            if seen >= wanted:
                return value
        return None


STATISTICS = {
    "Sum": lambda bucket: bucket.total,
    "SampleCount": lambda bucket: bucket.samples,
    "Average": lambda bucket: bucket.total / bucket.samples,
    "Minimum": lambda bucket: bucket.low,
    "Maximum": lambda bucket: bucket.high,
}


class Series:
    """One metric: its buckets by minute, and by hour for long windows."""

    def __init__(self, unit: str, minute: int) -> None:
        self.unit = unit
        self.first, self.last = minute, minute
        self._minutes: dict[int, Bucket] = {}
        self._hours: dict[int, Bucket] = {}

    def add(self, minute: int, bucket: Bucket) -> None:
        for buckets, place in ((self._minutes, minute), (self._hours, minute // 60)):
            if place in buckets:
                buckets[place].add(bucket, spread=True)
            else:
                buckets[place] = bucket.copy(spread=True)
        self.first = min(self.first, minute)
        if minute > self.last:
            self.last = minute
            if minute % 60 == 0:
                self._forget(minute - KEPT_MINUTES)

    def window(self, first: int, end: int, spread: bool) -> Bucket | None:
        """The buckets of the minutes from `first` to before `end` in one; None without any."""
        found: Bucket | None = None
        minute = first
        while minute < end and minute <= self.last:
            if minute % 60 == 0 and minute + 60 <= end:
                bucket, minute = self._hours.get(minute // 60), minute + 60
            else:
                bucket, minute = self._minutes.get(minute), minute + 1
            if bucket is not None:
                if found is None:
                    found = bucket.copy(spread)
                else:
                    found.add(bucket, spread)
        return found

    def _forget(self, before: int) -> None:
        for old in [minute for minute in self._minutes if minute < before]:
            del self._minutes[old]


class MetricStore:
    """Every metric of a cloud, by namespace, name and dimensions."""

    def __init__(self) -> None:
        self._series: dict[Key, Series] = {}
        self._lock = threading.Lock()

    def add(self, key: Key, minute: int, bucket: Bucket, unit: str = "None") -> None:
        """Adds what was counted in a minute since 1970; seen by the next query."""
        with self._lock:
            if key not in self._series:
                self._series[key] = Series(unit, minute)
            self._series[key].add(minute, bucket)

    def window(self, key: Key, first: int, end: int, *, spread: bool = False) -> Bucket | None:
        """What was counted in the minutes from `first` to before `end`; None for nothing.

        Args:
            spread: with the values, for percentiles.
        """
        series = self._series.get(key)
        if series is None or series.last < first:
            return None
        with self._lock:
            return series.window(first, end, spread)

    def series(self, key: Key) -> Series | None:
        return self._series.get(key)

    def metrics(self) -> list[Key]:
        with self._lock:
            return sorted(self._series)
