"""A batch of Kinesis records as landing and quarantine objects: pure, deterministic.

The same records always give the same objects, byte for byte (igzip is deterministic on one
kind of CPU). A batch may arrive again whole, halved by a bisect or from some record on; what
keeps the tables right then is that every object is *contiguous*: it holds every line of its
kind and shard between its first and last sequence number. Hence a new object begins wherever
the hour of arrival changes from one line of a kind to the next, even if that hour came before
(arrival times are approximate and may run back by some milliseconds). This needs a mapping
with ParallelizationFactor 1: with more, the batches of a shard interleave.

Records aggregated by the Kinesis Producer Library are not taken apart: their protobuf envelope
is no JSON, so such a record ends in quarantine as not_utf8 or not_json.
"""

from __future__ import annotations

from binascii import a2b_base64
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from operator import lt
from typing import Any

import orjson
from isal import igzip
from orjson import loads

from voxlake.errors import InvalidEventError, TerminalError
from voxlake.events.checks import CHECKS
from voxlake.events.parse import parse_event
from voxlake.ledger.items import object_item
from voxlake.ledger.keys import QUARANTINE_KIND, object_key
from voxlake.times import format_rfc3339

# Level 2 of igzip's 0-3: level 3 costs twice the time for 0.2% fewer bytes.
GZIP_LEVEL = 2
PARSED_AT_ONCE = 32
MAX_DETAIL_CHARACTERS = 1000
LF, CR = b"\n\r"
# In valid JSON a raw line break can only stand between tokens, so a space is equivalent; the
# readers of landing split lines at both characters.
_ONE_LINE = bytes.maketrans(b"\n\r", b"  ")


Record = Mapping[str, Any]
"""A record of a Kinesis event, as Lambda hands it over."""


class UnexpectedRecordError(TerminalError):
    """The invocation does not hold Kinesis records: the function is wired to something else."""


@dataclass(frozen=True, slots=True)
class LandingObject:
    """One object to put, and the ledger item that records it.

    Attributes:
        key: object key in the landing bucket.
        body: gzip of JSON lines.
        first: lowest sequence number among the lines.
        item: the ledger item (state pending).
    """

    key: str
    body: bytes
    first: str
    item: dict[str, Any]


@dataclass(slots=True)
class Batch:
    """What a batch becomes.

    Attributes:
        objects: the objects, in order of their first sequence number within a shard.
        shards: the distinct records of each shard, ascending by sequence number.
        landed: landed lines by event type.
        quarantined: sequence number and reason of each quarantined record.
    """

    objects: list[LandingObject] = field(default_factory=list)
    shards: dict[str, Sequence[Record]] = field(default_factory=dict)
    landed: Counter[str] = field(default_factory=Counter)
    quarantined: list[tuple[int, str]] = field(default_factory=list)

    @property
    def received(self) -> int:
        return sum(map(len, self.shards.values()))


class _Segment:
    """Lines of one kind and shard that arrived within one hour, in order of sequence number."""

    __slots__ = ("first", "kind", "last", "lines", "quarantined_types")

    def __init__(self, kind: str, first: Mapping[str, Any]) -> None:
        self.kind = kind
        # The `kinesis` members of the first and the last record.
        self.first = self.last = first
        # One buffer that grows: each record's bytes are given back at once and stay in the cache.
        self.lines = bytearray()
        self.quarantined_types: Counter[str] = Counter()


def land(records: Sequence[Record], *, max_future: timedelta) -> Batch:
    """Turns the records of one invocation into objects.

    Args:
        records: `Records` of a Kinesis event; `data` is base64, approximateArrivalTimestamp
            is in seconds since 1970 (UTC).
        max_future: how far occurred_at may lie after the arrival.

    Returns:
        The objects and counts. Each distinct (shard, sequence number) is in exactly one object.

    Raises:
        UnexpectedRecordError: a record is not a Kinesis record.
    """
    batch = Batch()
    try:
        batch.shards = _by_shard(records)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UnexpectedRecordError(
            "stream_consumer expects Kinesis records with an eventID such as shardId-0:4959…, "
            f"found {error!r}; check the function's event source mapping"
        ) from error
    for shard, of_shard in batch.shards.items():
        for segment in _split(batch, shard, of_shard, max_future):
            landed = _close(shard, segment)
            batch.objects.append(landed)
            if segment.kind != QUARANTINE_KIND:
                batch.landed[segment.kind] += landed.item["records"]
    return batch


def _by_shard(records: Sequence[Record]) -> dict[str, Sequence[Record]]:
    """Distinct records of each shard, ascending by sequence number."""
    ids = [record["eventID"] for record in records]
    if not ids:
        return {}
    # What Lambda delivers: one shard, ascending. Of ids of one length the order as text is the
    # order as numbers, and what lies between two ids of a shard is of that shard.
    shard = ids[0].rpartition(":")[0]
    if (
        ids[-1].rpartition(":")[0] == shard
        and len(set(map(len, ids))) == 1
        and all(map(lt, ids, ids[1:]))
    ):
        return {shard: records}
    shards: dict[str, dict[int, Record]] = {}
    for event_id, record in zip(ids, records, strict=True):
        shard, _, sequence = event_id.rpartition(":")
        shards.setdefault(shard, {}).setdefault(int(sequence), record)
    return {
        shard: [by_sequence[number] for number in sorted(by_sequence)]
        for shard, by_sequence in sorted(shards.items())
    }


def _parsed(
    records: Sequence[Record],
) -> Iterator[Iterable[tuple[Mapping[str, Any], bytes, Any]]]:
    """The `kinesis` member, the bytes and the parsed JSON of each record; None where it is none.

    A few at a time: the data stays in the processor's cache and so does the code of each step,
    which saves a tenth of the consumer's whole time.
    """
    for start in range(0, len(records), PARSED_AT_ONCE):
        members = [record["kinesis"] for record in records[start : start + PARSED_AT_ONCE]]
        data = [a2b_base64(member["data"]) for member in members]
        try:
            events = list(map(loads, data))
        except ValueError:
            events = list(map(_loads_or_none, data))
        yield zip(members, data, events, strict=True)


def _loads_or_none(data: bytes) -> Any:
    try:
        return loads(data)
    except ValueError:
        return None


def _split(
    batch: Batch, shard: str, records: Sequence[Record], max_future: timedelta
) -> list[_Segment]:
    # Runs for every record of the stream: what can be is done once a second, segment or batch.
    segments: list[_Segment] = []
    current: dict[str, _Segment] = {}
    stream = stream_name(records[0]["eventSourceARN"])
    head = f'{{"stream":{_quoted(stream)},"shard":{_quoted(shard)},"sequence":"'
    previous = second = -1.0
    hour = ""
    for kinesis, data, event in chain.from_iterable(_parsed(records)):
        timestamp = kinesis["approximateArrivalTimestamp"]
        if timestamp != previous:
            previous = timestamp
            microsecond = round((timestamp - second) * 1_000_000)
            if not 0 <= microsecond < 1_000_000:
                exact = datetime.fromtimestamp(timestamp, UTC)
                microsecond = exact.microsecond
                arrival_second = exact.replace(microsecond=0)
                second = arrival_second.timestamp()
                second_text = arrival_second.isoformat()[:19]
                if second_text[:13] != hour:
                    hour = second_text[:13]
                    current.clear()  # every object is of one hour
                latest = arrival_second + max_future
            middle = f'","arrival":"{second_text}.{microsecond:06d}Z","event":'
        rejected = None
        try:
            kind = event["event_type"]
            valid = CHECKS[kind](event, latest)
        except (KeyError, TypeError):
            valid = False
        if not valid:
            # This check is parse_event's own, against the second of arrival, which allows a
            # little less than the arrival itself; what it doubts is looked at properly.
            arrival = arrival_second.replace(microsecond=microsecond)
            try:
                kind = parse_event(data, arrival=arrival, max_future=max_future)["event_type"]
            except InvalidEventError as error:
                kind, rejected = QUARANTINE_KIND, error
        sequence = kinesis["sequenceNumber"]
        segment = current.get(kind)
        if segment is None:
            segment = current[kind] = _Segment(kind, kinesis)
            segments.append(segment)
        segment.last = kinesis
        lines = segment.lines
        if rejected is None:
            lines += f"{head}{sequence}{middle}".encode()
            lines += data.translate(_ONE_LINE) if LF in data or CR in data else data
            lines += b"}\n"
        else:
            batch.quarantined.append((int(sequence), str(rejected.reason)))
            segment.quarantined_types[rejected.event_type] += 1
            lines += _quarantine_line(stream, shard, kinesis, format_rfc3339(arrival), rejected)
    return segments


def _close(shard: str, segment: _Segment) -> LandingObject:
    first, last = segment.first["sequenceNumber"], segment.last["sequenceNumber"]
    first_arrival, last_arrival = (
        datetime.fromtimestamp(kinesis["approximateArrivalTimestamp"], UTC)
        for kinesis in (segment.first, segment.last)
    )
    # mtime 0 and no file name: nothing but the lines decides the bytes.
    body = igzip.compress(segment.lines, GZIP_LEVEL, mtime=0)
    key = object_key(segment.kind, first_arrival, shard, first, last)
    return LandingObject(
        key=key,
        body=body,
        first=first,
        item=object_item(
            kind=segment.kind,
            shard=shard,
            key=key,
            first=first,
            last=last,
            types=segment.quarantined_types or {segment.kind: segment.lines.count(b"\n")},
            size_bytes=len(body),
            arrival_first=format_rfc3339(first_arrival),
            arrival_last=format_rfc3339(last_arrival),
        ),
    )


def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()


def _quarantine_line(
    stream: str, shard: str, kinesis: Mapping[str, Any], arrival: str, error: InvalidEventError
) -> bytes:
    return orjson.dumps(
        {
            "stream": stream,
            "shard": shard,
            "sequence": kinesis["sequenceNumber"],
            "arrival": arrival,
            "event_type": error.event_type,
            "event_id": error.event_id,
            "reason": str(error.reason),
            "field": error.field,
            "detail": error.detail[:MAX_DETAIL_CHARACTERS],
            "data": kinesis["data"],
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )


def stream_name(arn: str) -> str:
    """Name of the stream of an event source ARN; an enhanced fan-out consumer's ARN goes on."""
    return arn.partition(":stream/")[2].partition("/")[0]


def first_unwritten(batch: Batch, failed: Iterable[LandingObject]) -> str | None:
    """Where a retry must begin: the lowest sequence number of the failed objects.

    Returns:
        That sequence number; None when everything has to be retried: nothing lies below it, or
        the batch spans shards, of which a sequence number says nothing.
    """
    if len(batch.shards) != 1:
        return None
    (records,) = batch.shards.values()
    lowest = min((one.first for one in failed), key=int)
    return None if lowest == records[0]["kinesis"]["sequenceNumber"] else lowest
