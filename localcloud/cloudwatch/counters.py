"""Metrics that a service counts by itself, one datum a minute."""

from __future__ import annotations

import threading
from typing import Any

from localcloud.core import Cloud

Dimensions = tuple[tuple[str, str], ...]


class MinuteCounters:
    """Sums in moto's store: one datum for each metric, set of dimensions and minute.

    A datum a call would make every query slower the longer the cloud runs.
    """

    def __init__(self, cloud: Cloud, namespace: str) -> None:
        self._cloud = cloud
        self._namespace = namespace
        self._current: dict[tuple[str, Dimensions], Any] = {}
        self._lock = threading.Lock()

    def add(
        self, name: str, dimensions: Dimensions, amount: float, unit: str, samples: int = 1
    ) -> None:
        """Adds to the current minute; seen by the next query."""
        from moto.cloudwatch.models import MetricAggregatedDatum, cloudwatch_backends

        # moto compares with times that carry no zone, in UTC.
        minute = self._cloud.clock.now().replace(second=0, microsecond=0, tzinfo=None)
        with self._lock:
            datum = self._current.get((name, dimensions))
            if datum is None or datum.timestamp != minute:
                datum = MetricAggregatedDatum(
                    namespace=self._namespace,
                    name=name,
                    min_stat=amount / samples,
                    max_stat=amount / samples,
                    sample_count=0.0,
                    sum_stat=0.0,
                    dimensions=[{"Name": n, "Value": v} for n, v in dimensions],
                    timestamp=minute,
                    unit=unit,
                )
                self._current[name, dimensions] = datum
                backend = cloudwatch_backends[self._cloud.account][self._cloud.region]
                backend.metric_data.append(datum)
            datum.sum += amount
            datum.sample_count += samples
            datum.min = min(datum.min, amount / samples)
            datum.max = max(datum.max, amount / samples)
