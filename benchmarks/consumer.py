"""Throughput of stream_consumer as a share of its floor, on one core, without a network.

The floor is what no consumer of this contract can do without: decode the base64, parse the JSON
with the same parser, gzip the same bytes at the same level. Both sides run in turn on the same
records, best of several rounds, so that a busy machine slows both.

    python -m benchmarks.consumer [--records 10000] [--batch 1000] [--rounds 25]
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import gzip
import io
import logging
import os
import time
from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "stream_consumer")

import orjson
from isal import igzip

from lambdas.common.settings import read_settings
from lambdas.mock_server.mandate import read_mandate
from lambdas.mock_server.settings import Settings as MockSettings
from lambdas.mock_server.traffic import records
from lambdas.stream_consumer.adapters import Writer
from lambdas.stream_consumer.handler import consume, metrics
from lambdas.stream_consumer.landing import GZIP_LEVEL
from lambdas.stream_consumer.settings import Settings

ARN = "arn:aws:kinesis:us-east-1:123456789012:stream/events"
SHARD = "shardId-000000000000"
FIRST_SEQUENCE = 49590338271490256608559692538361571095921575989136588898


# Entries of one PutRecords request arrive together.
RECORDS_PER_REQUEST = 500


class Memory:
    """Object store and ledger in memory."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self.items: list[dict[str, Any]] = []

    def put(self, key: str, body: bytes) -> None:
        self.bodies[key] = body

    def record(self, item: dict[str, Any]) -> None:
        self.items.append(item)


class Nowhere(Memory):
    """Takes objects and items and keeps nothing, so that no memory grows from round to round."""

    def put(self, key: str, body: bytes) -> None:
        pass

    def record(self, item: dict[str, Any]) -> None:
        pass


def kinesis_events(count: int, batch: int) -> Iterator[dict[str, Any]]:
    """Invocation payloads with the mock network's records, as Lambda gets them."""
    clock = datetime(2026, 2, 24, 12, tzinfo=UTC)
    mandate = read_mandate({"events": count, "hours": 24}, clock=clock, seed=7)
    began = clock.timestamp()
    arrived = [
        {
            "eventID": f"{SHARD}:{FIRST_SEQUENCE + number * 977}",
            "eventSourceARN": ARN,
            "kinesis": {
                "sequenceNumber": str(FIRST_SEQUENCE + number * 977),
                "approximateArrivalTimestamp": began + number // RECORDS_PER_REQUEST / 2,
                "data": b64encode(record.data).decode(),
                "partitionKey": record.partition_key,
            },
        }
        for number, record in enumerate(
            records(mandate, read_settings(MockSettings, {"EVENT_STREAM": "events"}))
        )
    ]
    for at in range(0, count, batch):
        yield {"Records": arrived[at : at + batch]}


def floor(events: list[dict[str, Any]], bodies: list[bytes]) -> None:
    """Decode and parse every record, compress every object's lines."""
    for event in events:
        for record in event["Records"]:
            data = a2b_base64(record["kinesis"]["data"])
            try:
                orjson.loads(data)
            except orjson.JSONDecodeError:
                continue
    for body in bodies:
        igzip.compress(body, GZIP_LEVEL, mtime=0)


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of all threads: on one core the same as time, and deaf to its neighbours."""
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--batch", type=int, default=1000, help="records per invocation")
    parser.add_argument("--rounds", type=int, default=25)
    arguments = parser.parse_args()
    logging.disable(logging.INFO)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

    events = list(kinesis_events(arguments.records, arguments.batch))
    settings = read_settings(Settings, {"LANDING_BUCKET": "landing", "LEDGER_TABLE": "ledger"})

    def run(writer: Writer) -> None:
        # The metrics are printed as in the function, but not here.
        with contextlib.redirect_stdout(io.StringIO()):
            for event in events:
                consume(event, settings, writer)
                metrics.flush_metrics()

    landed = Memory()
    run(Writer(landed, landed, threads=settings.max_write_threads))
    gc.collect()
    gc.freeze()  # what was built here is no garbage of either side
    lines = sum(item["records"] for item in landed.items)
    if lines != arguments.records:
        raise SystemExit(f"expected {arguments.records} landed lines, found {lines}")
    bodies = [gzip.decompress(body) for body in landed.bodies.values()]
    nowhere = Nowhere()
    writer = Writer(nowhere, nowhere, threads=settings.max_write_threads)
    consumer_seconds, floor_seconds = [], []
    for _ in range(arguments.rounds):
        consumer_seconds.append(seconds(lambda: run(writer)))
        floor_seconds.append(seconds(lambda: floor(events, bodies)))
    consumer_rate = arguments.records / min(consumer_seconds)
    floor_rate = arguments.records / min(floor_seconds)
    print(f"consumer records/s {consumer_rate:,.0f}")
    print(f"floor records/s {floor_rate:,.0f}")
    print(f"share {consumer_rate / floor_rate:.2f}")


if __name__ == "__main__":
    main()
