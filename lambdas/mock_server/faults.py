"""Records as broken senders make them, each breaking the contract in one way."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import orjson

Event = dict[str, Any]


def _truncated(event: Event, random: Random) -> bytes:
    data = orjson.dumps(event)
    return data[: random.randrange(len(data) // 3, len(data) - 1)]


def _bad_utf8(event: Event, random: Random) -> bytes:
    data = orjson.dumps(event)
    # Inside the author's name, where a Latin-1 sender would put an é.
    at = data.index(event["author_id"].encode()) + 1
    return data[:at] + b"\xe9\xff" + data[at:]


def _with(**changed: Any) -> Callable[[Event, Random], bytes]:
    def broken(event: Event, random: Random) -> bytes:
        return orjson.dumps(event | changed)

    return broken


def _without(field: str) -> Callable[[Event, Random], bytes]:
    def broken(event: Event, random: Random) -> bytes:
        return orjson.dumps({name: value for name, value in event.items() if name != field})

    return broken


def _body_without_identity(event: Event, random: Random) -> bytes:
    body = dict(event["body"])
    del body[next(iter(body))]
    return orjson.dumps(event | {"body": body})


def _numbers_as_text(event: Event, random: Random) -> bytes:
    body = event["body"]
    field = next((name for name, value in body.items() if type(value) is int), None)
    if field is None:
        return orjson.dumps(event | {"schema_version": "1"})
    return orjson.dumps(event | {"body": body | {field: str(body[field])}})


FAULTS: dict[str, Callable[[Event, Random], bytes]] = {
    "truncated": _truncated,
    "bad_utf8": _bad_utf8,
    "not_an_object": lambda event, random: orjson.dumps([event]),
    "plain_text": lambda event, random: b"ERROR upstream timed out after 30000 ms",
    "no_event_id": _without("event_id"),
    "no_occurred_at": _without("occurred_at"),
    "no_body": _without("body"),
    "no_identity": _body_without_identity,
    "number_as_text": _numbers_as_text,
    "author_is_number": _with(author_id=1048576),
    "unknown_event_type": _with(event_type="poll"),
    "unsupported_schema_version": _with(schema_version=9),
    "local_time": _with(occurred_at="24.02.2026 19:35"),
    "before_the_network": _with(occurred_at="1969-07-20T20:17:40Z"),
    "far_future": _with(occurred_at="9999-12-31T23:59:59Z"),
    "long_event_id": _with(event_id="mock-" + "f" * 200),
}


def malformed(event: Event, random: Random) -> bytes:
    """The bytes of an event, broken in one way."""
    return random.choice(tuple(FAULTS.values()))(event, random)
