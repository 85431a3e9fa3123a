"""One valid event per type and a fixed arrival, for the domain's tests."""

from __future__ import annotations

import copy
from datetime import UTC, datetime

ARRIVAL = datetime(2026, 1, 1, 12, tzinfo=UTC)

_BODIES = {
    "post": {
        "post_id": "p1",
        "text": "@united thanks &amp; sorry \U0001f600",
        "lang": "en",
        "hashtags": ["fail"],
        "mentions": ["united"],
        "like_count": 3,
        "share_count": None,
        "place": "Newark",
    },
    "comment": {
        "comment_id": "c1",
        "parent_id": "p1",
        "thread_id": "p1",
        "channel_id": "ch",
        "text": "same here",
        "like_count": 0,
    },
    "profile": {
        "handle": "jo",
        "display_name": "Jo",
        "bio": "I fly",
        "location": "Ulm",
        "followers": 7,
        "following": 9,
        "joined_at": "2010-05-01T00:00:00Z",
        "verified": False,
    },
    "interaction": {
        "interaction_id": "i1",
        "kind": "like",
        "target_type": "post",
        "target_id": "p1",
    },
    "message": {
        "conversation_id": "k1",
        "turn": 0,
        "speaker": "jo",
        "text": "hello",
        "context": None,
    },
}


def valid_event(event_type: str = "post") -> dict:
    """A fresh valid event with an unknown field on both levels."""
    return {
        "event_id": f"{event_type}-1",
        "event_type": event_type,
        "schema_version": 1,
        "source": "mock",
        "occurred_at": "2025-12-31T23:59:59Z",
        "author_id": "jo",
        "new_field": {"kept": True},
        "body": {**copy.deepcopy(_BODIES[event_type]), "other": 1.5},
    }
