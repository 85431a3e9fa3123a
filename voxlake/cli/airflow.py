"""`airflow`, and the batch path through it: `airflow dags test`, followed task by task.

Airflow lives in an environment of its own (`make airflow`); its metadata database, configuration
and logs lie in the home's `airflow` folder.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from voxlake.cli.options import Stage
from voxlake.cli.run import Run, RunError, StateTime, job_items
from voxlake.cli.target import Target, home
from voxlake.errors import VoxlakeError

DAG = "social_pipeline"
ROOT = Path(__file__).resolve().parents[2]
DAGS = ROOT / "mwaa_dags"
POLL_SECONDS = 0.4


class AirflowError(VoxlakeError):
    """Airflow is not there, or could not be made ready; the message says what to do."""


airflow = typer.Typer(add_completion=False)


@airflow.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def command(
    context: typer.Context,
    variable: Annotated[
        bool, typer.Option("--variable", help="Print the value of the variable voxlake.")
    ] = False,
    stage: Stage = "local",
) -> None:
    """Runs Airflow's own command line with our DAGs, the stage's names and its credentials.

    Example: voxlake airflow dags test start_app --conf '{"state": "down"}'
    """
    target = Target(stage)
    if variable:
        typer.echo(json.dumps(target.outputs))
        return
    variables = environment(target)
    done = subprocess.run([prepare(variables), *context.args], env=variables, cwd=folder())
    raise typer.Exit(done.returncode)


def installed() -> Path | None:
    """Airflow's command line, where its environment is there."""
    found = ROOT / ".venv-airflow" / "bin" / "airflow"
    return found if found.exists() else None


def folder() -> Path:
    """AIRFLOW_HOME."""
    return home() / "airflow"


def environment(target: Target) -> dict[str, str]:
    """The variables that Airflow's command line needs to work on the target with our DAGs.

    On the laptop it works under the role and with the options of the deployed environment, and
    finds the variable `voxlake` where those say; jobs are asked after every second and failed tasks
    are tried again soon. On AWS it works with the caller's credentials and the DAGs' own figures.
    """
    deployed = target.airflow_environment()
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AIRFLOW") and not (target.is_local and name.startswith("AWS_"))
    }
    local = {"AIRFLOW__VOXLAKE__POLL_SECONDS": "1", "AIRFLOW__VOXLAKE__RETRY_SECONDS": "2"}
    return {
        **kept,
        # MWAA has the folder of the DAGs on the path as well.
        "PYTHONPATH": str(DAGS),
        "PYTHONWARNINGS": "ignore",
        "AIRFLOW_HOME": str(folder()),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        **(local | deployed if deployed else {"AIRFLOW_VAR_VOXLAKE": json.dumps(target.outputs)}),
    }


def prepare(variables: dict[str, str]) -> Path:
    """The metadata database, made where it is not there yet; returns Airflow's command line.

    Raises AirflowError when Airflow is not installed or the database cannot be made.
    """
    program = installed()
    if program is None:
        raise AirflowError(
            "expected Airflow in .venv-airflow, found none: run `make airflow`, or leave Airflow "
            "out with --orchestrator stepfunctions"
        )
    ready = folder() / "database.ready"
    if not ready.exists():
        folder().mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [program, "db", "migrate"], env=variables, capture_output=True, text=True
        )
        if done.returncode:
            lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise AirflowError(f"`airflow db migrate` failed: {' '.join(lines[-3:])}")
        ready.touch()
    return program


def follow(
    target: Target,
    *,
    show: Callable[[Run], None] | None = None,
    rescore: str | None = None,
    at: datetime | None = None,
) -> Run:
    """Runs the DAG once and waits for its end.

    Args:
        rescore: days to score again, as `2026-01-01/2026-01-31`.
        at: the run's logical date; now, where it is left out. A second run of one date replaces
            the first in Airflow's records.

    Raises RunError with the failed task and its error.
    """
    variables = environment(target)
    program = prepare(variables)
    at = at or datetime.now(UTC)
    logs = folder() / "runs"
    logs.mkdir(exist_ok=True)
    log = logs / f"{DAG}-{at:%Y%m%dT%H%M%S.%f}.log"
    done = Run(f"{DAG} {at.isoformat()}", started=datetime.now(UTC), log=str(log))
    command = [program, "dags", "test", DAG, at.isoformat()]
    if rescore:
        command += ["--conf", json.dumps({"rescore": rescore})]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=variables,
            cwd=folder(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        while process.poll() is None:
            time.sleep(POLL_SECONDS)
            read_states(done, at)
            if show:
                show(done)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    done.stopped = datetime.now(UTC)
    read_states(done, at)
    done.status = "SUCCEEDED" if process.returncode == 0 else "FAILED"
    if show:
        show(done)
    answers = read_answers(at)
    if done.status == "FAILED":
        raise RunError(failure(done, answers))
    done.nothing_pending = any(
        state.name == "nothing_pending" and state.outcome == "success" for state in done.states
    )
    done.output = _parsed(answers.get(("reconcile", "return_value")))
    plan = _parsed(answers.get(("plan", "return_value")))
    if not done.nothing_pending:
        done.jobs = job_items(target, plan["run_id"])
    return done


def failure(done: Run, answers: dict[tuple[str, str], object]) -> str:
    """One line: the tasks that failed, why, and where the log is."""
    failed = [state.name for state in done.states if state.outcome == "failed"]
    causes = [f"{name}: {answers.get((name, 'error'), 'see the log')}" for name in failed]
    return f"the run failed in {'; '.join(causes) or 'Airflow itself'} (log: {done.log})"


def read_states(done: Run, at: datetime) -> None:
    """The run's task instances as Airflow's metadata database has them."""
    rows = _query(
        "SELECT t.task_id, t.start_date, t.end_date, t.state FROM task_instance t "
        "JOIN dag_run r ON r.dag_id = t.dag_id AND r.run_id = t.run_id "
        "WHERE r.dag_id = ? AND r.logical_date = ? AND t.start_date IS NOT NULL "
        "ORDER BY t.start_date, t.priority_weight DESC",
        at,
    )
    done.states = [
        StateTime(name, _time(start), _time(end) if end else None, outcome=state)
        for name, start, end, state in rows
    ]


def read_answers(at: datetime) -> dict[tuple[str, str], object]:
    """{(task, key): value} of what the run's tasks left for each other."""
    rows = _query(
        "SELECT x.task_id, x.key, x.value FROM xcom x "
        "JOIN dag_run r ON r.dag_id = x.dag_id AND r.run_id = x.run_id "
        "WHERE r.dag_id = ? AND r.logical_date = ?",
        at,
    )
    return {(task, key): json.loads(value) for task, key, value in rows}


def _query(sql: str, at: datetime) -> list[tuple]:
    database = f"file:{folder() / 'airflow.db'}?mode=ro"
    with closing(sqlite3.connect(database, uri=True, timeout=10)) as connection:
        return connection.execute(sql, (DAG, f"{at:%Y-%m-%d %H:%M:%S.%f}")).fetchall()


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _parsed(value: object) -> dict:
    """What a function answered: a JSON text."""
    return json.loads(value) if isinstance(value, str) else {}
