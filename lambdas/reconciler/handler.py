"""Entry point of reconciler: `{"step": "reconcile", "repair": true, "stream": true}` in, the
accounts of the lake out. It fails only where the evidence cannot be had, never because the
accounts do not add up: `unaccounted` in the answer, its metric and an alarm tell that.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.common.settings import read_settings
from lambdas.reconciler.adapters import CLIENT_CONFIG, Catalog, Landing, Ledger, StreamCounter
from lambdas.reconciler.athena import RowCounter
from lambdas.reconciler.evidence import Evidence, Sources, gather
from lambdas.reconciler.repairs import repair
from lambdas.reconciler.settings import Settings
from voxlake.errors import TerminalError
from voxlake.ledger.reconcile import Reconciliation

logger = Logger()
metrics = Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "voxlake"))

# The answer is also the state machine's output, which ends at 256 KiB.
MAX_LISTED = 300


class ReconcileRequestError(TerminalError):
    """The invocation's payload is none that reconciler answers."""


@cache
def _application() -> tuple[Settings, Sources]:
    settings = read_settings(Settings, os.environ)
    return settings, connect(settings)


def connect(settings: Settings) -> Sources:
    """The evidence's sources with real clients; region and credentials from the environment."""

    def client(service: str) -> Any:
        return boto3.client(service, config=CLIENT_CONFIG)

    return Sources(
        ledger=Ledger(client("dynamodb"), settings.ledger_table),
        landing=Landing(client("s3"), settings.landing_bucket),
        catalog=Catalog(client("glue")),
        rows=RowCounter(client("athena"), settings.athena_workgroup),
        stream=StreamCounter(client("cloudwatch"), settings.event_stream),
        databases={
            "cleansed": settings.cleansed_database,
            "analytics": settings.analytics_database,
        },
    )


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    settings, sources = _application()
    return answer(event, settings, sources, now=datetime.now(UTC))


def answer(
    event: Mapping[str, Any], settings: Settings, sources: Sources, *, now: datetime
) -> dict[str, Any]:
    """Reconciles and, unless told not to, repairs and looks again.

    Returns:
        the accounts as they are now; `findings` holds what was found and repaired, then what is
        left. Of `findings` and `repaired` at most 300 entries each, `omitted` then says how many
        more there are.

    Raises:
        ReconcileRequestError: another step, or a switch that is neither true nor false.
        AthenaQueryError: the rows cannot be counted.
        PartitionMovedError: a run published a partition all the while.
    """
    switches = {name: event.get(name, True) for name in ("repair", "stream")}
    if event.get("step", "reconcile") != "reconcile" or not all(
        isinstance(value, bool) for value in switches.values()
    ):
        raise ReconcileRequestError(
            'expected {"step": "reconcile", "repair": true, "stream": true}, found '
            f"{dict(event)!r}; correct the payload"
        )

    def look() -> tuple[Evidence, Reconciliation]:
        evidence = gather(sources, now=now, stream=switches["stream"])
        return evidence, evidence.reconcile(
            now=now,
            schedule_minutes=settings.schedule_minutes,
            landing_retention=settings.landing_retention,
        )

    evidence, found = look()
    made = repair(sources, evidence, found.repairs) if switches["repair"] else []
    if made:
        _, found = look()
        found.repaired = made
        found.findings[:0] = [one.finding for one in made]
    metrics.add_metric("UnaccountedEvents", MetricUnit.Count, found.unaccounted)
    metrics.add_metric("PendingEvents", MetricUnit.Count, found.total["pending"])
    metrics.flush_metrics()
    for finding in found.findings[:MAX_LISTED]:
        logger.warning("finding", extra={"finding": finding.to_dict()})
    result = found.to_dict()
    for name in ("findings", "repaired"):
        beyond = len(result[name]) - MAX_LISTED
        if beyond > 0:
            result[name] = result[name][:MAX_LISTED]
            result.setdefault("omitted", {})[name] = beyond
    logger.info(
        "reconciled",
        extra={"total": result["total"], "stream": result["stream"], "settled": result["settled"]},
    )
    return result
