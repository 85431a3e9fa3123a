"""`train`: runs a training script here under SageMaker's contract, as a training job would."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from voxlake.cli.options import Json, err, print_json
from voxlake.errors import VoxlakeError

SUFFIXES = (".jsonl", ".jsonl.gz")
# Scripts beside the package, never part of it: a folder called sagemaker would hide the SDK.
TRAINING = Path(__file__).resolve().parents[2] / "sagemaker" / "training"


class TrainingDataError(VoxlakeError):
    """The data to train on cannot be found."""


class TrainingFailedError(VoxlakeError):
    """The training script ended with an exit status other than 0."""


class Model(StrEnum):
    """The models that can be trained: each has `sagemaker/training/train_<model>.py`."""

    logreg = "logreg"


def train(
    data: Annotated[
        str,
        typer.Option(
            help="Labelled texts: a .jsonl or .jsonl.gz file, a folder holding train.jsonl.gz and "
            "perhaps dev.jsonl.gz, or the name of such a folder under $VOXLAKE_DATA (data/ if "
            "unset). Each line: text, label (negative, neutral or positive).",
            metavar="FILE|NAME",
        ),
    ],
    model: Annotated[Model, typer.Option(help="Which model.")] = Model.logreg,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the model; .voxlake/models/sentiment if unsaid."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same model file.")] = 0,
    json_: Json = False,
) -> None:
    """Trains a sentiment model on your own labelled texts and measures it.

    Measured on dev where the data has one, else on a tenth held out. Score with the result by
    `voxlake score --model DIR`.

    Example: voxlake train --data labelled.jsonl --out my-model
    """
    from voxlake.cli.target import home

    folder = (out or home() / "models" / "sentiment").absolute()
    name, training, validation = find_data(data)
    with tempfile.TemporaryDirectory(prefix="voxlake-train-") as work:
        figures = run_training(
            model, name, training, validation, folder, seed, Path(work), quiet=json_
        )
    if json_:
        print_json({"model_dir": str(folder), "metrics": figures})
    else:
        typer.echo(f"model in {folder}: voxlake score --model {folder} < texts.jsonl")


def find_data(data: str) -> tuple[str, Path, Path | None]:
    """(name, training file, dev file or None) for a file, a folder or a data set's name.

    Raises TrainingDataError saying where it looked.
    """
    named = Path(os.environ.get("VOXLAKE_DATA", "data")) / data
    path = Path(data) if Path(data).exists() else named
    if path.is_file():
        if not path.name.endswith(SUFFIXES):
            raise TrainingDataError(f"{path}: expected a name ending in {' or '.join(SUFFIXES)}")
        return path.name.split(".")[0], path, None
    if not path.is_dir():
        raise TrainingDataError(
            f"expected labelled texts at {data} or {named}, found neither; name a JSON lines file, "
            "or set VOXLAKE_DATA to the folder that holds your data sets"
        )
    files = {
        part: next((path / f"{part}{s}" for s in SUFFIXES if (path / f"{part}{s}").is_file()), None)
        for part in ("train", "dev")
    }
    if files["train"] is None:
        raise TrainingDataError(f"{path}: expected train.jsonl or train.jsonl.gz in it, found none")
    return path.resolve().name, files["train"], files["dev"]


def run_training(
    model: Model,
    name: str,
    training: Path,
    validation: Path | None,
    folder: Path,
    seed: int,
    work: Path,
    *,
    quiet: bool = False,
) -> dict:
    """Runs the script in a subprocess with the contract's folders under `work`; returns metrics.

    The model appears in `folder` only when all went well. Raises TrainingFailedError.
    """
    script = TRAINING / f"train_{model.value}.py"
    if not script.is_file():
        raise TrainingFailedError(
            f"expected the training script at {script}, found none: run voxlake from a checkout"
        )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SM_")}
    environment |= {
        "SM_CHANNEL_TRAIN": str(_channel(work, "train", training)),
        "SM_MODEL_DIR": str(work / "model"),
        "SM_OUTPUT_DATA_DIR": str(work / "output"),
    }
    if validation:
        environment["SM_CHANNEL_VALIDATION"] = str(_channel(work, "validation", validation))
    command = [sys.executable, str(script), "--seed", str(seed), "--data-name", name]
    # Standard output is the caller's answer when that is JSON.
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr
        if quiet and sys.stderr.isatty()
        else subprocess.DEVNULL
        if quiet
        else None,
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["it wrote nothing to standard error"]
        raise TrainingFailedError(f"training ended with exit status {done.returncode}: {last[0]}")
    if done.stderr:
        err.print(done.stderr.rstrip(), markup=False)
    folder.mkdir(parents=True, exist_ok=True)
    for path in [*(work / "model").iterdir(), work / "output" / "metrics.json"]:
        if path.is_file():
            shutil.copyfile(path, folder / path.name)
    metrics = work / "output" / "metrics.json"
    return json.loads(metrics.read_text()) if metrics.is_file() else {}


def _channel(work: Path, name: str, file: Path) -> Path:
    """A channel's folder, holding the file by a link: data sets are large."""
    folder = work / "input" / name
    folder.mkdir(parents=True)
    (folder / file.name).symlink_to(file.resolve())
    return folder
