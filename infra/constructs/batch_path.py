"""The batch path: the state machine from pending objects to reconciled tables, its schedule."""

import json
from typing import Any

from aws_cdk import Aws, Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.glue_job import GlueJob
from infra.constructs.grants import allow
from infra.constructs.log_group import encrypted_log_group
from infra.constructs.python_function import PythonFunction

_LAMBDA_RETRY = {
    "ErrorEquals": [
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.TooManyRequestsException",
    ],
    "IntervalSeconds": 2,
    "MaxAttempts": 4,
    "BackoffRate": 2,
}
# A job run twice with one run id gives the same tables, so any failure may be tried again.
_JOB_RETRY = {
    "ErrorEquals": ["States.TaskFailed"],
    "IntervalSeconds": 30,
    "MaxAttempts": 2,
    "BackoffRate": 2,
}


class BatchPath(Construct):
    """Plan, refine, score, count, take in the stream path's tickets, reconcile.

    Written in the states language itself: the names of the states are what operators and tests
    know the path by.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        key: kms.IKey,
        planner: PythonFunction,
        reconciler: PythonFunction,
        landing_to_cleansed: GlueJob,
        cleansed_to_features: GlueJob,
        scores_to_analytics: GlueJob,
        tickets_to_analytics: GlueJob | None,
        warehouse_loader: PythonFunction | None,
        model_name: str,
    ) -> None:
        super().__init__(scope, id)
        jobs = (landing_to_cleansed, cleansed_to_features, scores_to_analytics)
        tickets = (tickets_to_analytics,) if tickets_to_analytics is not None else ()
        self.log_group = encrypted_log_group(
            self, "Logs", key=key, retention_days=config.log_retention_days
        )
        functions = (planner, reconciler)
        if warehouse_loader is not None:
            functions += (warehouse_loader,)
        self.role = self._role(functions, (*jobs, *tickets))
        self.definition = definition(
            config=config,
            planner=planner.function.function_arn,
            reconciler=reconciler.function.function_arn,
            jobs=tuple(job.name for job in jobs),
            tickets_job=tickets[0].name if tickets else None,
            loader=warehouse_loader.function.function_arn if warehouse_loader else None,
            model_name=model_name,
            key_arn=key.key_arn,
        )
        self.state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            # Not CDK's to_json_string, which drops nulls: `"ResultPath": null` is what keeps
            # the run id in the state from one task to the next.
            definition_body=sfn.DefinitionBody.from_string(json.dumps(self.definition)),
            state_machine_type=sfn.StateMachineType.STANDARD,
            role=self.role,
            logs=sfn.LogOptions(
                destination=self.log_group,
                level=sfn.LogLevel.ALL,
                include_execution_data=True,
            ),
        )
        minutes = config.processing.schedule_minutes
        request: dict[str, int] = {}
        if config.orchestrator == "mwaa":
            # Airflow has a schedule of its own. What it leaves waiting is taken by this one, before
            # it counts as unaccounted for (two schedules).
            request = {"waiting_minutes": minutes + minutes // 4}
            minutes = max(1, minutes // 4)
        self.schedule = events.Rule(
            self,
            "Schedule",
            description="Starts the batch path; a run with nothing pending ends at once",
            schedule=events.Schedule.rate(Duration.minutes(minutes)),
            targets=[
                targets.SfnStateMachine(
                    self.state_machine, input=events.RuleTargetInput.from_object(request)
                )
            ],
        )

    def _role(self, functions: tuple[PythonFunction, ...], jobs: tuple[GlueJob, ...]) -> iam.Role:
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
        account = f"{Aws.REGION}:{Aws.ACCOUNT_ID}"
        allow(
            role,
            ["lambda:InvokeFunction"],
            [function.function.function_arn for function in functions],
        )
        allow(
            role,
            ["glue:BatchStopJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:StartJobRun"],
            [job.arn for job in jobs],
        )
        allow(
            role,
            [
                "sagemaker:AddTags",
                "sagemaker:CreateTransformJob",
                "sagemaker:DescribeTransformJob",
                "sagemaker:StopTransformJob",
            ],
            [f"arn:{Aws.PARTITION}:sagemaker:{account}:transform-job/voxlake-*"],
        )
        # The rule by which Step Functions learns that a transform job ended.
        allow(
            role,
            ["events:DescribeRule", "events:PutRule", "events:PutTargets"],
            [
                f"arn:{Aws.PARTITION}:events:{account}"
                ":rule/StepFunctionsGetEventsForSageMakerTransformJobsRule"
            ],
        )
        return role


def definition(
    *,
    config: StageConfig,
    planner: str,
    reconciler: str,
    jobs: tuple[str, str, str],
    tickets_job: str | None,
    loader: str | None,
    model_name: str,
    key_arn: str,
) -> dict[str, Any]:
    """The state machine in Amazon States Language.

    Args:
        planner, reconciler: function ARNs.
        jobs: names of landing_to_cleansed, cleansed_to_features and scores_to_analytics.
        tickets_job: name of tickets_to_analytics; None where the stage has no stream path.
        loader: ARN of warehouse_loader; None where the stage has no Redshift.
        model_name: the SageMaker model of the batch transform.
        key_arn: encrypts what the transform writes.
    """
    landing, features, scores = jobs
    # What is left to do when no text is; with tickets changed, their job.
    nothing = [
        {"Variable": "$.pending_objects", "NumericEquals": 0},
        {"Variable": "$.pending_texts", "NumericEquals": 0},
    ]
    choices = [{"And": nothing, "Next": "NothingPending"}]
    tickets: dict[str, Any] = {}
    if tickets_job is not None:
        no_ticket = {"Variable": "$.pending_tickets", "NumericEquals": 0}
        choices = [
            {"And": [*nothing, no_ticket], "Next": "NothingPending"},
            {"And": nothing, "Next": "TicketsToAnalytics"},
        ]
        tickets["TicketsToAnalytics"] = _glue(tickets_job, config, "Reconcile")
    after_scores = next(iter(tickets), "Reconcile")
    job_minutes = (len(jobs) + len(tickets)) * config.processing.job_timeout_minutes
    return {
        "Comment": "voxlake: landed objects to reconciled tables",
        "StartAt": "Plan",
        "TimeoutSeconds": 60 * (job_minutes + config.ml.transform_timeout_minutes),
        "States": {
            "Plan": _invoke(
                planner,
                # Keeps run_id and rescore where the caller gave them, without demanding them.
                {
                    "Payload.$": "States.JsonMerge($, States.StringToJson("
                    '\'\\{"step":"plan"\\}\'), false)'
                },
                OutputPath="$.Payload",
                Next="AnythingPending",
            ),
            "AnythingPending": {
                "Type": "Choice",
                "Choices": choices,
                "Default": "LandingToCleansed",
            },
            "NothingPending": {"Type": "Succeed"},
            "LandingToCleansed": _glue(landing, config, "CleansedToFeatures"),
            "CleansedToFeatures": _glue(
                features, config, "PlanScoring", {"--rescore.$": "$.rescore"}
            ),
            "PlanScoring": _invoke(
                planner,
                {"Payload": {"step": "scoring", "run_id.$": "$.run_id"}},
                ResultSelector={
                    name + ".$": f"$.Payload.{name}"
                    for name in ("to_score", "input", "output", "transform_job_name")
                },
                ResultPath="$.scoring",
                Next="AnythingToScore",
            ),
            "AnythingToScore": {
                "Type": "Choice",
                "Choices": [
                    {
                        "Variable": "$.scoring.to_score",
                        "NumericEquals": 0,
                        "Next": "ScoresToAnalytics",
                    }
                ],
                "Default": "Score",
            },
            "Score": _transform(config, model_name, key_arn, "ScoresToAnalytics"),
            "ScoresToAnalytics": _glue(scores, config, after_scores),
            **tickets,
            "Reconcile": _invoke(
                reconciler,
                {"Payload": {"step": "reconcile"}},
                OutputPath="$.Payload",
                **({"Next": "LoadWarehouse"} if loader else {"End": True}),
            ),
            **(_load(loader) if loader else {}),
        },
    }


def _load(loader: str) -> dict[str, Any]:
    """States that load the warehouse; the output stays the reconciliation, with `warehouse`."""
    return {
        "LoadWarehouse": _invoke(
            loader,
            {"Payload": {"step": "load"}},
            ResultSelector={"done.$": "$.Payload.done", "tables.$": "$.Payload.tables"},
            ResultPath="$.warehouse",
            Next="WarehouseLoaded",
        ),
        # One invocation waits a quarter of an hour; a longer load goes on in the next.
        "WarehouseLoaded": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.warehouse.done", "BooleanEquals": True, "Next": "Finished"}
            ],
            "Default": "LoadWarehouse",
        },
        "Finished": {"Type": "Succeed"},
    }


def _invoke(function: str, payload: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": f"arn:{Aws.PARTITION}:states:::lambda:invoke",
        "Parameters": {"FunctionName": function, **payload},
        "Retry": [_LAMBDA_RETRY],
        "TimeoutSeconds": 900,
        **rest,
    }


def _glue(
    job: str, config: StageConfig, next_state: str, arguments: dict[str, str] | None = None
) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": f"arn:{Aws.PARTITION}:states:::glue:startJobRun.sync",
        "Parameters": {
            "JobName": job,
            "Arguments": {"--run_id.$": "$.run_id", **(arguments or {})},
        },
        "ResultPath": None,
        "Retry": [_JOB_RETRY],
        "TimeoutSeconds": config.processing.job_timeout_minutes * 60,
        "Next": next_state,
    }


def _transform(
    config: StageConfig, model_name: str, key_arn: str, next_state: str
) -> dict[str, Any]:
    ml = config.ml
    return {
        "Type": "Task",
        "Resource": f"arn:{Aws.PARTITION}:states:::sagemaker:createTransformJob.sync",
        "Parameters": {
            # SageMaker never takes a job name twice: each attempt needs its own.
            "TransformJobName.$": (
                "States.Format('{}-{}', $.scoring.transform_job_name, $$.State.RetryCount)"
            ),
            "ModelName": model_name,
            "BatchStrategy": "MultiRecord",
            "MaxPayloadInMB": ml.transform_max_payload_mb,
            "MaxConcurrentTransforms": ml.transform_concurrency,
            "TransformInput": {
                "CompressionType": "None",
                "ContentType": "application/jsonlines",
                "DataSource": {
                    "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri.$": "$.scoring.input"}
                },
                "SplitType": "Line",
            },
            "TransformOutput": {
                "Accept": "application/jsonlines",
                "AssembleWith": "Line",
                # Left out, SageMaker encrypts with the account's own S3 key, not the bucket's.
                "KmsKeyId": key_arn,
                "S3OutputPath.$": "$.scoring.output",
            },
            "TransformResources": {
                "InstanceCount": ml.transform_instance_count,
                "InstanceType": ml.transform_instance_type,
            },
        },
        "ResultPath": None,
        "Retry": [_JOB_RETRY],
        "TimeoutSeconds": ml.transform_timeout_minutes * 60,
        "Next": next_state,
    }
