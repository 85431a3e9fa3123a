"""The DAGs as Airflow reads them: they import, and have the structure that is promised."""

from __future__ import annotations

import json
import math
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PYTHON = ROOT / ".venv-airflow" / "bin" / "python"
DAGS = ROOT / "mwaa_dags"

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason="Airflow is not installed: `make airflow` makes .venv-airflow"
)


@pytest.fixture(scope="module")
def described(tmp_path_factory) -> dict:
    done = subprocess.run(
        [PYTHON, Path(__file__).with_name("describe_dags.py"), DAGS],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(DAGS),
            "AIRFLOW_HOME": str(tmp_path_factory.mktemp("airflow")),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def dags(described) -> dict:
    return described["dags"]


def test_every_dag_imports(described):
    assert described["errors"] == {}
    assert set(described["dags"]) == {path.stem for path in DAGS.glob("*.py")}


def test_every_task_ends_in_time_and_is_tried_again_with_growing_pauses(dags):
    for name, dag in dags.items():
        for task_id, task in dag["tasks"].items():
            assert task["timeout"], (name, task_id)
            assert (task["retries"], task["backs_off"]) == (2, True), (name, task_id)


def test_a_dag_runs_once_at_a_time_and_does_not_catch_up(dags):
    assert {(dag["active_runs"], dag["catchup"]) for dag in dags.values()} == {(1, False)}


def test_every_failing_task_is_told_of_and_fails_the_run(dags):
    """A leaf besides the notice depends on all: else a run would end well for having told."""
    for name, dag in dags.items():
        tasks = dag["tasks"]
        notice = tasks["tell_failure"]
        assert (notice["operator"], notice["rule"]) == ("SnsPublishOperator", "one_failed"), name
        silent = set(tasks) - set(notice["upstream"]) - {"tell_failure"}
        assert {tasks[task_id]["operator"] for task_id in silent} == {"EmptyOperator"}, name
        assert "tell_failure" not in tasks["done"]["upstream"], name


def test_social_pipeline_goes_from_landing_to_reconciled_tables(dags):
    dag = dags["social_pipeline"]
    assert dag["schedule"] == "0 * * * *"
    assert dag["params"] == ["rescore"]
    after_a_branch = "none_failed_min_one_success"
    assert {
        task_id: (task["operator"], task["upstream"], task["rule"])
        for task_id, task in dag["tasks"].items()
        if task_id not in ("tell_failure", "done", "nothing_pending")
    } == {
        "plan": ("Function", [], "all_success"),
        "what_is_pending": ("BranchPythonOperator", ["plan"], "all_success"),
        "landing_to_cleansed": ("GlueJob", ["what_is_pending"], "all_success"),
        "quality_of_cleansed": ("Function", ["landing_to_cleansed"], "all_success"),
        "cleansed_to_features": ("GlueJob", ["quality_of_cleansed"], "all_success"),
        "plan_scoring": ("Function", ["cleansed_to_features"], "all_success"),
        "what_to_score": ("BranchPythonOperator", ["plan_scoring"], "all_success"),
        "score": ("TransformJob", ["what_to_score"], "all_success"),
        "scores_to_analytics": ("GlueJob", ["score", "what_to_score"], after_a_branch),
        "quality_of_analytics": ("Function", ["scores_to_analytics"], "all_success"),
        "tickets_to_analytics": (
            "GlueJob",
            ["quality_of_analytics", "what_is_pending"],
            after_a_branch,
        ),
        "reconcile": ("Function", ["tickets_to_analytics"], "all_success"),
        "load_warehouse": ("WarehouseLoad", ["reconcile"], "all_success"),
    }


def order(dag: dict) -> dict[str, list[str]]:
    """{task: those before it}, but for what only ends a run."""
    ends = ("tell_failure", "done")
    return {t: task["upstream"] for t, task in dag["tasks"].items() if t not in ends}


def test_train_models_judges_what_it_trained_and_may_begin_again(dags):
    dag = dags["train_models"]
    assert dag["schedule"] in (None, "None", "Never, external triggers only")
    assert dag["params"] == [
        "data", "gate", "hyperparameters", "init", "model", "repeat", "task", "until",
    ]  # fmt: skip
    assert order(dag) == {
        "prepare": [],
        "train": ["prepare"],
        "evaluate": ["train"],
        "promotion_gate": ["evaluate"],
        "register": ["promotion_gate"],
        "again": ["register"],
        "train_again": ["again"],
        "enough": ["again"],
    }
    operators = {name: task["operator"] for name, task in dag["tasks"].items()}
    assert operators["train"] == "TrainingJob"
    assert operators["train_again"] == "TrainAgain"


def test_continuous_training_ends_by_its_count_or_its_time(described):
    """[repeat, until, what comes next, and the repeat that it is asked for]"""
    past, future = "2020-01-01T00:00:00Z", "2100-01-01T00:00:00+00:00"
    assert described["repeats"] == [
        [None, None, "enough", None],
        [2, None, "train_again", 1],
        [1, None, "train_again", 0],
        [0, None, "enough", None],
        [None, future, "train_again", None],
        [None, past, "enough", None],
        [5, past, "enough", 4],
        [0, future, "enough", None],
    ]


def test_topics_are_learnt_on_mondays_from_texts_enough(dags, described):
    assert order(dags["maintenance"]) == {
        "crawl_landing": [],
        "measure_drift": [],
        "topics_due": [],
        "not_today": ["topics_due"],
        "recent_texts": ["topics_due"],
        "gather_texts": ["recent_texts"],
        "enough_texts": ["gather_texts"],
        "too_few_texts": ["enough_texts"],
        "prepare_topics": ["enough_texts"],
        "train_topics": ["prepare_topics"],
        "register_topics": ["train_topics"],
    }
    assert described["topics"] == ["recent_texts", "not_today", "too_few_texts", "prepare_topics"]


def test_a_load_goes_on_until_it_is_done_and_is_passed_over_without_a_warehouse(described):
    assert described["loads"] == [
        {"calls": 3, "answer": {"done": True}},
        {"calls": 0, "skipped": True},
    ]


def test_what_a_quality_rule_halted_is_not_tried_again(described):
    assert described["halted"] == {
        "raised": "AirflowFailException",
        "error": "lines_are_readable: halted by quality rule lines_are_readable",
    }


def test_scores_that_lie_as_before_are_stable_and_others_are_not(described):
    alike, other = described["stability"]
    assert alike == 0
    # Shares of 0.905 and 0.095 against a half each.
    assert other == pytest.approx(0.405 * math.log(0.905 / 0.5) - 0.405 * math.log(0.095 / 0.5))
