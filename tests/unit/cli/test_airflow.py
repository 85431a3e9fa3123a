"""`airflow`: the environment that Airflow gets, and what is read of its records."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest

from voxlake.cli import airflow
from voxlake.cli.run import Run, StateTime

AT = datetime(2026, 1, 1, 12, 0, 0, 5, tzinfo=UTC)


class OnLaptop:
    is_local = True

    @property
    def outputs(self):
        return {"LedgerTable": "ledger-1"}

    def airflow_environment(self):
        return {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AIRFLOW__SECRETS__BACKEND": "a.Backend"}


class OnAws(OnLaptop):
    is_local = False

    def airflow_environment(self):
        return {}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("VOXLAKE_HOME", str(tmp_path))
    monkeypatch.setenv("AWS_PROFILE", "own")
    monkeypatch.setenv("AIRFLOW__CORE__DAGS_FOLDER", "/elsewhere")
    return tmp_path


def test_on_the_laptop_airflow_sees_the_laptop_cloud_and_no_credentials_of_one_s_own(home):
    found = airflow.environment(OnLaptop())
    assert found["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert "AWS_PROFILE" not in found
    assert found["AIRFLOW__CORE__DAGS_FOLDER"] == str(airflow.DAGS)
    assert found["AIRFLOW_HOME"] == str(home / "airflow")
    # The variable is where the environment says: one given here would hide a missing right.
    assert found["AIRFLOW__SECRETS__BACKEND"] == "a.Backend"
    assert "AIRFLOW_VAR_VOXLAKE" not in found
    assert found["AIRFLOW__VOXLAKE__POLL_SECONDS"] == "1"


def test_for_a_stage_on_aws_one_s_own_credentials_and_the_dags_figures_hold(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)  # of another test's server
    found = airflow.environment(OnAws())
    assert found["AWS_PROFILE"] == "own"
    assert "AWS_ENDPOINT_URL" not in found
    assert json.loads(found["AIRFLOW_VAR_VOXLAKE"]) == {"LedgerTable": "ledger-1"}
    assert not [name for name in found if name.startswith("AIRFLOW__VOXLAKE")]


def test_without_airflow_the_error_says_how_to_get_it_or_do_without(monkeypatch):
    monkeypatch.setattr(airflow, "installed", lambda: None)
    with pytest.raises(airflow.AirflowError, match=r"make airflow.*--orchestrator stepfunctions"):
        airflow.prepare({})


def test_states_and_errors_of_the_run_are_read_from_airflow_s_records():
    airflow.folder().mkdir()
    start, end = "2026-01-01 12:00:01.000000", "2026-01-01 12:00:02.500000"
    with closing(sqlite3.connect(airflow.folder() / "airflow.db")) as records:
        records.executescript(
            "CREATE TABLE dag_run (dag_id, run_id, logical_date);"
            "CREATE TABLE task_instance (dag_id, run_id, task_id, start_date, end_date, state,"
            " priority_weight);"
            "CREATE TABLE xcom (dag_id, run_id, task_id, key, value);"
        )
        records.executemany(
            "INSERT INTO dag_run VALUES (?, ?, ?)",
            [
                (airflow.DAG, "r1", "2026-01-01 12:00:00.000005"),
                (airflow.DAG, "r0", "2026-01-01 11:00:00.000000"),
            ],
        )
        records.executemany(
            "INSERT INTO task_instance VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (airflow.DAG, "r1", "reconcile", None, None, None, 1),
                (airflow.DAG, "r1", "score", end, None, "failed", 2),
                (airflow.DAG, "r1", "plan", start, end, "success", 3),
                (airflow.DAG, "r0", "plan", start, end, "failed", 3),
            ],
        )
        records.execute(
            "INSERT INTO xcom VALUES (?, 'r1', 'score', 'error', '\"no model\"')", (airflow.DAG,)
        )
        records.commit()
    done = Run("social_pipeline", log="run.log")
    airflow.read_states(done, AT)
    second = datetime(2026, 1, 1, 12, 0, 2, 500_000, tzinfo=UTC)
    assert done.states == [
        StateTime("plan", datetime(2026, 1, 1, 12, 0, 1, tzinfo=UTC), second, "success"),
        StateTime("score", second, None, "failed"),
    ]
    assert airflow.failure(done, airflow.read_answers(AT)) == (
        "the run failed in score: no model (log: run.log)"
    )
