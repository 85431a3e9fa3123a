"""RFC 3339 instants as the contract writes them. No clock: callers pass the time in."""

from __future__ import annotations

import re
from datetime import UTC, datetime

RFC3339_PATTERN = (
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"
    r"(?:Z|[+-](?:(?:0[0-9]|1[0-7]):[0-5][0-9]|18:00))"
)
"""What the contract takes of RFC 3339: capital T and Z, at most nanoseconds, no leap second,
offsets up to 18 hours. Spark's cast from string to timestamp reads all of these as
``parse_rfc3339`` does (digits after the sixth are cut); a test holds it.
"""

_RFC3339 = re.compile(RFC3339_PATTERN)


def parse_rfc3339(text: str) -> datetime:
    """The instant as an aware datetime, microseconds; digits after the sixth are cut.

    Raises:
        ValueError: not of the form of ``RFC3339_PATTERN``, no such day, or outside years 1-9999.
    """
    if not _RFC3339.fullmatch(text):
        raise ValueError("expected RFC 3339 such as 2015-02-24T19:35:52Z")
    instant = datetime.fromisoformat(text)
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("expected a time in the years 1-9999") from error


def format_rfc3339(instant: datetime) -> str:
    """UTC with exactly six digits of microseconds and Z: ``2015-02-24T19:35:52.000000Z``."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def format_event_time(instant: datetime) -> str:
    """UTC with Z, microseconds only where there are any: ``2015-02-24T19:35:52Z``."""
    text = instant.astimezone(UTC).isoformat()
    return text.removesuffix("+00:00") + "Z"
