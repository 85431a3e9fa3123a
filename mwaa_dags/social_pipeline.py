"""social_pipeline: what landed becomes cleansed, scored and counted tables, and goes to Redshift.

A run with nothing pending ends at once; one with nothing but changed tickets takes those. Two
runs at once are safe: the ledger's leases order them. A run can be repeated, also after a crash,
and gives the same tables; so does running it for past dates.

Parameters: `rescore` also scores these days again (`2026-01-01/2026-01-31`, both within).
"""

from __future__ import annotations

import json

from airflow.configuration import conf
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.python import BranchPythonOperator
from airflow.sdk import DAG, BaseOperator, Param, chain
from lake.defaults import AFTER_A_BRANCH, DAG_OPTIONS, answer
from lake.tasks import done, invoke, load_warehouse, run_job, score, tell_failure

RUN_ID = answer("plan", "run_id")
DAYS = r"^\d{4}-\d{2}-\d{2}/\d{4}-\d{2}-\d{2}$"


def after_plan(plan: str) -> str:
    """The task to go on with, by the planner's answer, a JSON text."""
    found = json.loads(plan)
    if found["pending_objects"] or found["pending_texts"]:
        return "landing_to_cleansed"
    return "tickets_to_analytics" if found.get("pending_tickets") else "nothing_pending"


def after_plan_scoring(plan: str) -> str:
    """The task to go on with: days change by lines without a text to score, too."""
    return "score" if json.loads(plan)["to_score"] else "scores_to_analytics"


def quality_gate(task_id: str, job: str) -> BaseOperator:
    """Answers what the quality rules said of what a job wrote; fails where one halted it."""
    return invoke(
        task_id, "BatchPlannerFunction", {"step": "quality", "run_id": RUN_ID, "job": job}
    )


with DAG(
    "social_pipeline",
    description="Landing to cleansed, features, scores, analytics; reconciled, loaded",
    doc_md=__doc__,
    schedule=conf.get("voxlake", "schedule", fallback="@hourly"),
    params={
        "rescore": Param(
            None,
            type=["null", "string"],
            pattern=DAYS,
            description="Days to score again: first/last, both within",
        )
    },
    **DAG_OPTIONS,
):
    run_id = {"--run_id": RUN_ID}

    plan = invoke(
        "plan", "BatchPlannerFunction", '{"step": "plan", "rescore": {{ params.rescore | tojson }}}'
    )
    what_is_pending = BranchPythonOperator(
        task_id="what_is_pending", python_callable=after_plan, op_args=[plan.output]
    )
    nothing_pending = EmptyOperator(task_id="nothing_pending")
    landing_to_cleansed = run_job("landing_to_cleansed", "LandingToCleansedJob", run_id)
    quality_of_cleansed = quality_gate("quality_of_cleansed", job="landing_to_cleansed")
    cleansed_to_features = run_job(
        "cleansed_to_features",
        "CleansedToFeaturesJob",
        {**run_id, "--rescore": answer("plan", "rescore")},
    )
    plan_scoring = invoke(
        "plan_scoring",
        "BatchPlannerFunction",
        {"step": "scoring", "run_id": RUN_ID},
    )
    what_to_score = BranchPythonOperator(
        task_id="what_to_score", python_callable=after_plan_scoring, op_args=[plan_scoring.output]
    )
    scored = score("score", planned_by="plan_scoring")
    scores_to_analytics = run_job(
        "scores_to_analytics", "ScoresToAnalyticsJob", run_id, trigger_rule=AFTER_A_BRANCH
    )
    quality_of_analytics = quality_gate("quality_of_analytics", job="scores_to_analytics")
    tickets_to_analytics = run_job(
        "tickets_to_analytics", "TicketsToAnalyticsJob", run_id, trigger_rule=AFTER_A_BRANCH
    )
    reconcile = invoke("reconcile", "ReconcilerFunction", {"step": "reconcile"})
    loaded = load_warehouse("load_warehouse")

    path = [
        plan,
        what_is_pending,
        landing_to_cleansed,
        quality_of_cleansed,
        cleansed_to_features,
        plan_scoring,
        what_to_score,
        scored,
        scores_to_analytics,
        quality_of_analytics,
        tickets_to_analytics,
        reconcile,
        loaded,
    ]
    chain(*path)
    what_is_pending >> [nothing_pending, tickets_to_analytics]
    what_to_score >> scores_to_analytics
    done([reconcile, loaded], rule=AFTER_A_BRANCH)
    tell_failure(path)
