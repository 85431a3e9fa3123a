"""The records of one shard."""

from __future__ import annotations

import bisect
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

# As long as AWS's numbers: 56 digits, which no 64-bit integer and no float holds.
SEQUENCE_BASE = 496 * 10**53
TRIM_EVERY = 4096


@dataclass(frozen=True, slots=True)
class Record:
    """`data` is in base64, as it came; `arrival` never falls within a shard."""

    sequence: int
    partition_key: str
    data: str
    arrival: datetime


class ShardLog:
    """Records in the order of their sequence numbers; safe for many writers and readers."""

    def __init__(self, shard_number: int) -> None:
        self._first = SEQUENCE_BASE + shard_number * 10**40
        self._next = self._first
        self._records: list[Record] = []
        self._lock = threading.Lock()

    def append(self, rows: list[tuple[str, str]], now: datetime, retention: timedelta) -> list[int]:
        """Adds (partition key, data) rows; their sequence numbers."""
        with self._lock:
            arrival = max(now, self._records[-1].arrival) if self._records else now
            sequences = []
            for partition_key, data in rows:
                self._records.append(Record(self._next, partition_key, data, arrival))
                sequences.append(self._next)
                self._next += 1
                if self._next % TRIM_EVERY == 0:
                    self._trim(now - retention)
            return sequences

    def _trim(self, horizon: datetime) -> None:
        del self._records[: bisect.bisect_left(self._records, horizon, key=lambda r: r.arrival)]

    def read(
        self, sequence: int, limit: int, max_bytes: int
    ) -> tuple[list[Record], int, datetime | None]:
        """Records from `sequence` on, the next sequence to read, the last record's arrival."""
        with self._lock:
            start = bisect.bisect_left(self._records, sequence, key=lambda r: r.sequence)
            found: list[Record] = []
            size = 0
            for record in self._records[start : start + limit]:
                size += len(record.data) * 3 // 4
                if found and size > max_bytes:
                    break
                found.append(record)
            following = found[-1].sequence + 1 if found else max(sequence, self._first)
            return found, following, self._records[-1].arrival if self._records else None

    def start(self, kind: str, sequence: int | None, at: datetime | None) -> int:
        """The first sequence number that a new iterator of this kind reads."""
        with self._lock:
            if kind == "TRIM_HORIZON":
                return self._records[0].sequence if self._records else self._next
            if kind == "LATEST":
                return self._next
            if kind == "AT_TIMESTAMP" and at is not None:
                place = bisect.bisect_left(self._records, at, key=lambda r: r.arrival)
                return self._records[place].sequence if place < len(self._records) else self._next
            if sequence is not None and kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
                return sequence + (kind == "AFTER_SEQUENCE_NUMBER")
        raise ValueError(kind)
