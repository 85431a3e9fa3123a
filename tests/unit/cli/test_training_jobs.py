"""`train --job`, the registry, `promote` and `rollback`, against the laptop cloud in process."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from typer.testing import CliRunner

from localcloud import server
from tests.localcloud.data.conftest import SERVICES, TRUST
from voxlake.cli import main
from voxlake.cli.registry import Registry, RegistryError
from voxlake.cli.target import Target
from voxlake.scoring import load_model

WORDS = {
    "negative": ["awful", "worst", "hate", "broken", "rude", "ugly"],
    "neutral": ["monday", "gate", "schedule", "report", "meeting", "opens"],
    "positive": ["great", "love", "thanks", "wonderful", "best", "happy"],
}
FILLER = ["the", "plane", "phone", "it", "was", "and", "today", "for"]


def rows(count: int, seed: int, noise: float = 0.0) -> list[dict]:
    """Distinct texts whose label can be learnt, but for a share of wrong labels."""
    rng = random.Random(seed)
    found = []
    for number in range(count):
        label = ("negative", "neutral", "positive")[number % 3]
        words = [*rng.choices(FILLER, k=4), *rng.sample(WORDS[label], 2), f"w{seed}x{number}"]
        rng.shuffle(words)
        shown = rng.choice(list(WORDS)) if rng.random() < noise else label
        found.append({"id": str(number), "text": " ".join(words), "label": shown})
    return found


def write(path: Path, lines: list[dict]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture(scope="module")
def target(tmp_path_factory) -> Target:
    """A stage's outputs over an in-process cloud with what the ml and storage stacks make."""
    with server.start(tmp_path_factory.mktemp("cloud"), services=SERVICES) as cloud:
        names = ("s3", "sagemaker", "logs", "iam")
        found = Target("local", {name: cloud.client(name) for name in names})
        cloud.client("s3").create_bucket(Bucket="artifacts")
        role = cloud.client("iam").create_role(
            RoleName="training", AssumeRolePolicyDocument=json.dumps(TRUST)
        )["Role"]["Arn"]
        objects = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"],
                   "Resource": "arn:aws:s3:::artifacts/training/*"}  # fmt: skip
        listing = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}
        cloud.client("iam").put_role_policy(
            RoleName="training",
            PolicyName="p",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [objects, listing]}),
        )
        for model in ("encoder", "logreg", "lstm", "bigram", "lda", "lexicon"):
            cloud.client("sagemaker").create_model_package_group(
                ModelPackageGroupName=f"voxlake-test-{model}"
            )
        found.__dict__["outputs"] = {
            "ArtifactsBucket": "artifacts", "ModelGroupPrefix": "voxlake-test-",
            "TrainingRoleArn": role, "TrainingImage": "training", "InferenceImage": "inference",
            "TrainingInstanceType": "ml.m5.2xlarge", "TrainingVolumeGb": "30",
            "TrainingMaxMinutes": "10", "TrainingSpotWaitMinutes": "5", "KeyArn": "key",
        }  # fmt: skip
        yield found


@pytest.fixture
def verb(target, tmp_path, monkeypatch):
    """Runs a verb against the target; returns what it answered as JSON."""
    monkeypatch.setattr("voxlake.cli.target.Target", lambda stage: target)
    monkeypatch.setenv("VOXLAKE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VOXLAKE_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, status: int = 0) -> dict:
        done = CliRunner().invoke(main.app, [*arguments, "--json"])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == status, done.output
        return json.loads(done.stdout)

    return run


def set_of(folder: Path, *, noise: float, seed: int) -> None:
    """A data set with clean dev labels, so that noise in train costs recall."""
    write(folder / "train.jsonl", rows(240, seed, noise))
    write(folder / "dev.jsonl", rows(300, 99))


def test_a_job_trains_registers_and_leaves_the_model_here(verb, target, tmp_path) -> None:
    set_of(tmp_path / "plain", noise=0.0, seed=1)

    answer = verb("train", "--model", "logreg", "--data", "plain", "--job", "--out", "mine")

    model = load_model(tmp_path / "mine")
    assert answer["metrics"]["model"] == model.id
    assert answer["model_dir"] == str(tmp_path / "mine")
    version = Registry(target).find(answer["registered"])
    assert (version.model_id, version.status) == (model.id, "PendingManualApproval")
    assert version.metadata["job"] == answer["job"]
    assert version.metadata["data"] == "plain-train"
    job = target.client("sagemaker").describe_training_job(TrainingJobName=answer["job"])
    assert job["EnableManagedSpotTraining"] is True
    assert version.uri == job["ModelArtifacts"]["S3ModelArtifacts"]
    used = Registry(target).beside(version, "data.json")["sets"]
    assert [(one["data"], one["use"]) for one in used] == [
        ("plain-train", "train"), ("plain-dev, its tuning half", "tune"),
    ]  # fmt: skip
    # Nothing of the gate's half was seen.
    assert used[1]["gate_sha256"] == ""
    assert 0 < used[1]["rows"] < 300


OF_OTHER_PACKAGES = {
    "lstm": ("torch", ["--epochs", "1", "--set", "min-count=1"]),
    "encoder": ("torch", ["--epochs", "1", "--init", "tiny"]),
    "lda": ("tomotopy", ["--set", "topics=3", "--set", "min-df=2", "--set", "max-df=0.9"]),
}


@pytest.mark.parametrize("model", OF_OTHER_PACKAGES)
def test_every_model_trains_as_a_job(verb, target, tmp_path, model) -> None:
    package, arguments = OF_OTHER_PACKAGES[model]
    pytest.importorskip(package, reason=f"training needs {package}: requirements/train.txt")
    set_of(tmp_path / "plain", noise=0.0, seed=1)
    if "tiny" in arguments:
        from tests.test_sagemaker.tiny_encoder import write_tiny_encoder

        write_tiny_encoder(tmp_path / "tiny")

    answer = verb(
        "train", "--model", model, "--data", "plain", "--job", "--out", "mine", *arguments
    )

    assert answer["metrics"]["model"] == load_model(tmp_path / "mine").id
    version = Registry(target).find(f"{model}:latest")
    assert (version.reference, version.status) == (answer["registered"], "PendingManualApproval")


def test_best_moves_to_a_better_model_and_back_and_never_to_one_within_the_noise(
    verb, target, tmp_path
) -> None:
    registry = Registry(target)
    before = len(registry.versions("logreg"))
    for name, noise in (("poor", 0.75), ("good", 0.0), ("same", 0.05)):
        set_of(tmp_path / name, noise=noise, seed=len(name))
        verb("train", "--model", "logreg", "--data", name, "--out", f"m-{name}",
             "--set", f"version={name}")  # fmt: skip
    poor, good, same = (f"logreg:{before + number}" for number in (1, 2, 3))

    first = verb("promote", poor)
    assert (first["decision"], first["reasons"]) == ("promoted", ["nothing was in use yet"])
    second = verb("promote", good, "--data", "good")
    assert second["decision"] == "promoted"
    [head] = second["heads"]
    assert (head["data"], head["task"], head["figure"]) == (
        "good-gate",
        "sentiment",
        "macro_recall",
    )
    assert head["low"] > 0
    assert head["n"] == head["rows"] > 100
    assert registry.best("logreg").reference == good
    # The decision lies with the model, in short in the registry and whole beside the artifact.
    version = registry.find("logreg:best")
    assert version.metadata["gate.decision"] == "promoted"
    assert version.metadata["gate.sentiment.candidate"] == str(head["candidate"])
    assert registry.beside(version, "promotion.json") == {
        name: value for name, value in second.items() if name != "version"
    }

    third = verb("promote", same, "--data", "good", status=1)
    assert third["decision"] == "refused"
    assert "by more than the noise" in third["reasons"][0]
    assert registry.find(same).status == "Rejected"
    assert registry.best("logreg").reference == good
    assert registry.find("logreg:latest").reference == same

    assert verb("rollback", "--model", "logreg")["best"] == poor
    assert registry.best("logreg").reference == poor
    assert verb("promote", good, "--data", "good")["decision"] == "promoted"


def test_a_model_that_saw_the_gates_texts_is_refused(verb, target, tmp_path) -> None:
    registry = Registry(target)
    set_of(tmp_path / "fair", noise=0.5, seed=21)
    verb("train", "--model", "logreg", "--data", "fair", "--set", "version=fair")
    if registry.best("logreg") is None:
        verb("promote", "logreg:latest")
        set_of(tmp_path / "fair", noise=0.4, seed=22)
    # The whole dev of the set under another name, in another order.
    lines = (tmp_path / "fair" / "dev.jsonl").read_text().splitlines()
    write(tmp_path / "own.jsonl", [json.loads(line) for line in reversed(lines)])
    verb("train", "--model", "logreg", "--data", "own.jsonl", "--set", "version=leaky")

    refused = verb("promote", "logreg:latest", "--data", "fair", status=1)

    assert refused["reasons"][0] == (
        "fair-gate: the gate's texts were used to train the model (own-train)"
    )


def test_a_folder_is_registered_once_and_an_unknown_model_is_an_error(
    verb, target, tmp_path
) -> None:
    set_of(tmp_path / "folder", noise=0.1, seed=31)
    arguments = ("train", "--model", "logreg", "--data", "folder", "--out", "here",
                 "--set", "version=folder", "--no-register")  # fmt: skip
    assert "registered" not in verb(*arguments)
    registry = Registry(target)

    first = registry.register_folder("logreg", tmp_path / "here")

    assert registry.register_folder("logreg", tmp_path / "here") == first
    assert registry.find(first.model_id) == first
    with pytest.raises(RegistryError, match="expected the model lda:best in the registry"):
        registry.find("lda:best")
