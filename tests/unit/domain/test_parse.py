from __future__ import annotations

import copy
import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.unit.domain.kit import ARRIVAL, valid_event
from voxlake.errors import InvalidEventError
from voxlake.events.checks import CHECKS
from voxlake.events.instants import EARLIEST, instant
from voxlake.events.models import MODELS
from voxlake.events.parse import parse_event
from voxlake.quarantine import QuarantineReason as Reason

DAY = timedelta(hours=24)


def parsed(data: bytes | dict) -> dict:
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    return parse_event(data, arrival=ARRIVAL, max_future=DAY)


def refused(data: bytes | dict) -> InvalidEventError:
    with pytest.raises(InvalidEventError) as caught:
        parsed(data)
    return caught.value


def changed(event: dict, path: str, value: object = ...) -> dict:
    event = copy.deepcopy(event)
    holder = event
    *parents, last = path.split(".")
    for parent in parents:
        holder = holder[parent]
    if value is ...:
        del holder[last]
    else:
        holder[last] = value
    return event


@pytest.mark.parametrize("event_type", MODELS)
def test_a_valid_event_comes_back_as_it_was_with_unknown_fields(event_type, make_event):
    event = make_event(event_type)
    assert parsed(event) == event


@pytest.mark.parametrize("event_type", MODELS)
def test_every_required_field_is_missed_by_its_dotted_name(event_type, make_event):
    event, model = make_event(event_type), MODELS[event_type]
    body = model.model_fields["body"].annotation
    paths = [name for name, field in model.model_fields.items() if field.is_required()]
    paths += [f"body.{name}" for name, field in body.model_fields.items() if field.is_required()]
    found = {path: refused(changed(event, path)) for path in paths}
    assert {path: (error.reason, error.field) for path, error in found.items()} == {
        path: (Reason.MISSING_FIELD, path) for path in paths
    }


@pytest.mark.parametrize("event_type", MODELS)
def test_every_optional_body_field_may_be_null_or_absent(event_type, make_event):
    event = make_event(event_type)
    body = MODELS[event_type].model_fields["body"].annotation
    for name, field in body.model_fields.items():
        if not field.is_required():
            parsed(changed(event, f"body.{name}", None))
            parsed(changed(event, f"body.{name}"))


@pytest.mark.parametrize(
    ("path", "value", "reason", "field"),
    [
        ("event_id", "", Reason.INVALID_VALUE, "event_id"),
        ("event_id", "x" * 129, Reason.TOO_LONG, "event_id"),
        ("event_id", 5, Reason.WRONG_TYPE, "event_id"),
        ("event_id", None, Reason.WRONG_TYPE, "event_id"),
        ("event_type", "reel", Reason.UNKNOWN_EVENT_TYPE, "event_type"),
        ("event_type", "unknown", Reason.UNKNOWN_EVENT_TYPE, "event_type"),
        ("event_type", ["post"], Reason.WRONG_TYPE, "event_type"),
        ("event_type", None, Reason.WRONG_TYPE, "event_type"),
        ("schema_version", 2, Reason.UNSUPPORTED_SCHEMA_VERSION, "schema_version"),
        ("schema_version", "1", Reason.WRONG_TYPE, "schema_version"),
        ("schema_version", True, Reason.WRONG_TYPE, "schema_version"),
        ("schema_version", 1.0, Reason.WRONG_TYPE, "schema_version"),
        ("source", "radio", Reason.INVALID_VALUE, "source"),
        ("source", ["x"], Reason.WRONG_TYPE, "source"),
        ("occurred_at", 1700000000, Reason.WRONG_TYPE, "occurred_at"),
        ("occurred_at", "yesterday", Reason.INVALID_VALUE, "occurred_at"),
        ("occurred_at", "2025-12-31", Reason.INVALID_VALUE, "occurred_at"),
        ("occurred_at", "2025-02-30T00:00:00Z", Reason.INVALID_VALUE, "occurred_at"),
        ("occurred_at", "2025-02-20T24:00:00Z", Reason.INVALID_VALUE, "occurred_at"),
        ("occurred_at", "2025-W09-2T10:00:00Z", Reason.INVALID_VALUE, "occurred_at"),
        ("occurred_at", "2025-02-20T10:00:00", Reason.INVALID_VALUE, "occurred_at"),
        ("occurred_at", "1969-07-20T20:17:40Z", Reason.OCCURRED_AT_OUT_OF_RANGE, "occurred_at"),
        ("occurred_at", "9999-12-31T23:59:59Z", Reason.OCCURRED_AT_OUT_OF_RANGE, "occurred_at"),
        ("occurred_at", "2003-12-31T23:59:59Z", Reason.OCCURRED_AT_OUT_OF_RANGE, "occurred_at"),
        (
            "occurred_at",
            "2026-01-02T12:00:00.000001Z",
            Reason.OCCURRED_AT_OUT_OF_RANGE,
            "occurred_at",
        ),
        ("author_id", "", Reason.INVALID_VALUE, "author_id"),
        ("body", [], Reason.WRONG_TYPE, "body"),
        ("body", None, Reason.WRONG_TYPE, "body"),
        ("body.text", None, Reason.WRONG_TYPE, "body.text"),
        ("body.text", "x" * 100_001, Reason.TOO_LONG, "body.text"),
        ("body.like_count", "5", Reason.WRONG_TYPE, "body.like_count"),
        ("body.like_count", True, Reason.WRONG_TYPE, "body.like_count"),
        ("body.like_count", 5.0, Reason.WRONG_TYPE, "body.like_count"),
        ("body.like_count", -1, Reason.INVALID_VALUE, "body.like_count"),
        ("body.like_count", 2**63, Reason.INVALID_VALUE, "body.like_count"),
        ("body.like_count", 10**30, Reason.INVALID_VALUE, "body.like_count"),
        ("body.hashtags", "fail", Reason.WRONG_TYPE, "body.hashtags"),
        ("body.hashtags", ["a", 1], Reason.WRONG_TYPE, "body.hashtags.1"),
        ("body.hashtags", ["a" * 257], Reason.TOO_LONG, "body.hashtags.0"),
        ("body.hashtags", ["a"] * 1001, Reason.TOO_LONG, "body.hashtags"),
    ],
)
def test_reason_and_field_name_what_is_wrong(path, value, reason, field, make_event):
    error = refused(changed(make_event(), path, value))
    assert (error.reason, error.field) == (reason, field)


def test_an_unlisted_interaction_kind_is_an_invalid_value(make_event):
    error = refused(changed(make_event("interaction"), "body.kind", "poke"))
    assert (error.reason, error.field) == (Reason.INVALID_VALUE, "body.kind")


@pytest.mark.parametrize(
    "accepted",
    ["2004-01-01T00:00:00Z", "2026-01-02T12:00:00Z", "2025-02-24T11:35:52.123456789-08:00"],
)
def test_occurred_at_may_be_any_rfc_3339_within_the_range(accepted, make_event):
    parsed(changed(make_event(), "occurred_at", accepted))


def test_the_largest_count_is_below_two_to_the_63(make_event):
    parsed(changed(make_event(), "body.like_count", 2**63 - 1))


def test_a_range_error_comes_before_an_error_of_a_later_field(make_event):
    late = changed(make_event(), "occurred_at", "1969-07-20T20:17:40Z")
    assert refused(changed(late, "body.text")).field == "occurred_at"
    assert refused(changed(late, "source", 5)).field == "source"


KNOWN = ("post", "post-1")
UNKNOWN = ("unknown", None)


@pytest.mark.parametrize(
    ("damage", "reason", "readable"),
    [
        (lambda data: b"\xff" + data, Reason.NOT_UTF8, UNKNOWN),
        (lambda data: data.replace(b"Newark", b"\xff\xfe"), Reason.NOT_UTF8, KNOWN),
        (lambda data: data.replace(b"Newark", b"\xed\xa0\x80"), Reason.NOT_UTF8, KNOWN),
        (lambda data: data.replace(b"Newark", b"\\ud800"), Reason.NOT_UTF8, KNOWN),
        (lambda data: data.replace(b"post-1", b"\\udc00"), Reason.NOT_UTF8, ("post", None)),
        (lambda data: data.replace(b"post-1", b"\xff"), Reason.NOT_UTF8, ("post", None)),
        (lambda data: data[:-1], Reason.NOT_JSON, UNKNOWN),
        (lambda data: b"", Reason.NOT_JSON, UNKNOWN),
        (lambda data: data + data, Reason.NOT_JSON, UNKNOWN),
        (lambda data: data.replace(b'"Newark"', b"NaN"), Reason.NOT_JSON, KNOWN),
        (lambda data: data.replace(b'"Newark"', b"-Infinity"), Reason.NOT_JSON, KNOWN),
        (lambda data: data.replace(b'"Newark"', b"1e999"), Reason.NOT_JSON, KNOWN),
        (lambda data: b"[" * 500_000, Reason.NOT_JSON, UNKNOWN),
        (lambda data: b'{"a":' * 200_000, Reason.NOT_JSON, UNKNOWN),
        (lambda data: b"[" + data + b"]", Reason.NOT_AN_OBJECT, UNKNOWN),
        (lambda data: b"null", Reason.NOT_AN_OBJECT, UNKNOWN),
        (lambda data: b'"post"', Reason.NOT_AN_OBJECT, UNKNOWN),
        (lambda data: b"1e3", Reason.NOT_AN_OBJECT, UNKNOWN),
        (lambda data: b"{}", Reason.MISSING_FIELD, UNKNOWN),
    ],
)
def test_damaged_bytes_are_refused_with_what_could_be_read(damage, reason, readable, make_event):
    error = refused(damage(json.dumps(make_event()).encode()))
    assert (error.reason, error.event_type, error.event_id) == (reason, *readable)


def test_of_repeated_keys_the_last_counts(make_event):
    data = json.dumps(make_event()).encode()
    assert parsed(b'{"event_id": 5, ' + data[1:]) == make_event()


def test_details_never_repeat_a_persons_data(make_event):
    event = changed(make_event(), "body.like_count", "jo.bloggs")
    assert "bloggs" not in refused(event).detail
    assert "914" not in refused(changed(event, "body.text", 9143290185)).detail


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=40)
    | st.sampled_from(["x" * 36, "x" * 129, "x" * 257, "x" * 1001, "2025-01-01T00:00:00Z", "like"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=4,
)


@st.composite
def mutated_events(draw):
    event = valid_event(draw(st.sampled_from(sorted(MODELS))))
    for _ in range(draw(st.integers(0, 2))):
        holder = draw(st.sampled_from([event, event["body"]]))
        if not isinstance(holder, dict) or not holder:
            break
        name = draw(st.sampled_from(sorted(name for name in holder if name != "event_type")))
        if draw(st.booleans()):
            holder[name] = draw(json_values)
        else:
            del holder[name]
        if not isinstance(event.get("body"), dict):
            break
    return event


@settings(max_examples=600, deadline=None)
@given(mutated_events())
def test_the_generated_check_takes_exactly_what_the_models_take(event):
    latest = ARRIVAL + DAY
    try:
        MODELS[event["event_type"]].model_validate(event)
        expected = EARLIEST <= instant(event["occurred_at"]) <= latest
    except ValidationError:
        expected = False
    try:
        found = CHECKS[event["event_type"]](event, latest)
    except (KeyError, TypeError):
        found = False
    assert found == expected


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_parsed_or_refused_and_never_crash(data):
    try:
        outcome = parsed(data)
    except InvalidEventError as error:
        outcome = [error.reason, error.field, error.detail, error.event_type, error.event_id]
    json.dumps(outcome, ensure_ascii=False).encode()
