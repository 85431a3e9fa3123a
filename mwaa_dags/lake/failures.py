"""What went wrong in a run, in words for a person who reads it on a phone."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from airflow.configuration import conf
from airflow.exceptions import AirflowFailException, AirflowSkipException
from airflow.providers.amazon.aws.operators.glue import GlueJobOperator
from airflow.providers.amazon.aws.operators.glue_crawler import GlueCrawlerOperator
from airflow.providers.amazon.aws.operators.lambda_function import LambdaInvokeFunctionOperator
from airflow.providers.amazon.aws.operators.sagemaker import (
    SageMakerTrainingOperator,
    SageMakerTransformOperator,
)

ERROR = "error"
"""Key of the XCom in which a failing task leaves its error."""
MAX_ERROR = 1000  # characters
HALTED = "halted by quality rule"
"""What jobs and functions say where a quality rule of level halt does not hold."""


class LeavesError:
    """Mixin of an operator: what it fails with is left for `failure_report`.

    A failure callback cannot do it: `airflow dags test` does not hand the exception to one.
    """

    def execute(self, context: Any) -> Any:
        try:
            return super().execute(context)
        except AirflowSkipException:
            raise
        except BaseException as error:  # a timeout is no Exception
            told = self.why(error)[:MAX_ERROR]
            context["ti"].xcom_push(key=ERROR, value=told)
            if HALTED in told:
                # Trying again would find the same rows.
                raise AirflowFailException(told) from error
            raise

    def why(self, error: BaseException) -> str:
        """The error in words."""
        return str(error) or type(error).__name__


class TransformJob(LeavesError, SageMakerTransformOperator):
    """A batch transform, telling why it failed."""


class Crawler(LeavesError, GlueCrawlerOperator):
    """A crawler, telling why it failed."""


class GlueJob(LeavesError, GlueJobOperator):
    """A Glue job, telling why it failed: the operator says only that it did, Glue knows why."""

    def why(self, error: BaseException) -> str:
        found = {}
        if self._job_run_id:
            client = self.hook.conn
            found = client.get_job_run(JobName=self.job_name, RunId=self._job_run_id)["JobRun"]
        return found.get("ErrorMessage") or super().why(error)


class _LeavesFunctionError(LeavesError):
    def why(self, error: BaseException) -> str:
        try:
            return json.loads(error.args[1]["Payload"])["errorMessage"]
        except (IndexError, KeyError, TypeError, ValueError):
            return super().why(error)


class Function(_LeavesFunctionError, LambdaInvokeFunctionOperator):
    """A Lambda function, telling why it failed."""


class _Load(LambdaInvokeFunctionOperator):
    def execute(self, context: Any) -> str:
        if not self.function_name:
            raise AirflowSkipException("this stage has no Redshift (redshift_enabled)")
        # One call waits a quarter of an hour; a longer load goes on in the next.
        while not json.loads(answer := super().execute(context))["done"]:
            self.log.info("the load goes on")
        return answer


class WarehouseLoad(_LeavesFunctionError, _Load):
    """Calls the loader until it is done; skipped where the stage has no warehouse."""


class _Train(SageMakerTrainingOperator):
    def execute(self, context: Any) -> dict[str, Any]:
        self.config = json.loads(self.config)
        # SageMaker never takes a job name twice: each attempt needs its own. Their checkpoints are
        # the same, so the next attempt goes on where the one before ended.
        self.config["TrainingJobName"] += f"-{context['ti'].try_number}"
        return super().execute(context)


class TrainingJob(LeavesError, _Train):
    """A training job, telling why it failed. `config` is a template of JSON."""


def failure_report(ti: Any) -> str:
    """Two lines on each failed task of the run: what it was and why, and where its log is.

    Args:
        ti: the task instance that reports.
    """
    states = ti.get_task_states(dag_id=ti.dag_id, run_ids=[ti.run_id])[ti.run_id]
    lines = [f"{ti.dag_id} failed. Run: {ti.run_id}"]
    for task_id in sorted(task for task, state in states.items() if state == "failed"):
        error = ti.xcom_pull(task_ids=task_id, key=ERROR) or "see its log"
        lines.append(f"Task {task_id}: {error}")
        lines.append(f"Log: {log_url(ti.dag_id, ti.run_id, task_id)}")
    return "\n".join(lines)


def log_url(dag_id: str, run_id: str, task_id: str) -> str:
    """The task's page in Airflow's web interface."""
    base = conf.get("api", "base_url", fallback="http://localhost:8080").rstrip("/")
    return f"{base}/dags/{dag_id}/runs/{quote(run_id, safe='')}/tasks/{task_id}"
