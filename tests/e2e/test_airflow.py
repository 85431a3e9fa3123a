"""social_pipeline by `airflow dags test` on a laptop cloud: failing, tried again, for a past date,
killed in the middle; what it leaves in the tables equals one run over everything."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import threading
import time
from contextlib import closing

import pytest

from tests.e2e.lake import PSEUDONYM_KEY
from tests.e2e.test_golden_lake import EVENTS, GOLDEN, TABLES, all_rows, close
from voxlake.cli import airflow

DAG = "social_pipeline"
FIRST, SECOND = "2015-02-24", "2015-02-25"
HALF = len(EVENTS) // 2
# They tell how far enricher and replies had come, whatever runs the batch path.
FROM_THE_STREAM_PATH = {"voxlake_analytics.tickets", "voxlake_analytics.stream_scores"}

pytestmark = pytest.mark.skipif(
    airflow.installed() is None,
    reason="Airflow is not installed: `make airflow` makes .venv-airflow",
)


def start(
    lake, date: str, dag: str = DAG, conf: dict | None = None, **variables: str
) -> subprocess.Popen:
    environment = airflow.environment(lake.target) | variables
    program = airflow.prepare(environment)
    return subprocess.Popen(
        [program, "dags", "test", dag, date, "--conf", json.dumps(conf or {})],
        env=environment,
        cwd=airflow.folder(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def dags_test(lake, date: str, dag: str = DAG, code: int = 0, conf=None, **variables) -> None:
    process = start(lake, date, dag, conf, **variables)
    output, _none = process.communicate(timeout=290)
    assert process.returncode == code, output[-5000:]


def tasks(date: str, dag: str = DAG) -> dict[str, tuple[str, int]]:
    """{task: (state, tries)} of the run of a date, as Airflow's own records have it."""
    with closing(sqlite3.connect(airflow.folder() / "airflow.db")) as connection:
        rows = connection.execute(
            "SELECT t.task_id, t.state, t.try_number FROM task_instance t JOIN dag_run r "
            "ON r.dag_id = t.dag_id AND r.run_id = t.run_id "
            "WHERE r.dag_id = ? AND r.logical_date LIKE ?",
            (dag, f"{date}%"),
        ).fetchall()
    return {task: (state, tries) for task, state, tries in rows}


def states(date: str, dag: str = DAG) -> dict[str, set[str]]:
    """{state: tasks}"""
    found: dict[str, set[str]] = {}
    for task, (state, _tries) in tasks(date, dag).items():
        found.setdefault(state, set()).add(task)
    return found


def set_pseudonym_key(lake, secret: dict) -> None:
    lake.client("secretsmanager").put_secret_value(
        SecretId=lake.output("PseudonymSecretArn"), SecretString=json.dumps(secret)
    )


def job_runs(lake, output: str) -> list[dict]:
    return lake.client("glue").get_job_runs(JobName=lake.output(output))["JobRuns"]


def wait_for_job_run(lake, output: str, state: str, beside: int = 0) -> None:
    """Until more than `beside` runs of a job are in a state."""
    deadline = time.monotonic() + 200
    while sum(run["JobRunState"] == state for run in job_runs(lake, output)) <= beside:
        assert time.monotonic() < deadline, f"no run of {output} is {state}"
        time.sleep(0.1)


def partitions(lake) -> dict[str, str]:
    """{table and dt: where the catalog points it}"""
    glue = lake.client("glue")
    return {
        f"{database}.{table} {p['Values'][0]}": p["StorageDescriptor"]["Location"]
        for database, tables in TABLES.items()
        for table in tables
        for page in glue.get_paginator("get_partitions").paginate(
            DatabaseName=database, TableName=table
        )
        for p in page["Partitions"]
    }


@pytest.fixture(scope="module")
def half(lake):
    """A lake with the first half of the golden events landed, and somebody to be told."""
    lake.client("sns").subscribe(
        TopicArn=lake.output("AlarmTopicArn"), Protocol="email", Endpoint="ops@example.com"
    )
    lake.put(EVENTS[:HALF])
    lake.landed(HALF)
    return lake


def test_a_failing_job_fails_its_task_is_told_of_and_publishes_nothing(half):
    set_pseudonym_key(half, {"key": "none"})
    dags_test(half, FIRST, code=1, AIRFLOW__VOXLAKE__RETRIES="0")
    found = states(FIRST)
    assert found["failed"] == {"landing_to_cleansed"}
    assert found["success"] == {"plan", "what_is_pending", "tell_failure"}
    assert {"quality_of_cleansed", "reconcile", "done"} <= found["upstream_failed"]
    outbox = (half.home / "cloud" / "outbox.jsonl").read_text().splitlines()
    mails = [m for m in map(json.loads, outbox) if m["to"] == "ops@example.com"]
    [mail] = [m for m in mails if m["subject"] == f"voxlake: {DAG} failed"]
    title, task, log = mail["message"].splitlines()
    assert title.startswith(f"{DAG} failed. Run: manual__")
    [run] = job_runs(half, "LandingToCleansedJob")
    assert task == f"Task landing_to_cleansed: {run['ErrorMessage']}"
    assert log.startswith("Log: http")
    assert log.endswith("/tasks/landing_to_cleansed")
    assert partitions(half) == {}


def test_a_task_that_failed_is_tried_again_and_the_run_goes_on(half):
    """Also: a failed run of a date is made good by running the date again."""

    def put_right():
        wait_for_job_run(half, "LandingToCleansedJob", "FAILED", beside=1)
        set_pseudonym_key(half, PSEUDONYM_KEY)

    helper = threading.Thread(target=put_right)
    helper.start()
    dags_test(half, FIRST, AIRFLOW__VOXLAKE__RETRIES="1")
    helper.join()
    found = tasks(FIRST)
    assert found["landing_to_cleansed"] == ("success", 2)
    assert found["reconcile"] == ("success", 1)
    assert found["tell_failure"][0] == "skipped"


def test_a_second_run_of_a_date_changes_nothing(half):
    before = partitions(half)
    assert before
    dags_test(half, FIRST)
    assert states(FIRST)["success"] == {"plan", "what_is_pending", "nothing_pending"}
    assert partitions(half) == before


def test_a_run_killed_in_the_middle_is_made_good_and_past_dates_equal_one_run(half):
    """The other half, for another past date; the golden rows are those of a single run."""
    half.put(EVENTS[HALF:])
    half.landed(len(EVENTS))
    process = start(half, SECOND)
    wait_for_job_run(half, "LandingToCleansedJob", "RUNNING")
    process.kill()
    process.communicate()
    run = half.json("run", "--orchestrator", "airflow")
    assert run["status"] == "SUCCEEDED"
    assert {s["name"]: s["state"] for s in run["states"]}["reconcile"] == "success"
    assert run["reconciliation"]["unaccounted"] == 0
    rows = all_rows(half)
    for table, expected in json.loads((GOLDEN / "rows.json").read_text()).items():
        if table not in FROM_THE_STREAM_PATH:
            assert rows[table] == close(expected), table


def feeding(lake) -> dict[str, str]:
    """State of what start_app switches."""
    events, functions = lake.client("events"), lake.client("lambda")
    rules = ("MockServerSchedule", "SourceYoutubeSchedule", "SourceXSchedule")
    mappings = ("StreamConsumerMapping", "TextEnricherMapping")
    return {key: events.describe_rule(Name=lake.output(key))["State"] for key in rules} | {
        key: functions.get_event_source_mapping(UUID=lake.output(key))["State"] for key in mappings
    }


def test_start_app_brings_the_sources_down_and_up(half):
    dags_test(half, FIRST, "start_app", conf={"state": "down"})
    assert set(feeding(half).values()) == {"DISABLED", "Disabled"}
    dags_test(half, FIRST, "start_app")
    assert feeding(half) == {
        # Of the sources those that the stage has on: no key for the others.
        "MockServerSchedule": "ENABLED",
        "SourceYoutubeSchedule": "DISABLED",
        "SourceXSchedule": "DISABLED",
        "StreamConsumerMapping": "Enabled",
        "TextEnricherMapping": "Enabled",
    }
    half.client("events").disable_rule(Name=half.output("MockServerSchedule"))


def test_maintenance_crawls_landing_and_does_not_judge_drift_by_a_few_texts(half):
    dags_test(half, SECOND, "maintenance")
    assert states(SECOND, "maintenance") == {
        "success": {"crawl_landing", "done"},
        "skipped": {"measure_drift", "tell_failure"},
    }
    tables = half.client("glue").get_tables(DatabaseName=half.output("LandingDatabase"))
    assert tables["TableList"]
