"""Writes landing objects to S3 and their items to the ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import boto3
from boto3.dynamodb.types import TypeSerializer
from botocore.config import Config
from botocore.exceptions import ClientError

from lambdas.stream_consumer.landing import LandingObject
from voxlake.ledger.items import object_put

# Retries end well within the function's timeout, so that a failure is reported, not cut off.
CLIENT_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 4},
    connect_timeout=3,
    read_timeout=15,
    max_pool_connections=64,
)


class ObjectStore(Protocol):
    """Where objects go."""

    def put(self, key: str, body: bytes) -> None: ...


class Ledger(Protocol):
    """Where landed objects are recorded."""

    def record(self, item: dict[str, Any]) -> None: ...


class S3ObjectStore:
    """Objects in one bucket. Putting the same object again is harmless."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, key: str, body: bytes) -> None:
        self._client.put_object(
            Bucket=self._bucket, Key=key, Body=body, ContentType="application/gzip"
        )


class DynamoDbLedger:
    """Items of one table, each written once."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table
        self._serialise = TypeSerializer().serialize

    def record(self, item: dict[str, Any]) -> None:
        """Puts the item unless it is there: a redelivered batch meets its own item, which may
        be done by now and must stay so."""
        put = object_put(item)
        put["Item"] = {name: self._serialise(value) for name, value in item.items()}
        try:
            self._client.put_item(TableName=self._table, **put)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise


class Writer:
    """Writes each object, then its ledger item, objects in parallel.

    Never the other way round: an item without object would be a loss, an object without item
    is found by the reconciler.

    Args:
        threads: objects written at once; they live as long as the writer.
    """

    def __init__(self, store: ObjectStore, ledger: Ledger, *, threads: int) -> None:
        self._store = store
        self._ledger = ledger
        self._pool = ThreadPoolExecutor(threads)

    def write(self, objects: Sequence[LandingObject]) -> dict[str, Exception]:
        """Returns the exception by key of each object that is not both written and recorded."""
        results = self._pool.map(self._write_one, objects)
        return {landed.key: error for landed, error in zip(objects, results, strict=True) if error}

    def _write_one(self, landed: LandingObject) -> Exception | None:
        try:
            self._store.put(landed.key, landed.body)
            self._ledger.record(landed.item)
        except Exception as error:  # of whatever kind: the caller has the batch retried
            return error
        return None


def connect(
    bucket: str, table: str, *, threads: int, client: Callable[..., Any] = boto3.client
) -> Writer:
    """A writer with real clients; region and credentials come from the environment."""
    return Writer(
        S3ObjectStore(client("s3", config=CLIENT_CONFIG), bucket),
        DynamoDbLedger(client("dynamodb", config=CLIENT_CONFIG), table),
        threads=threads,
    )
