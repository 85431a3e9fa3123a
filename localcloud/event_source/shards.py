"""Kinesis shards read inside this process: straight from the Kinesis service's shard logs, so that
a poll costs no request, and no more on a long stream than on a short one."""

from __future__ import annotations

from typing import Any

from localcloud.core import Cloud
from localcloud.errors import ServiceError
from localcloud.kinesis.log import ShardLog

MAX_BYTES = 10 << 20  # of one GetRecords


def stream(cloud: Cloud, arn: str) -> Any:
    """moto's stream; its `shards` are keyed by id. Raises `LookupError` when it is gone."""
    try:
        return cloud.services["kinesis"]._stream({"StreamARN": arn})
    except ServiceError as error:
        raise LookupError(error.message) from None


def shard(cloud: Cloud, arn: str, shard_id: str) -> ShardLog:
    """The records of a shard. Raises `LookupError` when the stream or the shard is gone."""
    try:
        return cloud.services["kinesis"]._log(stream(cloud, arn), shard_id)
    except ServiceError as error:
        raise LookupError(error.message) from None
