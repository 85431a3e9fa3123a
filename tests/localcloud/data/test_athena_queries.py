"""Athena queries over a small lake."""

from __future__ import annotations

import datetime
from typing import Any

import awswrangler
import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.localcloud.data import lake
from tests.localcloud.data.conftest import Warehouse, wait_for

pytestmark = pytest.mark.usefixtures("tables")


def test_a_query_reads_exactly_the_catalogs_files(warehouse: Warehouse) -> None:
    assert warehouse.rows("SELECT event_id, likes, dt FROM texts ORDER BY event_id") == [
        ("a", "3", "2015-02-17"),
        ("b", None, "2015-02-17"),
        ("c", "7", "2015-02-18"),
    ]


def test_moving_a_partitions_location_changes_the_answer(client, warehouse, tmp_path) -> None:
    glue = client("glue")
    client("s3").put_object(
        Bucket="lake",
        Key="moved/part.parquet",
        Body=lake.parquet("SELECT 'z' AS event_id", tmp_path),
    )
    old = glue.get_partition(DatabaseName="db", TableName="texts", PartitionValues=["2015-02-18"])
    storage = old["Partition"]["StorageDescriptor"]

    def point_to(location: str) -> None:
        glue.update_partition(
            DatabaseName="db",
            TableName="texts",
            PartitionValueList=["2015-02-18"],
            PartitionInput={
                "Values": ["2015-02-18"],
                "StorageDescriptor": storage | {"Location": location},
            },
        )

    point_to("s3://lake/moved/")
    moved = warehouse.rows("SELECT event_id, text, dt FROM texts WHERE dt = '2015-02-18'")
    point_to(storage["Location"])

    assert moved == [("z", None, "2015-02-18")]


def test_values_are_written_as_athena_writes_them(client, warehouse) -> None:
    sql = """SELECT text, occurred_at, tags, 1.5e0 d, 1e10 big, 1e-5 small, DATE '2015-02-17' day,
        DECIMAL '1.50' dec, true yes, CAST(ROW(1, 'x') AS ROW(a INTEGER, b VARCHAR)) r,
        MAP(ARRAY['k'], ARRAY[1]) m, CAST(NULL AS VARCHAR) nothing, 7 / 2, '' empty, REAL '0.1' re,
        from_unixtime(0) tz, added_later, sum(likes) OVER () s
        FROM texts WHERE event_id = 'a'"""

    execution = warehouse.execute(sql)
    result = warehouse.athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])

    header, row = ([v.get("VarCharValue") for v in r["Data"]] for r in result["ResultSet"]["Rows"])
    assert header[12] == "_col12"
    assert row == [
        "late again",
        "2015-02-17 10:00:00.123",
        "[delay, air]",
        "1.5",
        "1.0E10",
        "1.0E-5",
        "2015-02-17",
        "1.50",
        "true",
        "{a=1, b=x}",
        "{k=1}",
        None,
        "3",
        "",
        "0.1",
        "1970-01-01 00:00:00.000 UTC",
        None,
        "3",
    ]
    types = [c["Type"] for c in result["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]
    assert types == [
        "varchar",
        "timestamp",
        "array",
        "double",
        "double",
        "double",
        "date",
        "decimal",
        "boolean",
        "row",
        "map",
        "varchar",
        "integer",
        "varchar",
        "float",
        "timestamp with time zone",
        "varchar",
        "bigint",
    ]


def test_results_lie_in_s3_as_csv(client, warehouse) -> None:
    execution = warehouse.execute("SELECT text, likes FROM texts ORDER BY event_id")
    location = execution["ResultConfiguration"]["OutputLocation"]
    assert location == f"s3://results/q/{execution['QueryExecutionId']}.csv"
    key = location.removeprefix("s3://results/")
    body = client("s3").get_object(Bucket="results", Key=key)["Body"].read().decode()
    assert body == ('"text","likes"\n"late again","3"\n"thank you",\n"quoted ""x"", y","7"\n')
    client("s3").head_object(Bucket="results", Key=f"{key}.metadata")


def test_landing_lines_are_queried_by_their_structure(warehouse) -> None:
    assert warehouse.rows(
        "SELECT event.event_id, event.body.like_count, ingest_date, ingest_hour FROM landing_post "
        "WHERE ingest_hour = '09' ORDER BY 1"
    ) == [("e1", "1", "2015-02-17", "09"), ("e2", "2", "2015-02-17", "09")]


def test_only_needed_partitions_and_columns_are_scanned(warehouse) -> None:
    def scanned(sql: str) -> int:
        return warehouse.execute(sql)["Statistics"]["DataScannedInBytes"]

    everything = scanned("SELECT * FROM texts")
    one_day = scanned("SELECT * FROM texts WHERE dt = '2015-02-18'")
    one_column = scanned("SELECT likes FROM texts")
    assert 0 < one_day < everything
    assert 0 < one_column < everything
    assert scanned("SELECT count(*) FROM texts WHERE dt = '1999-01-01'") == 0
    assert scanned(
        "WITH x AS (SELECT * FROM texts) SELECT likes FROM x WHERE dt > '2015-02-17'"
    ) == scanned("SELECT likes FROM texts WHERE dt = '2015-02-18'")
    assert scanned("SELECT * FROM landing_post") > 0


def test_a_table_without_files_is_empty(warehouse) -> None:
    assert warehouse.rows("SELECT count(*), max(likes) FROM empty") == [("0", None)]


def test_results_are_paged(client, warehouse) -> None:
    execution = warehouse.execute("SELECT x FROM UNNEST(sequence(1, 25)) AS t(x) ORDER BY x")
    athena = client("athena")
    pages, token = [], {}
    while True:
        page = athena.get_query_results(
            QueryExecutionId=execution["QueryExecutionId"], MaxResults=10, **token
        )
        pages.append([r["Data"][0]["VarCharValue"] for r in page["ResultSet"]["Rows"]])
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert [len(page) for page in pages] == [10, 10, 6]
    assert [v for page in pages for v in page] == ["x", *map(str, range(1, 26))]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        (
            "SELECT 1\nFROM nowhere",
            "TABLE_NOT_FOUND: line 2:6: Table 'awsdatacatalog.db.nowhere' does not exist",
        ),
        ("SELECT * FROM no_db.t", "SCHEMA_NOT_FOUND: line 1:21: Schema 'no_db' does not exist"),
        (
            "SELECT wrong FROM texts",
            "COLUMN_NOT_FOUND: line 1:8: Column 'wrong' cannot be resolved or "
            "requester is not authorized to access requested resources",
        ),
        ("SELECT nosuch(1)", "FUNCTION_NOT_FOUND: line 1:8: Function 'nosuch' not registered"),
        ("SELECT 1/0", "DIVISION_BY_ZERO: / by zero"),
        (
            "SELECT dt, count(*) FROM texts",
            "EXPRESSION_NOT_AGGREGATE: line 1:8: 'dt' must be an "
            "aggregate expression or appear in GROUP BY clause",
        ),
        ("SELECT CAST(text AS BIGINT) FROM texts", "INVALID_CAST_ARGUMENT: "),
        ("DELETE FROM texts", "NOT_SUPPORTED: "),
    ],
)
def test_a_failed_query_says_why_in_athenas_words(warehouse, sql: str, reason: str) -> None:
    assert warehouse.reason(sql).startswith(reason)


def test_sql_that_does_not_parse_is_refused(warehouse) -> None:
    with pytest.raises(ClientError) as error:
        warehouse.execute("SELECT FROM WHERE")
    assert error.value.response["Error"]["Code"] == "InvalidRequestException"
    assert error.value.response["Error"]["Message"].startswith("line 1:")


def test_parameters_take_the_place_of_question_marks(warehouse) -> None:
    assert warehouse.rows(
        "SELECT event_id FROM texts WHERE dt = ? AND likes > ?",
        ExecutionParameters=["'2015-02-17'", "2"],
    ) == [("a",)]


def test_a_stopped_query_is_cancelled(client, warehouse) -> None:
    athena = client("athena")
    query_id = athena.start_query_execution(
        QueryString="SELECT count(*) FROM UNNEST(sequence(1, 100000)) a(x), "
        "UNNEST(sequence(1, 1000000)) b(y) WHERE x * y % 7 = 3",
        ResultConfiguration={"OutputLocation": "s3://results/q"},
    )["QueryExecutionId"]
    athena.stop_query_execution(QueryExecutionId=query_id)
    state = wait_for(
        lambda: athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Status"][
            "State"
        ],
        lambda s: s not in ("QUEUED", "RUNNING"),
    )
    assert state == "CANCELLED"
    with pytest.raises(ClientError) as error:
        athena.get_query_results(QueryExecutionId=query_id)
    assert error.value.response["Error"]["Code"] == "InvalidRequestException"


def test_the_workgroup_decides_output_and_scan_limit(cloud, client, warehouse) -> None:
    athena, key = client("athena"), client("kms").create_key()["KeyMetadata"]["Arn"]
    athena.create_work_group(
        Name="strict",
        Configuration={
            "EnforceWorkGroupConfiguration": True,
            "BytesScannedCutoffPerQuery": 10_000_000,
            "ResultConfiguration": {
                "OutputLocation": "s3://results/strict/",
                "EncryptionConfiguration": {"EncryptionOption": "SSE_KMS", "KmsKey": key},
            },
        },
    )
    execution = warehouse.execute("SELECT 1", WorkGroup="strict")
    location = execution["ResultConfiguration"]["OutputLocation"]
    assert location.startswith("s3://results/strict/")
    written = client("s3").head_object(Bucket="results", Key=location.removeprefix("s3://results/"))
    assert (written["ServerSideEncryption"], written["SSEKMSKeyId"]) == ("aws:kms", key)

    # The smallest limit AWS takes is 10 MB; the client would refuse to send this one.
    unchecked = boto3.client(
        "athena",
        endpoint_url=cloud.endpoint,
        region_name=cloud.region,
        aws_access_key_id="AKIAROOT",
        aws_secret_access_key="x",
        config=Config(parameter_validation=False),
    )
    unchecked.update_work_group(
        WorkGroup="strict", ConfigurationUpdates={"BytesScannedCutoffPerQuery": 10}
    )
    execution = warehouse.execute("SELECT * FROM texts", WorkGroup="strict")
    assert execution["Status"]["State"] == "CANCELLED"
    assert execution["Status"]["StateChangeReason"] == "Bytes scanned limit was exceeded"
    assert (
        execution["QueryExecutionId"]
        in athena.list_query_executions(WorkGroup="strict")["QueryExecutionIds"]
    )
    refused = "CREATE TABLE x WITH (external_location = 's3://lake/x/') AS SELECT 1 a"
    assert "enforces a centralized output location" in warehouse.reason(refused, WorkGroup="strict")


def test_views_are_made_and_read(client, warehouse) -> None:
    warehouse.execute(
        "CREATE OR REPLACE VIEW liked AS SELECT event_id, likes + 1 AS more, dt "
        "FROM texts WHERE likes IS NOT NULL"
    )
    assert warehouse.rows("SELECT * FROM liked WHERE dt = '2015-02-18'") == [
        ("c", "8", "2015-02-18")
    ]
    view = client("glue").get_table(DatabaseName="db", Name="liked")["Table"]
    assert view["TableType"] == "VIRTUAL_VIEW"
    assert [(c["Name"], c["Type"]) for c in view["StorageDescriptor"]["Columns"]] == [
        ("event_id", "string"),
        ("more", "bigint"),
        ("dt", "string"),
    ]
    assert warehouse.rows("SHOW VIEWS IN db") == [("liked",)]
    warehouse.execute("DROP VIEW liked")
    assert warehouse.rows("SHOW VIEWS IN db") == []


def test_a_query_has_the_callers_rights(cloud, create_role, warehouse) -> None:
    def ask(name: str, *actions: str) -> dict[str, Any]:
        keys = cloud.role_credentials(create_role(name, *actions), "test")
        session = boto3.session.Session(
            keys["AWS_ACCESS_KEY_ID"],
            keys["AWS_SECRET_ACCESS_KEY"],
            keys["AWS_SESSION_TOKEN"],
            region_name=cloud.region,
        )
        athena = session.client("athena", endpoint_url=cloud.endpoint)
        return Warehouse(athena).execute("SELECT count(*) FROM texts")["Status"]

    reader = ask("reader", "athena:*", "glue:*", "s3:*")
    assert reader["State"] == "SUCCEEDED", reader
    no_catalog = ask("no-catalog", "athena:*", "s3:*")
    assert no_catalog["State"] == "FAILED"
    assert "Insufficient permissions" in no_catalog["StateChangeReason"]
    no_objects = ask("no-objects", "athena:*", "glue:*")
    assert no_objects["State"] == "FAILED"
    assert "Insufficient permissions" in no_objects["StateChangeReason"]


@pytest.fixture
def session(cloud, monkeypatch) -> boto3.session.Session:
    for name, value in cloud.root_environment().items():
        monkeypatch.setenv(name, value)
    return boto3.session.Session()


@pytest.mark.parametrize(
    "options",
    [
        {"ctas_approach": True},
        {"ctas_approach": False},
        {"ctas_approach": False, "unload_approach": True},
    ],
    ids=["ctas", "csv", "unload"],
)
def test_awswrangler_reads_a_query(session, client, options: dict[str, bool]) -> None:
    where = "unload" if "unload_approach" in options else "wr"
    frame = awswrangler.athena.read_sql_query(
        "SELECT event_id, likes, occurred_at, polarity, dt FROM texts ORDER BY event_id",
        database="db",
        s3_output=f"s3://results/{where}/",
        boto3_session=session,
        athena_query_wait_polling_delay=0.05,
        **options,
    )

    frame = frame.sort_values("event_id").astype(object).where(frame.notna(), None)
    moment = datetime.datetime(2015, 2, 17, 11, 30)
    assert frame.drop(columns="occurred_at").to_numpy().tolist() == [
        ["a", 3, 0.5, "2015-02-17"],
        ["b", None, 0.5, "2015-02-17"],
        ["c", 7, 0.5, "2015-02-18"],
    ]
    assert frame["occurred_at"].tolist()[1].to_pydatetime() == moment
    tables = [t["Name"] for t in client("glue").get_tables(DatabaseName="db")["TableList"]]
    assert not [name for name in tables if name.startswith("temp_table")]
