"""What every source does to a platform's object: the contract's fields, and none besides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import orjson

from voxlake.errors import InvalidEventError
from voxlake.events.parse import parse_event
from voxlake.sources.errors import MalformedPageError

ANONYMOUS = "anonymous"
"""Author of what a platform shows without one, such as comments of deleted accounts."""

MAX_FUTURE = timedelta(hours=24)
Event = dict[str, Any]
Item = TypeVar("Item")


@dataclass(frozen=True)
class Malformed:
    """An object of a page that became no event.

    Attributes:
        native_id: the platform's id where it could be read.
        reason: a quarantine reason.
        field: dotted path in the event; empty for the whole.
        detail: expected and found, never a text.
    """

    native_id: str | None
    reason: str
    field: str
    detail: str


def make_event(
    *, event_id: Any, event_type: str, source: str, occurred_at: str, author_id: Any, body: Event
) -> Event:
    """An event of the contract; members of the body that are None are left out."""
    return {
        "event_id": event_id,
        "event_type": event_type,
        "schema_version": 1,
        "source": source,
        "occurred_at": occurred_at,
        "author_id": author_id,
        "body": {name: whole(value) for name, value in body.items() if value is not None},
    }


def whole(value: Any) -> Any:
    """Text without halves of surrogate pairs, which JSON can write and UTF-8 cannot."""
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def read_all(
    items: Iterable[Item],
    to_event: Callable[[Item], Event],
    *,
    native_id: Callable[[Item], Any],
    now: datetime,
) -> tuple[list[Event], list[Malformed]]:
    """Each item as a valid event, or as what is wrong with it: one bad item spoils no page."""
    events: list[Event] = []
    malformed: list[Malformed] = []
    for item in items:
        try:
            event = to_event(item)
            parse_event(orjson.dumps(event), arrival=now, max_future=MAX_FUTURE)
        except InvalidEventError as error:
            found = Malformed(_id(item, native_id), str(error.reason), error.field, error.detail)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            detail = f"expected another shape: {type(error).__name__} at {_where(error)}"
            found = Malformed(_id(item, native_id), "unreadable_item", "", detail)
        else:
            events.append(event)
            continue
        malformed.append(found)
    return events, malformed


def page_items(page: Any, member: str) -> list[Any]:
    """The list of a page's objects.

    Raises:
        MalformedPageError: the page is no object, or the member no list.
    """
    if not isinstance(page, Mapping) or not isinstance(page.get(member), list):
        shown = type(page).__name__ if not isinstance(page, Mapping) else "none"
        raise MalformedPageError(
            f"expected a JSON object with a list {member!r}, found {shown}; the page is read again "
            "in the next run"
        )
    return page[member]


def page_token(page: Mapping[str, Any], member: str) -> str | None:
    """The token of the next page; None on the last one.

    Raises:
        MalformedPageError: the token is no text.
    """
    token = page.get(member)
    if token is not None and (not isinstance(token, str) or not token):
        raise MalformedPageError(
            f"expected {member} as text, found {type(token).__name__}; the page is read again in "
            "the next run"
        )
    return token


def _id(item: Any, native_id: Callable[[Any], Any]) -> str | None:
    try:
        found = native_id(item)
    except (KeyError, TypeError, AttributeError):
        return None
    return found[:128] if isinstance(found, str) else None


def _where(error: Exception) -> str:
    # A KeyError names the member; other messages may repeat what people wrote.
    return repr(error.args[0])[:60] if isinstance(error, KeyError) and error.args else "an item"
