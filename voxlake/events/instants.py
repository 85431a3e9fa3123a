"""Event times, read fast: half of the cost of a careless check would be here."""

from __future__ import annotations

from datetime import UTC, datetime

from voxlake.times import parse_rfc3339

EARLIEST = datetime(2004, 1, 1, tzinfo=UTC)
"""The earliest occurred_at: before it there was no social media to take events from."""

NEVER = datetime.min.replace(tzinfo=UTC)
"""Stands for a time that could not be read; before every range."""


def instant(text: str) -> datetime | None:
    """The time that a contract's RFC 3339 text names, or None where it is not one.

    ``2015-02-24T19:35:52Z``, by far the most common form, is recognised by its punctuation, every
    third character from the fifth on; ``fromisoformat`` then holds the digits to a calendar.
    Everything else goes the strict way.
    """
    try:
        if len(text) == 20 and text[4::3] == "--T::Z":
            return datetime.fromisoformat(text)
        return parse_rfc3339(text)
    except ValueError:
        return None
