"""X API v2: posts as events, from pages of recent search.

Every edit of a post is a post of its own there; its edit history begins with the first one's id,
which is the contract's post_id. So ``x-<id>`` is the identity of the revision and always has the
time at which that revision was written.
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
from voxlake.sources.errors import MalformedPageError
from voxlake.times import format_event_time, parse_rfc3339

SOURCE = "x"

TWEET_FIELDS = (
    "author_id",
    "created_at",
    "edit_history_tweet_ids",
    "entities",
    "geo",
    "lang",
    "note_tweet",
    "public_metrics",
)
"""What is asked for besides id and text. No user is expanded: profiles are neither needed nor
free, and what was never fetched has not to be deleted."""
EXPANSIONS = ("geo.place_id",)
PLACE_FIELDS = ("full_name",)


@dataclass(frozen=True)
class Page:
    """What a page of search gives.

    Attributes:
        events: the posts, newest first.
        malformed: posts that are no events.
        posts: how many posts the page had: what X charges.
        newest_id: the newest post's id, None on an empty page.
        next_token: of the next page, None on the last.
    """

    events: list[Event]
    malformed: list[Malformed]
    posts: int
    newest_id: str | None
    next_token: str | None


def read_search(page: Any, *, now: datetime) -> Page:
    """Reads an answer of GET /2/tweets/search/recent.

    Raises:
        MalformedPageError: not such an answer.
    """
    meta = page.get("meta") if isinstance(page, Mapping) else None
    if not isinstance(meta, Mapping):
        raise MalformedPageError(
            "expected a JSON object with 'meta', found none; the page is read again in the next run"
        )
    # A search without results has no data at all.
    posts = page_items(page, "data") if "data" in page else []
    newest = meta.get("newest_id")
    if posts and not (isinstance(newest, str) and newest.isdigit()):
        raise MalformedPageError(
            "expected meta.newest_id as digits, found another value; the page is read again in the "
            "next run"
        )
    places = _places(page)
    events, malformed = read_all(
        posts,
        lambda post: post_event(post, places),
        native_id=lambda post: post["id"],
        now=now,
    )
    return Page(events, malformed, len(posts), newest, page_token(meta, "next_token"))


def post_event(post: Mapping[str, Any], places: Mapping[str, str]) -> Event:
    """A post as an event of type post.

    Args:
        places: {place id: full name} of the page.

    Raises:
        KeyError, TypeError, ValueError: the post lacks what an event needs.
    """
    entities = post.get("entities") or {}
    metrics = post.get("public_metrics") or {}
    history = post.get("edit_history_tweet_ids") or [post["id"]]
    # What is longer than 280 characters is cut in text and whole in note_tweet.
    note = post.get("note_tweet") or {}
    entities = note.get("entities") or entities
    return make_event(
        event_id=f"{SOURCE}-{post['id']}",
        event_type="post",
        source=SOURCE,
        occurred_at=format_event_time(parse_rfc3339(post["created_at"])),
        author_id=post.get("author_id") or ANONYMOUS,
        body={
            "post_id": history[0],
            "text": note.get("text") or post["text"],
            "lang": post.get("lang"),
            "hashtags": [tag["tag"] for tag in entities.get("hashtags") or []],
            "mentions": [user["username"] for user in entities.get("mentions") or []],
            "like_count": metrics.get("like_count"),
            "share_count": _shares(metrics),
            "place": places.get((post.get("geo") or {}).get("place_id", "")),
        },
    )


def _shares(metrics: Mapping[str, Any]) -> Any:
    """Reposts and quotes, or whichever of them is told."""
    told = [metrics[name] for name in ("retweet_count", "quote_count") if name in metrics]
    return sum(told) if told else None


def _places(page: Mapping[str, Any]) -> dict[str, str]:
    places = (page.get("includes") or {}).get("places") or []
    return {
        place["id"]: place["full_name"]
        for place in places
        if isinstance(place, Mapping) and {"id", "full_name"} <= place.keys()
    }
