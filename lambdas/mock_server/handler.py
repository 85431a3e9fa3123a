"""Entry point of mock_server: a schedule's event or a manual payload in, a count out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.common.settings import read_settings
from lambdas.common.stream_writer import CLIENT_CONFIG, KinesisWriter, batches
from lambdas.mock_server.mandate import Mandate, read_mandate
from lambdas.mock_server.settings import Settings
from lambdas.mock_server.traffic import records

logger = Logger()
metrics = Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "voxlake"))


@cache
def _application() -> tuple[Settings, KinesisWriter]:
    settings = read_settings(Settings, os.environ)
    return settings, KinesisWriter(
        boto3.client("kinesis", config=CLIENT_CONFIG), settings.event_stream
    )


def handler(event: Mapping[str, Any] | None, context: Any) -> dict[str, Any]:
    settings, writer = _application()
    mandate = read_mandate(event or {}, clock=datetime.now(UTC), seed=settings.seed)
    try:
        return send(mandate, settings, writer)
    finally:
        metrics.flush_metrics()


def send(mandate: Mandate, settings: Settings, writer: KinesisWriter) -> dict[str, Any]:
    """Puts a mandate's records on the stream.

    Returns:
        {"sent": records in all, "by_type": valid events by type (duplicates included),
        "duplicates", "late", "malformed"}; sent = sum of by_type + malformed.

    Raises:
        PutRecordsError: the stream kept refusing records.
    """
    by_type: Counter[str] = Counter()
    sent = duplicates = late = 0
    try:
        for batch in batches(records(mandate, settings)):
            writer.put(batch)
            sent += len(batch)
            by_type.update(record.event_type for record in batch if record.event_type)
            duplicates += sum(record.duplicate for record in batch)
            late += sum(record.late and not record.duplicate for record in batch)
    finally:
        metrics.add_metric("EventsSent", MetricUnit.Count, sent)
        metrics.add_metadata("by_type", dict(by_type))
    result = {
        "sent": sent,
        "by_type": dict(sorted(by_type.items())),
        "duplicates": duplicates,
        "late": late,
        "malformed": sent - by_type.total(),
    }
    logger.info("sent", extra=result)
    return result
