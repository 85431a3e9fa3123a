"""The evidence and the repairs in AWS: ledger, landing, catalog, stream. Athena: see athena."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config
from botocore.exceptions import ClientError

from voxlake.ledger.items import object_put, plain, version_keys

CLIENT_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 5},
    connect_timeout=3,
    read_timeout=60,
    max_pool_connections=16,
)
# CloudWatch keeps sums by the hour for 455 days.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
METRIC_RETENTION = timedelta(days=455)
_DAY_SECONDS = 86_400


class Ledger:
    """The ledger's table; items as plain dicts."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table
        self._serialise = TypeSerializer().serialize
        self._deserialise = TypeDeserializer().deserialize

    def items(self) -> Iterator[dict[str, Any]]:
        """Items of landed objects and of versions, each as it was at some moment of the scan."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table,
            ConsistentRead=True,
            FilterExpression="begins_with(pk, :object) OR begins_with(pk, :version)",
            ExpressionAttributeValues={":object": {"S": "OBJECT#"}, ":version": {"S": "VERSION#"}},
        )
        for page in pages:
            yield from map(self._plain, page["Items"])

    def version(self, database: str, table: str, dt: str) -> dict[str, Any] | None:
        """The version item of a partition as it is now."""
        keys = version_keys(database, table, dt)
        answer = self._client.get_item(
            TableName=self._table, Key=self._typed(keys), ConsistentRead=True
        )
        return self._plain(answer["Item"]) if "Item" in answer else None

    def restore(self, item: dict[str, Any]) -> bool:
        """Puts the item of a landed object unless it is there again; whether it was put."""
        put = object_put(item)
        put["Item"] = self._typed(item)
        try:
            self._client.put_item(TableName=self._table, **put)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def _typed(self, item: dict[str, Any]) -> dict[str, Any]:
        return {name: self._serialise(value) for name, value in item.items()}

    def _plain(self, item: dict[str, Any]) -> dict[str, Any]:
        return {name: plain(self._deserialise(value)) for name, value in item.items()}


class Landing:
    """The landing bucket."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def listing(self) -> Iterator[tuple[str, int, datetime]]:
        """(key, bytes, time of its last write) of every object."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket)
        for page in pages:
            for found in page.get("Contents", ()):
                yield found["Key"], found["Size"], found["LastModified"]

    def read(self, key: str) -> bytes:
        return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()


class Catalog:
    """Partitions of the lake's tables in the Glue catalog."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def partitions(self, database: str, table: str) -> dict[str, str]:
        """{dt: location} of a table; none where there is no such table."""
        pages = self._client.get_paginator("get_partitions").paginate(
            DatabaseName=database, TableName=table, ExcludeColumnSchema=True
        )
        try:
            return {
                partition["Values"][0]: partition["StorageDescriptor"]["Location"]
                for page in pages
                for partition in page["Partitions"]
            }
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityNotFoundException":
                raise
            return {}

    def point(self, database: str, table: str, dt: str, location: str) -> None:
        """Makes a partition lie at a location, creating it if need be."""
        found = self._client.get_table(DatabaseName=database, Name=table)
        partition = {
            "Values": [dt],
            "StorageDescriptor": {**found["Table"]["StorageDescriptor"], "Location": location},
        }
        try:
            self._client.update_partition(
                DatabaseName=database,
                TableName=table,
                PartitionValueList=[dt],
                PartitionInput=partition,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityNotFoundException":
                raise
            self._client.create_partition(
                DatabaseName=database, TableName=table, PartitionInput=partition
            )


class StreamCounter:
    """What the stream itself counted."""

    def __init__(self, client: Any, stream: str) -> None:
        self._client = client
        self._stream = stream

    def incoming_records(self, now: datetime) -> int | None:
        """Records the stream took as far back as CloudWatch remembers, which is its whole life
        in a lake younger than that; None where CloudWatch knows of none.

        Failed entries of PutRecords are not counted, and the newest minutes come late.
        """
        points = self._client.get_metric_statistics(
            Namespace="AWS/Kinesis",
            MetricName="IncomingRecords",
            Dimensions=[{"Name": "StreamName", "Value": self._stream}],
            # Whole days, so that no period is cut.
            StartTime=_midnight(now - METRIC_RETENTION),
            EndTime=_midnight(now) + timedelta(days=1),
            Period=_DAY_SECONDS,
            Statistics=["Sum"],
        )["Datapoints"]
        return round(sum(point["Sum"] for point in points)) if points else None


def _midnight(instant: datetime) -> datetime:
    return instant.replace(hour=0, minute=0, second=0, microsecond=0)
