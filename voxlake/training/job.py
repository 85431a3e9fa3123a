"""The SageMaker job that a training runs as, whoever starts it: its request, and what it leaves."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass

PREFIX = "training/"
"""Everything of training lies under it in the artifacts bucket: code, data, models, decisions."""
SETS = f"{PREFIX}sets/"
"""Data sets by name, each a folder with train.jsonl.gz and perhaps dev.jsonl.gz."""
CHECKPOINTS = "/opt/ml/checkpoints"
INIT = "/opt/ml/input/data/init"
"""Where a job finds the model that it starts from: its channel `init`."""
# What the scripts print of their progress. Tracked runs read the same table, so a curve is the
# same wherever a script runs.
METRICS = {
    "loss": r"\bloss:? ([0-9.]+)",
    "validation_loss": r"validation loss:? ([0-9.]+)",
    "macro_recall": r"macro[_ ]recall:? ([0-9.]+)",
    "macro_f1": r"macro[_ ][fF]1:? ([0-9.]+)",
    "jaccard": r"jaccard:? ([0-9.]+)",
    "perplexity": r"perplexity:? ([0-9.]+)",
    "coherence": r"(?:coherence|c_npmi):? (-?[0-9.]+)",
}


@dataclass(frozen=True)
class JobSettings:
    """What all training jobs of a stage share.

    bucket: the artifacts bucket. wait_minutes: for spot capacity, besides max_minutes.
    """

    bucket: str
    role_arn: str
    image: str
    key_arn: str
    instance_type: str
    volume_gb: int
    max_minutes: int
    wait_minutes: int


def job_request(
    settings: JobSettings,
    name: str,
    model: str,
    *,
    code: str,
    channels: Mapping[str, str],
    arguments: Mapping[str, str],
    checkpoints: str | None = None,
) -> dict:
    """CreateTrainingJob's request: a spot instance, with checkpoints.

    code: URI of what sagemaker/training/pack.py makes. channels: {name: URI of its files}.
    checkpoints: the name of an earlier job to go on from.
    """
    seconds = settings.max_minutes * 60
    place = f"s3://{settings.bucket}/{PREFIX}"
    return {
        "TrainingJobName": name,
        "HyperParameters": {
            "sagemaker_program": f"train_{model}.py",
            "sagemaker_submit_directory": code,
            **arguments,
        },
        "AlgorithmSpecification": {
            "TrainingImage": settings.image,
            "TrainingInputMode": "File",
            "MetricDefinitions": [
                {"Name": metric, "Regex": regex} for metric, regex in METRICS.items()
            ],
        },
        "RoleArn": settings.role_arn,
        "InputDataConfig": [
            {
                "ChannelName": channel,
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": uri,
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
            }
            for channel, uri in channels.items()
        ],
        "OutputDataConfig": {"S3OutputPath": f"{place}models/", "KmsKeyId": settings.key_arn},
        "ResourceConfig": {
            "InstanceType": settings.instance_type,
            "InstanceCount": 1,
            "VolumeSizeInGB": settings.volume_gb,
            "VolumeKmsKeyId": settings.key_arn,
        },
        "StoppingCondition": {
            "MaxRuntimeInSeconds": seconds,
            "MaxWaitTimeInSeconds": seconds + settings.wait_minutes * 60,
        },
        "EnableManagedSpotTraining": True,
        "CheckpointConfig": {
            "S3Uri": f"{place}checkpoints/{checkpoints or name}/",
            "LocalPath": CHECKPOINTS,
        },
        "Environment": {"SM_CHECKPOINT_DIR": CHECKPOINTS},
    }


def output_uri(model_uri: str) -> str:
    """Where the output.tar.gz of a job lies, by its model's."""
    return f"{model_uri.rpartition('/')[0]}/output.tar.gz"


def read_output(content: bytes) -> dict[str, bytes]:
    """The files of a job's output.tar.gz by name."""
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        return {m.name: tar.extractfile(m).read() for m in tar.getmembers() if m.isfile()}


def metrics_of(output: Mapping[str, bytes]) -> dict:
    """metrics.json of a job's output; {} where its script wrote none."""
    content = output.get("metrics.json")
    return json.loads(content) if content else {}
