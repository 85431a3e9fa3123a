"""What Task states call: functions, Glue jobs and batch transforms."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from localcloud.errors import ServiceError
from localcloud.stepfunctions.errors import Aborted, StatesError, TimedOut

POLL_S = 0.2
RESOURCE = re.compile(r"arn:aws[\w-]*:states:::([\w-]+:[\w.:]+)")
# service: (name in errors, error of a refusal that is none of the service's own exceptions)
TITLES = {
    "lambda": ("Lambda", "Lambda.AWSLambdaException"),
    "glue": ("Glue", "Glue.AWSGlueException"),
    "sagemaker": ("SageMaker", "SageMaker.AmazonSageMakerException"),
}


@dataclass(frozen=True)
class Call:
    """What an integration is given. `wait(seconds)` raises when the time or the execution ends;
    `bounded(call)` runs a blocking call under the same limits."""

    client: Callable[[str], Any]
    arguments: Mapping[str, Any]
    wait: Callable[[float], None]
    bounded: Callable[[Callable[[], Any]], Any]
    submitted: Callable[[Any], None]


@dataclass(frozen=True)
class Job:
    """How a `.sync` integration starts, watches and stops its job: calls of (client, arguments
    of the state, answer of the start)."""

    service: str
    start: Callable[[Any, Any, None], Any]
    describe: Callable[[Any, Any, Any], dict[str, Any]]
    stop: Callable[[Any, Any, Any], Any]
    state: str
    succeeded: str
    running: tuple[str, ...]


GLUE_JOB = Job(
    service="glue",
    start=lambda glue, given, _: glue.start_job_run(**given),
    describe=lambda glue, given, started: glue.get_job_run(
        JobName=given["JobName"], RunId=started["JobRunId"]
    )["JobRun"],
    stop=lambda glue, given, started: glue.batch_stop_job_run(
        JobName=given["JobName"], JobRunIds=[started["JobRunId"]]
    ),
    state="JobRunState",
    succeeded="SUCCEEDED",
    running=("STARTING", "RUNNING", "STOPPING", "WAITING"),
)
TRANSFORM_JOB = Job(
    service="sagemaker",
    start=lambda sagemaker, given, _: sagemaker.create_transform_job(**given),
    describe=lambda sagemaker, given, _: sagemaker.describe_transform_job(
        TransformJobName=given["TransformJobName"]
    ),
    stop=lambda sagemaker, given, _: sagemaker.stop_transform_job(
        TransformJobName=given["TransformJobName"]
    ),
    state="TransformJobStatus",
    succeeded="Completed",
    running=("InProgress", "Stopping"),
)


def invoke(call: Call) -> dict[str, Any]:
    """lambda:invoke. A handler's error keeps its own type as the name of the error."""
    payload = json.dumps(call.arguments.get("Payload", {})).encode()

    def request(client: Any) -> dict[str, Any]:
        response = client.invoke(**{**call.arguments, "Payload": payload})
        return {**response, "Payload": response["Payload"].read().decode()}

    result = _request(call, "lambda", request)
    answer = json.loads(result["Payload"] or "null")
    if "FunctionError" in result:
        raise StatesError(answer["errorType"], result["Payload"])
    return {**result, "Payload": answer}


def run_job(job: Job, call: Call) -> dict[str, Any]:
    """Starts a job and waits for its end; an aborted or timed out state stops the job."""

    def request(action: Callable[[Any, Any, Any], Any], started: Any = None) -> Any:
        return _request(call, job.service, lambda c: action(c, call.arguments, started))

    started = request(job.start)
    call.submitted(started)
    try:
        while True:
            described = request(job.describe, started)
            if described[job.state] == job.succeeded:
                return described
            if described[job.state] not in job.running:
                raise StatesError("States.TaskFailed", json.dumps(described))
            call.wait(POLL_S)
    except (StatesError, Aborted, TimedOut) as error:
        if not isinstance(error, StatesError) or error.error == "States.Timeout":
            with contextlib.suppress(ClientError, BotoCoreError):
                job.stop(call.client(job.service), call.arguments, started)
        raise


INTEGRATIONS: dict[str, Callable[[Call], Any]] = {
    "lambda:invoke": invoke,
    "glue:startJobRun.sync": lambda call: run_job(GLUE_JOB, call),
    "sagemaker:createTransformJob.sync": lambda call: run_job(TRANSFORM_JOB, call),
}


def integration(resource: str) -> str | None:
    """The key in `INTEGRATIONS` of a Task's Resource; None for what is not emulated."""
    match = RESOURCE.fullmatch(resource)
    return match[1] if match and match[1] in INTEGRATIONS else None


def _request(call: Call, service: str, action: Callable[[Any], Any]) -> Any:
    """One API call under the state machine's role; its refusals become errors to catch."""
    title, general = TITLES[service]
    try:
        client = call.client(service)
        response = call.bounded(lambda: action(client))
    except ClientError as error:
        details = error.response["Error"]
        cause = f"{details.get('Message')} (Service: {title}; Error Code: {details['Code']})"
        name = details["Code"].removesuffix("Exception") + "Exception"
        own = {details["Code"], name} & set(client.meta.service_model.shape_names)
        raise StatesError(f"{title}.{name}" if own else general, cause) from error
    except ServiceError as error:  # the role itself cannot be assumed
        raise StatesError("States.Permissions", str(error)) from error
    except ParamValidationError as error:
        raise StatesError("States.Runtime", str(error)) from error
    except BotoCoreError as error:
        raise StatesError(f"{title}.SdkClientException", str(error)) from error
    response.pop("ResponseMetadata", None)
    return json.loads(json.dumps(response, default=stamp))


def stamp(moment: datetime) -> str:
    """A UTC time as 2019-11-14T00:38:06.021Z."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
