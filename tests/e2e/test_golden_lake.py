"""One small lake from fixed records to Athena: compared with committed rows, then broken.

The rows in golden/rows.json are written by `pytest tests/e2e/test_golden_lake.py --write-golden`
and reviewed as a diff.
"""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import sys

import awswrangler as wr
import nbformat
import pytest
from botocore.exceptions import ClientError
from nbclient import NotebookClient

from tests.e2e.golden_rows import EVENTS, GOLDEN, TABLES, TOLERANCE, all_rows, close
from tests.e2e.lake import ROOT
from tests.e2e.transform import score_by_transform, that_feels_everything
from voxlake.cli.report.data import gather
from voxlake.measures import DATA_SETS, MEASURES
from voxlake.measures.definitions import SENTIMENTS

MEBIBYTE = 1024 * 1024
COMPLAINT = "@united you lost my bag & nobody answers, awful service #fail"


def changed(**fields) -> bytes:
    """The first event with other fields; None removes one."""
    event = json.loads(EVENTS[0]) | {"event_id": "bad"} | fields
    return json.dumps({k: v for k, v in event.items() if v is not None}).encode()


def padded(length: int) -> bytes:
    """A record of exactly `length` bytes that is not an event."""
    return b'{"pad":"' + b"x" * (length - 10) + b'"}'


# record, reason, field
BAD = [
    (b"not json at all", "not_json", None),
    (b'{"event_id": "cut', "not_json", None),
    (b'\xff\xfe{"event_id":"p"}', "not_utf8", None),
    (b"[1, 2, 3]", "not_an_object", None),
    (changed(event_id=None), "missing_field", "event_id"),
    (changed(event_id=7), "wrong_type", "event_id"),
    (changed(event_type="poll"), "unknown_event_type", "event_type"),
    (changed(schema_version=2), "unsupported_schema_version", "schema_version"),
    (changed(occurred_at="1969-12-31T23:59:59Z"), "occurred_at_out_of_range", "occurred_at"),
    (changed(occurred_at="9999-01-01T00:00:00Z"), "occurred_at_out_of_range", "occurred_at"),
    (changed(body={"post_id": "n", "text": 5}), "wrong_type", "body.text"),
    (
        changed(body={"post_id": "n", "text": "t", "like_count": -1}),
        "invalid_value",
        "body.like_count",
    ),
    # data plus key of exactly 1 MiB: Kinesis takes it, the contract does not
    (padded(MEBIBYTE - len("same")), "missing_field", "event_type"),
]


@pytest.fixture(scope="module")
def filled(lake):
    """The golden events and the bad records sent, and the batch path run once."""
    lake.put(EVENTS)
    lake.put([record for record, _reason, _field in BAD])
    lake.landed(len(EVENTS) + len(BAD))
    lake.enriched()
    lake.first_run = lake.json("run")
    return lake


def test_every_table_holds_exactly_the_golden_rows(filled, request):
    rows = all_rows(filled)
    path = GOLDEN / "rows.json"
    if request.config.getoption("--write-golden"):
        path.write_text(json.dumps(rows, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    golden = json.loads(path.read_text())
    assert rows.keys() == golden.keys()
    for table, expected in golden.items():
        assert rows[table] == close(expected), table


def test_each_bad_record_is_in_quarantine_once_with_reason_and_field_and_its_bytes(filled):
    rows = filled.sql("SELECT reason, field FROM voxlake_cleansed.quarantine")
    expected = sorted((reason, field or "") for _record, reason, field in BAD)
    assert sorted((r["reason"], r["field"] or "") for r in rows) == expected
    objects = filled.objects("LandingBucket", "quarantine/")
    lines = [json.loads(x) for o in objects.values() for x in gzip.decompress(o).splitlines()]
    kept = sorted(base64.b64decode(line["data"]) for line in lines)
    assert kept == sorted(record for record, _reason, _field in BAD)


def test_what_kinesis_would_refuse_is_refused_with_its_error(filled):
    with pytest.raises(ClientError) as caught:
        filled.client("kinesis").put_record(
            StreamName=filled.output("EventStream"),
            Data=padded(MEBIBYTE - len("same") + 1),
            PartitionKey="same",
        )
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_the_accounts_add_up_per_event_type(filled):
    result = filled.json("reconcile")
    zero = dict.fromkeys(("redelivered", "erased", "pending", "unaccounted"), 0)

    def row(received, cleansed, duplicate, quarantined):
        return zero | {
            "received": received,
            "cleansed": cleansed,
            "duplicate": duplicate,
            "quarantined": quarantined,
        }

    types = result["event_types"]
    assert types["comment"] == row(2, 2, 0, 0)
    assert types["profile"] == row(1, 1, 0, 0)
    assert types["interaction"] == row(3, 3, 0, 0)
    assert types["message"] == row(3, 3, 0, 0)
    assert types["post"]["cleansed"] == 7
    assert types["post"]["duplicate"] == 1
    assert result["total"] == row(len(EVENTS) + len(BAD), 16, 1, len(BAD))
    assert result["stream"]["incoming_records"] == len(EVENTS) + len(BAD)
    assert result["findings"] == []


def test_no_name_place_or_contact_gets_past_landing(filled):
    secrets = (b"Somebody Unnamed", b"Nowhere Town", b"bob@example.com", b"ana@example.org")
    secrets += (b"4111 1111", b"010 0199")
    for bucket in ("CleansedBucket", "AnalyticsBucket"):
        database = {"CleansedBucket": "voxlake_cleansed", "AnalyticsBucket": "voxlake_analytics"}
        for table in TABLES[database[bucket]]:
            rows = json.dumps(filled.sql(f"SELECT * FROM {database[bucket]}.{table}"), default=str)
            for secret in secrets:
                assert secret.decode() not in rows, (table, secret)


def test_a_second_run_has_nothing_to_do_and_says_so(filled):
    assert "Nothing is pending" in filled.voxlake("run").stdout


@pytest.fixture
def wrangler_settings():
    """They are the process's: left as they are, they would reach into other tests."""
    wr.config.reset()
    yield
    wr.config.reset()


@pytest.mark.usefixtures("wrangler_settings")
def test_awswrangler_reads_the_warehouse(filled):
    wr.config.athena_endpoint_url = filled.target.environment()["AWS_ENDPOINT_URL"]
    for service in ("s3", "glue", "sts"):
        setattr(wr.config, f"{service}_endpoint_url", wr.config.athena_endpoint_url)
    for ctas in (True, False):
        frame = wr.athena.read_sql_query(
            "SELECT event_id, sentiment FROM texts_scored ORDER BY event_id",
            database="voxlake_analytics",
            workgroup=filled.output("AthenaWorkgroup"),
            ctas_approach=ctas,
            boto3_session=filled.session,
        )
        assert sorted(frame["event_id"]) == sorted(
            ["p1", "p2", "p3", "p4", "p5", "p6", "p7", "c1", "c2", "m1", "m2", "m3"]
        )


def test_quicksight_imports_the_rows_that_the_report_counts(filled):
    """Under the template's own role; what it may not read fails the import."""
    quicksight = filled.client("quicksight")
    account = filled.client("sts").get_caller_identity()["Account"]
    databases = ("voxlake_analytics", "voxlake_cleansed")
    for name, one in DATA_SETS.items():
        imported = {"AwsAccountId": account, "DataSetId": f"voxlake-full-{name}"}
        quicksight.create_ingestion(**imported, IngestionId="now", IngestionType="FULL_REFRESH")
        found = quicksight.describe_ingestion(**imported, IngestionId="now")["Ingestion"]
        assert found["IngestionStatus"] == "COMPLETED", found
        rows = len(filled.sql(one.sql(*databases)))
        assert found["RowInfo"]["TotalRowsInDataset"] == rows > 0, name
    data = gather(filled.target, names={}, queues={}, models=ROOT / "sagemaker" / "models")
    counts = ", ".join(
        f"{MEASURES[name].of_counts()} AS {name}" for name in (*SENTIMENTS, "polarity")
    )
    sentiment = DATA_SETS["sentiment"].sql(*databases)
    [shown] = filled.sql(f"SELECT {counts} FROM ({sentiment}) d WHERE tracker = '(all)'")
    assert shown == {
        **{name: getattr(data.overall, name) for name in SENTIMENTS},
        "polarity": pytest.approx(data.overall.polarity),
    }
    events = filled.sql(
        f"SELECT CAST(day AS VARCHAR) AS dt, kind, {MEASURES['events'].of_counts()} AS n "
        f"FROM ({DATA_SETS['events'].sql(*databases)}) d GROUP BY day, kind"
    )
    drawn = [row for row in events if row["dt"] in data.volumes]
    assert {(r["dt"], r["kind"]): r["n"] for r in drawn} == {
        (day, kind): n for day, kinds in data.volumes.items() for kind, n in kinds.items()
    }


def aws(lake, *arguments: str):
    done = subprocess.run(
        [sys.executable, "-m", "awscli", *arguments, "--output", "json"],
        env=lake.environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout or "{}")


def test_the_aws_command_line_works_unmodified(filled):
    buckets = {b["Name"] for b in aws(filled, "s3api", "list-buckets")["Buckets"]}
    assert filled.output("LandingBucket") in buckets
    table = aws(
        *(filled, "glue", "get-table", "--database-name", "voxlake_analytics"),
        *("--name", "texts_scored"),
    )["Table"]
    assert {c["Name"] for c in table["StorageDescriptor"]["Columns"]} >= {"sentiment", "polarity"}
    assert all(c["Comment"] for c in table["StorageDescriptor"]["Columns"])
    started = aws(
        *(filled, "athena", "start-query-execution", "--work-group"),
        *(filled.output("AthenaWorkgroup"), "--query-string"),
        "SELECT count(*) AS n FROM voxlake_analytics.texts_scored",
    )
    for _ in range(50):  # Athena has no waiter
        state = aws(
            *(filled, "athena", "get-query-execution", "--query-execution-id"),
            started["QueryExecutionId"],
        )["QueryExecution"]["Status"]["State"]
        if state not in ("QUEUED", "RUNNING"):
            break
    result = aws(
        *(filled, "athena", "get-query-results", "--query-execution-id"),
        started["QueryExecutionId"],
    )
    assert result["ResultSet"]["Rows"][1]["Data"] == [{"VarCharValue": "12"}]


def ledger_items(lake, kind: str) -> list[dict]:
    items = lake.client("dynamodb").scan(TableName=lake.output("LedgerTable"))["Items"]
    return [i for i in items if i["pk"]["S"].startswith(f"OBJECT#{kind}#")]


def test_a_lost_ledger_item_is_found_and_restored(filled):
    [item, *_] = ledger_items(filled, "comment")
    filled.client("dynamodb").delete_item(
        TableName=filled.output("LedgerTable"), Key={"pk": item["pk"], "sk": item["sk"]}
    )
    seen = filled.json("reconcile", "--no-repair", code=1)
    assert seen["event_types"]["comment"]["unaccounted"] > 0
    repaired = filled.json("reconcile")
    assert [f["kind"] for f in repaired["findings"]] == ["unledgered_object"]
    assert repaired["repaired"]
    # The restored object is pending; a run counts its records as the cleansed ones they are.
    filled.json("run")
    after = filled.json("reconcile")
    assert after["event_types"]["comment"]["cleansed"] == 2
    assert after["unaccounted"] == 0


def test_a_moved_catalog_location_is_seen_by_readers_found_and_repaired(filled):
    glue = filled.client("glue")
    where = {"DatabaseName": "voxlake_cleansed", "TableName": "posts"}
    partition = glue.get_partition(**where, PartitionValues=["2024-02-29"])["Partition"]
    count = "SELECT count(*) AS n FROM voxlake_cleansed.posts"
    assert filled.sql(count) == [{"n": 7}]
    elsewhere = partition["StorageDescriptor"] | {
        "Location": f"s3://{filled.output('CleansedBucket')}/posts/dt=2024-02-29/v=nowhere/"
    }
    glue.update_partition(
        **where,
        PartitionValueList=["2024-02-29"],
        PartitionInput={"Values": ["2024-02-29"], "StorageDescriptor": elsewhere},
    )
    assert filled.sql(count) == [{"n": 6}]
    seen = filled.json("reconcile", "--no-repair", code=1)
    assert "catalog_differs" in {f["kind"] for f in seen["findings"]}
    filled.json("reconcile")
    assert filled.sql(count) == [{"n": 7}]
    assert filled.json("reconcile")["findings"] == []


def test_a_deleted_landing_object_is_unaccounted_for(filled):
    s3, bucket = filled.client("s3"), filled.output("LandingBucket")
    [key, *_] = filled.objects("LandingBucket", "profile/")
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    s3.delete_object(Bucket=bucket, Key=key)
    seen = filled.json("reconcile", code=1)
    assert seen["event_types"]["profile"]["unaccounted"] == 1
    assert "missing_object" in {f["kind"] for f in seen["findings"]}
    s3.put_object(Bucket=bucket, Key=key, Body=body)
    assert filled.json("reconcile")["unaccounted"] == 0


def test_a_changed_line_of_the_job_script_in_s3_changes_the_run(filled):
    job = filled.output("ScoresToAnalyticsJob")
    command = filled.client("glue").get_job(JobName=job)["Job"]["Command"]
    bucket, _, key = command["ScriptLocation"].removeprefix("s3://").partition("/")
    s3 = filled.client("s3")
    script = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    line = b'raise RuntimeError("a line of S3")\n'
    s3.put_object(Bucket=bucket, Key=key, Body=line)
    try:
        run = filled.glue_job(job, **{"--run_id": "changed"})
    finally:
        s3.put_object(Bucket=bucket, Key=key, Body=script)
    assert run["JobRunState"] == "FAILED"
    assert "a line of S3" in run["ErrorMessage"]


def test_a_changed_model_artifact_in_s3_changes_the_scores(filled):
    sagemaker, s3 = filled.client("sagemaker"), filled.client("s3")
    model = filled.output("SentimentModelName")
    url = sagemaker.describe_model(ModelName=model)["PrimaryContainer"]["ModelDataUrl"]
    bucket, _, key = url.removeprefix("s3://").partition("/")
    archive = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    before = score_by_transform(filled, "before")
    s3.put_object(Bucket=bucket, Key=key, Body=that_feels_everything(archive))
    try:
        after = score_by_transform(filled, "after")
    finally:
        s3.put_object(Bucket=bucket, Key=key, Body=archive)
    assert (before["event_id"], before["sentiment"]) == ("e1", "positive")
    assert "fear" not in before["emotions"]
    assert len(after["emotions"]) == 11
    assert after["emotion_scores"] == pytest.approx(before["emotion_scores"], abs=TOLERANCE)


def test_sent_again_everything_is_a_duplicate_and_no_row_is_added(filled):
    before = all_rows(filled)
    filled.put(EVENTS)
    filled.landed(2 * len(EVENTS) + len(BAD))
    filled.json("run")
    assert all_rows(filled) == before
    result = filled.json("reconcile")
    assert result["total"]["duplicate"] == 1 + len(EVENTS)
    assert result["unaccounted"] == 0


def test_after_rekeying_new_rows_have_the_new_keys_id_and_old_ones_stay(filled):
    """What docs/deploy.md says to do."""
    tables = {"posts": "author_id", "comments": "author_id", "messages": "author_id, speaker"}

    def rows() -> dict[tuple, dict]:
        return {
            (table, row["event_id"]): row
            for table, people in tables.items()
            for row in filled.sql(f"SELECT event_id, {people} FROM voxlake_cleansed.{table}")
        }

    before = rows()
    filled.client("secretsmanager").put_secret_value(
        SecretId=filled.output("PseudonymSecretArn"),
        SecretString=json.dumps({"key_id": "k2", "key": "fedcba9876543210" * 4}),
    )
    filled.client("lambda").update_function_configuration(
        FunctionName=filled.output("TextEnricherFunction"), Timeout=121
    )
    filled.client("lambda").get_waiter("function_updated_v2").wait(
        FunctionName=filled.output("TextEnricherFunction")
    )
    again = [changed(event_id="p1-again", body={"post_id": "n9", "text": COMPLAINT})]
    accounts = filled.json("reconcile")
    duplicates = accounts["total"]["duplicate"]
    filled.put([*EVENTS, *again])
    filled.landed(accounts["stream"]["incoming_records"] + len(EVENTS) + 1)
    filled.enriched()
    filled.json("run")
    after = rows()
    assert {key: after[key] for key in before} == before
    fresh = {key: after[key] for key in after.keys() - before.keys()}
    assert ("posts", "p1-again") in fresh
    assert all(
        person.startswith("k2_")
        for row in fresh.values()
        for name, person in row.items()
        if name != "event_id" and person
    )
    [ticket] = [one for one in filled.tickets() if one["event_id"] == "p1-again"]
    assert ticket["author_id"] == after["posts", "p1-again"]["author_id"]
    accounts = filled.json("reconcile")
    assert accounts["total"]["duplicate"] == duplicates + len(EVENTS)
    assert (accounts["unaccounted"], accounts["findings"]) == (0, [])


def test_status_shows_what_the_mock_server_adds(filled):
    before = filled.json("status")
    filled.client("lambda").invoke(
        FunctionName=filled.output("MockServerFunction"), Payload=b'{"events": 50, "hours": 1}'
    )
    filled.voxlake("reconcile")
    for _ in range(100):
        after = filled.json("status")
        waiting = sum(kind["records"] for kind in after["pending"].values())
        if waiting >= 50:
            break
    assert sum(kind["records"] for kind in before["pending"].values()) == 0
    assert waiting >= 50
    assert after["stream"]["records_last_hour"] > before["stream"]["records_last_hour"]


def test_the_notebook_runs_from_top_to_bottom(filled, monkeypatch):
    for name, value in filled.environment().items():
        monkeypatch.setenv(name, value)
    notebook = nbformat.read(ROOT / "notebooks" / "explore.ipynb", as_version=4)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    kinds = [
        kind
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        for kind in output.get("data", {})
    ]
    assert (kinds.count("image/png"), kinds.count("text/html")) == (4, 2)
