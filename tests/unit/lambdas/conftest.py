"""Kinesis events as Lambda hands them over, and a cloud in the process."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "test")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "voxlake")

LANDING, LEDGER, STREAM = "landing-bucket", "ledger-table", "events"


@pytest.fixture
def kinesis_record() -> Callable[..., dict[str, Any]]:
    def make(
        sequence: int, data: bytes, *, shard: int = 0, arrival: float = 1771934400.25
    ) -> dict[str, Any]:
        return {
            "eventID": f"shardId-{shard:012d}:{sequence}",
            "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/events",
            "kinesis": {
                "partitionKey": "author",
                "sequenceNumber": str(sequence),
                "approximateArrivalTimestamp": arrival,
                "data": b64encode(data).decode(),
            },
        }

    return make


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A bucket, the ledger's table and a stream, in moto."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket=LANDING)
        boto3.client("dynamodb").create_table(
            TableName=LEDGER,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"}
                for name in ("pk", "sk", "pending_shard")
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "pending",
                    "KeySchema": [
                        {"AttributeName": "pending_shard", "KeyType": "HASH"},
                        {"AttributeName": "sk", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )
        boto3.client("kinesis").create_stream(StreamName=STREAM, ShardCount=1)
        yield
