"""The SageMaker service: training and batch transform jobs, models, the model registry.

Models are moto's, besides their network isolation.
"""

from __future__ import annotations

import threading
from typing import Any

from localcloud.errors import ServiceError
from localcloud.sagemaker.model_packages import RegistryActions
from localcloud.sagemaker.training_service import TrainingActions
from localcloud.sagemaker.transform import TransformJob, run

_JOB_SETTINGS = {
    "TransformJobName", "ModelName", "MaxPayloadInMB", "BatchStrategy", "TransformInput",
    "TransformOutput", "TransformResources", "Environment", "ModelClientConfig", "Tags",
    "MaxConcurrentTransforms",
}  # fmt: skip


class SageMakerService:
    """Overrides moto for what must really run."""

    name = "sagemaker"

    def __init__(self, cloud: Any) -> None:
        self._cloud = cloud
        self._jobs: dict[str, TransformJob] = {}
        self._lock = threading.Lock()
        self._isolated: dict[str, bool] = {}
        self._training = TrainingActions(cloud)
        self.actions = {
            **self._training.actions,
            **RegistryActions(cloud).actions,
            "CreateModel": self.create_model,
            "DescribeModel": self.describe_model,
            "CreateTransformJob": self.create_transform_job,
            "DescribeTransformJob": self.describe_transform_job,
            "StopTransformJob": self.stop_transform_job,
            "ListTransformJobs": self.list_transform_jobs,
        }

    def stop(self) -> None:
        """Stop every job with its process."""
        self._training.stop()
        active = [job for job in self._jobs.values() if not job.ended.is_set()]
        for job in active:
            job.stop()
        for job in active:
            job.ended.wait(5)

    def status(self) -> dict[str, Any]:
        """Return the training and transform jobs, newest first."""
        jobs = [
            {
                "job": j.name,
                "state": j.status,
                "created_at": j.created.isoformat(),
                "error": j.failure,
            }
            for j in reversed(list(self._jobs.values()))
        ]
        return {"training_jobs": self._training.status(), "transform_jobs": jobs}

    def create_model(self, request: Any) -> dict[str, Any]:
        """Create the model in moto, and keep its network isolation, which moto drops."""
        params = request.params
        if refused := [n for n in ("Containers", "VpcConfig") if params.get(n)]:
            raise _invalid(f"{', '.join(refused)}: not done here; give one PrimaryContainer")
        answer = request.forward()
        self._isolated[params["ModelName"]] = bool(params.get("EnableNetworkIsolation", False))
        return answer

    def describe_model(self, request: Any) -> dict[str, Any]:
        """Return moto's model with its network isolation."""
        isolated = self._isolated.get(request.params["ModelName"], False)
        return request.forward() | {"EnableNetworkIsolation": isolated}

    def create_transform_job(self, request: Any) -> dict[str, Any]:
        """Start a job. Raises ValidationException, ResourceInUse."""
        params = request.params
        name = params["TransformJobName"]
        _check(params)
        sagemaker = self._cloud.client("sagemaker")
        try:
            model = sagemaker.describe_model(ModelName=params["ModelName"])
        except sagemaker.exceptions.ClientError as error:
            raise _invalid(error.response["Error"]["Message"]) from None
        arn = f"arn:aws:sagemaker:{self._cloud.region}:{self._cloud.account}:transform-job/{name}"
        job = TransformJob(name, arn, params, model, self._cloud.clock.now())
        with self._lock:
            if name in self._jobs:
                raise ServiceError("ResourceInUse", f"Job name must be unique, found {arn}")
            self._jobs[name] = job
        threading.Thread(target=run, args=(self._cloud, job), daemon=True).start()
        return {"TransformJobArn": arn}

    def describe_transform_job(self, request: Any) -> dict[str, Any]:
        return self._job(request).to_dict()

    def stop_transform_job(self, request: Any) -> dict[str, Any]:
        job = self._job(request)
        if job.status != "InProgress":
            raise _invalid(f"The transform job is in status {job.status}.")
        job.stop()
        return {}

    def list_transform_jobs(self, request: Any) -> dict[str, Any]:
        """Return all jobs, newest first. Raises ValidationException for a filter or an order."""
        if given := [name for name, value in request.params.items() if value]:
            raise _invalid(f"{', '.join(given)}: not done here; all jobs are listed at once")
        jobs = [job.to_dict() for job in reversed(list(self._jobs.values()))]
        shown = ("TransformJobName", "TransformJobArn", "CreationTime", "TransformJobStatus")
        return {"TransformJobSummaries": [{name: job[name] for name in shown} for job in jobs]}

    def _job(self, request: Any) -> TransformJob:
        name = request.params["TransformJobName"]
        if name not in self._jobs:
            raise ServiceError("ResourceNotFound", f"Could not find transform job '{name}'.")
        return self._jobs[name]


def _invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)


def _check(params: dict[str, Any]) -> None:
    """Refuse what a job here would not honour; better than a result that differs from AWS's."""
    if refused := sorted(name for name, v in params.items() if v and name not in _JOB_SETTINGS):
        raise _invalid(f"{', '.join(refused)}: not done by transform jobs here")
    given, wanted = params["TransformInput"], params["TransformOutput"]
    data_type = given["DataSource"]["S3DataSource"].get("S3DataType")
    for name, found, expected in (
        ("TransformInput.DataSource.S3DataSource.S3DataType", data_type, "S3Prefix"),
        ("TransformInput.SplitType", given.get("SplitType", "None"), "Line"),
        ("TransformOutput.AssembleWith", wanted.get("AssembleWith", "None"), "Line"),
        ("BatchStrategy", params.get("BatchStrategy", "MultiRecord"), "MultiRecord"),
    ):
        if found != expected:
            raise _invalid(f"{name}: expected {expected}, found {found}; nothing else is run here")
