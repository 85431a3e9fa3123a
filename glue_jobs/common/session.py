"""The Spark session every job runs in: a plain one; only what the lake's files depend on is set."""

from __future__ import annotations

from pyspark.sql import SparkSession

# Parquet files grow to about 128 MB: shuffled rows (lz4) take about twice what zstd Parquet does.
REBALANCE_BYTES = 256 * 1024 * 1024

SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    # Spark's default, INT96, is read back with nanoseconds or not at all by other engines.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.adaptive.advisoryPartitionSizeInBytes": str(REBALANCE_BYTES),
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    # dt is text; without this Spark reads it back as a date.
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    # What a run caches is read a few times within the minute: compressing costs more than it saves.
    "spark.sql.inMemoryColumnarStorage.compressed": "false",
    # A run names every folder it reads; a listing job for a hundred of them costs more than it.
    "spark.sql.sources.parallelPartitionDiscovery.threshold": "512",
    "mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
}


def spark_session(app_name: str) -> SparkSession:
    """The running session, or a new one by Spark's own configuration, with the lake's settings."""
    spark = SparkSession.builder.appName(app_name).getOrCreate()
    for name, value in SETTINGS.items():
        spark.conf.set(name, value)
    return spark


def shuffle_partitions(spark: SparkSession, rows: int, rows_each: int = 125_000) -> None:
    """Sizes the session's shuffles by the rows that a run moves.

    Never below two tasks a core: a job of a few thousand rows is not worth Spark's 200 files a
    task, one of a hundred million needs more of them.
    """
    cores = spark.sparkContext.defaultParallelism
    spark.conf.set("spark.sql.shuffle.partitions", max(2 * cores, -(-rows // rows_each)))
