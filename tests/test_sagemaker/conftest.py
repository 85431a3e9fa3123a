"""Small generated texts and a model trained on them, once a worker; scripts loaded by path."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED_DATA = ROOT.parent / "shared" / "data"

WORDS = {
    "negative": ["awful", "worst", "hate", "broken", "delayed", "rude", "ugly", "never again"],
    "neutral": ["monday", "gate", "schedule", "report", "meeting", "opens", "from", "until"],
    "positive": ["great", "love", "thanks", "wonderful", "best", "happy", "perfect", "smooth"],
}
FILLER = ["the", "plane", "phone", "it", "was", "and", "today", "for", "#TravelDay", "@someone"]


def generated_rows(count: int, seed: int) -> list[dict]:
    """Labelled texts in which the label can be learnt, and not only from one word."""
    rng = random.Random(seed)
    rows = []
    for number in range(count):
        label = ("negative", "neutral", "positive")[number % 3]
        words = rng.choices(FILLER, k=5) + rng.sample(WORDS[label], 2)
        rng.shuffle(words)
        rows.append({"id": str(number), "text": " ".join(words), "label": label})
    return rows


def write_rows(path: Path, rows: list[dict]) -> Path:
    """The rows as JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def load_script(relative: str) -> ModuleType:
    """A script of sagemaker/ as a module, by its path: nothing imports that folder by name."""
    path = ROOT / relative
    spec = importlib.util.spec_from_file_location(f"script_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def run_training(
    folder: Path, *arguments: str, validation: bool = True
) -> subprocess.CompletedProcess:
    """The training script under SageMaker's contract, in a process of its own."""
    write_rows(folder / "input" / "train" / "part-1.jsonl", generated_rows(240, seed=1))
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SM_", "PYTHONPATH"))}
    environment |= {
        "SM_CHANNEL_TRAIN": str(folder / "input" / "train"),
        "SM_MODEL_DIR": str(folder / "model"),
        "SM_OUTPUT_DATA_DIR": str(folder / "output"),
    }
    if validation:
        write_rows(folder / "input" / "validation" / "part-1.jsonl", generated_rows(60, seed=2))
        environment["SM_CHANNEL_VALIDATION"] = str(folder / "input" / "validation")
    return subprocess.run(
        [sys.executable, str(ROOT / "sagemaker/training/train_logreg.py"), *arguments],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Path:
    """The folder of a training run on generated texts: input/, model/, output/."""
    folder = tmp_path_factory.mktemp("trained")
    done = run_training(folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def packaged():
    """The sentiment model that is committed."""
    from voxlake.scoring import load_model

    return load_model(ROOT / "sagemaker" / "models" / "sentiment")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public data sets; the test is skipped where there is none."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no public data sets beside the checkout at ../{SHARED_DATA.parent.name}/data")
    return SHARED_DATA
