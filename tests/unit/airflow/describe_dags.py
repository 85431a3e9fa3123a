"""Run by Airflow's own Python: what the DAGs of a folder look like, as JSON."""

import json
import sys

from airflow.models.dagbag import DagBag
from airflow.sdk import BaseOperator
from lake.drift import stability_index
from lake.failures import LeavesError


def described(operator) -> dict:
    return {
        "operator": operator.task_type,
        "upstream": sorted(operator.upstream_task_ids),
        "retries": operator.retries,
        "backs_off": operator.retry_exponential_backoff,
        "timeout": operator.execution_timeout and operator.execution_timeout.total_seconds(),
        "rule": str(operator.trigger_rule.value),
    }


class Failing(BaseOperator):
    def execute(self, context):
        raise ValueError("lines_are_readable: halted by quality rule lines_are_readable")


class Halted(LeavesError, Failing):
    """A task that a quality rule halts."""


class Left:
    def xcom_push(self, key, value):
        self.__dict__[key] = value


def halted() -> dict:
    """How a halted task fails, and what it leaves to be told."""
    left = Left()
    try:
        LeavesError.execute(Halted(task_id="halted"), {"ti": left})
    except Exception as error:
        return {"raised": type(error).__name__, **vars(left)}


bag = DagBag(sys.argv[1], include_examples=False)
found = {
    "errors": bag.import_errors,
    "dags": {
        name: {
            "schedule": dag.timetable.summary,
            "active_runs": dag.max_active_runs,
            "catchup": dag.catchup,
            "params": sorted(dag.params),
            "tasks": {operator.task_id: described(operator) for operator in dag.tasks},
        }
        for name, dag in bag.dags.items()
    },
    "stability": [stability_index([50, 50], [500, 500]), stability_index([90, 9], [499, 499])],
    "halted": halted(),
}
print("\n" + json.dumps(found))
