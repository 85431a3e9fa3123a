"""A table that got columns: partitions written before and after, read side by side."""

from __future__ import annotations

from typing import Any

import pytest

from tests.localcloud.data import lake
from tests.localcloud.data.conftest import Warehouse

SPANS = "array<struct<text:string,label:string,start:int,end:int>>"
OLD_FILE = "SELECT 'a' AS event_id, 'bag lost' AS text, 'logreg-1' AS model"
# The new columns stand before one of the old: readers go by name.
NEW_FILE = """SELECT 'b' AS event_id, 'to Oslo by Ann' AS text, ['joy', 'love'] AS emotions,
    MAP(['joy', 'love'], [0.9::DOUBLE, 0.6::DOUBLE]) AS emotion_scores,
    [{'text': 'Oslo', 'label': 'LOC', 'start': 3::INT, 'end': 7::INT},
     {'text': 'Ann', 'label': 'PER', 'start': 11::INT, 'end': 14::INT}] AS entities,
    true AS in_scope, 'encoder-1' AS model"""


@pytest.fixture(scope="module", autouse=True)
def scored(client: Any, tables: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Table db.scored: a partition with the old columns, pointed to as it was, and a new one."""
    names = [
        ("event_id", "string"),
        ("text", "string"),
        ("emotions", "array<string>"),
        ("emotion_scores", "map<string,double>"),
        ("entities", SPANS),
        ("in_scope", "boolean"),
        ("model", "string"),
    ]
    columns = [{"Name": name, "Type": kind} for name, kind in names]
    old_columns = [one for one in columns if one["Name"] in ("event_id", "text", "model")]
    storage = {
        "Columns": columns,
        "Location": "s3://lake/scored/",
        "SerdeInfo": {"SerializationLibrary": lake.PARQUET},
    }
    client("glue").create_table(
        DatabaseName="db",
        TableInput={
            "Name": "scored",
            "TableType": "EXTERNAL_TABLE",
            "StorageDescriptor": storage,
            "PartitionKeys": [{"Name": "dt", "Type": "string"}],
        },
    )
    scratch = tmp_path_factory.mktemp("scored")
    for dt, select, of_partition in (
        ("2026-01-01", OLD_FILE, old_columns),
        ("2026-01-02", NEW_FILE, columns),
    ):
        location = f"s3://lake/scored/dt={dt}/v=1/"
        client("s3").put_object(
            Bucket="lake",
            Key=f"scored/dt={dt}/v=1/part-0.parquet",
            Body=lake.parquet(select, scratch),
        )
        client("glue").create_partition(
            DatabaseName="db",
            TableName="scored",
            PartitionInput={
                "Values": [dt],
                "StorageDescriptor": storage | {"Columns": of_partition, "Location": location},
            },
        )


def test_columns_that_a_partition_lacks_are_null_whatever_their_type(warehouse: Warehouse) -> None:
    assert warehouse.rows("SELECT * FROM scored ORDER BY dt") == [
        ("a", "bag lost", None, None, None, None, "logreg-1", "2026-01-01"),
        (
            "b",
            "to Oslo by Ann",
            "[joy, love]",
            "{joy=0.9, love=0.6}",
            "[{text=Oslo, label=LOC, start=3, end=7}, {text=Ann, label=PER, start=11, end=14}]",
            "true",
            "encoder-1",
            "2026-01-02",
        ),
    ]


def test_a_partition_with_old_columns_only_is_read_alone(warehouse: Warehouse) -> None:
    sql = "SELECT event_id, cardinality(entities), in_scope FROM scored WHERE dt = '2026-01-01'"
    assert warehouse.rows(sql) == [("a", None, None)]


def test_lists_and_maps_have_a_cardinality(warehouse: Warehouse) -> None:
    sql = "SELECT cardinality(entities), cardinality(emotion_scores) FROM scored ORDER BY dt"
    assert warehouse.rows(sql) == [(None, None), ("2", "2")]


def test_rows_of_an_array_become_columns(warehouse: Warehouse) -> None:
    sql = """SELECT event_id, e.label, e.text, e."end" FROM scored
        CROSS JOIN UNNEST(entities) AS e (text, label, start, "end") ORDER BY e.start"""
    assert warehouse.rows(sql) == [("b", "LOC", "Oslo", "7"), ("b", "PER", "Ann", "14")]


def test_a_map_becomes_its_keys_and_values(warehouse: Warehouse) -> None:
    sql = """SELECT emotion, score FROM scored
        CROSS JOIN UNNEST(emotion_scores) AS m (emotion, score) ORDER BY score DESC"""
    assert warehouse.rows(sql) == [("joy", "0.9"), ("love", "0.6")]


def test_a_key_that_a_map_lacks_is_null(warehouse: Warehouse) -> None:
    sql = """SELECT element_at(emotion_scores, 'joy'), element_at(emotion_scores, 'fear')
        FROM scored ORDER BY dt"""
    assert warehouse.rows(sql) == [(None, None), ("0.9", None)]
