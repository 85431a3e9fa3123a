"""YouTube Data API v3: comments as events, from pages of commentThreads.list and comments.list.

A comment's every revision is an event of its own, with the revision's time: its event_id holds
``updatedAt``, so an event_id always has the same occurred_at, and reading twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from voxlake.sources.contract import (
    ANONYMOUS,
    Event,
    Malformed,
    make_event,
    page_items,
    page_token,
    read_all,
)
from voxlake.times import format_event_time, parse_rfc3339

SOURCE = "youtube"
PAGE_SIZE = 100


@dataclass(frozen=True)
class Page:
    """What a page gives.

    Attributes:
        events: comments changed at or after ``since``, oldest API order kept.
        malformed: comments that are no events.
        known: comments left out because they last changed before ``since``.
        next_token: of the next page, None on the last.
        replies_wanted: ids of threads that have more replies than the page shows; the events hold
            none of theirs.
        all_before_since: no thread of the page began at or after ``since``.
    """

    events: list[Event]
    malformed: list[Malformed]
    known: int
    next_token: str | None
    replies_wanted: tuple[str, ...] = ()
    all_before_since: bool = False


def read_threads(
    page: Any, *, video_id: str, since: datetime | None, recent_only: bool, now: datetime
) -> Page:
    """Reads a page of commentThreads.list (part=snippet,replies; textFormat=plainText).

    Args:
        since: comments last changed before it are known; None for none.
        recent_only: ask for further replies only of threads begun at or after ``since``.
        now: aware; the contract bounds occurred_at by it.

    Raises:
        MalformedPageError: not such a page.
    """
    threads = page_items(page, "items")
    comments: list[Any] = []
    wanted: list[str] = []
    begun: list[datetime] = []
    for thread in threads:
        try:
            snippet = thread["snippet"]
            top = snippet["topLevelComment"]
            published = parse_rfc3339(top["snippet"]["publishedAt"])
            inlined = (thread.get("replies") or {}).get("comments") or []
            thread_id, total = top["id"], snippet.get("totalReplyCount") or 0
            more = total > len(inlined)
        except (KeyError, TypeError, ValueError, AttributeError):
            # Counted as one malformed comment: its mapping fails as well.
            comments.append(thread)
            continue
        begun.append(published)
        comments.append(top)
        if more and not (recent_only and since is not None and published < since):
            # All of them come with comments.list, those shown here included.
            wanted.append(thread_id)
        else:
            comments += inlined
    events, malformed, known = _read_comments(comments, video_id=video_id, since=since, now=now)
    return Page(
        events=events,
        malformed=malformed,
        known=known,
        next_token=page_token(page, "nextPageToken"),
        replies_wanted=tuple(dict.fromkeys(wanted)),
        all_before_since=since is not None and bool(begun) and max(begun) < since,
    )


def read_replies(page: Any, *, video_id: str, since: datetime | None, now: datetime) -> Page:
    """Reads a page of comments.list (part=snippet; textFormat=plainText). As `read_threads`."""
    replies = page_items(page, "items")
    events, malformed, known = _read_comments(replies, video_id=video_id, since=since, now=now)
    return Page(events, malformed, known, page_token(page, "nextPageToken"))


def comment_event(comment: Mapping[str, Any], *, video_id: str) -> Event:
    """A comment resource as an event of type comment.

    thread_id is the video, parent_id the top-level comment (absent for one), channel_id the
    channel that the comment belongs to. Names, pictures and ratings of people stay behind.

    Raises:
        KeyError, TypeError, ValueError: the resource lacks what an event needs.
    """
    snippet = comment["snippet"]
    changed = format_event_time(parse_rfc3339(snippet["updatedAt"]))
    author = (snippet.get("authorChannelId") or {}).get("value") or ANONYMOUS
    return make_event(
        event_id=f"{SOURCE}-{comment['id']}-{changed}",
        event_type="comment",
        source=SOURCE,
        occurred_at=changed,
        author_id=author,
        body={
            "comment_id": comment["id"],
            "parent_id": snippet.get("parentId"),
            "thread_id": video_id,
            "channel_id": snippet.get("channelId"),
            # textOriginal is shown to the comment's author only; with textFormat=plainText
            # textDisplay holds no markup.
            "text": snippet["textDisplay"],
            "like_count": snippet.get("likeCount"),
        },
    )


def _read_comments(
    comments: list[Any], *, video_id: str, since: datetime | None, now: datetime
) -> tuple[list[Event], list[Malformed], int]:
    events, malformed = read_all(
        comments,
        lambda comment: comment_event(comment, video_id=video_id),
        native_id=lambda comment: comment["id"],
        now=now,
    )
    if since is None:
        return events, malformed, 0
    fresh = [event for event in events if parse_rfc3339(event["occurred_at"]) >= since]
    return fresh, malformed, len(events) - len(fresh)
