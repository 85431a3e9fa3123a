"""What a run of a source is besides its API: key, time, tries, counts, and what ends it.

Packaged with each function.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any, Protocol, TypeVar

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.common.source_keys import KeyMissingError, read_key
from lambdas.common.source_table import CursorMovedError, SourceTable
from voxlake.sources.contract import Malformed
from voxlake.sources.errors import (
    ApiUnavailableError,
    KeyRefusedError,
    MalformedPageError,
    QuotaSpentError,
    RateLimitedError,
    RequestRefusedError,
    WaitError,
)

Answer = TypeVar("Answer")
SHOWN_MALFORMED = 20


class BudgetSpentError(QuotaSpentError):
    """Our own daily budget is used up; a larger one in the settings counts at once."""


class Followed(Protocol):
    """Something a source reads: a video, a query."""

    @property
    def id(self) -> str: ...


AnyFollowed = TypeVar("AnyFollowed", bound=Followed)


@dataclass(frozen=True)
class Patience:
    """How long a run goes on, and how it waits.

    Attributes:
        remaining_seconds: until the function is ended from outside.
        reserve_seconds: no call begins with less than this left: it holds a call's time-outs, the
            stream's retries and the saving of the cursor.
        max_attempts: of a call.
        base_wait_seconds: before the second attempt; doubles up to 30 s, each cut at random.
        sleep, random: injected by tests.
    """

    remaining_seconds: Callable[[], float]
    reserve_seconds: float = 45.0
    max_attempts: int = 5
    base_wait_seconds: float = 1.0
    sleep: Callable[[float], None] = time.sleep
    random: Random = field(default_factory=Random)

    def over(self) -> bool:
        """Whether there is no time left for another call."""
        return self.remaining_seconds() < self.reserve_seconds

    def call(self, attempt: Callable[[], Answer], on_retry: Callable[[], None]) -> Answer:
        """Calls until an attempt is answered.

        Raises:
            ApiUnavailableError: of the last attempt, or of one after which no time is left.
        """
        for number in range(1, self.max_attempts + 1):
            try:
                return attempt()
            except ApiUnavailableError:
                longest = min(30.0, self.base_wait_seconds * 2 ** (number - 1))
                wait = self.random.uniform(longest / 2, longest)
                if number == self.max_attempts or (
                    self.remaining_seconds() - wait < self.reserve_seconds
                ):
                    raise
                on_retry()
                self.sleep(wait)
        raise AssertionError("unreachable")


@dataclass
class Tally:
    """What a run did; also its metrics.

    Attributes:
        calls: requests to the platform, refused ones too.
        retries: calls repeated because the platform was not available.
        events: put on the stream.
        known: objects read again and left out.
        malformed, malformed_pages: what could not be read.
        closed: items marked as not to be read any more.
        cut_short: walks that ended before their end.
        stopped: why the run ended before all was read, None where it did not; of ``no_key``,
            ``paused``, ``key_refused``, ``quota_spent``, ``rate_limited``, ``unavailable``,
            ``time``, ``failed``.
        until: when reading goes on, where that is known.
        unfinished: items whose reading goes on in the next run.
    """

    calls: int = 0
    retries: int = 0
    events: int = 0
    known: int = 0
    malformed: int = 0
    malformed_pages: int = 0
    closed: int = 0
    cut_short: int = 0
    unfinished: int = 0
    stopped: str | None = None
    until: str | None = None

    def stop(self, reason: str, until: datetime | None = None) -> None:
        """The run ends for a reason; the first one counts."""
        if self.stopped is None:
            self.stopped = reason
            self.until = until.isoformat() if until else None

    def result(self) -> dict[str, Any]:
        """As the function answers and logs it; zeros stay, absent reasons do not."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def emit(self, metrics: Metrics) -> None:
        """Adds the run's metrics and flushes them."""
        counts = {
            "EventsSent": self.events,
            "ApiCalls": self.calls,
            "ApiRetries": self.retries,
            "ItemsMalformed": self.malformed,
            "PagesMalformed": self.malformed_pages,
            "ItemsClosed": self.closed,
            "WalksCutShort": self.cut_short,
            "KeyMissing": int(self.stopped == "no_key"),
            "KeyRefused": int(self.stopped == "key_refused"),
            "QuotaSpent": int(self.stopped == "quota_spent"),
            "ApiUnavailable": int(self.stopped == "unavailable"),
        }
        for name, count in counts.items():
            metrics.add_metric(name, MetricUnit.Count, count)
        metrics.flush_metrics()

    def add_malformed(self, found: Iterable[Malformed], logger: Logger, **where: str) -> None:
        """Counts objects that became no event, and logs the first of a run with their reasons."""
        for one in found:
            self.malformed += 1
            if self.malformed <= SHOWN_MALFORMED:
                logger.warning(
                    "malformed",
                    extra={
                        **where,
                        "native_id": one.native_id,
                        "reason": one.reason,
                        "field": one.field,
                        "detail": one.detail,
                    },
                )


@dataclass(frozen=True)
class Run:
    """One run's surroundings.

    Attributes:
        clock: now, aware, UTC.
    """

    table: SourceTable
    patience: Patience
    clock: Callable[[], datetime]
    logger: Logger
    tally: Tally = field(default_factory=Tally)

    def with_key(
        self, secrets: Any, secret: str, member: str, read: Callable[[str], None], metrics: Metrics
    ) -> Tally:
        """Reads with the secret's key, unless there is none or a pause forbids it.

        The tally is logged and emitted, and its end noted in the table, whatever ends the run.

        Args:
            read: of a key.

        Raises:
            Exception: whatever ``read`` raises, logged.
        """
        try:
            if paused := self.table.paused_until(self.clock()):
                self.tally.stop("paused", paused[0])
                self.logger.info("paused", extra={"until": self.tally.until, "reason": paused[1]})
                return self.tally
            try:
                key = read_key(secrets, secret, member)
            except KeyMissingError as error:
                self.tally.stop("no_key")
                self.logger.info("no_key", extra={"detail": str(error)})
                return self.tally
            read(key)
            self.logger.info("read", extra=self.tally.result())
            return self.tally
        except Exception:
            self.tally.stop("failed")
            self.logger.exception("failed")
            raise
        finally:
            self.tally.emit(metrics)
            self.table.note_run(self.clock(), self.tally.stopped, self.tally.until)

    def in_turn(
        self,
        followed: Iterable[AnyFollowed],
        read_one: Callable[[AnyFollowed], None],
        touch: Callable[[AnyFollowed], None],
    ) -> None:
        """Reads each, until time is short or something ends the run for all of them.

        Args:
            touch: moves one behind the others in the next run's order, after trouble of its own.
        """
        waiting = list(followed)
        try:
            while waiting and not self.patience.over():
                self._read_one(waiting[0], read_one, touch)
                waiting.pop(0)
            if waiting:
                self.tally.stop("time")
        except KeyRefusedError as error:
            self.tally.stop("key_refused")
            self.logger.warning("key_refused", extra={"detail": str(error)})
        except ApiUnavailableError as error:
            self.tally.stop("unavailable")
            self.logger.warning("unavailable", extra={"detail": str(error)})
        except WaitError as error:
            self._wait(error)
        self.tally.unfinished += len(waiting)

    def _read_one(
        self,
        one: AnyFollowed,
        read_one: Callable[[AnyFollowed], None],
        touch: Callable[[AnyFollowed], None],
    ) -> None:
        try:
            read_one(one)
            return
        except MalformedPageError as error:
            self.tally.malformed_pages += 1
            self.logger.warning("malformed_page", extra={"id": one.id, "detail": str(error)})
        except RequestRefusedError as error:
            self.logger.error("refused", extra={"id": one.id, "detail": str(error)})
        except CursorMovedError as error:
            self.logger.info("cursor_moved", extra={"id": one.id, "detail": str(error)})
            return
        self.tally.unfinished += 1
        with contextlib.suppress(CursorMovedError):
            touch(one)

    def _wait(self, error: WaitError) -> None:
        """Nothing is asked for before a time; of our own budget the table tells by itself."""
        reason = "rate_limited" if isinstance(error, RateLimitedError) else "quota_spent"
        if not isinstance(error, BudgetSpentError):
            self.table.pause(error.until, reason)
        self.tally.stop(reason, error.until)
        # A spent window is the platform's way of setting the pace, and no trouble.
        log = self.logger.info if reason == "rate_limited" else self.logger.warning
        log(reason, extra={"detail": str(error)})
