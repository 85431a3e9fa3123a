"""Putting and getting records, within the limits that AWS documents.

moto numbers a record by counting the shard's records, and loses records when two clients write at
once; a data plane needs neither. Streams and shards stay moto's.
https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from localcloud.cloudwatch.counters import MinuteCounters
from localcloud.core import Cloud
from localcloud.errors import ServiceError
from localcloud.kinesis.log import ShardLog
from localcloud.request import Request, Response

MAX_RECORD_BYTES = 1 << 20
MAX_RECORDS_PER_PUT = 500
MAX_BYTES_PER_PUT = 5 << 20
MAX_RECORDS_PER_GET = 10_000
MAX_BYTES_PER_GET = 10 << 20
MAX_KEY_CHARACTERS = 256


class KinesisService:
    name = "kinesis"

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.actions = {
            "PutRecord": self.put_record,
            "PutRecords": self.put_records,
            "GetShardIterator": self.get_shard_iterator,
            "GetRecords": self.get_records,
        }
        self._lock = threading.Lock()
        self._counters = MinuteCounters(cloud, "AWS/Kinesis")

    def put_record(self, request: Request) -> dict[str, Any]:
        params = request.params
        self._check(params, "data", "partitionKey")
        stream = self._stream(params)
        return {**self._append(stream, [params])[0], **_encryption(stream)}

    def put_records(self, request: Request) -> dict[str, Any]:
        records = request.params.get("Records") or []
        if not 1 <= len(records) <= MAX_RECORDS_PER_PUT:
            bound = "greater than or equal to 1" if not records else "less than or equal to 500"
            raise _validation("records", f"Member must have length {bound}")
        total = sum(
            self._check(r, f"records.{i}.member.data", f"records.{i}.member.partitionKey")
            for i, r in enumerate(records, 1)
        )
        if total > MAX_BYTES_PER_PUT:
            raise ServiceError("InvalidArgumentException", "Records size exceeds 5 MB limit")
        stream = self._stream(request.params)
        return {
            "FailedRecordCount": 0,
            "Records": self._append(stream, records),
            **_encryption(stream),
        }

    def get_shard_iterator(self, request: Request) -> dict[str, Any]:
        params = request.params
        stream = self._stream(params)
        shard_id = params["ShardId"]
        log = self._log(stream, shard_id)
        sequence = params.get("StartingSequenceNumber")
        at = params.get("Timestamp")
        try:
            start = log.start(
                params["ShardIteratorType"],
                int(sequence) if sequence is not None else None,
                datetime.fromtimestamp(float(at), UTC) if at is not None else None,
            )
        except ValueError as error:
            raise ServiceError(
                "InvalidArgumentException", f"Invalid ShardIteratorType: {error}"
            ) from error
        return {"ShardIterator": _iterator(stream.stream_name, shard_id, start)}

    def get_records(self, request: Request) -> Response:
        params = request.params
        limit = int(params.get("Limit") or MAX_RECORDS_PER_GET)
        if not 1 <= limit <= MAX_RECORDS_PER_GET:
            raise _validation("limit", "Member must have value between 1 and 10000")
        name, shard_id, start = _read_iterator(params["ShardIterator"])
        stream = self._stream({"StreamName": name})
        records, following, newest = self._log(stream, shard_id).read(
            start, limit, MAX_BYTES_PER_GET
        )
        behind = (newest - records[-1].arrival) if records and newest else timedelta()
        document = {
            "Records": [
                {
                    "SequenceNumber": str(r.sequence),
                    "ApproximateArrivalTimestamp": r.arrival.timestamp(),
                    "Data": r.data,
                    "PartitionKey": r.partition_key,
                    **_encryption(stream),
                }
                for r in records
            ],
            "NextShardIterator": _iterator(name, shard_id, following),
            "MillisBehindLatest": int(behind.total_seconds() * 1000),
        }
        headers = [("Content-Type", "application/x-amz-json-1.1")]
        return Response(200, headers, json.dumps(document).encode())

    def stream_of_iterator(self, iterator: str) -> str | None:
        """The name of the stream that an iterator reads."""
        return _read_iterator(iterator)[0]

    def status(self) -> dict[str, Any]:
        streams = self._streams()
        return {"streams": {name: {"shards": len(s.shards)} for name, s in streams.items()}}

    def _streams(self) -> dict[str, Any]:
        from moto.kinesis.models import kinesis_backends

        return kinesis_backends[self.cloud.account][self.cloud.region].streams

    def _stream(self, params: dict[str, Any]) -> Any:
        name = params.get("StreamName") or (params.get("StreamARN") or "").rpartition("/")[2]
        stream = self._streams().get(name)
        if stream is None:
            raise self._not_found(f"Stream {name}")
        return stream

    def _log(self, stream: Any, shard_id: str) -> ShardLog:
        """The records of a shard, kept at moto's shard: they go when the stream goes."""
        shard = stream.shards.get(shard_id)
        if shard is None:
            raise self._not_found(f"Shard {shard_id} in stream {stream.stream_name}")
        with self._lock:
            if not hasattr(shard, "log"):
                shard.log = ShardLog(int(shard_id.rpartition("-")[2]))
            return shard.log

    def _not_found(self, what: str) -> ServiceError:
        return ServiceError(
            "ResourceNotFoundException", f"{what} under account {self.cloud.account} not found."
        )

    def _append(self, stream: Any, records: list[dict[str, Any]]) -> list[dict[str, str]]:
        shards = [self._shard_id(stream, r) for r in records]
        retention = timedelta(hours=stream.retention_period_hours or 24)
        now = self.cloud.clock.now()
        sequences: dict[int, int] = {}
        for shard_id in set(shards):
            places = [i for i, s in enumerate(shards) if s == shard_id]
            rows = [(records[i]["PartitionKey"], records[i].get("Data") or "") for i in places]
            numbers = self._log(stream, shard_id).append(rows, now, retention)
            sequences.update(zip(places, numbers, strict=True))
        dimensions = (("StreamName", stream.stream_name),)
        self._counters.add("IncomingRecords", dimensions, len(records), "Count", len(records))
        size = sum(_size(r) for r in records)
        self._counters.add("IncomingBytes", dimensions, size, "Bytes", len(records))
        return [
            {"ShardId": shard_id, "SequenceNumber": str(sequences[i])}
            for i, shard_id in enumerate(shards)
        ]

    def _shard_id(self, stream: Any, record: dict[str, Any]) -> str:
        digest = hashlib.md5(record["PartitionKey"].encode(), usedforsecurity=False).digest()
        number = int(record.get("ExplicitHashKey") or int.from_bytes(digest, "big"))
        for shard in stream.shards.values():
            if shard.is_open and shard.starting_hash <= number <= shard.ending_hash:
                return shard.shard_id
        raise ServiceError("InvalidArgumentException", f"no shard for hash key {number}")

    def _check(self, record: dict[str, Any], data_member: str, key_member: str) -> int:
        """The size of a record; raises `ServiceError` when it breaks a limit."""
        key = record.get("PartitionKey")
        if not isinstance(key, str) or not 1 <= len(key) <= MAX_KEY_CHARACTERS:
            raise _validation(key_member, "Member must have length between 1 and 256")
        try:
            size = _size(record)
        except binascii.Error as error:
            raise ServiceError("SerializationException", "data is not base64") from error
        if size > MAX_RECORD_BYTES:
            raise _validation(
                data_member, f"Member must have length less than or equal to {MAX_RECORD_BYTES}"
            )
        return size


def _size(record: dict[str, Any]) -> int:
    """Bytes of data and partition key, which is what AWS's limit is about."""
    data = record.get("Data") or ""
    if len(data) % 4:
        raise binascii.Error("padding")
    padding = 2 if data.endswith("==") else 1 if data.endswith("=") else 0
    return len(data) // 4 * 3 - padding + len(record["PartitionKey"].encode())


def _validation(member: str, constraint: str) -> ServiceError:
    return ServiceError(
        "ValidationException",
        f"1 validation error detected: Value at '{member}' failed to satisfy constraint:"
        f" {constraint}",
    )


def _encryption(stream: Any) -> dict[str, str]:
    return {"EncryptionType": "KMS"} if stream.encryption_type == "KMS" else {}


def _iterator(stream_name: str, shard_id: str, sequence: int) -> str:
    return base64.b64encode(json.dumps([stream_name, shard_id, sequence]).encode()).decode()


def _read_iterator(iterator: str) -> list[Any]:
    try:
        return json.loads(base64.b64decode(iterator))
    except ValueError as error:
        raise ServiceError("InvalidArgumentException", "Invalid ShardIterator.") from error
