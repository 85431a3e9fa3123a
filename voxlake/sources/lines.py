"""Events from lines of a file: events themselves, posts as ``{id, text, created_at}``, or text.

What a line becomes is taken field by field; labels, places, coordinates and whatever else a data
set carries never come along. Whether an event is valid is for the consumer to judge.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from voxlake.text.handles import extract_hashtags, extract_mentions
from voxlake.times import format_event_time

SOURCE = "file"
ANONYMOUS = "anonymous"
_ID_DIGITS = 32
_MAX_NATIVE_ID = 128 - len("file-")


@dataclass(frozen=True)
class BadLine:
    """A line that became no event.

    Attributes:
        number: of the line, from 1.
        reason: expected and found, in words.
    """

    number: int
    reason: str


class _UnusableLineError(ValueError):
    """Carries the reason of a BadLine."""


def events_from_lines(
    lines: Iterable[str | bytes], *, name: str, received_at: datetime
) -> Iterator[dict[str, Any] | BadLine]:
    """An event or a BadLine for every line that is not empty, in order.

    Args:
        lines: with or without line ends.
        name: of the file; part of the event_id of plain text lines only.
        received_at: aware; occurred_at of lines without a time, floored to the second.

    The same file gives the same events, except for occurred_at of lines without a time.
    """
    for number, line in enumerate(lines, start=1):
        try:
            text = (
                line.decode("utf-8-sig" if number == 1 else "utf-8")
                if isinstance(line, bytes)
                else line
            )
            if not text.strip():
                continue
            yield _event(text.strip(), number, name, received_at)
        except UnicodeDecodeError as error:
            yield BadLine(number, f"expected UTF-8, found byte 0x{line[error.start]:02x}")
        except _UnusableLineError as error:
            yield BadLine(number, str(error))


def _event(line: str, number: int, name: str, received_at: datetime) -> dict[str, Any]:
    if not line.startswith("{"):
        return _post_of_text(line, number, name, received_at)
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _UnusableLineError(f"expected one JSON object, found {error}") from error
    if "event_type" in row and "event_id" in row:
        return row
    return _post_of_row(row, received_at)


def _post_of_text(line: str, number: int, name: str, received_at: datetime) -> dict[str, Any]:
    native = _digest(name, str(number), line)
    return _post(native, line, ANONYMOUS, _floored(received_at), {})


def _post_of_row(row: dict[str, Any], received_at: datetime) -> dict[str, Any]:
    text = row.get("text")
    if not isinstance(text, str):
        raise _UnusableLineError("expected a field 'text' with a string, found none")
    created_at, author = row.get("created_at"), row.get("author")
    occurred_at = _floored(received_at) if created_at is None else _instant(created_at)
    author = ANONYMOUS if author is None or author == "" else str(author)
    native = row.get("id")
    if native is None or native == "":
        native = _digest(text, author, "" if created_at is None else str(created_at))
    elif isinstance(native, bool) or not isinstance(native, str | int):
        raise _UnusableLineError("expected an id that is a string or an integer, found another")
    native = str(native)
    if len(native) > _MAX_NATIVE_ID:
        raise _UnusableLineError(
            f"expected an id of at most {_MAX_NATIVE_ID} characters, found {len(native)}"
        )
    shares = row.get("share_count", row.get("retweet_count"))
    return _post(
        native,
        text,
        author,
        occurred_at,
        {"lang": row.get("lang"), "like_count": row.get("like_count"), "share_count": shares},
    )


def _post(
    native: str, text: str, author: str, occurred_at: str, given: dict[str, Any]
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "post_id": native,
        "text": text,
        "hashtags": extract_hashtags(text),
        "mentions": extract_mentions(text),
    }
    body.update({field: value for field, value in given.items() if value is not None})
    return {
        "event_id": f"file-{native}",
        "event_type": "post",
        "schema_version": 1,
        "source": SOURCE,
        "occurred_at": occurred_at,
        "author_id": author,
        "body": body,
    }


def _instant(created_at: Any) -> str:
    """Any ISO 8601 (without zone: UTC) or the date form of Twitter's API and e-mail, in UTC."""
    if not isinstance(created_at, str):
        raise _UnusableLineError("expected created_at as a string with a date, found another type")
    text = created_at.strip()
    instant = _read_time(text)
    if instant is None:
        raise _UnusableLineError("expected created_at as ISO 8601, found another form")
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    try:
        return format_event_time(instant)
    except OverflowError as error:
        raise _UnusableLineError("expected created_at in the years 1-9999") from error


def _read_time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    # "2015-02-24 11:35:52 -0800": fromisoformat wants no space before the offset.
    head, _, offset = text.rpartition(" ")
    for read, written in (
        (datetime.fromisoformat, head + offset),
        (_twitter_time, text),
        (parsedate_to_datetime, text),
    ):
        try:
            return read(written)
        except (ValueError, TypeError):
            continue
    return None


def _twitter_time(text: str) -> datetime:
    return datetime.strptime(text, "%a %b %d %H:%M:%S %z %Y")


def _floored(instant: datetime) -> str:
    return format_event_time(instant.replace(microsecond=0))


def _digest(*parts: str) -> str:
    joined = "\x00".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(joined).hexdigest()[:_ID_DIGITS]
