"""Runs of DAGs on a laptop cloud: started, asked after, and what readers see meanwhile."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import time
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.e2e.golden_rows import TABLES
from voxlake.cli import airflow

DAG = "social_pipeline"
ONCE = {"AIRFLOW__VOXLAKE__RETRIES": "0"}
FACTS = "SELECT event_id, dt FROM star.fact_texts ORDER BY 1"


def start(
    lake, date: str, dag: str = DAG, conf: dict | None = None, **variables: str
) -> subprocess.Popen:
    """What it prints goes to a file: a pipe that nobody reads would fill and hold it up."""
    environment = airflow.environment(lake.target) | variables
    program = airflow.prepare(environment)
    with _log(dag, date).open("w") as log:
        return subprocess.Popen(
            [program, "dags", "test", dag, date, "--conf", json.dumps(conf or {})],
            env=environment,
            cwd=airflow.folder(),
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def _log(dag: str, date: str) -> Path:
    return airflow.folder() / f"{dag}-{date}.log"


def dags_test(lake, date: str, dag: str = DAG, code: int = 0, conf=None, **variables) -> None:
    process = start(lake, date, dag, conf, **variables)
    found = process.wait(timeout=840)
    assert found == code, _log(dag, date).read_text()[-5000:]


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
    deadline = time.monotonic() + 250
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


def warehouse(lake, sql: str) -> list[list]:
    """Rows of Redshift, asked as its administrator."""
    data = lake.client("redshift-data")
    name = lake.output("RedshiftWorkgroup")
    spaces = lake.client("redshift-serverless")
    secret = spaces.get_namespace(namespaceName=name)["namespace"]["adminPasswordSecretArn"]
    database = lake.output("RedshiftDatabase")
    asked = data.execute_statement(
        Sql=sql, WorkgroupName=name, Database=database, SecretArn=secret
    )["Id"]
    while (found := data.describe_statement(Id=asked))["Status"] not in ("FINISHED", "FAILED"):
        time.sleep(0.1)
    assert found["Status"] == "FINISHED", found.get("Error")
    if not found["HasResultSet"]:
        return []
    records = data.get_statement_result(Id=asked)["Records"]
    return [[next(iter(cell.values())) for cell in record] for record in records]


def published(lake) -> dict:
    """What readers see: where the catalog points, and the facts of the warehouse."""
    return {**partitions(lake), "facts": warehouse(lake, FACTS)}


def told(lake, dag: str = DAG) -> list[str]:
    """The e-mails on failed runs of a DAG."""
    outbox = lake.home / "cloud" / "outbox.jsonl"
    lines = outbox.read_text().splitlines() if outbox.exists() else []
    mails = [m for m in map(json.loads, lines) if m["to"] == "ops@example.com"]
    return [mail["message"] for mail in mails if mail["subject"] == f"voxlake: {dag} failed"]


def fails(lake, date: str, task: str, *words: str, dag: str = DAG, conf=None) -> str:
    """Runs a DAG that has to fail in one task and tell so in one line and one e-mail; the line."""
    before = len(told(lake, dag))
    dags_test(lake, date, dag, code=1, conf=conf, **ONCE)
    found = states(date, dag)
    assert found["failed"] == {task}
    assert "tell_failure" in found["success"]
    assert "done" in found["upstream_failed"]
    [mail] = told(lake, dag)[before:]
    title, line, log = mail.splitlines()
    assert title.startswith(f"{dag} failed. Run: manual__")
    assert line.startswith(f"Task {task}: ")
    assert not [word for word in words if word not in line], line
    assert log.startswith("Log: http")
    assert log.endswith(f"/tasks/{task}")
    return line


@contextmanager
def replaced(lake, bucket: str, key: str, content: bytes | None):
    """An object with other bytes, or gone, for a while."""
    s3 = lake.client("s3")
    whole = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    if content is None:
        s3.delete_object(Bucket=bucket, Key=key)
    else:
        s3.put_object(Bucket=bucket, Key=key, Body=content)
    yield whole
    s3.put_object(Bucket=bucket, Key=key, Body=whole)


def file_of(lake, table: str, dt: str) -> tuple[str, str, bytes]:
    """(bucket, key, bytes) of a published partition's first file."""
    address = urlsplit(partitions(lake)[f"{table} {dt}"])
    s3, prefix = lake.client("s3"), address.path.strip("/") + "/"
    listed = s3.list_objects_v2(Bucket=address.netloc, Prefix=prefix)["Contents"]
    key = next(item["Key"] for item in listed if item["Key"].endswith(".parquet"))
    whole = s3.get_object(Bucket=address.netloc, Key=key)["Body"].read()
    return address.netloc, key, whole
