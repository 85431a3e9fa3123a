"""Why a record was put aside: the closed list that quarantine lines, tables and alarms share."""

from __future__ import annotations

from enum import StrEnum


class QuarantineReason(StrEnum):
    """One member per kind of bad record; ``REASON_MEANINGS`` says each in words."""

    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_EVENT_TYPE = "unknown_event_type"
    UNSUPPORTED_SCHEMA_VERSION = "unsupported_schema_version"
    INVALID_VALUE = "invalid_value"
    TOO_LONG = "too_long"
    OCCURRED_AT_OUT_OF_RANGE = "occurred_at_out_of_range"
    UNREADABLE_LINE = "unreadable_line"


REASON_MEANINGS: dict[QuarantineReason, str] = {
    QuarantineReason.NOT_UTF8: "the bytes are not UTF-8, or a string holds half a surrogate pair",
    QuarantineReason.NOT_JSON: "the bytes are not one JSON value (NaN and Infinity are not JSON)",
    QuarantineReason.NOT_AN_OBJECT: "valid JSON, but a list, string, number, boolean or null",
    QuarantineReason.MISSING_FIELD: "a field the contract requires is absent",
    QuarantineReason.WRONG_TYPE: "a field has another JSON type than the contract's",
    QuarantineReason.UNKNOWN_EVENT_TYPE: "event_type is none of the five types",
    QuarantineReason.UNSUPPORTED_SCHEMA_VERSION: "schema_version is not one this version reads",
    QuarantineReason.INVALID_VALUE: "right type, but empty, negative, out of range or unlisted",
    QuarantineReason.TOO_LONG: "a string or list is longer than the contract allows",
    QuarantineReason.OCCURRED_AT_OUT_OF_RANGE: (
        "occurred_at is before 2004-01-01 or too far after the record's arrival"
    ),
    QuarantineReason.UNREADABLE_LINE: "a landing line the batch job could not read",
}
