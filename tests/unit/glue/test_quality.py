"""Quality rules through the real jobs: what is put aside, told, and what keeps readers safe."""

from __future__ import annotations

from dataclasses import replace

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import functions as F

from glue_jobs import landing_to_cleansed
from glue_jobs.common.checks import Measured, broken_rule, measure
from glue_jobs.common.errors import ColumnTypeError
from glue_jobs.common.frames import table_schema
from glue_jobs.common.gate import METRIC, Gate
from tests.unit.glue.kit import CLEANING, NOON, SHARD, LakeKit, event, records
from voxlake.quality.errors import QualityHaltError, RuleError
from voxlake.quality.rules import Rules, default_rules, read_rules
from voxlake.tables import TABLE_OF_EVENT_TYPE, TABLES

JOB = landing_to_cleansed.JOB
DAY = "2026-03-01"
RULES = read_rules("""
posts:
  halt:
    few_rows: RowCount < 4
  quarantine:
    liked_possibly: ColumnValues "like_count" < 100 where "like_count is not null"
  warn:
    languages_told: Completeness "lang" > 0.9
quarantine:
  halt:
    readable: CustomSql "select count(*) from primary where reason = 'unreadable_line'" <= 1
""")
RESULT = ("run_id", "job", "table_name", "partition_dt", "rule", "passed", "found", "rows_failed")


def first_posts() -> list[dict]:
    """Two good posts, one of them twice, and one with more likes than can be."""
    return [
        event("p1", lang="en"),
        event("p2"),
        event("p3", like_count=500),
        event("p2"),
    ]


@pytest.fixture
def ruled(lake) -> LakeKit:
    lake.rules = RULES
    lake.land(records(first_posts()))
    return lake


def check_a_halt_keeps_readers_on_the_old_version(lake: LakeKit) -> list[str]:
    """Two runs, of which the second breaks a rule of level halt; keys of what is pending."""
    lake.cleanse("run-1")
    versions, rows = lake.versions("posts"), lake.rows("posts")
    keys = lake.land(records([event("p4"), event("p5")], first=100))
    with pytest.raises(QualityHaltError) as raised:
        lake.cleanse("run-2")
    assert str(raised.value) == (
        "halted by quality rule few_rows of posts dt=2026-03-01: expected RowCount < 4, found 4; "
        "nothing was published, what was pending stays so: repair the data or the rule, then run "
        "again"
    )
    assert (lake.versions("posts"), lake.rows("posts")) == (versions, rows)
    assert [lake.object(key)["state"] for key in keys] == ["pending"]
    return keys


def test_a_row_that_breaks_a_rule_is_quarantined_by_its_name_and_the_counts_add_up(ruled):
    namespace = ruled.prefix
    counting = replace(ruled.job(JOB, "run-1"), metrics_namespace=namespace)
    landing_to_cleansed.run(counting, CLEANING)
    assert sorted(row["event_id"] for row in ruled.rows("posts")) == ["p1", "p2"]
    (row,) = ruled.rows("quarantine")
    assert {**row, "arrival": str(row["arrival"])} == {
        "reason": "liked_possibly",
        "field": "like_count",
        "event_type": "post",
        "event_id": "p3",
        "detail": 'expected ColumnValues "like_count" < 100 where "like_count is not null" of the '
        "event",
        "arrival": "2026-03-01 12:00:02+00:00",
        "shard": SHARD,
        "sequence": "3",
        "dt": DAY,
    }
    assert ruled.totals() == {
        "post": {"received": 4, "cleansed": 2, "duplicate": 1, "quarantined": 1}
    }
    assert sorted(tuple(row.values()) for row in ruled.rows("quality_results", RESULT)) == [
        ("run-1", JOB, "posts", DAY, "few_rows", True, "2", None),
        ("run-1", JOB, "posts", DAY, "languages_told", False, "0.5 (1 of 2 rows without)", 1),
        ("run-1", JOB, "quarantine", DAY, "readable", True, "0 rows", 0),
    ]
    item = ruled.ledger.run("run-1", f"QUALITY#{JOB}")
    assert (item["state"], item["checked"], item["warned"], item["halted"]) == ("passed", 3, 1, 0)
    counted = boto3.client("cloudwatch").list_metrics(Namespace=namespace, MetricName=METRIC)
    assert [
        {one["Name"]: one["Value"] for one in metric["Dimensions"]} for metric in counted["Metrics"]
    ] == [{"Table": "posts", "Rule": "languages_told", "Level": "warn"}]


def test_a_halted_run_publishes_nothing_and_is_done_whole_once_the_rule_is_repaired(ruled):
    keys = check_a_halt_keeps_readers_on_the_old_version(ruled)
    assert ruled.ledger.run("run-2", f"QUALITY#{JOB}")["state"] == "halted"
    halted = [row for row in ruled.rows("quality_results") if row["run_id"] == "run-2"]
    assert {(row["rule"], row["level"], row["passed"]) for row in halted} == {
        ("few_rows", "halt", False),
        ("languages_told", "warn", False),
    }

    ruled.rules = Rules(RULES.rules[1:])
    ruled.cleanse("run-3")
    assert sorted(row["event_id"] for row in ruled.rows("posts")) == ["p1", "p2", "p4", "p5"]
    assert [ruled.object(key)["state"] for key in keys] == ["done"]
    assert ruled.totals() == {
        "post": {"received": 6, "cleansed": 4, "duplicate": 1, "quarantined": 1}
    }


def test_without_the_gate_the_bad_version_is_published(ruled, monkeypatch):
    monkeypatch.setattr(Gate, "check", lambda *_: None)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check_a_halt_keeps_readers_on_the_old_version(ruled)
    assert len(ruled.rows("posts")) == 4


def test_a_landing_object_of_garbage_halts_the_run_in_one_line(lake):
    lake.rules = RULES
    lake.land(records([event("p1")]))
    batch = records([event("x1"), event("x2")], first=50, arrival=NOON)
    lake.land_object("post", SHARD, batch, body=b"no gzip at all")
    with pytest.raises(QualityHaltError) as raised:
        lake.cleanse("run-1")
    line = str(raised.value)
    assert "readable of quarantine dt=2026-03-01" in line
    assert "<= 1, found 2 rows; nothing was published" in line
    assert [lake.versions(name) for name in ("posts", "quarantine")] == [{}, {}]


def test_a_column_of_another_type_fails_the_run_in_one_line(lake):
    lake.land(records([event("p1", like_count=3)]))
    lake.cleanse("run-1")
    (file,) = (lake.folder / "cleansed" / "posts").rglob("*.parquet")
    table = pq.ParquetFile(file).read()
    at = table.column_names.index("like_count")
    pq.write_table(table.set_column(at, "like_count", pa.array(["three"])), file)
    versions = lake.versions("posts")
    lake.land(records([event("p2")], first=100))
    with pytest.raises(ColumnTypeError) as raised:
        lake.cleanse("run-2")
    line = str(raised.value)
    assert f"{file.name}: expected column like_count as bigint, found BINARY" in line
    assert "\n" not in line
    assert lake.versions("posts") == versions


def posts(spark, *rows: dict):
    """Rows of posts of one day."""
    schema = table_schema(TABLES["posts"])
    return spark.createDataFrame([{"dt": DAY, **row} for row in rows], schema)


MEASURED = {
    "RowCount > 0": [4],
    'RowCount > 0 where "like_count > 1"': [2],
    'IsComplete "lang"': [1, 4],
    'Completeness "lang" > 0.5 where "like_count > 1"': [1, 2],
    'ColumnValues "like_count" < 5': [2, 4],
    'ColumnValues "like_count" != 1': [1, 4],
    'ColumnValues "lang" in ["en", "it\'s"]': [1, 4],
    'ColumnValues "lang" in ["en", NULL]': [1, 4],
    'ColumnValues "lang" not in ["en"]': [2, 4],
    'ColumnValues "lang" = NULL': [3, 4],
    'ColumnValues "lang" matches "e."': [2, 4],
    'ColumnValues "like_count" between 1 and 9': [3, 4],
    'ColumnValues "arrival" > (now() - 2 hours)': [1, 4],
    'ColumnLength "lang" > 2': [3, 4],
    'Mean "like_count" > 0': [4.0],
    'Sum "like_count" > 0 where "lang = \'en\'"': [3.0],
    'StandardDeviation "like_count" > 0': [pytest.approx((38 / 3) ** 0.5)],
    'CustomSql "select count(*) from primary where share_count > like_count" = 0': [1, 4],
    'IsUnique "lang"': [2, 3],
    'IsPrimaryKey "lang" "like_count"': [2, 4],
    'ReferentialIntegrity "lang" "comments.comment_id" > 0.5': [2, 3],
}


def test_every_kind_of_rule_takes_its_numbers_in_one_pass(spark):
    now = F.current_timestamp()
    rows = posts(
        spark,
        {"lang": "en", "like_count": 1, "share_count": 5},
        {"lang": "en", "like_count": 2},
        {"lang": "it's", "share_count": 7},
        {"like_count": 9},
    ).withColumn(
        "arrival", F.when(F.col("like_count") == 9, F.lit(0).cast("timestamp")).otherwise(now)
    )
    rows = rows.unionByName(posts(spark, {"lang": "en"}).withColumn("dt", F.lit("2026-03-02")))
    written = "".join(f"    r{at}: {text}\n" for at, text in enumerate(MEASURED))
    rules = read_rules(f"posts:\n  warn:\n{written}")
    known = spark.createDataFrame([("it's",)], "comment_id STRING")
    found = measure([(TABLES["posts"], rows)], rules.checked, lambda table, of: known)
    of_day = found["posts", DAY]
    assert (of_day.rows, found["posts", "2026-03-02"].rows) == (4, 1)
    assert {
        rule.expression.text: list(of_day.of(rule)) for rule in rules.checked("posts")
    } == MEASURED
    assert Measured().of(rules.rules[0]) == [0.0]


def test_sql_that_spark_does_not_take_is_named_with_its_rule(spark):
    rules = read_rules(
        'posts:\n  halt:\n    odd: CustomSql "select count(*) from primary where lkes > 1" = 0\n'
    )
    with pytest.raises(RuleError) as raised:
        measure([(TABLES["posts"], posts(spark))], rules.checked, lambda table, of: None)
    assert str(raised.value).startswith("rule posts.odd: expected SQL that Spark takes, found ")
    assert "`lkes`" in str(raised.value)


def test_spark_takes_all_rules_of_the_project(spark):
    rules = default_rules()

    def empty(table, of=""):
        return spark.createDataFrame([], table_schema(table))

    tables = [TABLES[name] for name in dict.fromkeys(rule.table for rule in rules.rules)]
    assert measure([(table, empty(table)) for table in tables], rules.checked, empty) == {}
    for name in TABLE_OF_EVENT_TYPE.values():
        own = [rule for rule in rules.quarantining() if rule.table == name]
        if own:
            rows = empty(TABLES[name]).withColumn("_table", F.lit(name))
            assert rows.select(broken_rule(own, rows)).dtypes[0][1] == "string"
