"""Moves a run's log files into CloudWatch Logs while it runs."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

_MAX_EVENTS = 1000  # a put takes 10,000 and 1 MiB; lines of a driver stay far below with this
_MAX_LINE_BYTES = 8000


class LogShipper:
    """Sends what is new in one file to one log stream; `ship` may be called at any time."""

    def __init__(self, cloud: Any, path: Path, group: str, stream: str) -> None:
        self._cloud, self._path = cloud, path
        self._to = {"logGroupName": group, "logStreamName": stream}
        self._offset = 0

    def ship(self, *, final: bool = False) -> None:
        """Send the complete lines not sent yet; with `final`, a last line without its end too."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        if not final:
            data = data[: data.rfind(b"\n") + 1]
        if not data:
            return
        logs = self._cloud.client("logs")
        if not self._offset:
            with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
                logs.create_log_group(logGroupName=self._to["logGroupName"])
            with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
                logs.create_log_stream(**self._to)
        now = int(self._cloud.clock.now().timestamp() * 1000)
        lines = [line[:_MAX_LINE_BYTES] for line in data.decode("utf-8", "replace").splitlines()]
        events = [{"timestamp": now, "message": line} for line in lines if line.strip()]
        for start in range(0, len(events), _MAX_EVENTS):
            with contextlib.suppress(ClientError):  # the file under DIR/logs has everything
                logs.put_log_events(**self._to, logEvents=events[start : start + _MAX_EVENTS])
        self._offset += len(data)
