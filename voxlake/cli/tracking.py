"""Tracking of training runs with MLflow, where it is installed; nothing happens where it is not.

Runs are kept in one SQLite file (.voxlake/mlflow.db; MLflow's own default kind of store, whose
older one of plain folders is no longer maintained), or wherever MLFLOW_TRACKING_URI says.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from voxlake.training.job import METRICS

_STEP = re.compile(r"\b(?:step|epoch|round) ([0-9,]+)")
_TEXT_LIMIT = 500


@dataclass
class Run:
    """One training run as it is tracked. curves: {metric: [(step, value)]} from its log."""

    model: str
    params: Mapping[str, object]
    data: Mapping[str, object]
    tags: dict[str, str] = field(default_factory=dict)
    figures: Mapping[str, object] = field(default_factory=dict)
    curves: dict[str, list[tuple[int, float]]] = field(default_factory=dict)


def curves(lines: Iterable[str]) -> dict[str, list[tuple[int, float]]]:
    """The metrics that a log's lines show; a line without a step follows the one before it."""
    found: dict[str, list[tuple[int, float]]] = {}
    for line in lines:
        said = _STEP.search(line)
        for name, pattern in METRICS.items():
            if value := re.search(pattern, line):
                points = found.setdefault(name, [])
                after = points[-1][0] + 1 if points else 0
                step = int(said[1].replace(",", "")) if said else after
                points.append((step, float(value[1].rstrip("."))))
    return found


def wanted() -> bool:
    """Whether there is an MLflow to track with, and MLFLOW_TRACKING_URI is not `none`."""
    return (
        os.environ.get("MLFLOW_TRACKING_URI") != "none"
        and importlib.util.find_spec("mlflow") is not None
    )


def track(run: Run) -> str | None:
    """Writes the run to the store; returns its run id, None where it is not wanted."""
    if not wanted():
        return None
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow.entities import Metric, Param, RunTag
    from mlflow.tracking import MlflowClient

    # Else it tells of every table that it makes; set here, since importing it sets its own.
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    client = MlflowClient(tracking_uri())
    experiment = client.get_experiment_by_name(f"voxlake-{run.model}")
    experiment_id = (
        experiment.experiment_id if experiment else client.create_experiment(f"voxlake-{run.model}")
    )
    started = client.create_run(experiment_id, run_name=run.tags.get("model_id"))
    run_id, now = started.info.run_id, started.info.start_time
    metrics = [
        Metric(name, value, now, step) for name, points in run.curves.items()
        for step, value in points
    ]  # fmt: skip
    for one in run.figures.get("sets", []):
        metrics += [
            Metric(_key(f"{one['data']}.{name}"), value, now, 0)
            for name, value in one.items()
            if isinstance(value, int | float) and name != "n"
        ]
    params = [Param(name, str(value)[:_TEXT_LIMIT]) for name, value in run.params.items()]
    tags = [RunTag(name, str(value)[:_TEXT_LIMIT]) for name, value in run.tags.items()]
    for used in run.data.get("sets", []):
        tags.append(RunTag(_key(f"data.{used['data']}.sha256"), used["sha256"]))
    client.log_batch(run_id, metrics=metrics[:1000], params=params, tags=tags)
    client.set_terminated(run_id)
    return run_id


def tracking_uri() -> str:
    """Where runs are kept."""
    from voxlake.cli.target import home

    if uri := os.environ.get("MLFLOW_TRACKING_URI"):
        return uri
    home().mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{home() / 'mlflow.db'}"


def _key(name: str) -> str:
    # MLflow takes letters, digits and _-./ : and spaces.
    return re.sub(r"[^\w\-./ ]", "_", name)
