"""`evaluate`: a model's figures on labelled texts, and the leaderboard of all models."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from voxlake.cli.options import Json, Stage
from voxlake.cli.training_data import find_data
from voxlake.errors import VoxlakeError
from voxlake.training.data import SUFFIXES, TrainingDataError

EVALUATION = Path(__file__).resolve().parents[2] / "sagemaker" / "evaluation"


class EvaluationFailedError(VoxlakeError):
    """An evaluation script ended with an exit status other than 0."""


def evaluate(
    data: Annotated[
        list[str] | None,
        typer.Argument(
            help="Labelled texts: NAME=FILE, or the name of a data set under $VOXLAKE_DATA (its "
            "dev is measured).",
            metavar="NAME=FILE|NAME...",
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            help="A model's folder, or latest, best, MODEL:latest, MODEL:3 of the registry.",
            metavar="DIR|[MODEL:]latest|best",
        ),
    ] = "",
    task: Annotated[str | None, typer.Option(help="Where rows or model leave it open.")] = None,
    gate: Annotated[
        bool, typer.Option("--gate", help="Only the half that judges promotions.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="metrics.json to write; printed if unsaid.")
    ] = None,
    all_: Annotated[
        bool,
        typer.Option("--all", help="Measure every packaged model and write docs/models.md."),
    ] = False,
    stage: Stage = "local",
    json_: Json = False,
) -> None:
    """Measures a model on texts labelled by people.

    Example: voxlake evaluate --model my-model tweeteval_sentiment mine=labelled.jsonl
    """
    if all_:
        _run("leaderboard.py", [], quiet=json_)
        return
    if not data:
        raise typer.BadParameter("name the data to measure on, or ask for --all")
    arguments = [named(one) for one in data]
    if model:
        arguments += ["--model", str(model_folder(model, stage))]
    if task:
        arguments += ["--task", task]
    if gate:
        arguments += ["--gate"]
    if out:
        arguments += ["--out", str(out)]
    _run("evaluate.py", arguments, quiet=json_)


def named(data: str) -> str:
    """NAME=FILE of an argument; a data set's name stands for its dev.

    Raises TrainingDataError when there is none.
    """
    if "=" in data:
        return data
    found = find_data(data)
    if found.dev is None:
        if found.train.name.endswith(SUFFIXES) and Path(data).is_file():
            return f"{found.name}={found.train}"
        raise TrainingDataError(f"{data}: expected dev.jsonl or dev.jsonl.gz in it, found none")
    return f"{found.name}-dev={found.dev}"


def model_folder(model: str, stage: str) -> Path:
    """The folder of a model given by path or by reference to the registry.

    Raises RegistryError, NotRunningError.
    """
    if Path(model).exists():
        return Path(model)
    from voxlake.cli.registry import Registry
    from voxlake.cli.target import Target

    registry = Registry(Target(stage))
    return registry.fetch(registry.find(model))


def _run(script: str, arguments: list[str], *, quiet: bool) -> None:
    path = EVALUATION / script
    if not path.is_file():
        raise EvaluationFailedError(f"expected {path}, found none: run voxlake from a checkout")
    done = subprocess.run(
        [sys.executable, str(path), *arguments],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE if quiet else None,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr or "").strip().splitlines()[-1:]
        raise EvaluationFailedError(
            f"the evaluation ended with exit status {done.returncode}"
            + (f": {last[0]}" if last else "")
        )
