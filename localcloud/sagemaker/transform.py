"""Batch transform jobs: their description, and the thread that runs one."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from localcloud.errors import LocalCloudError
from localcloud.glue.credentials import client_as, job_environment, split_s3_uri
from localcloud.glue.logs import LogShipper
from localcloud.sagemaker.container import AlgorithmError, ModelContainer, unpack
from localcloud.sagemaker.payloads import PayloadTooLargeError, output_key, payloads

_ROLE = {"service": "sagemaker.amazonaws.com", "session_name": "SageMaker"}


class ClientInputError(LocalCloudError):
    """The job's input or output is not as the job says (a ClientError of SageMaker)."""


@dataclass
class TransformJob:
    """One job; `request` is CreateTransformJob's, `model` what DescribeModel answers."""

    name: str
    arn: str
    request: dict[str, Any]
    model: dict[str, Any]
    created: datetime
    status: str = "InProgress"
    started: datetime | None = None
    ended_at: datetime | None = None
    failure: str | None = None
    containers: list[ModelContainer] = field(default_factory=list)
    stop_requested: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def to_dict(self) -> dict[str, Any]:
        """Return the job as DescribeTransformJob shows it."""
        shown = {name: value for name, value in self.request.items() if name != "Tags"}
        shown |= {
            "TransformJobArn": self.arn,
            "TransformJobStatus": self.status,
            "CreationTime": self.created,
            "FailureReason": self.failure,
            "TransformStartTime": self.started,
            "TransformEndTime": self.ended_at,
        }
        return {name: value for name, value in shown.items() if value is not None}

    def stop(self) -> None:
        """Ask the job to stop."""
        self.status = "Stopping"
        self.stop_requested.set()
        for container in self.containers:
            container.stop()


def run(cloud: Any, job: TransformJob) -> None:
    """Run a job to its end and say so on the event bus. Never raises."""
    scratch = Path(cloud.state_dir) / "scratch" / f"transform-{job.name}"
    scratch.mkdir(parents=True, exist_ok=True)
    failure = None
    try:
        _transform(cloud, job, scratch)
    except (ClientInputError, PayloadTooLargeError, ClientError) as error:
        failure = f"ClientError: {error}"
    except AlgorithmError as error:
        failure = f"AlgorithmError: {error}"
    except Exception as error:  # the job must end with a reason whatever it is
        failure = f"InternalServerError: {type(error).__name__}: {error}"
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    job.ended_at = cloud.clock.now()
    if job.stop_requested.is_set():
        job.status = "Stopped"
    else:
        job.failure = failure and failure[:1024]
        job.status = "Failed" if failure else "Completed"
    detail = {
        name: int(value.timestamp() * 1000) if isinstance(value, datetime) else value
        for name, value in job.to_dict().items()
    }
    try:
        cloud.emit_event("aws.sagemaker", "SageMaker Transform Job State Change", detail)
    finally:
        job.ended.set()  # last: whoever stops the cloud waits for it


def _transform(cloud: Any, job: TransformJob, scratch: Path) -> None:
    model, request = job.model, job.request
    container, role = model["PrimaryContainer"], model["ExecutionRoleArn"]
    s3 = client_as(cloud, role, "s3", **_ROLE)
    source = request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
    bucket, prefix = split_s3_uri(source)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    keys = [key for key in keys if not key.endswith("/")]
    if not keys:
        raise ClientInputError(f'No S3 objects found under S3 URL "{source}" given in input data')
    if not container.get("ModelDataUrl"):
        raise ClientInputError("expected ModelDataUrl in the model's PrimaryContainer, found none")
    try:
        s3.download_file(*split_s3_uri(container["ModelDataUrl"]), str(scratch / "model.tar.gz"))
    except ClientError as error:
        said = error.response["Error"]
        raise ClientInputError(
            f"Could not read model data at {container['ModelDataUrl']}: {said['Message']}"
        ) from error
    unpack(scratch / "model.tar.gz", scratch / "model")

    env = job_environment(cloud, role, **_ROLE)
    isolated = bool(model.get("EnableNetworkIsolation"))
    if isolated:
        env = {name: value for name, value in env.items() if not name.startswith("AWS_")}
    env |= {"SAGEMAKER_BATCH": "true", "SAGEMAKER_REGION": cloud.region}
    env |= container.get("Environment") or {}
    env |= request.get("Environment") or {}

    log_path = Path(cloud.log_dir) / "sagemaker" / f"{job.name}.log"
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("wb") as log:
        # A server's workers, as many as answer at once; they serve all files, since loading the
        # model is what takes time.
        workers = min(request.get("MaxConcurrentTransforms") or 1, os.cpu_count() or 1)
        try:
            for _ in range(workers):
                job.containers.append(
                    ModelContainer(scratch / "model", env, log=log, isolated=isolated)
                )
            if job.stop_requested.is_set():
                return
            for worker in job.containers:
                worker.wait_until_loaded()
            job.started = cloud.clock.now()
            for key in keys:
                _transform_file(s3, job, bucket, key, prefix, scratch)
        finally:
            for worker in job.containers:
                worker.stop()
            group, stream = "/aws/sagemaker/TransformJobs", f"{job.name}/data-log"
            with contextlib.suppress(ClientError):
                LogShipper(cloud, log_path, group, stream).ship(final=True)


def _transform_file(
    s3: Any, job: TransformJob, bucket: str, key: str, prefix: str, scratch: Path
) -> None:
    given, wanted = job.request["TransformInput"], job.request["TransformOutput"]
    local, result = scratch / "input", scratch / "output"
    s3.download_file(bucket, key, str(local))
    how = {
        "content_type": given.get("ContentType", ""),
        "accept": wanted.get("Accept", "*/*"),
        "seconds": (job.request.get("ModelClientConfig") or {}).get(
            "InvocationsTimeoutInSeconds", 600
        ),
    }
    size, compression = job.request.get("MaxPayloadInMB", 6), given.get("CompressionType", "None")
    try:
        bodies = payloads(local, max_megabytes=size, compression=compression)
        workers = job.containers
        with result.open("wb") as out, ThreadPoolExecutor(len(workers)) as pool:
            while group := list(itertools.islice(bodies, len(workers))):
                answers = [
                    pool.submit(worker.invoke, body, **how)
                    for worker, body in zip(workers, group, strict=False)
                ]
                for answer in answers:
                    response = answer.result()
                    out.write(response if response.endswith(b"\n") else response + b"\n")
    except (AlgorithmError, PayloadTooLargeError) as error:
        raise type(error)(f"s3://{bucket}/{key}: {error}") from error
    out_bucket, out_prefix = split_s3_uri(wanted["S3OutputPath"])
    s3.upload_file(str(result), out_bucket, output_key(prefix, key, out_prefix))
