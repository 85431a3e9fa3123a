"""Training as a SageMaker job: uploads code and data, starts the job, follows it to its end."""

from __future__ import annotations

import hashlib
import importlib.util
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from voxlake.cli.target import Target
from voxlake.errors import VoxlakeError
from voxlake.training.data import upload_folder
from voxlake.training.job import (
    PREFIX,
    JobSettings,
    job_request,
    metrics_of,
    output_uri,
    read_output,
)
from voxlake.training.registry import place

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
_POLL_SECONDS = {True: 0.5, False: 10.0}  # by whether it is the laptop


class TrainingJobError(VoxlakeError):
    """A training job failed or was stopped."""


@dataclass(frozen=True)
class FinishedJob:
    """What a completed job left. output: the files of its output.tar.gz by name."""

    name: str
    model_uri: str
    output: Mapping[str, bytes]
    lines: list[str]

    @property
    def metrics(self) -> dict:
        return metrics_of(self.output)


def start_job(
    target: Target,
    model: str,
    channels: Mapping[str, Path],
    arguments: Mapping[str, str],
    *,
    checkpoints: str | None = None,
) -> str:
    """Uploads what a job needs and starts it; returns its name.

    checkpoints: the name of an earlier job to go on from. Data and code lie under their content's
    hash, so the same are uploaded once.
    """
    s3, bucket = target.client("s3"), target.output("ArtifactsBucket")
    stage = target.output("ModelGroupPrefix").rstrip("-")
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    name = f"{stage}-{model}-{stamp}-{secrets.token_hex(2)}"
    source = _upload(s3, bucket, f"{PREFIX}code", "sourcedir.tar.gz", _source_archive())
    settings = JobSettings(
        bucket=bucket,
        role_arn=target.output("TrainingRoleArn"),
        image=target.output("TrainingImage"),
        key_arn=target.output("KeyArn"),
        instance_type=target.output("TrainingInstanceType"),
        volume_gb=int(target.output("TrainingVolumeGb")),
        max_minutes=int(target.output("TrainingMaxMinutes")),
        wait_minutes=int(target.output("TrainingSpotWaitMinutes")),
    )
    uploaded = {channel: upload_folder(s3, bucket, folder) for channel, folder in channels.items()}
    request = job_request(
        settings,
        name,
        model,
        code=source,
        channels=uploaded,
        arguments=arguments,
        checkpoints=checkpoints,
    )
    target.client("sagemaker").create_training_job(**request)
    return name


def follow(target: Target, name: str, say: Callable[[str], None]) -> FinishedJob:
    """Shows a job's states and log lines as they come until it ends.

    Raises TrainingJobError when it does not complete. The job goes on when this is interrupted.
    """
    sagemaker, pause = target.client("sagemaker"), _POLL_SECONDS[target.is_local]
    log = _Log(target.client("logs"), name)
    shown = ""
    while True:
        job = sagemaker.describe_training_job(TrainingJobName=name)
        if job["SecondaryStatus"] != shown:
            shown = job["SecondaryStatus"]
            say(f"{name}: {shown}")
        for line in log.new():
            say(line)
        if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped"):
            break
        time.sleep(pause)
    if job["TrainingJobStatus"] != "Completed":
        why = job.get("FailureReason") or job["SecondaryStatus"]
        raise TrainingJobError(f"training job {name} {job['TrainingJobStatus'].lower()}: {why}")
    uri = job["ModelArtifacts"]["S3ModelArtifacts"]
    content = target.client("s3").get_object(**place(output_uri(uri)))["Body"].read()
    return FinishedJob(name, uri, read_output(content), log.lines)


class _Log:
    """The lines of a job's log stream, each once."""

    def __init__(self, logs, job: str) -> None:
        self._logs, self._job = logs, job
        self._token: dict[str, str] = {}
        self._stream: str | None = None
        self.lines: list[str] = []

    def new(self) -> list[str]:
        """The lines since the last call."""
        if self._stream is None:
            self._stream = self._find()
        if self._stream is None:
            return []
        place = {"logGroupName": LOG_GROUP, "logStreamName": self._stream, "startFromHead": True}
        found: list[str] = []
        while True:
            page = self._logs.get_log_events(**place, **self._token)
            found += [event["message"] for event in page["events"]]
            after = {"nextToken": page["nextForwardToken"]}
            ended = after == self._token or not page["events"]
            self._token = after
            if ended:
                self.lines += found
                return found

    def _find(self) -> str | None:
        from botocore.exceptions import ClientError

        try:
            streams = self._logs.describe_log_streams(
                logGroupName=LOG_GROUP, logStreamNamePrefix=f"{self._job}/"
            )["logStreams"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return None
        return streams[0]["logStreamName"] if streams else None


def _source_archive() -> bytes:
    """What sagemaker/training/pack.py makes; loaded by its path, since nothing imports that folder.

    Raises TrainingJobError outside a checkout.
    """
    script = Path(__file__).resolve().parents[2] / "sagemaker" / "training" / "pack.py"
    if not script.is_file():
        raise TrainingJobError(f"expected {script}, found none: run voxlake from a checkout")
    spec = importlib.util.spec_from_file_location("voxlake_training_pack", script)
    assert spec is not None
    assert spec.loader is not None
    pack = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pack)
    return pack.archive(pack.members())


def _upload(s3, bucket: str, prefix: str, name: str, content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()[:16]
    s3.put_object(Bucket=bucket, Key=f"{prefix}/{digest}/{name}", Body=content)
    return f"s3://{bucket}/{prefix}/{digest}/{name}"
