"""What a batch becomes: the event a function receives, and what follows from its answer.

Pure rules: no threads, no clock, no I/O.
https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from localcloud.event_source.mapping import Mapping, Settings
from localcloud.kinesis.log import Record

PAYLOAD_LIMIT = 6 * 1024 * 1024
ENVELOPE = len('{"Records":[]}')


@dataclass(frozen=True, slots=True)
class Item:
    """A record and its part of the event, serialised once for all attempts."""

    record: Record
    text: str


@dataclass(frozen=True)
class Attempt:
    """Records to deliver together, after `retries` counted retries and `invokes` calls."""

    items: tuple[Item, ...]
    retries: int = 0
    invokes: int = 0

    def payload(self) -> bytes:
        """The event as JSON."""
        return ('{"Records":[' + ",".join(i.text for i in self.items) + "]}").encode()


@dataclass(frozen=True)
class Outcome:
    """What follows from one call: `done` items are dealt with, then come `attempts` in order,
    or the attempt's items are given up (`discard`)."""

    done: int
    attempts: tuple[Attempt, ...] = ()
    discard: bool = False


def make_item(record: Record, shard_id: str, stream_arn: str, role_arn: str) -> Item:
    """One record as Lambda sends it."""
    document = {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record.partition_key,
            "sequenceNumber": str(record.sequence),
            "data": record.data,
            "approximateArrivalTimestamp": round(record.arrival.timestamp(), 6),
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard_id}:{record.sequence}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": role_arn,
        "awsRegion": stream_arn.split(":")[3],
        "eventSourceARN": stream_arn,
    }
    return Item(record, json.dumps(document, separators=(",", ":"), ensure_ascii=True))


def take_within_limit(items: Sequence[Item], limit: int = PAYLOAD_LIMIT) -> tuple[Item, ...]:
    """The longest beginning of `items` whose event is within `limit` bytes; at least one item."""
    size = ENVELOPE
    for count, item in enumerate(items):
        size += len(item.text) + 1
        if size > limit and count:
            return tuple(items[:count])
    return tuple(items)


def lowest_failure(payload: bytes, items: Sequence[Item]) -> int | None:
    """Index of the lowest failed record in a partial batch response; None: all succeeded.

    As AWS documents it: nothing, null, an empty object or list mean success; an empty, missing or
    null identifier, or one that is not in the batch, fails the whole batch (index 0).
    """
    response = json.loads(payload or b"null")
    if not isinstance(response, dict):
        return None if response is None else 0
    index = {str(item.record.sequence): i for i, item in enumerate(items)}
    failures = response.get("batchItemFailures") or []
    return min(
        (
            index.get(failure.get("itemIdentifier"), 0) if isinstance(failure, dict) else 0
            for failure in failures
        ),
        default=None,
    )


def judge(attempt: Attempt, error: str | None, payload: bytes, settings: Settings) -> int | None:
    """Index of the first record to deliver again; None when the call succeeded."""
    if error is not None:
        return 0
    return lowest_failure(payload, attempt.items) if settings.report_failures else None


def after_call(attempt: Attempt, failed_at: int | None, settings: Settings) -> Outcome:
    """What follows when the record at `failed_at` is the lowest that failed.

    Progress starts the count of retries anew. Without progress a batch is halved when the mapping
    bisects (which costs no retry), else retried until the quota is used up.
    """
    items, invokes = attempt.items, attempt.invokes + 1
    if failed_at is None:
        return Outcome(len(items))
    if failed_at > 0:
        return Outcome(failed_at, (Attempt(items[failed_at:], 0, invokes),))
    if settings.bisect and len(items) > 1:
        middle = len(items) // 2
        halves = (items[:middle], items[middle:])
        return Outcome(0, tuple(Attempt(half, attempt.retries, invokes) for half in halves))
    if 0 <= settings.max_retries <= attempt.retries:
        return Outcome(len(items), discard=True)
    return Outcome(0, (Attempt(items, attempt.retries + 1, invokes),))


def expired_prefix(items: Sequence[Item], now: float, max_age_s: int) -> int:
    """How many records at the beginning are older than `max_age_s` (-1: none ever is)."""
    if max_age_s < 0:
        return 0
    for count, item in enumerate(items):
        if now - item.record.arrival.timestamp() <= max_age_s:
            return count
    return len(items)


def failure_record(
    mapping: Mapping,
    shard_id: str,
    attempt: Attempt,
    *,
    condition: str,
    request_id: str,
    error: str | None,
    now: datetime,
) -> dict[str, Any]:
    """The invocation record that Lambda writes to an S3 destination, the whole event included."""
    first, last = attempt.items[0].record, attempt.items[-1].record
    response = {"statusCode": 200, "executedVersion": "$LATEST"}
    if error:
        response["functionError"] = error
    return {
        "requestContext": {
            "requestId": request_id,
            "functionArn": mapping.function_arn,
            "condition": condition,
            "approximateInvokeCount": attempt.invokes,
        },
        **({"responseContext": response} if attempt.invokes else {}),
        "version": "1.0",
        "timestamp": iso(now),
        "KinesisBatchInfo": {
            "shardId": shard_id,
            "startSequenceNumber": str(first.sequence),
            "endSequenceNumber": str(last.sequence),
            "approximateArrivalOfFirstRecord": iso(first.arrival),
            "approximateArrivalOfLastRecord": iso(last.arrival),
            "batchSize": len(attempt.items),
            "streamArn": mapping.source_arn,
        },
        "payload": attempt.payload().decode(),
    }


def iso(moment: datetime) -> str:
    """A UTC time as 2019-11-14T00:38:06.021Z."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
