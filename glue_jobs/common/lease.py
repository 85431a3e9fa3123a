"""Leases: at most one publisher a table. A holder that dies frees its tables by not renewing."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Sequence

from glue_jobs.common.errors import LeaseLostError, LeaseTimeoutError
from glue_jobs.common.ledger import Ledger
from voxlake.ledger.items import table_id

LEASE_SECONDS = 30
_POLL_SECONDS = 0.5
_LOG = logging.getLogger(__name__)


class Leases:
    """The leases of some tables as a context; a thread renews them thrice in their life.

    Args:
        tables: (database, table) pairs.
        run_id: names the owner; a suffix makes each attempt its own owner.
        wait_seconds: how long to wait for tables that another holds.
        seconds: life of a lease.
        now: epoch seconds.

    Raises:
        LeaseTimeoutError: on entering, a table stayed taken.
    """

    def __init__(
        self,
        ledger: Ledger,
        tables: Sequence[tuple[str, str]],
        run_id: str,
        *,
        wait_seconds: float,
        seconds: int = LEASE_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._ledger = ledger
        # One order for all: two publishers of the same tables cannot wait for each other.
        self._tables = sorted(tables)
        # Never run_id alone: a step repeated by its state machine may meet its own first attempt.
        self.owner = f"{run_id}/{secrets.token_hex(4)}"
        self._wait_seconds = wait_seconds
        self._seconds = seconds
        self._now = now
        self._held: list[tuple[str, str]] = []
        self._renewed_at = 0.0
        self._lost = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Leases:
        # The heartbeat starts first: the wait for a later table may outlast an earlier lease.
        self._renewed_at = self._now()
        self._thread = threading.Thread(target=self._renew, daemon=True, name="lease-heartbeat")
        self._thread.start()
        deadline = self._now() + self._wait_seconds
        try:
            for database, table in self._tables:
                self._take(database, table, deadline)
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._release()

    def check(self) -> None:
        """Makes sure that the leases are held, before something is published under them.

        Raises:
            LeaseLostError: they are not.
        """
        if self._lost or self._now() - self._renewed_at >= self._seconds:
            raise LeaseLostError(table_id(*pair) for pair in self._tables)

    def _take(self, database: str, table: str, deadline: float) -> None:
        told = False
        while not self._ledger.take_lease(
            database, table, self.owner, int(self._now()), self._seconds
        ):
            holder = self._ledger.lease_holder(database, table)
            if self._now() >= deadline:
                raise LeaseTimeoutError(table_id(database, table), holder, self._wait_seconds)
            if not told:
                print(f"waiting for {table_id(database, table)}, held by {holder}", flush=True)
                told = True
            self._stop.wait(_POLL_SECONDS)
        self._held.append((database, table))

    def _renew(self) -> None:
        while not self._stop.wait(self._seconds / 3):
            begun = self._now()
            if begun - self._renewed_at >= self._seconds:
                # Ended while this process slept: what was another's meanwhile is not taken back.
                self._lost = True
                return
            try:
                for database, table in list(self._held):
                    if not self._ledger.take_lease(
                        database, table, self.owner, int(begun), self._seconds
                    ):
                        self._lost = True
                        return
            except Exception:
                # Unreachable for a moment: the lease still has two thirds of its life, and
                # check() refuses to publish once that is over.
                _LOG.warning("renewing the leases failed, trying again", exc_info=True)
            else:
                self._renewed_at = begun

    def _release(self) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join()
        for database, table in self._held:
            self._ledger.release_lease(database, table, self.owner)
        self._held = []
