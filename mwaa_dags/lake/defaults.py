"""Retries, limits and names that hold for every task.

Physical names are never written here: they are in the Airflow variable `voxlake`, the outputs of
the stage's stacks as one JSON object, and are read when a task runs (`name`). How the variable
gets there is in docs/airflow.md.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from airflow.configuration import conf

from lake.failures import failure_report

START = datetime(2004, 1, 1, tzinfo=UTC)
"""The first day an event may have: a run for a date before it would have no tasks, and succeed."""
AFTER_A_BRANCH = "none_failed_min_one_success"
"""Trigger rule of a task that follows a branch and what the branch may pass over."""
POLL_SECONDS = conf.getint("voxlake", "poll_seconds", fallback=15)
"""Between two looks at a job: the configuration option `voxlake.poll_seconds`."""

# Repeating a task with the same run id gives the same tables, so any failure may be tried again.
TASK = {
    "retries": conf.getint("voxlake", "retries", fallback=2),
    "retry_delay": timedelta(seconds=conf.getint("voxlake", "retry_seconds", fallback=30)),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=10),
    "execution_timeout": timedelta(minutes=15),
    # The role that Airflow itself runs as; no connection has to be made.
    "aws_conn_id": None,
}

DAG_OPTIONS = {
    "start_date": START,
    # What was missed is not run again slot by slot: one run takes all that is pending.
    "catchup": False,
    "max_active_runs": 1,
    "default_args": TASK,
    "user_defined_filters": {"from_json": json.loads},
    "user_defined_macros": {"failure_report": failure_report},
    "tags": ["voxlake"],
}


def name(output: str) -> str:
    """A template for the physical name under a key of the stacks' outputs."""
    return "{{ var.json.voxlake.%s }}" % output  # noqa: UP031


def name_if_there(output: str) -> str:
    """As `name`, and empty where the stage has no such output."""
    return "{{ (var.json.voxlake).get('%s', '') }}" % output  # noqa: UP031


def answer(task_id: str, key: str) -> str:
    """A template for one member of the JSON that a function answered in another task."""
    return "{{ (ti.xcom_pull(task_ids='%s') | from_json)['%s'] }}" % (task_id, key)  # noqa: UP031
