"""The enricher's tables in moto."""

from __future__ import annotations

import boto3
import pytest

from lambdas.text_enricher import handler as enricher
from tests.unit.lambdas.text_enricher.kit import SCORES, TICKETS


@pytest.fixture(autouse=True)
def counted_anew() -> None:
    enricher.metrics.clear_metrics()


@pytest.fixture
def tables(cloud) -> None:
    client = boto3.client("dynamodb")
    for name, keys in ((SCORES, ("event_id", "tracker")), (TICKETS, ("pk",))):
        client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": key, "KeyType": kind}
                for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        )
