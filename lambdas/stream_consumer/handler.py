"""Entry point of stream_consumer: a Kinesis batch in, the failures to retry out.

It fails for infrastructure reasons only, since a bad record is quarantined. How it fails:

- Nothing of the batch is safe below the lowest failed sequence number: it raises. Lambda
  retries the whole batch (or halves of it), and the Errors metric shows it.
- Everything below some record is written and recorded: it answers that record as the batch's
  failure. Lambda resumes there (bisecting there, if told to bisect), so the head is not sent
  again, and what the tail repeats of objects already written is known downstream as redelivered
  by (shard, sequence number).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.common.settings import read_settings
from lambdas.stream_consumer.adapters import Writer, connect
from lambdas.stream_consumer.landing import first_unwritten, land
from lambdas.stream_consumer.settings import Settings
from voxlake.errors import TransientError

logger = Logger()
metrics = Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "voxlake"))


class LandingWriteError(TransientError):
    """Objects of a batch could not be written or recorded; the batch is to be retried."""


@cache
def _application() -> tuple[Settings, Writer]:
    settings = read_settings(Settings, os.environ)
    return settings, connect(
        settings.landing_bucket, settings.ledger_table, threads=settings.max_write_threads
    )


@metrics.log_metrics
def handler(event: Mapping[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    settings, writer = _application()
    return consume(event, settings, writer)


def consume(
    event: Mapping[str, Any], settings: Settings, writer: Writer
) -> dict[str, list[dict[str, str]]]:
    """Lands a batch.

    Returns:
        A partial batch response: empty, or the record to resume at.

    Raises:
        LandingWriteError: nothing of the batch's head is safe.
        UnexpectedRecordError: the records are not Kinesis records.
    """
    batch = land(event.get("Records", ()), max_future=settings.max_future)
    failures = writer.write(batch.objects)
    if not failures:
        _count(batch.received, len(batch.quarantined))
        metrics.add_metadata("landed_by_type", dict(batch.landed))
        metrics.add_metadata(
            "quarantined_by_reason", dict(Counter(reason for _, reason in batch.quarantined))
        )
        return {"batchItemFailures": []}
    for key, error in failures.items():
        logger.error("object not landed", extra={"key": key, "error": repr(error)})
    resume_at = first_unwritten(batch, [one for one in batch.objects if one.key in failures])
    if resume_at is None:
        raise LandingWriteError(
            f"expected {len(batch.objects)} landing objects to be written and recorded, "
            f"{len(failures)} were not: {next(iter(failures.values()))!r}; the batch is retried"
        )
    (records,) = batch.shards.values()
    _count(
        sum(int(record["kinesis"]["sequenceNumber"]) < int(resume_at) for record in records),
        sum(sequence < int(resume_at) for sequence, _ in batch.quarantined),
    )
    return {"batchItemFailures": [{"itemIdentifier": resume_at}]}


def _count(received: int, quarantined: int) -> None:
    """Counts records that are safe, so that each record of a retried batch counts once."""
    metrics.add_metric("RecordsReceived", MetricUnit.Count, received)
    metrics.add_metric("RecordsLanded", MetricUnit.Count, received - quarantined)
    metrics.add_metric("RecordsQuarantined", MetricUnit.Count, quarantined)
