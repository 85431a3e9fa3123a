"""Videos to read: what is asked of source_youtube, and what has become of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from lambdas.common.source_table import LAST_RUN, VIDEO, SourceTable
from voxlake.times import format_rfc3339, parse_rfc3339

_CLOSED = {
    "comments_disabled": ("failed", "comments are turned off for this video"),
    "forbidden": ("failed", "the video's owner does not let its comments be read"),
}
_GONE = ("not_found", "YouTube knows no such video, or it was taken down")
_OFF = "reading YouTube is turned off in this stage's configuration (docs/sources.md)"
_NO_KEY = "no key of the YouTube Data API is in its secret (docs/sources.md)"
_REFUSED = "YouTube refuses the key that is in the secret (docs/sources.md)"
_SPENT = "the day's quota of the YouTube Data API is spent"
_PACED = "YouTube asks us to wait"
_AWAY = "YouTube did not answer; it is asked again"
_BROKEN = "the last reading failed; it is tried again"


class Videos:
    """Followed videos.

    Args:
        table: the partition of `youtube`.
        client: Lambda client.
        function: name of source_youtube.
        enabled: whether that function reads on its schedule.
        clock: now, aware.
    """

    def __init__(
        self,
        table: SourceTable,
        client: Any,
        function: str,
        *,
        enabled: bool,
        clock: Callable[[], datetime],
    ) -> None:
        self._table = table
        self._client = client
        self._function = function
        self._enabled = enabled
        self._clock = clock

    def state(self, video_id: str) -> dict[str, Any]:
        """The video as the API shows it."""
        return self._shown(video_id, self._table.item(VIDEO + video_id))

    def follow(self, video_id: str) -> dict[str, Any]:
        """Asks for a video to be read from now on; the video as the API shows it.

        What is followed stays so. Until its first page was read, asking again starts a reading
        again: the first may have found no key.
        """
        item = self._table.follow(VIDEO + video_id, self._clock())
        if self._enabled and "touched_at" not in item:
            self._client.invoke(
                FunctionName=self._function,
                InvocationType="Event",
                Payload=json.dumps({"asked": video_id}).encode(),
            )
        return self._shown(video_id, item)

    def _shown(self, video_id: str, item: Mapping[str, Any] | None) -> dict[str, Any]:
        now = self._clock()
        known = item is not None and self._enabled
        state, detail, resumes_at = video_state(
            item,
            enabled=self._enabled,
            pause=self._table.paused_until(now) if known else None,
            last_run=(self._table.item(LAST_RUN) if known else None) or {},
            now=now,
        )
        return {
            "video_id": video_id,
            "state": state,
            "texts_read": int((item or {}).get("texts_read", 0)),
            "detail": detail,
            "resumes_at": resumes_at,
        }


def video_state(
    item: Mapping[str, Any] | None,
    *,
    enabled: bool,
    pause: tuple[datetime, str] | None,
    last_run: Mapping[str, Any],
    now: datetime,
) -> tuple[str, str | None, str | None]:
    """(state, why, until when nothing is read) of a video.

    Args:
        item: of the sources' table, None where nobody asked for it.
        pause: until when nothing is to be asked for, and why.
        last_run: how source_youtube's last run ended: stopped, until.
    """
    if item is None:
        return "unknown", None, None
    if item.get("state") == "closed":
        return *_CLOSED.get(item.get("closed_reason", ""), _GONE), None
    if not enabled:
        return "off", _OFF, None
    if pause:
        until, reason = pause
        spent = reason == "quota_spent"
        return (
            "quota_spent" if spent else "waiting",
            _SPENT if spent else _PACED,
            format_rfc3339(until),
        )
    stopped, until = last_run.get("stopped"), last_run.get("until")
    if stopped == "quota_spent" and until and now < parse_rfc3339(until):
        return "quota_spent", _SPENT, format_rfc3339(parse_rfc3339(until))
    if stopped == "no_key":
        return "no_key", _NO_KEY, None
    if stopped == "key_refused":
        return "failed", _REFUSED, None
    trouble = {"unavailable": _AWAY, "failed": _BROKEN}.get(stopped or "")
    if item.get("walk"):
        return "reading", trouble, None
    if item.get("walked_at"):
        return "done", None, None
    return "waiting", trouble, None
