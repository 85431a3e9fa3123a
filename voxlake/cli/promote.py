"""`promote` and `rollback`: which model is `best`."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Annotated

import typer

from voxlake.cli.options import Json, Stage, print_json
from voxlake.cli.training_data import TrainingDataError, find_data
from voxlake.errors import VoxlakeError

# What a model is judged on unless the data is named: the set of each head, the main one first.
GATE_SETS = {
    "sentiment": "tweeteval_sentiment",
    "emotions": "semeval2018_ec",
    "main_emotion": "tweeteval_emotion",
    "entities": "btc",
    "complaint_reason": "airline",
    "next_word": "tweeteval_sentiment",
}
_TIMED_TEXTS = 100


class GateError(VoxlakeError):
    """A model cannot be judged: no gate data, or another kind of model than the one in use."""


def promote(
    model: Annotated[
        str,
        typer.Argument(
            help="A model of the registry (latest, MODEL:latest, MODEL:3, a model's id) or a "
            "folder, which is registered first.",
        ),
    ],
    name: Annotated[
        str, typer.Option("--model", help="Of a folder: the model's group in the registry.")
    ] = "encoder",
    data: Annotated[
        list[str] | None,
        typer.Option(
            help="What to judge on: a data set's name or NAME=FILE; the first is the main one. "
            "Each head's public set if unsaid.",
            metavar="NAME|NAME=FILE",
        ),
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="The task of the main data where its rows leave it open.")
    ] = None,
    stage: Stage = "local",
    json_: Json = False,
) -> None:
    """Makes a model `best` if it beats the one in use by more than the noise.

    Judged on the half of each set that no training gets: the main head has to be better, no other
    head worse, and a text must not take much longer. The decision is stored with the model.
    Exit status 1 when the model is refused.

    Example: voxlake promote encoder:latest
    """
    from voxlake.cli.registry import Registry
    from voxlake.cli.target import Target

    registry = Registry(Target(stage))
    version = (
        registry.register_folder(name, Path(model))
        if Path(model).is_dir()
        else registry.find(model)
    )
    best = registry.best(version.group)
    if best is not None and best.arn == version.arn:
        raise GateError(f"{version.reference} ({version.model_id}) is best already")
    decision = judge(registry, version, best, data or [], task)
    document = decision.to_dict()
    (registry.promote if decision.promoted else registry.refuse)(version, document)
    if json_:
        print_json({"version": version.reference, **document})
    else:
        verdict = "is best now" if decision.promoted else "was refused"
        typer.echo(f"{version.reference} ({version.model_id}) {verdict}")
        for reason in decision.reasons:
            typer.echo(f"  {reason}")
    if not decision.promoted:
        raise typer.Exit(1)


def rollback(
    model: Annotated[str, typer.Option(help="The model's group in the registry.", metavar="NAME")],
    stage: Stage = "local",
    json_: Json = False,
) -> None:
    """Takes `best` back to the model that had it before.

    Example: voxlake rollback --model encoder
    """
    from voxlake.cli.registry import Registry
    from voxlake.cli.target import Target

    registry = Registry(Target(stage))
    now = registry.best(model)
    before = [v for v in registry.versions(model, approved=True) if now and v.arn != now.arn]
    if now is None or not before:
        raise GateError(
            f"expected a model before the best {model}, found none: there is nothing to go back to"
        )
    registry.withdraw(now)
    after = registry.best(model)
    answer = {"best": after.reference, "model": after.model_id, "withdrawn": now.reference}
    if json_:
        print_json(answer)
    else:
        typer.echo(f"{after.reference} ({after.model_id}) is best again; {now.reference} is not")


def judge(registry, version, best, data: list[str], task: str | None):
    """The decision of voxlake.scoring.promotion about a version against the best one."""
    from voxlake.scoring.gold import fingerprint, read_gold
    from voxlake.scoring.judged import counts_of, load_judged
    from voxlake.scoring.promotion import GateSet, Head, decide
    from voxlake.scoring.significance import paired_difference

    provenance = registry.beside(version, "data.json")
    if best is None:
        return decide(version.model_id, None, (), {}, provenance=provenance)
    candidate, in_use = (load_judged(registry.fetch(v)) for v in (version, best))
    heads, texts = [], []
    for number, (data_name, path) in enumerate(_gate_files(candidate.tasks, data)):
        gold = read_gold(path, task if number == 0 else None)
        gold = gold._replace(rows=[row for row in gold.rows if row.gate])
        if not gold.rows or not all(gold.task in model.tasks for model in (candidate, in_use)):
            raise GateError(
                f"{data_name}: expected texts of a task that {version.model_id} and "
                f"{best.model_id} have, found {len(gold.rows)} of {gold.task}"
            )
        ours, theirs = counts_of(gold, candidate, in_use)
        gate = GateSet(data_name, gold.task, len(gold.rows), fingerprint(path)["gate_sha256"])
        heads.append(Head(gate, paired_difference(gold.task, ours, theirs)))
        texts = texts or gold.rows[:_TIMED_TEXTS]
    latency = _latency(heads[0].gate.task, texts, candidate, in_use)
    return decide(version.model_id, best.model_id, heads, latency, provenance=provenance)


def _gate_files(tasks: tuple[str, ...], data: list[str]) -> list[tuple[str, Path]]:
    """(name, file) of the gate's sets, the main one first."""
    if not data:
        data = [GATE_SETS[task] for task in GATE_SETS if task in tasks]
    if not data:
        raise GateError(f"expected --data to judge {', '.join(tasks)} on, found none")
    found = []
    for item in data:
        name, equals, path = item.partition("=")
        if equals:
            found.append((name, Path(path)))
            continue
        one = find_data(item)
        if one.dev is None:
            raise TrainingDataError(f"{item}: expected a dev split to judge on, found none")
        found.append((f"{one.name}-gate", one.dev))
    return found


def _latency(task: str, rows: list, candidate, in_use) -> dict[str, float]:
    """Median milliseconds of one text, the models taking turns so that both meet the same load."""
    times: dict[str, list[float]] = {"candidate": [], "best": []}
    models = {"candidate": candidate, "best": in_use}
    for model in models.values():
        model.predict(task, rows[:3])
    for row in rows:
        for name, model in models.items():
            start = time.perf_counter()
            model.predict(task, [row])
            times[name].append((time.perf_counter() - start) * 1000)
    return {name: round(statistics.median(taken), 3) for name, taken in times.items()}
