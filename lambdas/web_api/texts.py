"""Provisional scores as lists of texts.

A list is read by when its texts came into the table. Two workers write at once, and an index
follows its table by some milliseconds, so what came in the last seconds may not all be visible yet:
at the end of a list the cursor therefore stays behind by `SETTLE`, and texts of these seconds are
given again.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lambdas.common.score_indexes import BY_THREAD, BY_TRACKER
from lambdas.web_api.problems import wrong
from voxlake.ledger.items import plain
from voxlake.times import format_rfc3339

SETTLE = timedelta(seconds=5)
START = "0"
"""Sorts before every time."""
_KEYS = {BY_TRACKER: "tracker", BY_THREAD: "thread_id"}
_MEMBERS = (
    "event_id",
    "occurred_at",
    "source",
    "text",
    "sentiment",
    "polarity",
    "main_emotion",
    "language",
    "model",
)


@dataclass(frozen=True)
class Position:
    """Where a list goes on.

    Attributes:
        at: sort key of the last text given.
        back: where to go back to at the list's end, empty where nothing was paged over.
    """

    at: str = START
    back: str = ""


def encode(*parts: str) -> str:
    """A cursor of parts without line ends."""
    return base64.urlsafe_b64encode("\n".join(parts).encode()).decode().rstrip("=")


def decode(cursor: str, count: int) -> list[str]:
    """Its parts. Raises ApiError for what is no cursor of so many parts."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        parts = base64.b64decode(padded, altchars=b"-_", validate=True).decode().split("\n")
        if len(parts) == count and parts[0] and encode(*parts) == cursor:
            return parts
    except (ValueError, binascii.Error):
        pass
    raise wrong("query.since", "a cursor as an answer gave it", cursor)


class Texts:
    """The scores table.

    Args:
        table: boto3's `Table`.
        clock: now, aware.
    """

    def __init__(self, table: Any, clock: Callable[[], datetime]) -> None:
        self._table = table
        self._clock = clock

    def of_tracker(self, tracker: str, since: str | None, limit: int) -> dict[str, Any]:
        """{"texts", "cursor", "more"} of a tracker."""
        return self._list(BY_TRACKER, tracker, since, limit)

    def of_thread(self, thread_id: str, since: str | None, limit: int) -> dict[str, Any]:
        """{"texts", "cursor", "more"} of a video or post."""
        return self._list(BY_THREAD, thread_id, since, limit)

    def newest(self, tracker: str) -> dict[str, Any] | None:
        """The newest text of a tracker."""
        return next(iter(self._query(BY_TRACKER, tracker, None, 1)), None)

    def _list(self, index: str, value: str, since: str | None, limit: int) -> dict[str, Any]:
        horizon = format_rfc3339(self._clock() - SETTLE)
        position = Position(*decode(since, 2)) if since is not None else None
        found = self._query(index, value, position, limit + bool(position))
        more, given = len(found) > limit, found[:limit]
        last = given[-1]["arrived"] if given else position.at if position else START
        back = min(position.back if position and position.back else horizon, horizon)
        cursor = encode(last, back) if more else encode(min(last, back), "")
        return {"texts": [text_document(item) for item in given], "cursor": cursor, "more": more}

    def _query(
        self, index: str, value: str, after: Position | None, limit: int
    ) -> list[dict[str, Any]]:
        """The first items after a position, or the newest without one; the oldest first."""
        names, values = {"#of": _KEYS[index]}, {":of": value}
        condition = "#of = :of"
        if after:
            condition += " AND arrived > :at"
            values[":at"] = after.at
        found: list[dict[str, Any]] = []
        pages = self._table.meta.client.get_paginator("query").paginate(
            TableName=self._table.name,
            IndexName=index,
            KeyConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
            ScanIndexForward=after is not None,
            PaginationConfig={"MaxItems": limit},
        )
        for page in pages:
            found += [plain(item) for item in page["Items"]]
        return found if after else found[::-1]


def text_document(item: Mapping[str, Any]) -> dict[str, Any]:
    """A text of the API of an item of the table; the enricher leaves out members without value."""
    return {
        **{name: item.get(name) for name in _MEMBERS},
        "arrived": item["arrived_at"],
        "emotions": list(item.get("emotions") or ()),
        "emotion_scores": dict(item.get("emotion_scores") or {}),
        "entities": list(item.get("entities") or ()),
        "in_scope": bool(item.get("in_scope")),
    }
