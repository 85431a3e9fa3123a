"""Frames by the table descriptions: explicit schemas for what is read and written."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from glue_jobs.common.lake import Lake
from voxlake.ledger.items import Item
from voxlake.tables import Table, spark_schema_json


def table_schema(table: Table) -> StructType:
    """A table's columns and dt as a Spark schema."""
    return StructType.fromJson(json.loads(spark_schema_json(table, partition_keys=True)))


def table_columns(table: Table) -> list[Column]:
    """The columns of a table in its files' order, cast to its types."""
    return [F.col(column.name).cast(column.type).alias(column.name) for column in table.columns]


def read_versions(
    spark: SparkSession, lake: Lake, table: Table, versions: Sequence[Item]
) -> DataFrame:
    """Rows of partitions at given versions, with dt; no version gives no row.

    Args:
        versions: version items (dt, location, files); read from their locations, never through
            the catalog, which may lag behind the ledger.
    """
    schema = table_schema(table)
    locations = [item["location"] for item in versions if item["files"]]
    if not locations:
        return spark.createDataFrame([], schema)
    frame = spark.read.schema(schema).option("basePath", lake.root(table)).parquet(*locations)
    return frame.select(*table.column_names, "dt")
