"""Properties of the consumer's pure part: whatever arrives, however it is cut."""

from __future__ import annotations

import gzip
from base64 import b64encode
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.stream_consumer.landing import (
    LandingObject,
    UnexpectedRecordError,
    first_unwritten,
    land,
)
from tests.unit.lambdas.kit import event
from voxlake.ledger.keys import parse_object_key
from voxlake.ledger.restore import object_item_of

FUTURE = timedelta(hours=24)
HOUR = 1771934400.0  # 2026-02-24T12:00:00Z
Line = dict[str, Any]


def pretty(data: bytes) -> bytes:
    return orjson.dumps(orjson.loads(data), option=orjson.OPT_INDENT_2).replace(b"\n", b"\r\n")


VALID = st.builds(event, st.integers(0, 99), st.sampled_from(["post", "comment", "interaction"]))
DATA = st.one_of(
    VALID,
    VALID.map(pretty),
    VALID.map(lambda data: data[:-3]),
    VALID.map(lambda data: data.replace(b"hallo", b"\xff")),
    st.binary(max_size=40),
    st.sampled_from(
        [
            b"",
            b"null",
            b"[]",
            b"1",
            b'"x"',
            b"{}",
            event(1, "comment", body=3),
            event(1, event_id=""),
            event(1, occurred_at="9999-01-01T00:00:00Z"),
            event(1, schema_version=2),
            b"\xf3\x89\x9a\xc2" + event(1),
        ]
    ),
)
# Arrival times run back and cross the hour, as approximate times may.
ARRIVAL = st.integers(0, 7_200_000).map(lambda milliseconds: HOUR + milliseconds / 1000)


@st.composite
def shard_records(draw: st.DrawFn, shard: int = 0) -> list[dict[str, Any]]:
    """Records of a stretch of a shard, ascending."""
    sequences = sorted(draw(st.sets(st.integers(1, 10**56), min_size=1, max_size=12)))
    return [
        {
            "eventID": f"shardId-{shard:012d}:{sequence}",
            "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/events",
            "kinesis": {
                "sequenceNumber": str(sequence),
                "approximateArrivalTimestamp": draw(ARRIVAL),
                "data": b64encode(draw(DATA)).decode(),
                "partitionKey": "x",
            },
        }
        for sequence in sequences
    ]


def lines_of(objects: list[LandingObject]) -> list[tuple[str, bytes]]:
    """(kind, line) of every line of the objects."""
    return [
        (parse_object_key(one.key).kind, line)
        for one in objects
        for line in gzip.decompress(one.body).splitlines(keepends=True)
    ]


def identities(objects: list[LandingObject]) -> list[tuple[str, int]]:
    return [
        (line["shard"], int(line["sequence"]))
        for line in (orjson.loads(text) for _, text in lines_of(objects))
    ]


@given(shard_records(0), st.just([]) | shard_records(1), st.randoms())
def test_every_record_lands_exactly_once_whatever_the_order(records, others, random):
    records = records + others
    shuffled = records + records[:2]
    random.shuffle(shuffled)
    distinct = {record["eventID"] for record in records}

    batch = land(shuffled, max_future=FUTURE)

    assert Counter(
        f"{shard}:{sequence}" for shard, sequence in identities(batch.objects)
    ) == Counter(distinct)
    assert batch.received == len(distinct)
    assert batch.landed.total() + len(batch.quarantined) == len(distinct)


@given(shard_records())
def test_the_same_batch_gives_the_same_objects(records):
    assert (
        land(records, max_future=FUTURE).objects
        == land([dict(record) for record in records], max_future=FUTURE).objects
    )


@given(shard_records(), st.integers(0, 12), st.integers(0, 12))
def test_split_and_overlapping_batches_give_the_same_lines(records, cut, overlap):
    whole = lines_of(land(records, max_future=FUTURE).objects)
    halves = [part for part in (records[:cut], records[max(0, cut - overlap) :]) if part]
    cut_lines = [
        line for part in halves for line in lines_of(land(part, max_future=FUTURE).objects)
    ]

    assert set(cut_lines) == set(whole)
    assert len(whole) == len(records)


@given(shard_records())
def test_an_object_holds_every_line_of_its_kind_in_its_range(records):
    """What the redelivered rule stands on: a done object's range covers nothing it lacks."""
    objects = land(records, max_future=FUTURE).objects
    kinds = {int(orjson.loads(line)["sequence"]): kind for kind, line in lines_of(objects)}

    for one in objects:
        key = parse_object_key(one.key)
        held = {sequence for _, sequence in identities([one])}
        assert held == {
            sequence
            for sequence, kind in kinds.items()
            if kind == key.kind and key.first <= sequence <= key.last
        }


@given(shard_records())
def test_the_ledger_item_says_what_the_object_holds(records):
    for one in land(records, max_future=FUTURE).objects:
        assert one.item == object_item_of(one.key, one.body)


@given(shard_records())
def test_the_key_carries_the_hour_of_every_line(records):
    for one in land(records, max_future=FUTURE).objects:
        key = parse_object_key(one.key)
        hours = {orjson.loads(line)["arrival"][:13] for _, line in lines_of([one])}
        assert hours == {f"{key.ingest_date}T{key.ingest_hour}"}


@given(ARRIVAL)
@settings(max_examples=300)
def test_arrival_is_written_to_the_microsecond(timestamp):
    records = [
        {
            "eventID": f"shardId-0:{number}",
            "eventSourceARN": "arn:aws:kinesis:r:1:stream/events",
            "kinesis": {
                "sequenceNumber": str(number),
                "approximateArrivalTimestamp": at,
                "data": b64encode(event(number)).decode(),
            },
        }
        for number, at in enumerate([timestamp, timestamp + 0.9999996, timestamp + 1e-6], 10)
    ]
    arrivals = [
        orjson.loads(line)["arrival"]
        for _, line in lines_of(land(records, max_future=FUTURE).objects)
    ]
    assert sorted(arrivals) == sorted(
        datetime.fromtimestamp(record["kinesis"]["approximateArrivalTimestamp"], UTC).strftime(
            "%Y-%m-%dT%H:%M:%S.%fZ"
        )
        for record in records
    )


def test_a_landing_line_embeds_the_event_as_it_came(kinesis_record):
    trace = b'{"big": 12345678901234567890123, "x" : 1.50}'
    data = event(1, trace="here").replace(b'"here"', trace)
    batch = land([kinesis_record(7, data)], max_future=FUTURE)

    assert [line for _, line in lines_of(batch.objects)] == [
        b'{"stream":"events","shard":"shardId-000000000000","sequence":"7",'
        b'"arrival":"2026-02-24T12:00:00.250000Z","event":' + data + b"}\n"
    ]
    assert batch.objects[0].key == (
        "post/ingest_date=2026-02-24/ingest_hour=12/shardId-000000000000-7-7.json.gz"
    )


def test_json_printed_over_several_lines_becomes_one_line_of_the_same_value(kinesis_record):
    data = event(1)
    batch = land([kinesis_record(7, pretty(data))], max_future=FUTURE)

    ((kind, line),) = lines_of(batch.objects)
    assert kind == "post"
    assert line.count(b"\n") == 1
    assert b"\r" not in line
    assert orjson.loads(line)["event"] == orjson.loads(data)


def test_a_quarantine_line_keeps_the_bytes_and_names_the_field(kinesis_record):
    data = event(1, body={"post_id": "p1", "text": 5})
    batch = land([kinesis_record(7, data), kinesis_record(8, b"\xff\xfe")], max_future=FUTURE)

    lines = [orjson.loads(line) for _, line in lines_of(batch.objects)]
    details = [line.pop("detail") for line in lines]
    common = {
        "stream": "events",
        "shard": "shardId-000000000000",
        "arrival": "2026-02-24T12:00:00.250000Z",
    }
    assert lines == [
        {
            **common,
            "sequence": "7",
            "event_type": "post",
            "event_id": "e1",
            "reason": "wrong_type",
            "field": "body.text",
            "data": b64encode(data).decode(),
        },
        {
            **common,
            "sequence": "8",
            "event_type": "unknown",
            "event_id": None,
            "reason": "not_utf8",
            "field": "",
            "data": "//4=",
        },
    ]
    assert all(details)
    assert batch.objects[0].item["types"] == {"post": 1, "unknown": 1}


@pytest.mark.parametrize(
    ("seconds_ahead", "reason"), [(24 * 3600, None), (24 * 3600 + 1, "occurred_at_out_of_range")]
)
def test_the_future_ends_a_day_after_the_exact_arrival(kinesis_record, seconds_ahead, reason):
    arrival = HOUR + 0.75
    occurred = datetime.fromtimestamp(HOUR + seconds_ahead, UTC)
    exact = f"{occurred:%Y-%m-%dT%H:%M:%S}.750000Z"
    batch = land(
        [kinesis_record(1, event(1, occurred_at=exact), arrival=arrival)], max_future=FUTURE
    )
    assert [found for _, found in batch.quarantined] == ([reason] if reason else [])


def test_a_consumer_of_enhanced_fan_out_names_the_stream(kinesis_record):
    record = kinesis_record(1, event(1))
    record["eventSourceARN"] += "/consumer/fast:1771934400"
    ((_, line),) = lines_of(land([record], max_future=FUTURE).objects)
    assert orjson.loads(line)["stream"] == "events"


def test_something_else_than_kinesis_records_is_refused():
    with pytest.raises(UnexpectedRecordError, match="event source mapping"):
        land([{"messageId": "1", "body": "an SQS message"}], max_future=FUTURE)


def test_a_retry_begins_at_the_first_record_not_written(kinesis_record):
    batch = land(
        [
            kinesis_record(10, event(1)),
            kinesis_record(11, event(2, "comment")),
            kinesis_record(12, event(3)),
        ],
        max_future=FUTURE,
    )
    post, comment = batch.objects
    assert first_unwritten(batch, [comment]) == "11"
    assert first_unwritten(batch, [post]) is None
    assert first_unwritten(batch, [post, comment]) is None
