"""The tasks that the DAGs are made of: the Amazon provider's operators with our limits."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from airflow.providers.amazon.aws.operators.sns import SnsPublishOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import BaseOperator

from lake.defaults import POLL_SECONDS, answer, name
from lake.failures import Function, GlueJob, TransformJob

# Glue and SageMaker end their jobs by themselves before that, with a better message.
JOB_TIMEOUT = timedelta(minutes=130)
TRANSFORM_TIMEOUT = timedelta(minutes=190)


def invoke(task_id: str, function: str, payload: dict[str, Any] | str) -> BaseOperator:
    """Calls a Lambda function and keeps its answer, a JSON text.

    Args:
        function: key of the output that names it.
        payload: may hold templates; a text is taken for JSON.
    """
    return Function(
        task_id=task_id,
        function_name=name(function),
        payload=payload if isinstance(payload, str) else json.dumps(payload),
        # A function may take fifteen minutes; boto3 gives up after one, and would call again.
        botocore_config={"read_timeout": 900, "retries": {"max_attempts": 0}},
        execution_timeout=timedelta(minutes=16),
    )


def run_job(task_id: str, job: str, arguments: dict[str, str], **options: Any) -> BaseOperator:
    """Runs a Glue job to its end; a task that is killed stops it.

    Args:
        job: key of the output that names it.
        arguments: may hold templates.
    """
    return GlueJob(
        task_id=task_id,
        job_name=name(job),
        script_args=arguments,
        job_poll_interval=POLL_SECONDS,
        stop_job_run_on_kill=True,
        execution_timeout=JOB_TIMEOUT,
        **options,
    )


def score(task_id: str, planned_by: str) -> BaseOperator:
    """The batch transform of what the task `planned_by` found to score."""
    config = {
        # SageMaker never takes a job name twice: each attempt needs its own.
        "TransformJobName": answer(planned_by, "transform_job_name") + "-{{ ti.try_number }}",
        "ModelName": name("SentimentModelName"),
        "BatchStrategy": "MultiRecord",
        "MaxPayloadInMB": name("TransformMaxPayloadMb"),
        "MaxConcurrentTransforms": name("TransformConcurrency"),
        "TransformInput": {
            "CompressionType": "None",
            "ContentType": "application/jsonlines",
            "DataSource": {
                "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": answer(planned_by, "input")}
            },
            "SplitType": "Line",
        },
        "TransformOutput": {
            "Accept": "application/jsonlines",
            "AssembleWith": "Line",
            # Left out, SageMaker encrypts with the account's own S3 key, not the bucket's.
            "KmsKeyId": name("KeyArn"),
            "S3OutputPath": answer(planned_by, "output"),
        },
        "TransformResources": {
            "InstanceCount": name("TransformInstanceCount"),
            "InstanceType": name("TransformInstanceType"),
        },
    }
    return TransformJob(
        task_id=task_id,
        config=config,
        check_interval=POLL_SECONDS,
        check_if_job_exists=False,
        execution_timeout=TRANSFORM_TIMEOUT,
    )


def tell_failure(watched: list[BaseOperator]) -> BaseOperator:
    """Tells the alarm topic when one of `watched` has failed for good."""
    task = SnsPublishOperator(
        task_id="tell_failure",
        target_arn=name("AlarmTopicArn"),
        subject="voxlake: {{ dag.dag_id }} failed",
        message="{{ failure_report(ti) }}",
        trigger_rule="one_failed",
        execution_timeout=timedelta(minutes=5),
    )
    watched >> task
    return task


def done(after: list[BaseOperator], rule: str = "all_success") -> BaseOperator:
    """The leaf by which a run is judged: without it, having told of a failure would be success."""
    task = EmptyOperator(task_id="done", trigger_rule=rule, execution_timeout=timedelta(minutes=1))
    after >> task
    return task
