"""`train`: runs a training script under SageMaker's contract, here or as a SageMaker job."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from voxlake.cli.domains import both_domains
from voxlake.cli.options import Json, Stage, err, print_json
from voxlake.cli.training_data import find_data
from voxlake.errors import VoxlakeError
from voxlake.training.data import DataSet, copied, lay_out, provenance

# Scripts beside the package, never part of it: a folder called sagemaker would hide the SDK.
SAGEMAKER = Path(__file__).resolve().parents[2] / "sagemaker"
TRAINING = SAGEMAKER / "training"
PACKAGED_ENCODER = SAGEMAKER / "models" / "encoder"


class TrainingFailedError(VoxlakeError):
    """The training script ended with an exit status other than 0."""


class Model(StrEnum):
    """The models that can be trained: each has `sagemaker/training/train_<model>.py`."""

    encoder = "encoder"
    logreg = "logreg"
    lstm = "lstm"
    bigram = "bigram"
    lda = "lda"
    lexicon = "lexicon"


def train(
    data: Annotated[
        list[str],
        typer.Option(
            help="Texts to train on: a .jsonl or .jsonl.gz file, a folder holding train.jsonl.gz "
            "and perhaps dev.jsonl.gz, or the name of such a folder under $VOXLAKE_DATA (data/ if "
            "unset). Repeat it for several sets (encoder). docs/data.md has the form of a line.",
            metavar="FILE|NAME",
        ),
    ],
    model: Annotated[Model, typer.Option(help="Which model.")] = Model.logreg,
    task: Annotated[
        str | None,
        typer.Option(help="What to learn, where the model can learn several (lstm, logreg)."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the model; .voxlake/models/<model> if unsaid."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same model file.")] = 0,
    seeds: Annotated[
        int,
        typer.Option(
            min=1,
            help="Train with this many seeds, from --seed on, and keep how the figures on dev "
            "spread (seeds.json). The model is that of the first.",
        ),
    ] = 1,
    epochs: Annotated[
        float | None, typer.Option(help="Passes over the texts; the script's own if unsaid.")
    ] = None,
    init: Annotated[
        Path | None,
        typer.Option(
            help="A trained encoder to adapt; the packaged one if unsaid (--from-scratch: none)."
        ),
    ] = None,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Train the encoder from its base weights.")
    ] = False,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="A hyperparameter of the script.", metavar="NAME=VALUE"),
    ] = None,
    job: Annotated[
        bool, typer.Option("--job", help="Train as a SageMaker job (spot, with checkpoints).")
    ] = False,
    resume: Annotated[
        str | None,
        typer.Option(help="With --job: go on from the checkpoints of this job.", metavar="JOB"),
    ] = None,
    stage: Stage = "local",
    register: Annotated[
        bool,
        typer.Option(help="Put the model into the registry, where the cloud is there."),
    ] = True,
    json_: Json = False,
) -> None:
    """Trains a model on your own labelled texts, measures it and registers it.

    Measured on the half of dev that may tune (the other half judges promotions) where the data
    has one, else on a tenth held out.

    Example: voxlake train --model logreg --data labelled.jsonl --out my-model
    """
    from voxlake.cli.target import Target, home

    # The folder of the first model kept its name.
    folder = (
        out or home() / "models" / ("sentiment" if model is Model.logreg else model.value)
    ).absolute()
    sets = [find_data(one) for one in data]
    arguments = _arguments(model, sets, task, seed, epochs, set_ or [])
    start = None
    if model is Model.encoder and not from_scratch:
        start = init or (PACKAGED_ENCODER if PACKAGED_ENCODER.is_dir() else None)
    with tempfile.TemporaryDirectory(prefix="voxlake-train-") as scratch:
        work = Path(scratch)
        channels = lay_out(sets, work / "input")
        used = provenance(sets, channels)
        say = _sayer(json_)
        if job:
            answer = _run_job(
                Target(stage), model, channels, arguments, start, used, folder, say,
                work=work, resume=resume,
            )  # fmt: skip
        else:
            if start:
                arguments["init"] = str(start.absolute())
            # A killed run goes on where it was when it is called again in the same way.
            recipe = json.dumps([model.value, arguments, used], sort_keys=True).encode()
            kept = home() / "checkpoints" / f"{model.value}-{sha256(recipe).hexdigest()[:12]}"
            lines = run_training(model, channels, arguments, folder, work, kept, say=say)
            shutil.rmtree(kept, ignore_errors=True)
            _write_json(folder / "data.json", used)
            if seeds > 1:
                _spread(model, sets, task, channels, arguments, folder, work, seeds, say)
            answer = {"metrics": _metrics(folder), "lines": lines}
            if register:
                answer["registered"] = _register(Target(stage), model, folder, say)
    if start and model is Model.encoder:
        answer["domains"] = both_domains(start, folder, sets, task, say)
    run_id = _track(model, arguments, used, answer)
    answer = {"model_dir": str(folder), **answer, "mlflow_run": run_id}
    answer.pop("lines")
    if json_:
        print_json(answer)
    else:
        typer.echo(f"model in {folder}")


def _arguments(
    model: Model,
    sets: list[DataSet],
    task: str | None,
    seed: int,
    epochs: float | None,
    given: list[str],
) -> dict[str, str]:
    found = {"seed": str(seed), "data-name": "+".join(one.name for one in sets)}
    if task:
        found["task"] = task
    if epochs is not None:
        found["epochs"] = f"{epochs:g}"
    for item in given:
        name, equals, value = item.partition("=")
        if not (name and equals):
            raise typer.BadParameter(f"--set: expected NAME=VALUE, found {item}")
        found[name] = value
    return found


def run_training(
    model: Model,
    channels: dict[str, Path],
    arguments: dict[str, str],
    folder: Path,
    work: Path,
    checkpoints: Path,
    *,
    say: Callable[[str], None],
) -> list[str]:
    """Runs the script in a subprocess with the contract's folders under `work`.

    The model and its metrics.json appear in `folder` only when all went well. Returns the lines
    that it printed, each also given to `say` as it comes. Raises TrainingFailedError.
    """
    script = TRAINING / f"train_{model.value}.py"
    if not script.is_file():
        raise TrainingFailedError(
            f"expected the training script at {script}, found none: run voxlake from a checkout"
        )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SM_")}
    environment |= {f"SM_CHANNEL_{name.upper()}": str(path) for name, path in channels.items()}
    environment |= {
        "SM_MODEL_DIR": str(work / "model"),
        "SM_OUTPUT_DATA_DIR": str(work / "output"),
        "SM_CHECKPOINT_DIR": str(checkpoints),
        "PYTHONUNBUFFERED": "1",
    }
    checkpoints.mkdir(parents=True, exist_ok=True)
    options = [part for name, value in arguments.items() for part in (f"--{name}", value)]
    process = subprocess.Popen(
        [sys.executable, str(script), *options],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    errors: list[str] = []
    reader = threading.Thread(target=lambda: errors.extend(process.stderr), daemon=True)
    reader.start()
    lines = []
    try:
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            say(lines[-1])
        process.wait()
    except BaseException:
        process.kill()
        raise
    reader.join()
    if process.returncode:
        last = [line.strip() for line in errors if line.strip()][-1:]
        last = last or ["it wrote nothing to standard error"]
        raise TrainingFailedError(
            f"training ended with exit status {process.returncode}: {last[0]}"
        )
    if errors:
        err.print("".join(errors).rstrip(), markup=False)
    _take(work / "model", folder)
    if (work / "output" / "metrics.json").is_file():
        shutil.copyfile(work / "output" / "metrics.json", folder / "metrics.json")
    return lines


def _spread(
    model: Model,
    sets: list[DataSet],
    task: str | None,
    channels: dict[str, Path],
    arguments: dict[str, str],
    folder: Path,
    work: Path,
    seeds: int,
    say: Callable[[str], None],
) -> None:
    """Trains with further seeds, and writes each one's main figure on every dev to seeds.json."""
    from voxlake.scoring.gold import read_gold
    from voxlake.scoring.judged import load_judged
    from voxlake.scoring.metrics import PRIMARY

    numbers = [int(arguments["seed"]) + more for more in range(seeds)]
    found: dict[str, list[float]] = {}
    for number in numbers:
        trained = folder
        if number != numbers[0]:
            trained = work / f"seed-{number}" / "kept"
            seeded = {**arguments, "seed": str(number)}
            scratch = work / f"seed-{number}"
            run_training(model, channels, seeded, trained, scratch, scratch / "state", say=say)
        judged = load_judged(trained)
        wanted = task or (judged.tasks[0] if len(judged.tasks) == 1 else None)
        for one in sets:
            if one.dev is not None:
                gold = read_gold(one.dev, wanted)
                figures = judged.figures(gold, f"{one.name}-dev")
                found.setdefault(figures["data"], []).append(figures[PRIMARY[gold.task]])
    _write_json(folder / "seeds.json", {"seeds": numbers, "sets": found})


def _run_job(
    target,
    model: Model,
    channels: dict[str, Path],
    arguments: dict[str, str],
    start: Path | None,
    used: dict,
    folder: Path,
    say: Callable[[str], None],
    *,
    work: Path,
    resume: str | None,
) -> dict:
    from voxlake.cli.registry import Registry
    from voxlake.cli.training_job import follow, start_job
    from voxlake.training.job import INIT

    if start:
        channels = {**channels, "init": copied(start, work / "input")}
        arguments = {**arguments, "init": INIT}
    name = start_job(target, model.value, channels, arguments, checkpoints=resume)
    done = follow(target, name, say)
    registry = Registry(target)
    version = registry.register(
        model.value, done.model_uri, metrics=done.metrics, data=used, job=name
    )
    _take(registry.fetch(version), folder)
    _write_json(folder / "metrics.json", done.metrics)
    _write_json(folder / "data.json", used)
    say(f"registered as {version.reference}: voxlake promote {version.reference}")
    return {
        "metrics": done.metrics, "lines": done.lines, "job": name, "registered": version.reference,
    }  # fmt: skip


def _register(target, model: Model, folder: Path, say: Callable[[str], None]) -> str | None:
    from voxlake.cli.registry import Registry, RegistryError
    from voxlake.cli.target import NotDeployedError, NotRunningError

    try:
        version = Registry(target).register_folder(model.value, folder)
    except (NotRunningError, NotDeployedError, RegistryError) as error:
        if not target.is_local:
            raise
        say(f"not registered ({error})")
        return None
    say(f"registered as {version.reference}: voxlake promote {version.reference}")
    return version.reference


def _track(model: Model, arguments: dict[str, str], used: dict, answer: dict) -> str | None:
    from voxlake.cli.tracking import Run, curves, track

    figures = answer["metrics"]
    tags = {
        "model_id": figures.get("model", model.value),
        "job": answer.get("job") or "",
        "registered": answer.get("registered") or "",
    }
    return track(
        Run(
            model=model.value,
            params=arguments,
            data=used,
            tags={name: value for name, value in tags.items() if value},
            figures=figures,
            curves=curves(answer["lines"]),
        )
    )


def _sayer(quiet: bool) -> Callable[[str], None]:
    # Standard output is the caller's answer when that is JSON.
    if not quiet:
        return typer.echo
    return (lambda line: typer.echo(line, err=True)) if sys.stderr.isatty() else (lambda _: None)


def _take(source: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in source.rglob("*"):
        if path.is_file() and not path.name.startswith("."):
            target = folder / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def _metrics(folder: Path) -> dict:
    path = folder / "metrics.json"
    return json.loads(path.read_text()) if path.is_file() else {}


def _write_json(path: Path, document: dict) -> None:
    path.write_text(json.dumps(document, indent=2) + "\n")
