"""Training as a SageMaker job: uploads code and data, starts the job, follows it to its end."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import secrets
import tarfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from voxlake.cli.registry import PREFIX
from voxlake.cli.target import Target
from voxlake.cli.tracking import METRICS
from voxlake.errors import VoxlakeError

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
CHECKPOINTS = "/opt/ml/checkpoints"
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
        content = self.output.get("metrics.json")
        return json.loads(content) if content else {}


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
    inputs = [
        {
            "ChannelName": channel,
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri": _upload_folder(s3, bucket, folder),
                    "S3DataDistributionType": "FullyReplicated",
                }
            },
        }
        for channel, folder in channels.items()
    ]
    seconds = int(target.output("TrainingMaxMinutes")) * 60
    wait = seconds + int(target.output("TrainingSpotWaitMinutes")) * 60
    key = target.output("KeyArn")
    target.client("sagemaker").create_training_job(
        TrainingJobName=name,
        HyperParameters={
            "sagemaker_program": f"train_{model}.py",
            "sagemaker_submit_directory": source,
            **arguments,
        },
        AlgorithmSpecification={
            "TrainingImage": target.output("TrainingImage"),
            "TrainingInputMode": "File",
            "MetricDefinitions": [
                {"Name": metric, "Regex": regex} for metric, regex in METRICS.items()
            ],
        },
        RoleArn=target.output("TrainingRoleArn"),
        InputDataConfig=inputs,
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/{PREFIX}models/", "KmsKeyId": key},
        ResourceConfig={
            "InstanceType": target.output("TrainingInstanceType"),
            "InstanceCount": 1,
            "VolumeSizeInGB": int(target.output("TrainingVolumeGb")),
            "VolumeKmsKeyId": key,
        },
        StoppingCondition={"MaxRuntimeInSeconds": seconds, "MaxWaitTimeInSeconds": wait},
        EnableManagedSpotTraining=True,
        CheckpointConfig={
            "S3Uri": f"s3://{bucket}/{PREFIX}checkpoints/{checkpoints or name}/",
            "LocalPath": CHECKPOINTS,
        },
        Environment={"SM_CHECKPOINT_DIR": CHECKPOINTS},
    )
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
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    place = {"Bucket": bucket, "Key": f"{key.rpartition('/')[0]}/output.tar.gz"}
    content = target.client("s3").get_object(**place)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        output = {m.name: tar.extractfile(m).read() for m in tar.getmembers() if m.isfile()}
    return FinishedJob(name, uri, output, log.lines)


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


def _upload_folder(s3, bucket: str, folder: Path) -> str:
    """A channel's files under the hash of their names and contents; the prefix's URI."""
    files = [(p.relative_to(folder).as_posix(), p) for p in sorted(_walk(folder))]
    digest = hashlib.sha256()
    for name, path in files:
        digest.update(f"{name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    prefix = f"{PREFIX}data/{digest.hexdigest()[:16]}"
    for name, path in files:
        s3.upload_file(str(path), bucket, f"{prefix}/{name}")
    return f"s3://{bucket}/{prefix}/"


def _walk(folder: Path) -> list[Path]:
    # rglob does not follow links to folders, and there are none; links to files are files.
    return [path for path in folder.rglob("*") if path.is_file()]
