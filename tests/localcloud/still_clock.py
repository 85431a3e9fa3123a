"""A clock that stands still until a test moves it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from localcloud.core import Clock


class StillClock(Clock):
    """Begins at a moment; `sleep` moves it."""

    def __init__(self, start: datetime = datetime(2026, 1, 2, 3, 4, 30, tzinfo=UTC)) -> None:
        super().__init__(threading.Event())
        self._start = start

    def now(self) -> datetime:
        return self._start + self.offset

    def sleep(self, seconds: float) -> None:
        self.offset += timedelta(seconds=seconds)
