"""The training actions of SageMaker's API."""

from __future__ import annotations

import re
import threading
from datetime import datetime
from typing import Any

from localcloud.errors import ServiceError
from localcloud.sagemaker.listing import page
from localcloud.sagemaker.training import TrainingJob, run

_SETTINGS = {
    "TrainingJobName", "HyperParameters", "AlgorithmSpecification", "RoleArn", "InputDataConfig",
    "OutputDataConfig", "ResourceConfig", "StoppingCondition", "Tags", "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining", "CheckpointConfig",
    "Environment",
}  # fmt: skip
_ALGORITHM = {
    "TrainingImage", "TrainingInputMode", "MetricDefinitions", "EnableSageMakerMetricsTimeSeries",
}  # fmt: skip
_SORT = {"Name": "name", "CreationTime": "created", "Status": "status"}


class TrainingActions:
    """CreateTrainingJob, DescribeTrainingJob, StopTrainingJob, ListTrainingJobs."""

    def __init__(self, cloud: Any) -> None:
        self._cloud = cloud
        self._lock = threading.Lock()
        self.jobs: dict[str, TrainingJob] = {}
        self.actions = {
            "CreateTrainingJob": self.create,
            "DescribeTrainingJob": self.describe,
            "StopTrainingJob": self.stop_job,
            "ListTrainingJobs": self.list,
        }

    def stop(self) -> None:
        """Stop every job with its process."""
        active = [job for job in self.jobs.values() if not job.ended.is_set()]
        for job in active:
            job.stop()
        for job in active:
            job.ended.wait(5)

    def status(self) -> list[dict[str, Any]]:
        """Return the jobs, newest first."""
        return [
            {"job": j.name, "state": j.status, "created_at": j.created.isoformat(),
             "error": j.failure}
            for j in reversed(list(self.jobs.values()))
        ]  # fmt: skip

    def create(self, request: Any) -> dict[str, Any]:
        """Start a job. Raises ValidationException, ResourceInUse."""
        params = request.params
        name = params["TrainingJobName"]
        _check(params)
        arn = f"arn:aws:sagemaker:{self._cloud.region}:{self._cloud.account}:training-job/{name}"
        job = TrainingJob(name, arn, params, self._cloud.clock.now())
        job.enter("Starting", job.created)
        with self._lock:
            if name in self.jobs:
                raise ServiceError("ResourceInUse", f"Job name must be unique, found {arn}")
            self.jobs[name] = job
        threading.Thread(
            target=run, args=(self._cloud, job), daemon=True, name=f"training-{name}"
        ).start()
        return {"TrainingJobArn": arn}

    def describe(self, request: Any) -> dict[str, Any]:
        return self._job(request).to_dict()

    def stop_job(self, request: Any) -> dict[str, Any]:
        job = self._job(request)
        if job.status != "InProgress":
            raise _invalid(f"The training job is in status {job.status}.")
        job.stop()
        return {}

    def list(self, request: Any) -> dict[str, Any]:
        """Return jobs by name, status or time, newest first unless asked otherwise."""
        params = request.params
        known = {"NextToken", "MaxResults", "NameContains", "StatusEquals", "SortBy", "SortOrder",
                 "CreationTimeAfter", "CreationTimeBefore"}  # fmt: skip
        if refused := sorted(name for name, value in params.items() if value and name not in known):
            raise _invalid(f"{', '.join(refused)}: not done by ListTrainingJobs here")
        jobs = [
            job
            for job in self.jobs.values()
            if params.get("NameContains", "") in job.name
            and params.get("StatusEquals", job.status) == job.status
            and _within(job.created, params)
        ]
        key = _SORT[params.get("SortBy", "CreationTime")]
        descending = params.get("SortOrder", "Descending") == "Descending"
        jobs.sort(key=lambda job: getattr(job, key), reverse=descending)
        shown = ("TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingEndTime",
                 "LastModifiedTime", "TrainingJobStatus", "SecondaryStatus")  # fmt: skip
        rows = [{n: v for n, v in job.to_dict().items() if n in shown} for job in jobs]
        return page(rows, params, "TrainingJobSummaries")

    def _job(self, request: Any) -> TrainingJob:
        name = request.params["TrainingJobName"]
        if name not in self.jobs:
            raise ServiceError("ResourceNotFound", f"Could not find training job '{name}'.")
        return self.jobs[name]


def _within(created: datetime, params: dict[str, Any]) -> bool:
    moment = created.timestamp()
    after, before = params.get("CreationTimeAfter"), params.get("CreationTimeBefore")
    return (after is None or moment > after) and (before is None or moment < before)


def _invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)


def _check(params: dict[str, Any]) -> None:
    """Refuse what AWS refuses, and what a job here would not honour."""
    algorithm = params["AlgorithmSpecification"]
    refused = sorted(
        [name for name, value in params.items() if value and name not in _SETTINGS]
        + [
            f"AlgorithmSpecification.{name}"
            for name, value in algorithm.items()
            if value and name not in _ALGORITHM
        ]
    )
    if refused:
        raise _invalid(f"{', '.join(refused)}: not done by training jobs here")
    if not re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", params["TrainingJobName"]):
        raise _invalid(f"TrainingJobName: found {params['TrainingJobName']!r}")
    if not algorithm.get("TrainingImage"):
        raise _invalid("AlgorithmSpecification.TrainingImage: expected an image, found none")
    for name, found, expected in (
        ("AlgorithmSpecification.TrainingInputMode", algorithm["TrainingInputMode"], "File"),
        ("ResourceConfig.InstanceCount", params["ResourceConfig"].get("InstanceCount", 1), 1),
    ):
        if found != expected:
            raise _invalid(f"{name}: expected {expected}, found {found}; nothing else is run here")
    for channel in params.get("InputDataConfig") or []:
        kind = channel["DataSource"].get("S3DataSource", {}).get("S3DataType")
        odd = [
            n for n in ("CompressionType", "RecordWrapperType") if channel.get(n, "None") != "None"
        ]
        if kind != "S3Prefix" or odd or channel.get("ShuffleConfig"):
            raise _invalid(
                f"InputDataConfig {channel['ChannelName']}: expected an S3DataSource of type "
                "S3Prefix, neither compressed nor wrapped nor shuffled; nothing else is run here"
            )
    condition = params.get("StoppingCondition") or {}
    longest, wait = condition.get("MaxRuntimeInSeconds"), condition.get("MaxWaitTimeInSeconds")
    if params.get("EnableManagedSpotTraining"):
        if wait is None or longest is None or wait < longest:
            raise _invalid(
                "MaxWaitTimeInSeconds must be present and at least MaxRuntimeInSeconds when "
                "EnableManagedSpotTraining is true"
            )
    elif wait is not None:
        raise _invalid("MaxWaitTimeInSeconds is only for EnableManagedSpotTraining")
