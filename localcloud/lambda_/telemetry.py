"""Log events and metric values of functions, put straight into moto's store."""

from __future__ import annotations

import threading

from localcloud.cloudwatch.counters import MinuteCounters
from localcloud.core import Cloud
from localcloud.logs import filters


class Telemetry:
    """What is put here is seen by the next query."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self._lock = threading.Lock()
        self._counters = MinuteCounters(cloud, "AWS/Lambda")

    def event(self, group: str, stream: str, message: str) -> None:
        """One log event, at the time of the call."""
        from moto.logs.models import logs_backends

        logs = logs_backends[self.cloud.account][self.cloud.region]
        now = int(self.cloud.clock.now().timestamp() * 1000)
        event = {"timestamp": now, "message": message[:250_000]}
        with self._lock:
            logs.ensure_log_group(group)
            logs.ensure_log_stream(group, stream)
            logs.put_log_events(group, stream, [event])
        filters.count(self.cloud, group, [message])

    def metric(self, name: str, value: float, unit: str = "Count", **dimensions: str) -> None:
        """One observed value of a metric of AWS/Lambda."""
        self._counters.add(name, tuple(dimensions.items()), value, unit)
