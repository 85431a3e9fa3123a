"""model_gate's steps against the laptop cloud in process: trained by the job that it prepares."""

from __future__ import annotations

import gzip
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.packaging import training_code_files, write_tar_gz
from lambdas.model_gate import handler
from lambdas.model_gate.errors import BestMovedError, MissingObjectError, TrainingRequestError
from lambdas.model_gate.settings import Settings
from lambdas.model_gate.steps import Gate
from tests.unit.cli.test_training_jobs import rows, target
from voxlake.cli.registry import Registry
from voxlake.training.data import TrainingDataError

__all__ = ["target"]
QUERY = "0b5b1c1e-0000-4000-8000-000000000001"


@pytest.fixture(scope="module")
def gate(target, tmp_path_factory):
    """A function of an invocation: its steps, each with a folder of its own."""
    outputs = target.outputs
    s3 = target.client("s3")
    s3.create_bucket(Bucket="results")
    # What deploying publishes.
    code = write_tar_gz(training_code_files(), tmp_path_factory.mktemp("code") / "code.tar.gz")
    s3.upload_file(str(code), "artifacts", "training/code/sourcedir.tar.gz")
    settings = Settings.model_validate(
        {
            "ARTIFACTS_BUCKET": "artifacts",
            "QUERY_RESULTS": "s3://results/athena/",
            "MODEL_GROUP_PREFIX": outputs["ModelGroupPrefix"],
            "INFERENCE_IMAGE": "inference",
            "TRAINING_CODE": "s3://artifacts/training/code/sourcedir.tar.gz",
            "KEY_ARN": "key",
            "TRAINING_ROLE_ARN": outputs["TrainingRoleArn"],
            "TRAINING_IMAGE": "training",
            "TRAINING_INSTANCE_TYPE": "ml.m5.2xlarge",
            "TRAINING_VOLUME_GB": "30",
            "TRAINING_MAX_MINUTES": "10",
            "TRAINING_SPOT_WAIT_MINUTES": "5",
        }
    )

    def step(name: str, **event) -> dict:
        found = Gate(
            settings,
            s3,
            Registry(target),
            tmp_path_factory.mktemp("work"),
            now=datetime.now(UTC) + timedelta(seconds=step.calls),
            suffix="ab12",
            clock=time.perf_counter,
        )
        step.calls += 1
        return getattr(found, name)(event)

    step.calls = 0
    return step


def put_set(target, name: str, *, noise: float, seed: int, dev: bool = True) -> None:
    """A set of 240 texts with a share of wrong labels, and clean ones to judge by."""
    parts = {"train": rows(240, seed, noise)} | ({"dev": rows(300, 99)} if dev else {})
    for part, lines in parts.items():
        body = gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode())
        key = f"training/sets/{name}/{part}.jsonl.gz"
        target.client("s3").put_object(Bucket="artifacts", Key=key, Body=body)


def trained(target, gate, name: str, version: str) -> dict[str, str]:
    """A model of a set: {"model", "job", "artifact"}, as the next steps are asked."""
    prepared = gate(
        "prepare", model="logreg", data=[name], hyperparameters={"version": version, "min-df": 2}
    )
    request = prepared["request"] | {"TrainingJobName": prepared["job"] + "-1"}
    sagemaker = target.client("sagemaker")
    sagemaker.create_training_job(**request)
    while True:
        job = sagemaker.describe_training_job(TrainingJobName=request["TrainingJobName"])
        if job["TrainingJobStatus"] != "InProgress":
            break
        time.sleep(0.1)
    assert job["TrainingJobStatus"] == "Completed", job
    artifact = job["ModelArtifacts"]["S3ModelArtifacts"]
    return {"model": "logreg", "job": prepared["job"], "artifact": artifact}


def judged(gate, made: dict[str, str], *, on: str) -> dict:
    """The decision about a trained model."""
    gate("evaluate", gate=[on], **made)
    return gate("gate", **made)


def test_a_better_model_becomes_best_a_worse_one_is_refused_and_both_say_why(target, gate):
    put_set(target, "poor", noise=0.75, seed=1)
    put_set(target, "good", noise=0.0, seed=2)
    registry = Registry(target)
    poor, good = trained(target, gate, "poor", "p"), trained(target, gate, "good", "g")
    assert judged(gate, poor, on="good")["reasons"] == ["nothing was in use yet"]
    first = gate("register", **poor)
    assert (first["decision"], first["best"]) == ("promoted", first["version"])

    decision = judged(gate, good, on="good")
    assert (decision["decision"], decision["heads"][0]["data"]) == ("promoted", "good-gate")
    second = gate("register", **good)
    best = registry.best("logreg")
    assert (best.reference, second["best"]) == (second["version"], second["version"])
    assert registry.beside(best, "promotion.json") == decision
    used = registry.beside(best, "data.json")["sets"]
    assert [(one["data"], one["gate_sha256"] == "") for one in used][1] == (
        "good-dev, its tuning half", True,
    )  # fmt: skip
    # Asked again, as a task that is tried again asks: one version, promoted once.
    assert gate("register", **good) == second

    worse = trained(target, gate, "poor", "w")
    assert judged(gate, worse, on="good")["decision"] == "refused"
    third = gate("register", **worse)
    assert (third["decision"], third["best"]) == ("refused", second["version"])
    assert registry.find(third["version"]).status == "Rejected"
    assert "by more than the noise" in third["reasons"][0]

    # Measured against a model that is best no more.
    registry.withdraw(best)
    late = trained(target, gate, "good", "late")
    judged(gate, late, on="good")
    gate("register", **good)  # withdrawn by hand, promoted anew by the gate's word
    with pytest.raises(BestMovedError, match="clear the task evaluate"):
        gate("register", **late)


def test_what_is_missing_or_asked_wrongly_is_told_in_one_line(target, gate):
    put_set(target, "whole", noise=0.0, seed=3)
    put_set(target, "undeveloped", noise=0.0, seed=4, dev=False)
    made = trained(target, gate, "whole", "m")
    if Registry(target).best("logreg") is None:
        judged(gate, made, on="whole")
        gate("register", **made)
    uri = "s3://artifacts/training/models/none/output/model.tar.gz"
    for step, event, error, words in [
        ("prepare", {"model": "gpt", "data": ["whole"]}, TrainingRequestError, "among encoder"),
        ("prepare", {"model": "logreg", "data": []}, TrainingRequestError, "one data set or more"),
        ("prepare", {"model": "logreg", "data": ["../x"]}, TrainingRequestError, "a data set's"),
        ("prepare", {"model": "logreg", "data": ["s3://other/training/x/"]}, TrainingRequestError,
         "under s3://artifacts/training/"),
        ("prepare", {"model": "logreg", "data": ["absent"]}, TrainingDataError, "absent: expected"),
        ("prepare", {"model": "logreg", "data": ["whole"], "hyperparameters": {"a b": 1}},
         TrainingRequestError, "found a b"),
        ("evaluate", {**made, "gate": ["undeveloped"]}, MissingObjectError, "dev.jsonl.gz in"),
        ("evaluate", {**made, "artifact": uri}, MissingObjectError, f"expected {uri}, found none"),
        ("gate", {**made, "artifact": uri}, MissingObjectError, "run the steps before"),
        ("gather", {"query": "../x", "set": "recent"}, TrainingRequestError, "a query's id"),
        ("gather", {"query": QUERY[:-1] + "9", "set": "r"}, MissingObjectError, "found none"),
    ]:  # fmt: skip
        with pytest.raises(error, match=words) as raised:
            gate(step, **event)
        assert "\n" not in str(raised.value)
    with pytest.raises(TrainingRequestError, match="found 'judge'"):
        handler.handler({"step": "judge"}, None)


def test_texts_that_a_query_found_become_a_set_in_its_folder_too(target, gate, tmp_path: Path):
    found = '"text"\n"said ""so"", and\nwent on"\n"naïve"\n'
    s3 = target.client("s3")
    s3.put_object(Bucket="results", Key=f"athena/{QUERY}.csv", Body=found.encode())
    assert gate("gather", query=QUERY, set="recent") == {"set": "recent", "texts": 2}
    prepared = gate("prepare", model="lda", data=["s3://artifacts/training/sets/recent/"])
    [channel] = prepared["request"]["InputDataConfig"]
    place = channel["DataSource"]["S3DataSource"]["S3Uri"].removeprefix("s3://artifacts/")
    s3.download_file("artifacts", f"{place}train.jsonl.gz", str(tmp_path / "train"))
    with gzip.open(tmp_path / "train", "rt", encoding="utf-8") as lines:
        assert [json.loads(line)["text"] for line in lines] == ['said "so", and\nwent on', "naïve"]
