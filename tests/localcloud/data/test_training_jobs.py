"""Training jobs under the framework images' contract."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.data.conftest import wait_for
from tests.localcloud.data.test_transform_jobs import archive

TRAIN = """
import argparse, json, os, pathlib, sys
import helper

parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int)
parser.add_argument("--start")
args = parser.parse_args()
channel = pathlib.Path(os.environ["SM_CHANNEL_TRAIN"])
words = [path.read_text() for path in sorted(channel.rglob("*")) if path.is_file()]
names = sorted(path.relative_to(channel).as_posix() for path in channel.rglob("*.txt"))
for number in range(args.rounds):
    print(f"round {number}: loss {1.0 / (number + 1):.4f}")
model = pathlib.Path(os.environ["SM_MODEL_DIR"])
(model / "sub").mkdir()
(model / "sub" / "model.json").write_text(json.dumps(helper.count(words)))
seen = {name: os.environ[name] for name in ("SM_CHANNELS", "SM_HP_ROUNDS", "GREETING")}
seen["files"] = names
seen["start"] = pathlib.Path(args.start).name, os.path.isdir(args.start)
seen["role"] = "AWS_SESSION_TOKEN" in os.environ
pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "seen.json").write_text(json.dumps(seen))
"""
HELPER = "def count(words): return {'words': sum(len(w.split()) for w in words)}\n"
CHECKPOINTED = """
import os, pathlib, time
folder = pathlib.Path(os.environ["KEPT"])
before = sorted(path.name for path in folder.iterdir())
print("found", before)
(folder / f"step-{len(before)}").write_text("state")
if not before:
    time.sleep(60)
pathlib.Path(os.environ["SM_MODEL_DIR"], "model").write_text(str(len(before)))
"""


@pytest.fixture(scope="module")
def role(create_role: Callable[..., str]) -> str:
    return create_role("trainer", "s3:*")


@pytest.fixture
def start(client: Callable[[str], Any], role: str) -> Callable[..., None]:
    """Start a job that runs `script`; options replace parts of the request."""

    def create(name: str, script: str = TRAIN, **options: Any) -> None:
        s3 = client("s3")
        source = f"code/{name}/sourcedir.tar.gz"
        s3.put_object(
            Bucket="lake", Key=source, Body=archive({"train.py": script, "helper.py": HELPER})
        )
        s3.put_object(Bucket="lake", Key="train/a.txt", Body=b"one two")
        s3.put_object(Bucket="lake", Key="train/more/b.txt", Body=b"three")
        given = {
            "TrainingJobName": name,
            "HyperParameters": {
                "sagemaker_program": "train.py",
                # The SDK writes JSON, other clients plain text; the toolkit reads both.
                "sagemaker_submit_directory": json.dumps(f"s3://lake/{source}"),
                **options.pop("hyperparameters", {}),
            },
            "AlgorithmSpecification": {
                "TrainingImage": "prebuilt",
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "loss", "Regex": "loss ([0-9.]+)"}],
            },
            "RoleArn": role,
            "InputDataConfig": [
                {
                    "ChannelName": "train",
                    "DataSource": {
                        "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://lake/train/"}
                    },
                }
            ],
            "OutputDataConfig": {"S3OutputPath": "s3://lake/trained/"},
            "ResourceConfig": {
                "InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        }  # fmt: skip
        client("sagemaker").create_training_job(**(given | options))

    return create


@pytest.fixture
def finish(client: Callable[[str], Any]) -> Callable[[str], dict[str, Any]]:
    def wait(name: str) -> dict[str, Any]:
        return wait_for(
            lambda: client("sagemaker").describe_training_job(TrainingJobName=name),
            lambda job: job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped"),
        )

    return wait


def unpacked(client: Callable[[str], Any], key: str) -> dict[str, str]:
    body = client("s3").get_object(Bucket="lake", Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        return {m.name: tar.extractfile(m).read().decode() for m in tar if m.isfile()}


def test_a_script_trains_from_its_channels_and_its_model_lies_in_s3(client, start, finish) -> None:
    start(
        "whole",
        hyperparameters={"rounds": "2", "start": "/opt/ml/input/data/train"},
        Environment={"GREETING": "hello"},
    )

    job = finish("whole")

    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Completed", job
    model = "s3://lake/trained/whole/output/model.tar.gz"
    assert job["ModelArtifacts"] == {"S3ModelArtifacts": model}
    assert unpacked(client, "trained/whole/output/model.tar.gz") == {
        "sub/model.json": '{"words": 3}'
    }
    seen = json.loads(unpacked(client, "trained/whole/output/output.tar.gz")["seen.json"])
    assert seen == {
        "SM_CHANNELS": '["train"]', "SM_HP_ROUNDS": "2", "GREETING": "hello", "role": True,
        "files": ["a.txt", "more/b.txt"], "start": ["train", True],
    }  # fmt: skip
    assert [(m["MetricName"], m["Value"]) for m in job["FinalMetricDataList"]] == [("loss", 0.5)]
    steps = [step["Status"] for step in job["SecondaryStatusTransitions"]]
    assert steps == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    events = client("logs").get_log_events(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamName="whole/algo-1"
    )["events"]
    assert [e["message"] for e in events] == ["round 0: loss 1.0000", "round 1: loss 0.5000"]


def test_a_failed_script_fails_the_job_with_its_last_error_line(start, finish) -> None:
    start("fails", script="import sys\nprint('fine so far')\nraise ValueError('no rows')\n")

    job = finish("fails")

    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == (
        "AlgorithmError: ExecuteUserScriptError: ExitCode 1 "
        'ErrorMessage "ValueError: no rows" Command "train.py"'
    )
    assert "ModelArtifacts" not in job or not job["ModelArtifacts"]


def test_a_spot_job_that_was_stopped_goes_on_from_its_checkpoint(client, start, finish) -> None:
    spot = {
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 120},
        "CheckpointConfig": {"S3Uri": "s3://lake/kept/one"},
        "Environment": {"KEPT": "/opt/ml/checkpoints"},
    }
    start("first", script=CHECKPOINTED, **spot)
    wait_for(
        lambda: client("s3").list_objects_v2(Bucket="lake", Prefix="kept/one/"),
        lambda found: found["KeyCount"] == 1,
    )
    client("sagemaker").stop_training_job(TrainingJobName="first")
    assert finish("first")["TrainingJobStatus"] == "Stopped"

    start("second", script=CHECKPOINTED, **spot)

    assert finish("second")["TrainingJobStatus"] == "Completed"
    assert unpacked(client, "trained/second/output/model.tar.gz") == {"model": "1"}


def test_a_job_over_its_time_is_stopped(start, finish) -> None:
    start(
        "slow",
        script="import time\ntime.sleep(60)\n",
        StoppingCondition={"MaxRuntimeInSeconds": 1},
    )

    job = finish("slow")

    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_missing_data_a_missing_script_and_a_denied_role_fail_the_job(
    client, start, finish, create_role
) -> None:
    nothing = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://lake/nothing/"}}
    start("no-data", InputDataConfig=[{"ChannelName": "train", "DataSource": nothing}])
    assert finish("no-data")["FailureReason"] == (
        'ClientError: No S3 objects found under S3 URL "s3://lake/nothing/" given in input data '
        "source."
    )
    start("no-script", hyperparameters={"sagemaker_program": "other.py"})
    assert "expected other.py in s3://lake/code/no-script" in finish("no-script")["FailureReason"]
    start("denied", RoleArn=create_role("may-nothing"))
    assert "AccessDenied" in finish("denied")["FailureReason"]


def test_jobs_are_listed_by_status_in_pages(client, start, finish) -> None:
    for number in range(3):
        start(f"listed-{number}", script="print('done')")
        finish(f"listed-{number}")

    listed = client("sagemaker").list_training_jobs(
        NameContains="listed", StatusEquals="Completed", SortOrder="Ascending", MaxResults=2
    )

    names = [job["TrainingJobName"] for job in listed["TrainingJobSummaries"]]
    assert names == ["listed-0", "listed-1"]
    rest = client("sagemaker").list_training_jobs(
        NameContains="listed", SortOrder="Ascending", MaxResults=2, NextToken=listed["NextToken"]
    )
    assert [job["TrainingJobName"] for job in rest["TrainingJobSummaries"]] == ["listed-2"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["s-1"]}}, "VpcConfig"),
        ({"EnableManagedSpotTraining": True}, "MaxWaitTimeInSeconds must be present"),
        ({"ResourceConfig": {"InstanceCount": 2, "VolumeSizeInGB": 1}}, "InstanceCount"),
        ({"AlgorithmSpecification": {"TrainingInputMode": "Pipe", "TrainingImage": "i"}}, "File"),
    ],
)
def test_what_a_job_would_not_honour_is_refused(start, options, message) -> None:
    with pytest.raises(ClientError) as refused:
        start("refused", **options)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert message in refused.value.response["Error"]["Message"]
