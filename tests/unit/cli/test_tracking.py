"""Curves out of a log, and runs in MLflow's store."""

from __future__ import annotations

import importlib.util

import pytest

from voxlake.cli.tracking import METRICS, Run, curves, track


def test_curves_follow_the_steps_that_a_log_names() -> None:
    lines = [
        "training on 10 texts",
        "step 500 of 1,500: loss 0.9000; 3 s left",
        "step 1,000 of 1,500: loss 0.5000; 2 s left",
        "epoch 1: loss 0.4, validation loss 0.6, macro recall 0.71",
        "on 60 texts: macro_recall 0.72.",
    ]
    assert curves(lines) == {
        "loss": [(500, 0.9), (1000, 0.5), (1, 0.4)],
        "validation_loss": [(1, 0.6)],
        "macro_recall": [(1, 0.71), (2, 0.72)],
    }


def test_metric_definitions_fit_what_sagemaker_takes() -> None:
    assert all(len(name) <= 255 and len(regex) <= 500 for name, regex in METRICS.items())
    assert len(METRICS) <= 40


@pytest.mark.skipif(not importlib.util.find_spec("mlflow"), reason="MLflow is not installed")
def test_a_run_keeps_its_parameters_data_versions_curves_and_figures(tmp_path, monkeypatch) -> None:
    from mlflow.tracking import MlflowClient

    uri = f"sqlite:///{tmp_path / 'runs.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    figures = {
        "sets": [{"data": "toy-dev", "n": 9, "macro_recall": 0.7, "primary": "macro_recall"}]
    }

    run_id = track(
        Run(
            model="logreg",
            params={"seed": "0"},
            data={"sets": [{"data": "toy-train", "sha256": "abc"}]},
            tags={"model_id": "m-1"},
            figures=figures,
            curves={"loss": [(1, 0.5), (2, 0.25)]},
        )
    )

    client = MlflowClient(uri)
    run = client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert client.get_experiment(run.info.experiment_id).name == "voxlake-logreg"
    assert run.data.params == {"seed": "0"}
    assert run.data.metrics == {"loss": 0.25, "toy-dev.macro_recall": 0.7}
    assert run.data.tags["data.toy-train.sha256"] == "abc"
    history = client.get_metric_history(run_id, "loss")
    assert [(point.step, point.value) for point in history] == [(1, 0.5), (2, 0.25)]


def test_nothing_is_tracked_where_it_is_not_wanted(monkeypatch) -> None:
    run = Run(model="logreg", params={}, data={})
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "none")
    assert track(run) is None
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert track(run) is None
