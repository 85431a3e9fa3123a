"""Crawlers: what is inferred from a bucket, and what follows in the catalog."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.glue import crawl as crawling
from localcloud.glue import schema
from tests.localcloud.data import lake
from tests.localcloud.data.conftest import wait_for

NEW_FOLDERS = {
    "RecrawlPolicy": {"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"},
    "SchemaChangePolicy": {"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"},
    "Configuration": json.dumps({"Version": 1, "Grouping": {"TableLevelConfiguration": 2}}),
}


@pytest.fixture(scope="module", autouse=True)
def database(client: Callable[[str], Any]) -> None:
    for bucket in ("landing", "facts"):
        client("s3").create_bucket(Bucket=bucket)
    client("glue").create_database(DatabaseInput={"Name": "landing"})


@pytest.fixture(scope="module")
def role(create_role: Callable[..., str]) -> str:
    return create_role("crawler", "s3:*", "glue:*")


@pytest.fixture
def crawl(client: Callable[[str], Any], role: str) -> Callable[..., dict[str, Any]]:
    """Create the crawler unless it exists, run it to its end and return it."""
    glue = client("glue")

    def run(name: str, path: str, **options: Any) -> dict[str, Any]:
        target = {"Path": path, "Exclusions": options.pop("exclusions", [])}
        if name not in glue.list_crawlers()["CrawlerNames"]:
            glue.create_crawler(
                **(
                    {
                        "Name": name,
                        "Role": role,
                        "DatabaseName": "landing",
                        "Targets": {"S3Targets": [target]},
                    }
                    | NEW_FOLDERS
                    | options
                )
            )
        glue.start_crawler(Name=name)
        return wait_for(
            lambda: glue.get_crawler(Name=name)["Crawler"],
            lambda c: c["State"] == "READY" and "LastCrawl" in c,
        )

    return run


def put_lines(client: Callable[[str], Any], key: str, *rows: dict[str, Any]) -> None:
    body = gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode())
    client("s3").put_object(Bucket="landing", Key=key, Body=body)


def test_landing_becomes_a_table_per_event_type_with_its_hours(client, crawl, warehouse) -> None:
    post = {
        "stream": "s",
        "sequence": "1",
        "event": {"event_id": "a", "body": {"text": "x", "like_count": 5, "tags": ["t"]}},
    }
    put_lines(client, "post/ingest_date=2015-02-17/ingest_hour=09/s-1-1.json.gz", post)
    put_lines(
        client,
        "profile/ingest_date=2015-02-17/ingest_hour=10/s-2-2.json.gz",
        {"stream": "s", "sequence": "2", "event": {"event_id": "b", "verified": True}},
    )
    put_lines(client, "quarantine/ingest_date=2015-02-17/ingest_hour=10/s-3-3.json.gz", {"x": 1})
    options = {"exclusions": ["quarantine/**"]}

    crawler = crawl("hours", "s3://landing/", **options)

    assert crawler["LastCrawl"]["Status"] == "SUCCEEDED", crawler["LastCrawl"]
    tables = {t["Name"]: t for t in client("glue").get_tables(DatabaseName="landing")["TableList"]}
    assert sorted(tables) == ["post", "profile"]
    (metrics,) = client("glue").get_crawler_metrics(CrawlerNameList=["hours"])["CrawlerMetricsList"]
    assert metrics["TablesCreated"] == 2
    assert metrics["LastRuntimeSeconds"] == metrics["MedianRuntimeSeconds"] > 0
    assert [(c["Name"], c["Type"]) for c in tables["post"]["StorageDescriptor"]["Columns"]] == [
        ("stream", "string"),
        ("sequence", "string"),
        (
            "event",
            "struct<event_id:string,body:struct<text:string,like_count:int,tags:array<string>>>",
        ),
    ]
    assert tables["post"]["PartitionKeys"] == [
        {"Name": "ingest_date", "Type": "string"},
        {"Name": "ingest_hour", "Type": "string"},
    ]
    assert tables["post"]["Parameters"]["classification"] == "json"
    assert warehouse.rows("SELECT event.body.like_count, ingest_hour FROM landing.post") == [
        ("5", "09")
    ]

    # A second crawl looks at new folders only, and changes no column.
    put_lines(
        client,
        "post/ingest_date=2015-02-17/ingest_hour=11/s-4-4.json.gz",
        {**post, "new_column": 1},
    )
    crawl("hours", "s3://landing/", **options)
    assert warehouse.rows("SHOW PARTITIONS landing.post") == [
        ("ingest_date=2015-02-17/ingest_hour=09",),
        ("ingest_date=2015-02-17/ingest_hour=11",),
    ]
    assert (
        len(
            client("glue").get_table(DatabaseName="landing", Name="post")["Table"][
                "StorageDescriptor"
            ]["Columns"]
        )
        == 3
    )
    assert warehouse.rows("SELECT count(*) FROM landing.post") == [("2",)]


def test_a_crawler_without_rights_fails_with_the_reason(client, crawl, create_role) -> None:
    crawler = crawl("denied", "s3://landing/", Role=create_role("crawler-denied", "glue:*"))
    assert crawler["LastCrawl"]["Status"] == "FAILED"
    assert "AccessDenied" in crawler["LastCrawl"]["ErrorMessage"]


def test_an_updated_job_is_the_new_definition(client, role) -> None:
    glue = client("glue")
    command = {"Name": "glueetl", "ScriptLocation": "s3://lake/a.py"}
    glue.create_job(Name="j", Role=role, Command=command, DefaultArguments={"--a": "1"})
    glue.update_job(
        JobName="j",
        JobUpdate={
            "Role": role,
            "Command": command | {"ScriptLocation": "s3://lake/b.py"},
            "Timeout": 5,
        },
    )
    job = glue.get_job(JobName="j")["Job"]
    assert (job["Command"]["ScriptLocation"], job["Timeout"], job["DefaultArguments"]) == (
        "s3://lake/b.py",
        5,
        {},
    )


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, None], "int"),
        ([1, 2**40], "bigint"),
        ([1, 1.5], "double"),
        ([1, "x"], "string"),
        ([True, 1], "string"),
        ([None], "string"),
        ([[1], [2.5]], "array<double>"),
        ([[]], "array<string>"),
        ([{"A": 1}, {"b": "x"}], "struct<a:int,b:string>"),
        ([{}], "string"),
        ([{"a": 1}, 5], "string"),
    ],
)
def test_kinds_merge_into_what_holds_all(values: list[Any], kind: str) -> None:
    merged = None
    for value in values:
        merged = schema.merge(merged, schema.kind_of(value))
    assert schema.glue_type(merged) == kind


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("quarantine/**", "quarantine/a/b.json", True),
        ("quarantine/**", "post/a.json", False),
        ("*.json", "a.json", True),
        ("*.json", "a/b.json", False),
        ("**.json", "a/b.json", True),
        ("?/?.gz", "b/x.gz", True),
        ("?.gz", "ab.gz", False),
    ],
)
def test_exclusions_are_glob_patterns(pattern: str, path: str, matches: bool) -> None:
    assert crawling.excluded(path, [pattern]) is matches


def test_parquet_folders_become_a_table_with_its_types(client, crawl, tmp_path) -> None:
    client("s3").put_object(
        Bucket="facts",
        Key="Fact-Table/dt=1/a.parquet",
        Body=lake.parquet(
            "SELECT 1 AS n, {'a': 'x', 'b': [1.5::DECIMAL(5,2)]} AS s, now() AS at", tmp_path
        ),
    )
    crawl("facts", "s3://facts/")
    table = client("glue").get_table(DatabaseName="landing", Name="fact_table")["Table"]
    assert [(c["Name"], c["Type"]) for c in table["StorageDescriptor"]["Columns"]] == [
        ("n", "int"),
        ("s", "struct<a:string,b:array<decimal(5,2)>>"),
        ("at", "timestamp"),
    ]
    assert table["PartitionKeys"] == [{"Name": "dt", "Type": "string"}]


def test_folders_below_the_tables_level_are_partitions() -> None:
    found = crawling.tables("bucket", ["x/2015/a.json", "x/2016/b.json", "x/_tmp/c.json"], level=2)
    assert [(t.name, t.keys, t.partitions) for t in found] == [
        ("x", ["partition_0"], {("2015",): "x/2015/", ("2016",): "x/2016/"})
    ]


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"TablePrefix": "raw_"}, "TablePrefix"),
        ({"Classifiers": ["csv"]}, "Classifiers"),
        ({"RecrawlPolicy": {"RecrawlBehavior": "CRAWL_EVERYTHING"}}, "RecrawlPolicy"),
        ({"SchemaChangePolicy": {"UpdateBehavior": "LOG"}}, "SchemaChangePolicy"),
        ({"Configuration": "{}"}, "TableLevelConfiguration"),
        ({"Targets": {"JdbcTargets": [{"Path": "x"}]}}, "JdbcTargets"),
        ({"Targets": {"S3Targets": [{"Path": "s3://lake/", "SampleSize": 3}]}}, "SampleSize"),
    ],
)
def test_what_a_crawl_would_not_honour_is_refused_by_name(client, role, options, name) -> None:
    settings = {"Name": "no", "Role": role, "Targets": {"S3Targets": [{"Path": "s3://lake/"}]}}
    with pytest.raises(ClientError) as error:
        client("glue").create_crawler(**(settings | NEW_FOLDERS | options))
    assert name in error.value.response["Error"]["Message"]


def test_an_updated_crawler_is_the_new_definition(client, role) -> None:
    glue, targets = client("glue"), {"S3Targets": [{"Path": "s3://lake/"}]}
    glue.create_crawler(Name="updated", Role=role, Targets=targets, **NEW_FOLDERS)
    glue.update_crawler(Name="updated", Description="new")
    assert glue.get_crawler(Name="updated")["Crawler"]["Description"] == "new"
    for options in ({"Name": "updated", "TablePrefix": "x"}, {"Name": "unknown"}):
        with pytest.raises(ClientError) as error:
            glue.update_crawler(**options)
        code = error.value.response["Error"]["Code"]
        assert code in ("InvalidInputException", "EntityNotFoundException")
