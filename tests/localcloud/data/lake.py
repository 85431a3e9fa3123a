"""A small lake for the Athena tests: a partitioned Parquet table, landing JSON, a view."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any

import duckdb

PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
JSON = "org.openx.data.jsonserde.JsonSerDe"
TEXTS = [
    # dt, event_id, text, likes, at, tags
    ("2015-02-17", "a", "late again", 3, "2015-02-17 10:00:00.123456", ["delay", "air"]),
    ("2015-02-17", "b", "thank you", None, "2015-02-17 11:30:00", []),
    ("2015-02-18", "c", 'quoted "x", y', 7, "2015-02-18 00:00:00", ["air"]),
]


def parquet(select: str, tmp_path: Any) -> bytes:
    """Return a Parquet file of a DuckDB query; timestamps with zone, as Spark writes them."""
    path = tmp_path / "file.parquet"
    with duckdb.connect() as connection:
        connection.execute("SET timezone = 'UTC'")
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
    return path.read_bytes()


def texts_select(dt: str) -> str:
    rows = []
    for day, event_id, text, likes, at, tags in TEXTS:
        if day == dt:
            rows.append(
                f"SELECT '{event_id}' AS event_id, '{text}' AS text, "
                f"CAST({'NULL' if likes is None else likes} AS BIGINT) AS likes, "
                f"TIMESTAMPTZ '{at}+00' AS occurred_at, CAST({tags} AS VARCHAR[]) AS tags, "
                "CAST(0.5 AS DOUBLE) AS polarity"
            )
    return " UNION ALL ".join(rows)


def build(client: Any, tmp_path: Any) -> None:
    """Fill bucket `lake` and database `db`."""
    s3, glue = client("s3"), client("glue")
    glue.create_database(DatabaseInput={"Name": "db"})
    columns = [
        ("event_id", "string"),
        ("text", "string"),
        ("likes", "bigint"),
        ("occurred_at", "timestamp"),
        ("tags", "array<string>"),
        ("polarity", "double"),
        ("added_later", "string"),
    ]
    storage = {
        "Columns": [{"Name": n, "Type": t} for n, t in columns],
        "Location": "s3://lake/texts/",
        "SerdeInfo": {"SerializationLibrary": PARQUET},
    }
    glue.create_table(
        DatabaseName="db",
        TableInput={
            "Name": "texts",
            "TableType": "EXTERNAL_TABLE",
            "StorageDescriptor": storage,
            "PartitionKeys": [{"Name": "dt", "Type": "string"}],
        },
    )
    for dt in ("2015-02-17", "2015-02-18"):
        location = f"s3://lake/texts/dt={dt}/v=run1/"
        s3.put_object(
            Bucket="lake",
            Key=f"texts/dt={dt}/v=run1/part-0.parquet",
            Body=parquet(texts_select(dt), tmp_path),
        )
        # An unpublished version beside the current one: no reader may see it.
        s3.put_object(
            Bucket="lake",
            Key=f"texts/dt={dt}/v=run2/part-0.parquet",
            Body=parquet(texts_select(dt), tmp_path),
        )
        glue.create_partition(
            DatabaseName="db",
            TableName="texts",
            PartitionInput={"Values": [dt], "StorageDescriptor": storage | {"Location": location}},
        )
    event = "struct<event_id:string,body:struct<text:string,like_count:bigint>>"
    landing = {
        "Columns": [{"Name": "stream", "Type": "string"}, {"Name": "event", "Type": event}],
        "Location": "s3://lake/landing/post/",
        "SerdeInfo": {"SerializationLibrary": JSON},
    }
    glue.create_table(
        DatabaseName="db",
        TableInput={
            "Name": "landing_post",
            "TableType": "EXTERNAL_TABLE",
            "StorageDescriptor": landing,
            "PartitionKeys": [
                {"Name": "ingest_date", "Type": "string"},
                {"Name": "ingest_hour", "Type": "string"},
            ],
        },
    )
    body = io.BytesIO()
    with gzip.open(body, "wt") as file:
        for number in (1, 2):
            file.write(
                json.dumps(
                    {
                        "stream": "events",
                        "event": {
                            "event_id": f"e{number}",
                            "unknown": {"x": 1},
                            "body": {"text": "hi", "like_count": number},
                        },
                    }
                )
                + "\n"
            )
    prefix = "landing/post/ingest_date=2015-02-17/ingest_hour=09/"
    s3.put_object(Bucket="lake", Key=f"{prefix}s-1-2.json.gz", Body=body.getvalue())
    glue.create_partition(
        DatabaseName="db",
        TableName="landing_post",
        PartitionInput={
            "Values": ["2015-02-17", "09"],
            "StorageDescriptor": landing | {"Location": f"s3://lake/{prefix}"},
        },
    )
    glue.create_table(
        DatabaseName="db",
        TableInput={
            "Name": "empty",
            "TableType": "EXTERNAL_TABLE",
            "StorageDescriptor": storage | {"Location": "s3://lake/empty/"},
            "PartitionKeys": [],
        },
    )
