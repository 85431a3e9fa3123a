"""Entry point of batch_planner, called by the batch state machine.

`{"step": "plan"}` (with an optional `run_id`, and `rescore`: days to score again) answers what is
pending; `{"step": "scoring", "run_id": …}` answers what the model has to score.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.batch_planner import planning
from lambdas.batch_planner.adapters import CLIENT_CONFIG, LedgerReader
from lambdas.batch_planner.settings import Settings
from lambdas.common.settings import read_settings
from voxlake.ledger.rules import NO_RESCORE

logger = Logger()
metrics = Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "voxlake"))


@cache
def _application() -> tuple[Settings, LedgerReader]:
    settings = read_settings(Settings, os.environ)
    return settings, LedgerReader(
        boto3.client("dynamodb", config=CLIENT_CONFIG), settings.ledger_table
    )


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    settings, ledger = _application()
    return answer(event, settings, ledger, now=datetime.now(UTC), suffix=secrets.token_hex(3))


def answer(
    event: Mapping[str, Any],
    settings: Settings,
    ledger: LedgerReader,
    *,
    now: datetime,
    suffix: str,
) -> dict[str, Any]:
    """Answers one step.

    Args:
        now, suffix: what a new run id is made of (UTC; six hex digits).

    Raises:
        PlanRequestError: unknown step, or a run_id of the wrong form.
        RescoreError: the days to score again are not of their form.
        MissingFeaturesRunError: scoring asked for before cleansed_to_features ran.
    """
    step = event.get("step")
    if step == "plan":
        run_id = event.get("run_id")
        result = plan(
            planning.check_run_id(run_id) if run_id else planning.new_run_id(now, suffix),
            settings,
            ledger,
            event.get("rescore") or NO_RESCORE,
        )
    elif step == "scoring":
        run_id = planning.check_run_id(event.get("run_id"))
        result = planning.scoring_plan(
            run_id, ledger.run(run_id, planning.FEATURES_JOB), settings.artifacts_bucket
        )
    else:
        raise planning.PlanRequestError(
            f'expected step "plan" or "scoring", found {step!r}; '
            "correct the payload of the state machine's task"
        )
    logger.info("planned", extra={"step": step, **result})
    return result


def plan(run_id: str, settings: Settings, ledger: LedgerReader, rescore: str) -> dict[str, Any]:
    """What is pending, also as metrics."""
    made = planning.make_plan(
        run_id,
        ledger.pending(),
        {
            table: ledger.versions(settings.cleansed_database, table)
            for table in planning.TEXT_TABLES
        },
        ledger.versions(settings.analytics_database, planning.SCORED_TABLE),
        rescore,
    )
    metrics.add_metric("PendingObjects", MetricUnit.Count, made.pending_objects)
    metrics.add_metric("PendingRecords", MetricUnit.Count, made.pending_records)
    metrics.flush_metrics()
    return made.to_dict()
