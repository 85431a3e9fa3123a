"""The tasks that the DAGs are made of: the Amazon provider's operators with our limits."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from airflow.providers.amazon.aws.operators.sns import SnsPublishOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import BaseOperator

from lake.defaults import POLL_SECONDS, answer, name, name_if_there
from lake.failures import Function, GlueJob, TrainingJob, TransformJob, WarehouseLoad

# Glue and SageMaker end their jobs by themselves before that, with a better message.
JOB_TIMEOUT = timedelta(minutes=130)
TRANSFORM_TIMEOUT = timedelta(minutes=190)
LOAD_TIMEOUT = timedelta(minutes=130)
TRAINING_TIMEOUT = timedelta(minutes=490)
# A function may take fifteen minutes; boto3 gives up after one, and would call again.
_ONE_LONG_CALL = {"read_timeout": 900, "retries": {"max_attempts": 0}}


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
        botocore_config=_ONE_LONG_CALL,
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


def load_warehouse(task_id: str) -> BaseOperator:
    """Loads what changed into Redshift, where the stage has it."""
    return WarehouseLoad(
        task_id=task_id,
        function_name=name_if_there("WarehouseLoaderFunction"),
        payload=json.dumps({"step": "load"}),
        botocore_config=_ONE_LONG_CALL,
        execution_timeout=LOAD_TIMEOUT,
    )


def train(task_id: str, prepared_by: str) -> BaseOperator:
    """The training job that the task `prepared_by` made ready; answers its description."""
    return TrainingJob(
        task_id=task_id,
        config="{{ (ti.xcom_pull(task_ids='%s') | from_json)['request'] | tojson }}"  # noqa: UP031
        % prepared_by,
        check_interval=POLL_SECONDS,
        check_if_job_exists=False,
        # The log is SageMaker's; reading it would take rights on a group that others write to.
        print_log=False,
        execution_timeout=TRAINING_TIMEOUT,
    )


def artifact(trained_by: str) -> str:
    """A template for the URI of the model that a training task made."""
    return (
        "{{ ti.xcom_pull(task_ids='%s')['Training']['ModelArtifacts']['S3ModelArtifacts'] }}"  # noqa: UP031
        % trained_by
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
