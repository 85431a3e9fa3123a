"""Whether what was said comes through, from what other services know already."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from lambdas.web_api.texts import Texts
from voxlake.times import format_rfc3339

KEPT = timedelta(seconds=5)
"""How long an answer is given again: every open page asks."""
_WINDOW = timedelta(minutes=10)
_BAD_RUNS = ("FAILED", "TIMED_OUT", "ABORTED")


class Health:
    """The state of both paths.

    Args:
        clients: boto3 client of a service's name.
        enricher: name of the function whose lag is the stream's.
        trackers: ids under which texts are listed.
        late_seconds, down_seconds: lag from which on the state is `late` or `down`.
        clock: now, aware.
    """

    def __init__(
        self,
        clients: Callable[[str], Any],
        texts: Texts,
        *,
        enricher: str,
        state_machine: str,
        trackers: Iterable[str],
        replies_mode: str,
        late_seconds: float,
        down_seconds: float,
        clock: Callable[[], datetime],
    ) -> None:
        self._clients = clients
        self._texts = texts
        self._enricher = enricher
        self._state_machine = state_machine
        self._trackers = tuple(trackers)
        self._replies_mode = replies_mode
        self._late, self._down = late_seconds, down_seconds
        self._clock = clock
        self._kept: tuple[datetime, dict[str, Any]] | None = None

    def document(self) -> dict[str, Any]:
        """As `GET /v1/health` answers; at most `KEPT` old."""
        now = self._clock()
        if self._kept is None or now - self._kept[0] >= KEPT:
            self._kept = now, self._ask(now)
        return self._kept[1]

    def _ask(self, now: datetime) -> dict[str, Any]:
        lag, run = self._lag(now), self._last_run()
        newest = [text for one in self._trackers if (text := self._texts.newest(one))]
        status = "ok"
        if (lag or 0) >= self._late or (run and run["state"] in _BAD_RUNS):
            status = "late"
        if (lag or 0) >= self._down:
            status = "down"
        return {
            "status": status,
            "stream": {"lag_seconds": lag},
            "newest_text": {"arrived_at": max((t["arrived_at"] for t in newest), default=None)},
            "batch": {"last_run": run},
            "replies": {"mode": self._replies_mode},
        }

    def _lag(self, now: datetime) -> float | None:
        points = self._clients("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="IteratorAge",
            Dimensions=[{"Name": "FunctionName", "Value": self._enricher}],
            StartTime=now - _WINDOW,
            EndTime=now + timedelta(minutes=1),
            Period=60,
            Statistics=["Maximum"],
        )["Datapoints"]
        if not points:
            return None
        return max(points, key=lambda point: point["Timestamp"])["Maximum"] / 1000

    def _last_run(self) -> dict[str, Any] | None:
        runs = self._clients("stepfunctions").list_executions(
            stateMachineArn=self._state_machine, maxResults=1
        )["executions"]
        if not runs:
            return None
        ended = runs[0].get("stopDate")
        return {
            "run_id": runs[0]["name"],
            "state": runs[0]["status"],
            "ended_at": format_rfc3339(ended) if ended else None,
        }
