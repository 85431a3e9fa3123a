"""What the tests of web_api look at."""

from __future__ import annotations

from typing import Any

import boto3

from tests.unit.lambdas.api_kit import Answer
from voxlake.ledger.items import plain


def item(table: str, **key: str) -> dict[str, Any]:
    return plain(boto3.resource("dynamodb").Table(table).get_item(Key=key)["Item"])


def problem(answer: Answer) -> tuple[int, list[str]]:
    """(status, names of the wrong fields) of a problem document."""
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json
    assert set(document) == {"type", "title", "status", "detail", "errors"}
    assert document["status"] == answer.status
    return answer.status, [error["field"] for error in document["errors"]]
