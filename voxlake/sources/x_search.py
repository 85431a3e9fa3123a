"""What to ask X's recent search for, and how far the reading of a query has come.

Search answers newest first, so the place to go on from is known after the first page and reached
with the last one: only then does ``since_id`` move.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from voxlake.sources.x import Page
from voxlake.times import format_event_time
from voxlake.trackers import Tracker

PAGE_SIZE = 100
MAX_QUERY = 512
"""Characters of a query, for accounts that are not Enterprise."""
MAX_RESTARTS = 2
_WITHOUT_REPOSTS = " -is:retweet"
_REACH = timedelta(days=7)
_MARGIN = timedelta(minutes=5)
_SNOWFLAKE_EPOCH_MS = 1_288_834_974_657


def queries(tracker: Tracker) -> list[str]:
    """The queries that together find what a tracker follows, each of at most 512 characters.

    Handles find mentions, hashtags and keywords find the rest; reposts are left out, they are the
    same text again. The order of the terms is the tracker's, so the same tracker gives the same
    queries.
    """
    found: list[str] = []
    terms: list[str] = []
    for term in _terms(tracker):
        if terms and len(_query([*terms, term])) > MAX_QUERY:
            found.append(_query(terms))
            terms = []
        terms.append(term)
    return [*found, _query(terms)]


def _terms(tracker: Tracker) -> Iterator[str]:
    yield from (f"@{handle}" for handle in tracker.handles)
    yield from (f"#{hashtag}" for hashtag in tracker.hashtags)
    for keyword in tracker.keywords:
        escaped = keyword.replace("\\", "\\\\").replace('"', '\\"')
        # Quoted, since OR, brackets and colons mean something outside quotes.
        yield f'"{escaped}"'


def _query(terms: list[str]) -> str:
    return f"({' OR '.join(terms)}){_WITHOUT_REPOSTS}"


@dataclass(frozen=True)
class Search:
    """The reading of one query.

    Attributes:
        since_id: newest post of the last complete reading; None before the first.
        newest_id: newest post of the reading under way; None when its first page is to come.
        next_token: of the next page of the reading under way.
        restarts: how often a refused token made it begin again.
        done: nothing is left to read until posts are written.
        cut_short: it ended before its end, where a token was refused again and again: posts
            between there and since_id were not read.
    """

    since_id: str | None = None
    newest_id: str | None = None
    next_token: str | None = None
    restarts: int = 0
    done: bool = False
    cut_short: bool = False

    def params(self, query: str, *, now: datetime, first_hours: int) -> dict[str, Any]:
        """Parameters of the next request, by tweepy's names.

        Without a since_id that search still reaches, it begins first_hours ago.
        """
        params: dict[str, Any] = {"query": query, "max_results": PAGE_SIZE}
        if self.since_id is not None and reaches(self.since_id, now):
            params["since_id"] = self.since_id
        elif self.since_id is not None:
            params["start_time"] = format_event_time(
                (now - _REACH + _MARGIN).replace(microsecond=0)
            )
        else:
            begins = now - min(timedelta(hours=first_hours), _REACH - _MARGIN)
            params["start_time"] = format_event_time(begins.replace(microsecond=0))
        if self.next_token:
            params["next_token"] = self.next_token
        return params

    def after(self, page: Page) -> Search:
        """The reading once the page is on the stream."""
        newest = self.newest_id or page.newest_id
        if page.next_token and page.next_token != self.next_token:
            return replace(self, newest_id=newest, next_token=page.next_token)
        return Search(since_id=newest or self.since_id, done=True)

    def token_refused(self) -> Search:
        """Begins again at the newest post, or ends where that was no help."""
        if self.restarts >= MAX_RESTARTS:
            return Search(since_id=self.newest_id or self.since_id, done=True, cut_short=True)
        return Search(since_id=self.since_id, restarts=self.restarts + 1)

    def to_item(self) -> dict[str, Any]:
        """As the table keeps it; members without a value are left out."""
        item = {
            "since_id": self.since_id,
            "newest_id": self.newest_id,
            "next_token": self.next_token,
            "restarts": self.restarts or None,
        }
        return {name: value for name, value in item.items() if value is not None}

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Search:
        """What ``to_item`` gave; other members are ignored."""
        names = ("since_id", "newest_id", "next_token", "restarts")
        return cls(**{name: item[name] for name in names if name in item})


def reaches(post_id: str, now: datetime) -> bool:
    """Whether recent search, which reaches seven days back, still takes a post's id."""
    return written_at(post_id) > now - _REACH + _MARGIN


def written_at(post_id: str) -> datetime:
    """The time that a post's id holds."""
    milliseconds = (int(post_id) >> 22) + _SNOWFLAKE_EPOCH_MS
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
