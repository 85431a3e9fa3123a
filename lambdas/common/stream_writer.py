"""PutRecords within its limits, failed entries retried; packaged with each function."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol, TypeVar

import orjson
from botocore.config import Config

from voxlake.errors import TransientError

# https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
MAX_RECORDS = 500
MAX_BYTES = 5 * 1024 * 1024

CLIENT_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 5}, connect_timeout=3, read_timeout=30
)


class Record(Protocol):
    """What a batch is made of: bytes, and the key that chooses the shard."""

    @property
    def data(self) -> bytes: ...
    @property
    def partition_key(self) -> str: ...


AnyRecord = TypeVar("AnyRecord", bound=Record)


@dataclass(frozen=True)
class EventRecord:
    """An event as a record: an author's events keep their order, being in one shard."""

    data: bytes
    partition_key: str

    @classmethod
    def of(cls, event: dict[str, Any]) -> EventRecord:
        """Of an event that is valid by the contract."""
        return cls(orjson.dumps(event), event["author_id"])


class PutRecordsError(TransientError):
    """The stream kept refusing records.

    Attributes:
        refused: how many records were left.
        codes: the service's error codes of the last attempt.
    """

    def __init__(self, refused: int, attempts: int, codes: Sequence[str]) -> None:
        self.refused = refused
        self.codes = tuple(codes)
        super().__init__(
            f"expected the stream to take every record within {attempts} attempts, found "
            f"{refused} refused ({', '.join(codes)}); check the stream's write throttling and "
            "invoke again"
        )


def batches(records: Iterable[AnyRecord]) -> Iterator[list[AnyRecord]]:
    """Cuts records into requests of at most 500 records and 5 MiB of data and partition keys."""
    batch: list[AnyRecord] = []
    size = 0
    for record in records:
        weight = len(record.data) + len(record.partition_key.encode())
        if batch and (len(batch) == MAX_RECORDS or size + weight > MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += weight
    if batch:
        yield batch


class KinesisWriter:
    """Puts batches on a stream.

    Args:
        client: Kinesis client.
        stream: name of the stream.
        max_attempts: of a batch; waits between them double from base_wait_seconds up to 5 s,
            each cut by a random factor so that senders do not retry in step.
        sleep, random: injected by tests.
    """

    def __init__(
        self,
        client: Any,
        stream: str,
        *,
        max_attempts: int = 8,
        base_wait_seconds: float = 0.1,
        sleep: Callable[[float], None] = time.sleep,
        random: Random | None = None,
    ) -> None:
        self._client = client
        self._stream = stream
        self._max_attempts = max_attempts
        self._base_wait_seconds = base_wait_seconds
        self._sleep = sleep
        self._random = random or Random()

    def put(self, batch: Sequence[Record]) -> None:
        """Puts a batch; entries that failed are put again, and only those.

        Raises:
            PutRecordsError: some still fail after the last attempt.
        """
        entries = [{"Data": record.data, "PartitionKey": record.partition_key} for record in batch]
        codes: list[str] = []
        for attempt in range(self._max_attempts):
            if attempt:
                longest = min(5.0, self._base_wait_seconds * 2 ** (attempt - 1))
                self._sleep(self._random.uniform(0, longest))
            answer = self._client.put_records(StreamName=self._stream, Records=entries)
            if not answer["FailedRecordCount"]:
                return
            results = answer["Records"]
            codes = sorted({result["ErrorCode"] for result in results if "ErrorCode" in result})
            entries = [
                entry
                for entry, result in zip(entries, results, strict=True)
                if "ErrorCode" in result
            ]
        raise PutRecordsError(len(entries), self._max_attempts, codes)
