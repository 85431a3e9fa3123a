"""Training jobs: their description, and the thread that takes one from Starting to its end.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
"""

from __future__ import annotations

import contextlib
import re
import shutil
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from localcloud.errors import LocalCloudError
from localcloud.glue.credentials import client_as, job_environment
from localcloud.glue.logs import LogShipper
from localcloud.glue.process import GroupProcess
from localcloud.sagemaker.training_data import (
    CheckpointSync,
    download_channel,
    download_source,
    upload_archive,
)
from localcloud.sagemaker.training_toolkit import Folders, command_and_environment, failure_reason

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
DEFAULT_SECONDS = 86_400
# After a stop SageMaker sends SIGTERM and waits this long, so that a script can save its model.
GRACE_SECONDS = 120
_POLL_SECONDS = 0.1
_SHIP_SECONDS = 1.0
_ROLE = {"service": "sagemaker.amazonaws.com", "session_name": "SageMaker"}
_ENDED = ("Completed", "Failed", "Stopped")


class TrainingInputError(LocalCloudError):
    """The job's input is not as the job says (a ClientError of SageMaker)."""


class ScriptError(LocalCloudError):
    """The training script ended with an error (an AlgorithmError of SageMaker)."""


@dataclass
class TrainingJob:
    """One job; `request` is CreateTrainingJob's."""

    name: str
    arn: str
    request: dict[str, Any]
    created: datetime
    status: str = "InProgress"
    secondary: str = "Starting"
    transitions: list[dict[str, Any]] = field(default_factory=list)
    modified: datetime | None = None
    started: datetime | None = None
    ended_at: datetime | None = None
    failure: str | None = None
    artifacts: str | None = None
    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)
    stop_requested: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def max_seconds(self) -> int:
        return self.request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", DEFAULT_SECONDS)

    @property
    def output_prefix(self) -> str:
        return f"{self.request['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{self.name}/output"

    def enter(self, secondary: str, now: datetime, message: str = "") -> None:
        """Note a secondary status and when it began."""
        if self.transitions:
            self.transitions[-1]["EndTime"] = now
        step = {"Status": secondary, "StartTime": now, "StatusMessage": message or secondary}
        self.transitions.append(step)
        self.secondary, self.modified = secondary, now

    def to_dict(self) -> dict[str, Any]:
        """Return the job as DescribeTrainingJob shows it."""
        shown = {name: value for name, value in self.request.items() if name != "Tags"}
        seconds = (
            max(1, round((self.ended_at - self.started).total_seconds()))
            if self.started and self.ended_at
            else None
        )
        shown |= {
            "TrainingJobArn": self.arn,
            "TrainingJobStatus": self.status,
            "SecondaryStatus": self.secondary,
            "SecondaryStatusTransitions": self.transitions,
            "ModelArtifacts": {"S3ModelArtifacts": self.artifacts} if self.artifacts else None,
            "CreationTime": self.created,
            "LastModifiedTime": self.modified,
            "TrainingStartTime": self.started,
            "TrainingEndTime": self.ended_at,
            "TrainingTimeInSeconds": seconds,
            "BillableTimeInSeconds": seconds,
            "FailureReason": self.failure,
            "FinalMetricDataList": list(self.metrics.values()) or None,
        }
        return {name: value for name, value in shown.items() if value is not None}

    def stop(self) -> None:
        """Ask the job to stop."""
        self.status = "Stopping"
        self.stop_requested.set()


def run(cloud: Any, job: TrainingJob) -> None:
    """Run a job to its end and say so on the event bus. Never raises."""
    scratch = Path(cloud.state_dir) / "scratch" / f"training-{job.name}"
    scratch.mkdir(parents=True, exist_ok=True)
    failure, end = None, "Completed"
    try:
        end = _train(cloud, job, scratch)
    except (TrainingInputError, ClientError) as error:
        failure = f"ClientError: {error}"
    except ScriptError as error:
        failure = f"AlgorithmError: {error}"
    except Exception as error:  # the job must end with a reason whatever it is
        failure = f"InternalServerError: {type(error).__name__}: {error}"
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    job.ended_at = cloud.clock.now()
    if failure and not job.stop_requested.is_set():
        job.failure, end = failure[:1024], "Failed"
    job.enter(end, job.ended_at, job.failure or "")
    job.status = end if end in _ENDED else "Stopped"
    shown = job.to_dict()
    detail = {
        name: int(value.timestamp() * 1000) if isinstance(value, datetime) else value
        for name, value in shown.items()
        if name not in ("SecondaryStatusTransitions", "FinalMetricDataList")
    }
    try:
        cloud.emit_event("aws.sagemaker", "SageMaker Training Job State Change", detail)
    finally:
        job.ended.set()  # last: whoever stops the cloud waits for it


def _train(cloud: Any, job: TrainingJob, scratch: Path) -> str:
    """Do the job's work; returns its last secondary status."""
    request, role = job.request, job.request["RoleArn"]
    s3 = client_as(cloud, role, "s3", **_ROLE)
    folders = Folders.below(scratch)
    job.enter("Downloading", cloud.clock.now())
    for channel in request.get("InputDataConfig") or []:
        source = channel["DataSource"]["S3DataSource"]
        count = download_channel(s3, source["S3Uri"], folders.channel(channel["ChannelName"]))
        if not count:
            raise TrainingInputError(
                f'No S3 objects found under S3 URL "{source["S3Uri"]}" given in input data source.'
            )
    program = download_source(s3, request.get("HyperParameters") or {}, folders.code)
    checkpoints = None
    if request.get("CheckpointConfig"):
        checkpoints = CheckpointSync(s3, request["CheckpointConfig"]["S3Uri"], folders.checkpoints)
        checkpoints.restore()
    env = job_environment(cloud, role, **_ROLE)
    if request.get("EnableNetworkIsolation"):
        env = {name: value for name, value in env.items() if not name.startswith("AWS_")}
    command, env = command_and_environment(job.name, request, folders, program, env, cloud.region)
    job.started = cloud.clock.now()
    job.enter("Training", job.started)
    status, overdue, log = _watch(cloud, job, folders, command, env, checkpoints)
    stopped = job.stop_requested.is_set()
    if status and not (stopped or overdue):
        raise ScriptError(failure_reason(folders, log, status, program))
    job.enter("Uploading", cloud.clock.now())
    # A stopped job's model is uploaded as well: a script may have saved one on SIGTERM.
    job.artifacts = upload_archive(s3, folders.model, f"{job.output_prefix}/model.tar.gz")
    upload_archive(s3, folders.output, f"{job.output_prefix}/output.tar.gz")
    return "Stopped" if stopped else "MaxRuntimeExceeded" if overdue else "Completed"


def _watch(
    cloud: Any,
    job: TrainingJob,
    folders: Folders,
    command: list[str],
    env: dict[str, str],
    checkpoints: CheckpointSync | None,
) -> tuple[int, bool, Path]:
    """Wait for the script's end, a stop or the time limit: (status, whether overdue, log)."""
    path = Path(cloud.log_dir) / "sagemaker" / f"{job.name}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    shipper = LogShipper(cloud, path, LOG_GROUP, f"{job.name}/algo-1")
    with path.open("wb") as log:
        process = GroupProcess(command, cwd=folders.code, env=env, stdout=log, stderr=log)
        begun = shipped = time.monotonic()
        overdue = False
        while process.popen.poll() is None:
            now = time.monotonic()
            overdue = now - begun > job.max_seconds
            if job.stop_requested.is_set() or overdue or cloud.stop_event.is_set():
                job.enter("Stopping", cloud.clock.now())
                process.stop(0.5 if cloud.stop_event.is_set() else GRACE_SECONDS)
            elif now - shipped > _SHIP_SECONDS:
                shipped = now
                shipper.ship()
                _read_metrics(cloud, job, path)
                if checkpoints:
                    checkpoints.save()
            else:
                job.stop_requested.wait(_POLL_SECONDS)
        process.sweep()
    if cloud.stop_event.is_set():
        job.stop_requested.set()
    with contextlib.suppress(ClientError):
        shipper.ship(final=True)
    _read_metrics(cloud, job, path)
    if checkpoints:
        checkpoints.save()
    return process.popen.returncode, overdue, path


def _read_metrics(cloud: Any, job: TrainingJob, log: Path) -> None:
    """Take the last value of every metric that the job defines from the log."""
    definitions = job.request["AlgorithmSpecification"].get("MetricDefinitions") or []
    text = log.read_text(errors="replace") if definitions else ""
    for definition in definitions:
        found = re.findall(definition["Regex"], text)
        with contextlib.suppress(ValueError, IndexError):
            value = float(found[-1] if isinstance(found[-1], str) else found[-1][0])
            known = job.metrics.get(definition["Name"])
            if known is None or known["Value"] != value:
                job.metrics[definition["Name"]] = {
                    "MetricName": definition["Name"],
                    "Value": value,
                    "Timestamp": cloud.clock.now(),
                }
