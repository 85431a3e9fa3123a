"""How far the reading of a video's comments has come: a cursor that survives a crash.

A walk goes through the threads newest first, and through the replies that a page of threads does
not show. Every step is one request; the cursor after a step is kept only once all of the step's
events are on the stream, so a crash repeats a step and loses none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from voxlake.sources.youtube import PAGE_SIZE, Page
from voxlake.times import format_rfc3339, parse_rfc3339

MAX_RESTARTS = 2
"""Refusals in a walk; after that many, a refused token is always refused: its list ends there."""


@dataclass(frozen=True)
class Request:
    """One call: a path below the API's base and its parameters."""

    path: str
    params: Mapping[str, str]


@dataclass(frozen=True)
class Walk:
    """A walk under way.

    Attributes:
        full: to the oldest thread; otherwise until threads begun before ``since``.
        started_at: aware, UTC.
        since: comments last changed before it came with an earlier walk; None: there was none.
        page_token: of the next page of threads; None is the first.
        threads_done: no further page of threads.
        replies: threads whose replies are to be read before the next page of threads.
        reply_token: of the next page of the first of them.
        restarts: how often a refused token made a list begin again.
        cut_short: a list ended before its end, where a token was refused again and again.
    """

    full: bool
    started_at: datetime
    since: datetime | None = None
    page_token: str | None = None
    threads_done: bool = False
    replies: tuple[str, ...] = ()
    reply_token: str | None = None
    restarts: int = 0
    cut_short: bool = False

    @property
    def done(self) -> bool:
        return self.threads_done and not self.replies

    @property
    def reads_replies(self) -> bool:
        """Whether the next request is one for replies."""
        return bool(self.replies)

    def request(self, video_id: str) -> Request:
        """The next request; the walk must not be done."""
        common = {"maxResults": str(PAGE_SIZE), "textFormat": "plainText"}
        if self.replies:
            token = {"pageToken": self.reply_token} if self.reply_token else {}
            parent = {"part": "snippet", "parentId": self.replies[0]}
            return Request("comments", parent | common | token)
        token = {"pageToken": self.page_token} if self.page_token else {}
        video = {"part": "snippet,replies", "videoId": video_id, "order": "time"}
        return Request("commentThreads", video | common | token)

    def after(self, page: Page) -> Walk:
        """The walk once the page that ``request`` asked for is on the stream.

        A next token equal to the one just used ends that list: following it would never end.
        """
        if self.replies:
            if page.next_token and page.next_token != self.reply_token:
                return replace(self, reply_token=page.next_token)
            return replace(self, replies=self.replies[1:], reply_token=None)
        ends = not page.next_token or page.next_token == self.page_token
        return replace(
            self,
            page_token=None if ends else page.next_token,
            threads_done=ends or (not self.full and page.all_before_since),
            replies=page.replies_wanted,
            reply_token=None,
        )

    def without_thread(self) -> Walk:
        """The walk where the thread whose replies were asked for is gone."""
        return replace(self, replies=self.replies[1:], reply_token=None)

    def token_refused(self) -> Walk:
        """Begins the list again that the token belongs to, or ends it where that was no help."""
        if self.restarts >= MAX_RESTARTS:
            ended = self.without_thread() if self.replies else replace(self, threads_done=True)
            return replace(ended, cut_short=True)
        if self.replies:
            return replace(self, reply_token=None, restarts=self.restarts + 1)
        return replace(self, page_token=None, restarts=self.restarts + 1)

    def to_item(self) -> dict[str, Any]:
        """As the table keeps it; members at their defaults are left out."""
        item: dict[str, Any] = {"full": self.full, "started_at": format_rfc3339(self.started_at)}
        if self.since is not None:
            item["since"] = format_rfc3339(self.since)
        for name in ("page_token", "threads_done", "reply_token", "restarts", "cut_short"):
            if value := getattr(self, name):
                item[name] = value
        if self.replies:
            item["replies"] = list(self.replies)
        return item

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Walk:
        """What ``to_item`` gave."""
        since = item.get("since")
        return cls(
            full=item["full"],
            started_at=parse_rfc3339(item["started_at"]),
            since=parse_rfc3339(since) if since else None,
            page_token=item.get("page_token"),
            threads_done=item.get("threads_done", False),
            replies=tuple(item.get("replies", ())),
            reply_token=item.get("reply_token"),
            restarts=item.get("restarts", 0),
            cut_short=item.get("cut_short", False),
        )


def next_walk(
    *,
    now: datetime,
    walked_at: datetime | None,
    full_walk_at: datetime | None,
    full_every: timedelta,
    overlap: timedelta,
) -> Walk:
    """The walk to begin now.

    Args:
        walked_at, full_walk_at: when the last complete walk, and the last complete full one, began.
        full_every: how often all threads are read again, which is what finds late replies and
            edits of old comments.
        overlap: how long before an earlier walk a comment may have been written and still not
            have been shown to it.
    """
    if full_walk_at is None:
        return Walk(full=True, started_at=now)
    if now - full_walk_at >= full_every:
        return Walk(full=True, started_at=now, since=full_walk_at - overlap)
    return Walk(full=False, started_at=now, since=(walked_at or full_walk_at) - overlap)
