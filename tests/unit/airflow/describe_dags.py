"""Run by Airflow's own Python: what the DAGs of a folder look like, as JSON."""

import json
import sys

from airflow.exceptions import AirflowSkipException
from airflow.models.dagbag import DagBag
from airflow.providers.amazon.aws.operators.lambda_function import LambdaInvokeFunctionOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import BaseOperator
from lake import topics
from lake.drift import stability_index
from lake.failures import LeavesError, WarehouseLoad


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


def repeats() -> list:
    """What follows runs of train_models, by their parameters."""
    import train_models

    asked = []
    TriggerDagRunOperator.execute = lambda self, context: asked.append(self.conf["repeat"])
    past, future = "2020-01-01T00:00:00Z", "2100-01-01T00:00:00+00:00"
    for repeat, until in [
        (None, None), (2, None), (1, None), (0, None), (None, future), (None, past), (5, past),
        (0, future),
    ]:  # fmt: skip
        params = {"model": "logreg", "repeat": repeat, "until": until}
        train_models.train_again.execute({"params": params})
        asked[-1] = [repeat, until, train_models.what_next(params), asked[-1]]
    return asked


def loads() -> list:
    """Loads of a stage with a warehouse, which takes three calls, and of one without."""
    found = []
    for function in ("loader", ""):
        calls = []
        load = WarehouseLoad(task_id="load", function_name=function)
        LambdaInvokeFunctionOperator.execute = lambda self, context, calls=calls: (
            calls.append(1) or json.dumps({"done": len(calls) == 3})
        )
        try:
            answer = json.loads(load.execute({"ti": Left()}))
            found.append({"calls": len(calls), "answer": answer})
        except AirflowSkipException:
            found.append({"calls": len(calls), "skipped": True})
    return found


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
    "repeats": repeats(),
    "topics": [
        *map(topics.first_task, ("2026-11-16", "2026-11-17")),
        *(topics.after_gathering(json.dumps({"texts": n})) for n in (1_999, 2_000)),
    ],
    "loads": loads(),
}
print("\n" + json.dumps(found))
