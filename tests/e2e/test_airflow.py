"""social_pipeline by `airflow dags test` on a laptop cloud, over three past days: failing, tried
again, with bad input, killed in the middle; what it leaves in the tables equals one run over
everything. Each failure is one failed task, one line and one e-mail, and publishes nothing."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import threading
import urllib.request
from contextlib import closing
from urllib.parse import urlsplit

import pyarrow
import pyarrow.parquet
import pytest

from tests.e2e.airflow_runs import (
    FACTS,
    ONCE,
    dags_test,
    fails,
    file_of,
    job_runs,
    partitions,
    published,
    replaced,
    set_pseudonym_key,
    start,
    states,
    tasks,
    wait_for_job_run,
    warehouse,
)
from tests.e2e.golden_rows import EVENTS, GOLDEN, all_rows, close
from tests.e2e.lake import PSEUDONYM_KEY
from tests.unit.cli.test_training_jobs import rows as rows_of
from voxlake.cli import airflow
from voxlake.cli.registry import Registry

FIRST, SECOND, THIRD = "2015-02-24", "2015-02-25", "2015-02-26"
MONDAY = "2026-03-02"
THIRD_OF_THEM = 6
# They tell how far enricher and replies had come, whatever runs the batch path.
FROM_THE_STREAM_PATH = {"voxlake_analytics.tickets", "voxlake_analytics.stream_scores"}

pytestmark = [
    pytest.mark.skipif(
        airflow.installed() is None,
        reason="Airflow is not installed: `make airflow` makes .venv-airflow",
    ),
    # A run takes under a minute, and ten on a machine that does much else.
    pytest.mark.timeout(900),
]


@pytest.fixture(scope="module")
def begun(lake):
    """A lake with a third of the golden events landed, and somebody to be told."""
    lake.client("sns").subscribe(
        TopicArn=lake.output("AlarmTopicArn"), Protocol="email", Endpoint="ops@example.com"
    )
    lake.put(EVENTS[:THIRD_OF_THEM])
    lake.landed(THIRD_OF_THEM)
    return lake


def test_a_failing_job_fails_its_task_is_told_of_and_publishes_nothing(begun):
    set_pseudonym_key(begun, {"key": "none"})
    line = fails(begun, FIRST, "landing_to_cleansed")
    assert states(FIRST)["success"] == {"plan", "what_is_pending", "tell_failure"}
    [run] = job_runs(begun, "LandingToCleansedJob")
    assert line == f"Task landing_to_cleansed: {run['ErrorMessage']}"
    assert partitions(begun) == {}


def test_a_task_that_failed_is_tried_again_and_the_run_goes_on(begun):
    """Also: a failed run of a date is made good by running the date again."""

    def put_right():
        wait_for_job_run(begun, "LandingToCleansedJob", "FAILED", beside=1)
        set_pseudonym_key(begun, PSEUDONYM_KEY)

    helper = threading.Thread(target=put_right)
    helper.start()
    dags_test(begun, FIRST, AIRFLOW__VOXLAKE__RETRIES="1")
    helper.join()
    found = tasks(FIRST)
    assert found["landing_to_cleansed"] == ("success", 2)
    assert (found["reconcile"], found["load_warehouse"]) == (("success", 1), ("success", 1))
    assert found["tell_failure"][0] == "skipped"
    assert [row[0] for row in warehouse(begun, FACTS)] == ["p1", "p2", "p3", "p4", "p5"]


def test_a_second_run_of_a_date_changes_nothing(begun):
    before = published(begun)
    dags_test(begun, FIRST)
    assert states(FIRST)["success"] == {"plan", "what_is_pending", "nothing_pending"}
    assert published(begun) == before


def test_garbage_in_landing_breaks_a_halting_rule_which_the_mail_names(begun):
    before = published(begun)
    landed = set(begun.objects("LandingBucket"))
    begun.put(EVENTS[THIRD_OF_THEM : 2 * THIRD_OF_THEM])
    begun.landed(2 * THIRD_OF_THEM)
    key = min(set(begun.objects("LandingBucket")) - landed)
    with replaced(begun, begun.output("LandingBucket"), key, b"\x00 no gzip, nothing at all"):
        line = fails(
            begun, SECOND, "landing_to_cleansed", "halted by quality rule no_object_is_garbage of"
        )
    assert "nothing was published" in line
    assert tasks(SECOND)["landing_to_cleansed"][1] == 1
    after = published(begun)
    # The verdict itself is a row that readers see.
    assert {k: v for k, v in after.items() if "quality_results" not in k} == before


def test_a_model_whose_artifact_is_missing_scores_nothing(begun):
    model = begun.client("sagemaker").describe_model(ModelName=begun.output("SentimentModelName"))
    place = urlsplit(model["PrimaryContainer"]["ModelDataUrl"])
    before = published(begun)
    with replaced(begun, place.netloc, place.path.lstrip("/"), None):
        fails(begun, SECOND, "score", "Could not read model data at s3://", "Not Found")
    after = published(begun)
    assert {k: v for k, v in after.items() if "analytics" in k or k == "facts"} == {
        k: v for k, v in before.items() if "analytics" in k or k == "facts"
    }


def test_a_run_killed_in_the_middle_is_made_good(begun):
    """Of a date whose first run failed begun way, too."""
    process = start(begun, SECOND)
    wait_for_job_run(begun, "ScoresToAnalyticsJob", "RUNNING")
    process.kill()
    process.wait()
    run = begun.json("run", "--orchestrator", "airflow")
    assert run["status"] == "SUCCEEDED"
    assert {s["name"]: s["state"] for s in run["states"]}["reconcile"] == "success"
    assert run["reconciliation"]["unaccounted"] == 0


def test_a_table_with_a_column_of_another_type_is_not_built_upon(begun):
    begun.put(EVENTS[2 * THIRD_OF_THEM :])
    begun.landed(len(EVENTS))
    before = published(begun)
    bucket, key, whole = file_of(begun, "voxlake_cleansed.interactions", "2026-03-01")
    table = pyarrow.parquet.read_table(io.BytesIO(whole))
    numbers = pyarrow.array(range(table.num_rows), pyarrow.int64())
    other = io.BytesIO()
    at = table.schema.get_field_index("event_id")
    pyarrow.parquet.write_table(table.set_column(at, "event_id", numbers), other)
    with replaced(begun, bucket, key, other.getvalue()):
        fails(begun, THIRD, "landing_to_cleansed", key, "expected column event_id as string")
    assert published(begun) == before


def test_a_load_of_a_truncated_file_fails_and_changes_no_fact(begun):
    """The rest of the run is done by then: three past days equal one run over all of it."""
    before = warehouse(begun, FACTS)
    bucket, key, whole = file_of(begun, "voxlake_analytics.texts_scored", "2024-02-29")
    # Redshift forgets this day, so that it is loaded again.
    warehouse(begun, "DELETE FROM loading.versions WHERE dt = '2024-02-29'")
    with replaced(begun, bucket, key, whole[:-20]):
        fails(begun, THIRD, "load_warehouse", "expected 1 files of", "2024-02-29")
    assert warehouse(begun, FACTS) == before
    begun.voxlake("load")
    rows = all_rows(begun)
    texts = rows["voxlake_analytics.texts_scored"]
    assert [row[0] for row in warehouse(begun, FACTS)] == sorted(t["event_id"] for t in texts)
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


def test_start_app_brings_the_sources_down_and_up(begun):
    dags_test(begun, FIRST, "start_app", conf={"state": "down"})
    assert set(feeding(begun).values()) == {"DISABLED", "Disabled"}
    dags_test(begun, FIRST, "start_app")
    assert feeding(begun) == {
        # Of the sources those that the stage has on: no key for the others.
        "MockServerSchedule": "ENABLED",
        "SourceYoutubeSchedule": "DISABLED",
        "SourceXSchedule": "DISABLED",
        "StreamConsumerMapping": "Enabled",
        "TextEnricherMapping": "Enabled",
    }
    begun.client("events").disable_rule(Name=begun.output("MockServerSchedule"))


def test_maintenance_crawls_landing_and_judges_and_learns_nothing_by_a_few_texts(begun):
    dags_test(begun, MONDAY, "maintenance")
    learning = {"prepare_topics", "train_topics", "register_topics"}
    gathering = {"topics_due", "recent_texts", "gather_texts", "enough_texts", "too_few_texts"}
    assert states(MONDAY, "maintenance") == {
        "success": {"crawl_landing", "done"} | gathering,
        "skipped": {"measure_drift", "tell_failure", "not_today"} | learning,
    }
    [texts] = [v for k, v in begun.objects("ArtifactsBucket", "training/sets/").items()]
    assert gzip.decompress(texts).count(b"\n") > 5
    tables = begun.client("glue").get_tables(DatabaseName=begun.output("LandingDatabase"))
    assert tables["TableList"]


def deployed_role(lake) -> tuple[str, str, dict]:
    """Role that Airflow has worked under, the name of its policy, and the policy."""
    iam = lake.client("iam")
    [role] = [r["RoleName"] for r in iam.list_roles()["Roles"] if "ExecutionRole" in r["RoleName"]]
    [name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    return role, name, iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]


def actions_of(statement: dict) -> list[str]:
    return [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]


def test_the_deployed_environment_has_these_dags_and_these_names(begun):
    bucket, s3 = begun.target.airflow_outputs["AirflowBucket"], begun.client("s3")
    keys = [o["Key"] for o in s3.list_objects_v2(Bucket=bucket, Prefix="dags/")["Contents"]]
    found = {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}
    assert b"apache-airflow==3.0.6" in found.pop("dags/constraints.txt")
    files = [p for p in airflow.DAGS.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    assert found == {f"dags/{p.relative_to(airflow.DAGS)}": p.read_bytes() for p in files}
    secret = begun.client("secretsmanager").get_secret_value(
        SecretId=f"{begun.target.airflow_outputs['AirflowEnvironment']}/voxlake"
    )["SecretString"]
    printed = begun.voxlake("airflow", "--variable").stdout
    assert json.loads(secret) == json.loads(printed)


def test_a_missing_right_fails_the_task_and_the_message_names_the_action(begun):
    role, name, policy = deployed_role(begun)
    fewer = [s for s in policy["Statement"] if "events:DisableRule" not in actions_of(s)]
    assert len(fewer) == len(policy["Statement"]) - 1
    iam = begun.client("iam")

    def give(statements: list[dict]) -> None:
        document = json.dumps(policy | {"Statement": statements})
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)

    give(fewer)
    try:
        down = {"state": "down"}
        dags_test(begun, SECOND, "start_app", code=1, conf=down, AIRFLOW__VOXLAKE__RETRIES="0")
    finally:
        give(policy["Statement"])
    assert states(SECOND, "start_app")["failed"] == {"schedules_off"}
    mails = map(json.loads, (begun.home / "cloud" / "outbox.jsonl").read_text().splitlines())
    told = [mail["message"] for mail in mails if mail["subject"] == "voxlake: start_app failed"]
    assert "AccessDenied" in told[-1]
    assert "is not authorized to perform: events:DisableRule on resource" in told[-1]


def put_set(lake, name: str, *, noise: float, seed: int) -> None:
    """A data set by its name, where train_models finds it: noise is a share of wrong labels."""
    for part, lines in (("train", rows_of(240, seed, noise)), ("dev", rows_of(300, 99))):
        body = gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode())
        key = f"training/sets/{name}/{part}.jsonl.gz"
        lake.client("s3").put_object(Bucket=lake.output("ArtifactsBucket"), Key=key, Body=body)


def test_train_models_promotes_a_better_model_refuses_a_worse_one_and_begins_again(begun):
    registry = Registry(begun.target)
    put_set(begun, "poor", noise=0.75, seed=1)
    put_set(begun, "good", noise=0.0, seed=2)

    def train(date: str, data: str, **more) -> dict:
        conf = {"model": "logreg", "data": [data], "gate": ["good"], **more}
        dags_test(begun, date, "train_models", conf=conf, **ONCE)
        version = registry.find("logreg:latest")
        return {"version": version, **registry.beside(version, "promotion.json")}

    first = train(FIRST, "poor")
    assert first["reasons"] == ["nothing was in use yet"]
    second = train(SECOND, "good", hyperparameters={"min-df": 2})
    assert (second["decision"], second["against"]) == ("promoted", first["model"])
    assert registry.best("logreg") == second["version"]
    job = begun.client("sagemaker").describe_training_job(
        TrainingJobName=second["version"].metadata["job"] + "-1"
    )
    assert job["HyperParameters"]["min-df"] == "2"

    # Continuous training, as a scheduler runs it: it has to know of the DAGs first.
    begun.voxlake("airflow", "dags", "reserialize")
    third = train(THIRD, "poor", hyperparameters={"version": "2"}, repeat=1)
    assert third["decision"] == "refused"
    assert (third["version"].status, registry.best("logreg")) == ("Rejected", second["version"])
    assert third["version"].metadata["gate.against"] == second["model"]
    with closing(sqlite3.connect(airflow.folder() / "airflow.db")) as connection:
        [[conf]] = connection.execute("SELECT conf FROM dag_run WHERE state = 'queued'").fetchall()
    assert json.loads(conf) == {
        "model": "logreg", "data": ["poor"], "gate": ["good"], "hyperparameters": {"version": "2"},
        "init": "best", "task": None, "repeat": 0, "until": None,
    }  # fmt: skip

    begun.voxlake("rollback", "--model", "logreg")
    assert registry.best("logreg") == first["version"]
    fails(begun, MONDAY, "prepare", "absent: expected train.jsonl", dag="train_models",
          conf={"data": ["absent"]})  # fmt: skip


# What the runs above had no use for: what MWAA itself does, what a killed task does, the metric of
# drift (of too few texts), and what Athena and SageMaker ask for on AWS and not here.
NOT_USED_HERE = {
    *("kms:DescribeKey", "kms:Encrypt", "cloudwatch:PutMetricData", "iam:PassRole"),
    *("glue:BatchStopJobRun", "sagemaker:StopTransformJob", "sagemaker:StopTrainingJob"),
    *("glue:BatchGetPartition", "glue:GetDatabase", "glue:GetPartition"),
    *("s3:AbortMultipartUpload", "s3:GetAccountPublicAccessBlock", "s3:GetBucketLocation"),
    *("s3:GetBucketPublicAccessBlock", "s3:GetBucketVersioning", "s3:GetEncryptionConfiguration"),
    *("s3:GetObjectVersion", "s3:ListBucketVersions"),
}


def test_airflow_worked_under_its_own_role_and_the_role_has_no_right_without_use(begun):
    role, _name, policy = deployed_role(begun)
    url = begun.target.environment()["AWS_ENDPOINT_URL"] + "/_localcloud/status"
    with urllib.request.urlopen(url, timeout=10) as answer:
        used = set(json.load(answer)["services"]["sts"]["used_actions"][role])
    granted = {action for statement in policy["Statement"] for action in actions_of(statement)}
    assert used <= granted
    without_use = {a for a in granted - used if not a.startswith(("airflow:", "logs:", "sqs:"))}
    assert without_use <= NOT_USED_HERE
