"""`promote` and `rollback`: which model is `best`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from voxlake.cli.options import Json, Stage, print_json
from voxlake.cli.training_data import find_data
from voxlake.training.data import TrainingDataError
from voxlake.training.gate import GateError, compare, gate_sets


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
    from voxlake.scoring.judged import load_judged
    from voxlake.scoring.promotion import decide

    provenance = registry.beside(version, "data.json")
    if best is None:
        return decide(version.model_id, None, (), {}, provenance=provenance)
    candidate, in_use = (load_judged(registry.fetch(v)) for v in (version, best))
    files = [_gate_file(name) for name in gate_sets(candidate.tasks, data)]
    found = compare(candidate, in_use, files, clock=time.perf_counter, task=task)
    return decide(
        version.model_id, best.model_id, found.heads, found.latency_ms, provenance=provenance
    )


def _gate_file(item: str) -> tuple[str, Path]:
    """(name, file) of a set: NAME=FILE, or what `find_data` finds."""
    name, equals, path = item.partition("=")
    if equals:
        return name, Path(path)
    one = find_data(item)
    if one.dev is None:
        raise TrainingDataError(f"{item}: expected a dev split to judge on, found none")
    return f"{one.name}-gate", one.dev
