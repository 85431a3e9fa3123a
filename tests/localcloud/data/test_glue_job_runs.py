"""Glue job runs: plain Python scripts for what Glue does, one run of real Spark."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.glue import arguments
from localcloud.glue.job_runs import failure_message
from tests.localcloud.data import lake
from tests.localcloud.data.conftest import wait_for

ENDED = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT")


@pytest.fixture(scope="module")
def role(create_role: Callable[..., str]) -> str:
    return create_role("glue-job", "s3:*", "glue:*")


@pytest.fixture(scope="module")
def job(client: Callable[[str], Any], role: str) -> Callable[..., str]:
    """Create a job of a script's text; returns its name."""

    def create(
        name: str,
        script: str,
        arguments: dict[str, str] | None = None,
        runs: int = 1,
        **options: Any,
    ) -> str:
        client("s3").put_object(Bucket="lake", Key=f"scripts/{name}.py", Body=script.encode())
        client("glue").create_job(
            Name=name,
            Role=role,
            GlueVersion="5.1",
            WorkerType="G.1X",
            NumberOfWorkers=2,
            Command={
                "Name": "glueetl",
                "ScriptLocation": f"s3://lake/scripts/{name}.py",
                "PythonVersion": "3",
            },
            ExecutionProperty={"MaxConcurrentRuns": runs},
            DefaultArguments=arguments or {},
            **options,
        )
        return name

    return create


@pytest.fixture(scope="module")
def run(client: Callable[[str], Any]) -> Callable[..., dict[str, Any]]:
    """Run a job to its end; returns its JobRun."""
    glue = client("glue")

    def start(name: str, **options: Any) -> dict[str, Any]:
        run_id = glue.start_job_run(JobName=name, **options)["JobRunId"]
        return wait_for(
            lambda: glue.get_job_run(JobName=name, RunId=run_id)["JobRun"],
            lambda r: r["JobRunState"] in ENDED,
        )

    return start


SPARK_JOB = """
import argparse, boto3
from helpers.rows import doubled
from pyspark.sql import SparkSession, functions as F

parser = argparse.ArgumentParser()
for name in ("--JOB_NAME", "--source", "--target"):
    parser.add_argument(name)
args = vars(parser.parse_known_args()[0])
spark = SparkSession.builder.getOrCreate()
frame = spark.read.json(args["source"])
frame = frame.mapInPandas(lambda frames: (doubled(f) for f in frames), "id long, twice long")
(frame.withColumn("source", F.lit(args["JOB_NAME"]))
      .repartition(1).write.mode("overwrite").parquet(args["target"] + "dt=2015-02-24/v=1/"))
bucket, _, prefix = args["target"][5:].partition("/")
location = args["target"] + "dt=2015-02-24/v=1/"
glue = boto3.client("glue")
storage = glue.get_table(DatabaseName="sparkdb", Name="out")["Table"]["StorageDescriptor"]
storage["Location"] = location
glue.create_partition(DatabaseName="sparkdb", TableName="out",
                      PartitionInput={"Values": ["2015-02-24"], "StorageDescriptor": storage})
print("rows", spark.read.parquet(location).count())
"""


def test_a_spark_job_reads_and_writes_s3_and_registers_what_it_wrote(
    client, job, run, warehouse, cloud
) -> None:
    s3, glue = client("s3"), client("glue")
    library = io.BytesIO()
    with zipfile.ZipFile(library, "w") as archive:
        archive.writestr("helpers/__init__.py", "")
        archive.writestr(
            "helpers/rows.py",
            "def doubled(frame):\n"
            "    return frame.assign(twice=frame['id'] * 2)[['id', 'twice']]\n",
        )
    s3.put_object(Bucket="lake", Key="lib/helpers.zip", Body=library.getvalue())
    s3.put_object(Bucket="lake", Key="raw/a.json", Body=b'{"id": 1}\n{"id": 2}\n')
    glue.create_database(DatabaseInput={"Name": "sparkdb"})
    glue.create_table(
        DatabaseName="sparkdb",
        TableInput={
            "Name": "out",
            "TableType": "EXTERNAL_TABLE",
            "PartitionKeys": [{"Name": "dt", "Type": "string"}],
            "StorageDescriptor": {
                "Columns": [
                    {"Name": "id", "Type": "bigint"},
                    {"Name": "twice", "Type": "bigint"},
                    {"Name": "source", "Type": "string"},
                ],
                "Location": "s3://lake/out/",
                "SerdeInfo": {"SerializationLibrary": lake.PARQUET},
            },
        },
    )
    name = job(
        "double",
        SPARK_JOB,
        {
            "--extra-py-files": "s3://lake/lib/helpers.zip",
            "--target": "s3://lake/out/",
            "--enable-metrics": "true",
            "--enable-auto-scaling": "true",
            "--TempDir": "s3://lake/tmp/",
            "--additional-python-modules": "s3://lake/wheels/pyspark-3.5.6-py3-none-any.whl",
        },
    )

    ended = run(name, Arguments={"--source": "s3://lake/raw/"})

    errors = (Path(cloud.log_dir) / "glue" / name / f"{ended['Id']}.error.log").read_text()
    assert ended["JobRunState"] == "SUCCEEDED", errors
    assert warehouse.rows("select id, twice, source, dt from sparkdb.out order by id") == [
        ("1", "2", "double", "2015-02-24"),
        ("2", "4", "double", "2015-02-24"),
    ]
    written = [o["Key"] for o in s3.list_objects_v2(Bucket="lake", Prefix="out/")["Contents"]]
    assert [key.rsplit("-", 1)[-1].split(".", 1)[-1] for key in written if "part-" in key] == [
        "snappy.parquet"
    ]
    messages = [
        e["message"]
        for e in client("logs").get_log_events(
            logGroupName="/aws-glue/jobs/output", logStreamName=ended["Id"]
        )["events"]
    ]
    assert messages == ["rows 2"]
    assert ended["ExecutionTime"] > 0
    assert ended["Arguments"]["--source"] == "s3://lake/raw/"


def test_a_script_gets_every_argument_with_the_names_glue_adds(client, job, run) -> None:
    name = job(
        "argv",
        "import boto3, json, os, sys\nboto3.client('s3').put_object(Bucket='lake',"
        " Key='argv.json', Body=json.dumps(sys.argv[1:]))\n",
        {"--a": "1", "--b": "x"},
    )

    ended = run(name, Arguments={"--b": "y"})

    assert ended["JobRunState"] == "SUCCEEDED"
    argv = json.loads(client("s3").get_object(Bucket="lake", Key="argv.json")["Body"].read())
    assert argv == [
        "--JOB_NAME",
        "argv",
        "--JOB_ID",
        "j_" + ended["Id"][3:],
        "--JOB_RUN_ID",
        ended["Id"],
        "--a",
        "1",
        "--b",
        "y",
    ]


def test_changing_the_script_in_s3_changes_the_run_and_errors_are_named(client, job, run) -> None:
    name = job("fails", "raise ValueError('no such column: x')")
    ended = run(name)
    assert (ended["JobRunState"], ended["ErrorMessage"]) == (
        "FAILED",
        "ValueError: no such column: x",
    )

    client("s3").put_object(Bucket="lake", Key="scripts/fails.py", Body=b"print('well')")
    assert run(name)["JobRunState"] == "SUCCEEDED"

    client("s3").delete_object(Bucket="lake", Key="scripts/fails.py")
    ended = run(name)
    assert ended["JobRunState"] == "FAILED"
    assert "404" in ended["ErrorMessage"]


def test_concurrent_runs_are_limited_and_a_stopped_run_takes_its_children_along(
    client, job, cloud, tmp_path
) -> None:
    glue = client("glue")
    pids = tmp_path / "pids"
    name = job(
        "sleeps",
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen(['sleep', '300'])\n"
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}\\n')\n"
        "time.sleep(300)",
    )
    run_id = glue.start_job_run(JobName=name)["JobRunId"]
    numbers = [
        int(p)
        for p in wait_for(
            lambda: pids.exists() and pids.read_text(),
            lambda text: bool(text) and text.endswith("\n"),
        ).split()
    ]
    with pytest.raises(ClientError) as error:
        glue.start_job_run(JobName=name)
    assert error.value.response["Error"]["Code"] == "ConcurrentRunsExceededException"

    answer = glue.batch_stop_job_run(JobName=name, JobRunIds=[run_id, "jr_unknown"])

    assert [s["JobRunId"] for s in answer["SuccessfulSubmissions"]] == [run_id]
    assert [e["JobRunId"] for e in answer["Errors"]] == ["jr_unknown"]
    state = wait_for(
        lambda: glue.get_job_run(JobName=name, RunId=run_id)["JobRun"]["JobRunState"],
        lambda s: s in ENDED,
    )
    assert state == "STOPPED"
    wait_for(
        lambda: (
            [
                p
                for p in numbers
                if Path(f"/proc/{p}").exists()
                and "Z" not in Path(f"/proc/{p}/stat").read_text().split(")")[1]
            ]
            if os.path.isdir("/proc")
            else []
        ),
        lambda alive: not alive,
    )
    assert glue.get_job_runs(JobName=name)["JobRuns"][0]["Id"] == run_id


def test_a_run_over_its_timeout_ends_as_timeout(client, job, cloud) -> None:
    name = job("endless", "import time; time.sleep(300)")
    definition = client("glue").get_job(JobName=name)["Job"]
    # The API takes whole minutes; the runner is asked for about a second.
    run = cloud.services["glue"]._runner.start(definition, {"Timeout": 0.02})
    assert run.ended.wait(30)
    assert (run.state, run.error_message) == (
        "TIMEOUT",
        "Job run exceeded the timeout of 0.02 minutes",
    )


def test_partitions_are_filtered_by_expression(client) -> None:
    glue = client("glue")
    glue.create_database(DatabaseInput={"Name": "parts"})
    glue.create_table(
        DatabaseName="parts",
        TableInput={"Name": "t", "PartitionKeys": [{"Name": "dt", "Type": "string"}]},
    )
    for day in ("2015-02-01", "2015-02-02", "2015-02-03"):
        glue.create_partition(
            DatabaseName="parts",
            TableName="t",
            PartitionInput={
                "Values": [day],
                "StorageDescriptor": {"Location": f"s3://lake/t/dt={day}/v=1/"},
            },
        )
    glue.update_partition(
        DatabaseName="parts",
        TableName="t",
        PartitionValueList=["2015-02-02"],
        PartitionInput={
            "Values": ["2015-02-02"],
            "StorageDescriptor": {"Location": "s3://lake/t/dt=2015-02-02/v=2/"},
        },
    )
    with pytest.raises(ClientError) as error:
        glue.create_partition(
            DatabaseName="parts", TableName="t", PartitionInput={"Values": ["2015-02-01"]}
        )
    assert error.value.response["Error"]["Code"] == "AlreadyExistsException"

    found = glue.get_partitions(
        DatabaseName="parts", TableName="t", Expression="dt >= '2015-02-02' AND dt <> '2015-02-03'"
    )

    assert [p["StorageDescriptor"]["Location"] for p in found["Partitions"]] == [
        "s3://lake/t/dt=2015-02-02/v=2/"
    ]


def test_special_arguments_are_read_and_unknown_asks_are_refused() -> None:
    parsed = arguments.parse(
        {"--conf": "spark.a=1 --conf spark.b=x", "--extra-py-files": "s3://b/a.zip, s3://b/c.py"},
        job_name="j",
        run_id="jr_1",
    )
    assert (parsed.spark_conf, parsed.py_files) == (
        {"spark.a": "1", "spark.b": "x"},
        ["s3://b/a.zip", "s3://b/c.py"],
    )
    with pytest.raises(arguments.UnsupportedArgumentError) as error:
        arguments.parse({"--extra-jars": "s3://b/x.jar"}, job_name="j", run_id="jr_1")
    assert "--extra-jars" in str(error.value)


def test_a_job_that_asks_for_what_no_run_honours_is_refused_by_name(job) -> None:
    with pytest.raises(ClientError) as error:
        job("retried", "pass", MaxRetries=1)
    assert "MaxRetries" in error.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("name", "script", "message"),
    [
        (
            "killed",
            "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
            "Command failed with exit code -9",
        ),
        ("shim", "import sys\nfrom awsglue.utils import getResolvedOptions\n", "awsglue"),
    ],
)
def test_a_run_that_fails_says_why(job, run, name, script, message) -> None:
    ended = run(job(name, script))
    assert ended["JobRunState"] == "FAILED"
    assert message in ended["ErrorMessage"]


@pytest.mark.parametrize(
    ("log", "message"),
    [
        (
            "Traceback (most recent call last):\n  File 'x'\n    f()\nKeyError: 'a'\n",
            "KeyError: 'a'",
        ),
        (
            "Traceback (most recent call last):\n  File\nmod.MyError: first\nsecond line\n",
            "mod.MyError: first",
        ),
        ("26/01/01 WARN x\n", "Command failed with exit code 3"),
    ],
)
def test_the_error_message_is_the_last_exception(log: str, message: str) -> None:
    assert failure_message(log, 3) == message
