"""Entry point of batch_planner, called by the batch state machine.

`{"step": "plan"}` (with an optional `run_id`, and `rescore`: days to score again) answers what is
pending; with `waiting_minutes`, nothing as long as no object has waited for longer (a schedule that
stands by for Airflow); `{"step": "scoring", "run_id": …}` answers what the model has to score;
`{"step": "quality", "run_id": …, "job": …}` is the quality gate after a job: it fails where the
job was halted, and answers the warnings.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.batch_planner import planning
from lambdas.batch_planner.adapters import CLIENT_CONFIG, LedgerReader, TicketsReader
from lambdas.batch_planner.settings import Settings
from lambdas.common.settings import read_settings
from voxlake.ledger.items import FROM_THE_BEGINNING
from voxlake.ledger.rules import NO_RESCORE
from voxlake.quality.summary import passed_gate, quality_key
from voxlake.tickets.lake import JOB as TICKETS_JOB

logger = Logger()
metrics = Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "voxlake"))


@cache
def _application() -> tuple[Settings, LedgerReader, TicketsReader | None]:
    settings = read_settings(Settings, os.environ)
    dynamodb = boto3.client("dynamodb", config=CLIENT_CONFIG)
    table = settings.tickets_table
    return (
        settings,
        LedgerReader(dynamodb, settings.ledger_table),
        TicketsReader(dynamodb, table) if table else None,
    )


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    settings, ledger, tickets = _application()
    now, suffix = datetime.now(UTC), secrets.token_hex(3)
    return answer(event, settings, ledger, tickets, now=now, suffix=suffix)


def answer(
    event: Mapping[str, Any],
    settings: Settings,
    ledger: LedgerReader,
    tickets: TicketsReader | None = None,
    *,
    now: datetime,
    suffix: str,
) -> dict[str, Any]:
    """Answers one step.

    Args:
        tickets: None where the stage has no stream path.
        now, suffix: what a new run id is made of (UTC; six hex digits).

    Raises:
        PlanRequestError: unknown step, or a run_id of the wrong form.
        RescoreError: the days to score again are not of their form.
        MissingFeaturesRunError: scoring asked for before cleansed_to_features ran.
        QualityGateError: quality rules halted the job.
    """
    step = event.get("step")
    if step == "plan":
        run_id = event.get("run_id")
        run_id = planning.check_run_id(run_id) if run_id else planning.new_run_id(now, suffix)
        waiting = list(ledger.pending())
        if planning.is_early(event.get("waiting_minutes"), waiting, now):
            result = planning.nothing(run_id).to_dict()
        else:
            rescore = event.get("rescore") or NO_RESCORE
            result = plan(run_id, settings, ledger, tickets, rescore, waiting)
    elif step == "scoring":
        run_id = planning.check_run_id(event.get("run_id"))
        result = planning.scoring_plan(
            run_id, ledger.run(run_id, planning.FEATURES_JOB), settings.artifacts_bucket
        )
    elif step == "quality":
        run_id, job = planning.check_run_id(event.get("run_id")), str(event.get("job"))
        result = passed_gate(run_id, job, ledger.run(run_id, quality_key(job)))
    else:
        raise planning.PlanRequestError(
            f'expected step "plan", "scoring" or "quality", found {step!r}; '
            "correct the payload of the state machine's task"
        )
    logger.info("planned", extra={"step": step, **result})
    return result


def plan(
    run_id: str,
    settings: Settings,
    ledger: LedgerReader,
    tickets: TicketsReader | None,
    rescore: str,
    waiting: Iterable[Mapping[str, Any]],
) -> dict[str, Any]:
    """What is pending, also as metrics. waiting: the pending objects' items."""
    made = planning.make_plan(
        run_id,
        waiting,
        {
            table: ledger.versions(settings.cleansed_database, table)
            for table in planning.TEXT_TABLES
        },
        ledger.versions(settings.analytics_database, planning.SCORED_TABLE),
        rescore,
        _pending_tickets(ledger, tickets) if tickets else 0,
    )
    metrics.add_metric("PendingObjects", MetricUnit.Count, made.pending_objects)
    metrics.add_metric("PendingRecords", MetricUnit.Count, made.pending_records)
    metrics.flush_metrics()
    return made.to_dict()


def _pending_tickets(ledger: LedgerReader, tickets: TicketsReader) -> int:
    position = ledger.position(TICKETS_JOB)
    changed = tickets.changed(position.get("since", FROM_THE_BEGINNING))
    return planning.tickets_to_look_at(changed, position)
