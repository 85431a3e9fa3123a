"""Events as senders write them."""

from __future__ import annotations

from typing import Any

import orjson


def event(number: int, event_type: str = "post", **changed: Any) -> bytes:
    bodies = {
        "post": {"post_id": f"p{number}", "text": "hällo\n world"},
        "comment": {"comment_id": f"c{number}", "thread_id": "p1", "text": "so true"},
        "interaction": {
            "interaction_id": f"i{number}",
            "kind": "like",
            "target_type": "post",
            "target_id": "p1",
        },
    }
    return orjson.dumps(
        {
            "event_id": f"e{number}",
            "event_type": event_type,
            "schema_version": 1,
            "source": "api",
            "occurred_at": "2026-02-24T11:59:59Z",
            "author_id": "somebody",
            "body": bodies[event_type],
            **changed,
        }
    )
