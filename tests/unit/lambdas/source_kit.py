"""A cloud with a stream, the table of the sources and a secret, and a clock that tests move."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from lambdas.common.source_runs import Patience
from tests.unit.lambdas.conftest import STREAM

TABLE = "sources-table"


@dataclass
class Clock:
    """Now, as long as nobody moves it."""

    now: datetime = datetime(2026, 2, 24, 20, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


@dataclass
class Hurry:
    """Patience that never sleeps, and that ends after a number of looks at its watch."""

    looks: int = 10**9
    waits: list[float] = field(default_factory=list)

    def patience(self) -> Patience:
        return Patience(self._remaining, sleep=self.waits.append)

    def _remaining(self) -> float:
        self.looks -= 1
        return 300.0 if self.looks >= 0 else 1.0


def make_table() -> None:
    boto3.client("dynamodb").create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")
        ],
    )


def make_secret(value: dict[str, str] | None) -> str:
    """The ARN of a secret, without a value as the template makes it or with one."""
    given = {} if value is None else {"SecretString": json.dumps(value)}
    return boto3.client("secretsmanager").create_secret(Name="key", **given)["ARN"]


def put_secret(arn: str, value: dict[str, str]) -> None:
    boto3.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=json.dumps(value))


def item(source: str, sk: str) -> dict[str, Any]:
    """An item of the table as plain values, {} where there is none."""
    return (
        boto3.resource("dynamodb")
        .Table(TABLE)
        .get_item(Key={"pk": source, "sk": sk})
        .get("Item", {})
    )


def streamed() -> list[dict[str, Any]]:
    """Every event on the stream, in order."""
    client = boto3.client("kinesis")
    shard = client.list_shards(StreamName=STREAM)["Shards"][0]["ShardId"]
    iterator = client.get_shard_iterator(
        StreamName=STREAM, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    events: list[dict[str, Any]] = []
    while True:
        answer = client.get_records(ShardIterator=iterator)
        events += [json.loads(record["Data"]) for record in answer["Records"]]
        if not answer["Records"]:
            return events
        iterator = answer["NextShardIterator"]


def times_sent(events: list[dict[str, Any]]) -> Counter[str]:
    return Counter(event["event_id"] for event in events)
