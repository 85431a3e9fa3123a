"""Metrics that a service counts by itself."""

from __future__ import annotations

from localcloud.cloudwatch.store import Bucket, Dimensions, minute_of
from localcloud.core import Cloud


class MinuteCounters:
    """Counts in one namespace, at the cloud's time."""

    def __init__(self, cloud: Cloud, namespace: str) -> None:
        self._cloud = cloud
        self._namespace = namespace

    def add(
        self, name: str, dimensions: Dimensions, amount: float, unit: str, samples: int = 1
    ) -> None:
        """Adds to the current minute; seen by the next query."""
        each = amount / samples
        key = (self._namespace, name, tuple(sorted(dimensions)))
        minute = minute_of(self._cloud.clock.now())
        self._cloud.metric_store.add(key, minute, Bucket.of([each], [samples]), unit)
