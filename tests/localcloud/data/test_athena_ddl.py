"""Athena's data definition statements against the Glue catalog."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.usefixtures("tables")


def test_what_the_catalog_holds_is_shown(warehouse) -> None:
    assert ("db",) in warehouse.rows("SHOW DATABASES")
    assert warehouse.rows("SHOW TABLES IN db 'te.*'") == [("texts",)]
    assert warehouse.rows("show partitions db.texts;") == [("dt=2015-02-17",), ("dt=2015-02-18",)]
    assert warehouse.rows("DESCRIBE texts")[0] == ("event_id", "string", "")
    assert warehouse.rows("DESCRIBE texts")[-1] == ("dt", "string", "")
    assert warehouse.reason("SHOW PARTITIONS db.empty").startswith("FAILED: ")


@pytest.mark.parametrize(
    "sql",
    [
        "MSCK REPAIR TABLE texts",
        "CREATE EXTERNAL TABLE x (a int) LOCATION 's3://lake/x/'",
        "ALTER TABLE texts DROP PARTITION (dt = '1')",
        "SELECT * FROM information_schema.tables",
        "UNLOAD (SELECT 1 AS a) TO 's3://lake/u/' WITH (format = 'JSON')",
        "CREATE TABLE x WITH (partitioned_by = ARRAY['dt']) AS SELECT 1 AS a, '1' AS dt",
    ],
)
def test_what_is_not_done_is_refused_by_name(warehouse, sql) -> None:
    assert warehouse.reason(sql).startswith("NOT_SUPPORTED: ")


def test_create_table_as_writes_parquet_and_refuses_a_full_location(client, warehouse) -> None:
    execution = warehouse.execute(
        "CREATE TABLE likes WITH (format = 'PARQUET', write_compression = 'SNAPPY', "
        "external_location = 's3://lake/likes/') AS "
        "SELECT event_id, sum(likes) AS likes, dt FROM texts GROUP BY 1, 3"
    )
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    assert execution["StatementType"] == "DDL"
    assert warehouse.rows("SELECT * FROM likes ORDER BY 1") == [
        ("a", "3", "2015-02-17"),
        ("b", None, "2015-02-17"),
        ("c", "7", "2015-02-18"),
    ]
    table = client("glue").get_table(DatabaseName="db", Name="likes")["Table"]
    assert [(c["Name"], c["Type"]) for c in table["StorageDescriptor"]["Columns"]] == [
        ("event_id", "string"),
        ("likes", "bigint"),
        ("dt", "string"),
    ]
    manifest = execution["Statistics"]["DataManifestLocation"].removeprefix("s3://results/")
    listed = client("s3").get_object(Bucket="results", Key=manifest)["Body"].read().decode()
    assert [uri.rsplit("/", 1)[0] for uri in listed.split()] == ["s3://lake/likes"]

    assert warehouse.reason("CREATE TABLE likes AS SELECT 1 AS a").startswith(
        "TABLE_ALREADY_EXISTS"
    )
    assert warehouse.reason(
        "CREATE TABLE other WITH (external_location = 's3://lake/likes/') AS SELECT 1 AS a"
    ).startswith("HIVE_PATH_ALREADY_EXISTS")
    assert "Column type is unknown: a" in warehouse.reason("CREATE TABLE o2 AS SELECT NULL AS a")

    warehouse.execute("DROP TABLE likes")
    assert warehouse.reason("DROP TABLE likes").startswith("FAILED: SemanticException")
    assert warehouse.execute("DROP TABLE IF EXISTS likes")["Status"]["State"] == "SUCCEEDED"
    assert client("s3").list_objects_v2(Bucket="lake", Prefix="likes/")["KeyCount"] == 1
