"""Whether a parsed event is valid: generated from the models, do not edit.

``python -m voxlake.events.generate`` writes this file; a test fails until it was run. Each check
takes the parsed object and the latest occurred_at allowed; False says only that something is
wrong, ``parse`` then asks the models what. Plain code, since it runs once for every record: about
a fifth of the time of the models' own validation.
"""
# ruff: noqa: SIM102, SIM103

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from voxlake.events.instants import EARLIEST, NEVER, instant


def _post(event: dict[str, Any], latest: datetime) -> bool:
    body = event["body"]
    if type(body) is not dict:
        return False
    value = event["event_id"]
    if type(value) is not str or not 1 <= len(value) <= 128:
        return False
    value = event["schema_version"]
    if type(value) is not int or value != 1:
        return False
    value = event["source"]
    if type(value) is not str or value not in {"mock", "file", "youtube", "x", "api"}:
        return False
    value = event["occurred_at"]
    if type(value) is not str or not EARLIEST <= (instant(value) or NEVER) <= latest:
        return False
    value = event["author_id"]
    if type(value) is not str or not 1 <= len(value) <= 256:
        return False
    value = body["post_id"]
    if type(value) is not str or not 1 <= len(value) <= 128:
        return False
    value = body["text"]
    if type(value) is not str or len(value) > 100000:
        return False
    value = body.get("lang")
    if value is not None:
        if type(value) is not str or len(value) > 35:
            return False
    value = body.get("hashtags")
    if value is not None:
        if type(value) is not list or len(value) > 1000:
            return False
        for item in value:
            if type(item) is not str or len(item) > 256:
                return False
    value = body.get("mentions")
    if value is not None:
        if type(value) is not list or len(value) > 1000:
            return False
        for item in value:
            if type(item) is not str or len(item) > 256:
                return False
    value = body.get("like_count")
    if value is not None:
        if type(value) is not int or not 0 <= value <= 9223372036854775807:
            return False
    value = body.get("share_count")
    if value is not None:
        if type(value) is not int or not 0 <= value <= 9223372036854775807:
            return False
    value = body.get("place")
    if value is not None:
        if type(value) is not str or len(value) > 1000:
            return False
    return True


def _comment(event: dict[str, Any], latest: datetime) -> bool:
    body = event["body"]
    if type(body) is not dict:
        return False
    value = event["event_id"]
    if type(value) is not str or not 1 <= len(value) <= 128:
        return False
    value = event["schema_version"]
    if type(value) is not int or value != 1:
        return False
    value = event["source"]
    if type(value) is not str or value not in {"mock", "file", "youtube", "x", "api"}:
        return False
    value = event["occurred_at"]
    if type(value) is not str or not EARLIEST <= (instant(value) or NEVER) <= latest:
        return False
    value = event["author_id"]
    if type(value) is not str or not 1 <= len(value) <= 256:
        return False
    value = body["comment_id"]
    if type(value) is not str or not 1 <= len(value) <= 128:
        return False
    value = body.get("parent_id")
    if value is not None:
        if type(value) is not str or not 1 <= len(value) <= 128:
            return False
    value = body["thread_id"]
    if type(value) is not str or not 1 <= len(value) <= 128:
        return False
    value = body.get("channel_id")
    if value is not None:
        if type(value) is not str or not 1 <= len(value) <= 256:
            return False
    value = body["text"]
    if type(value) is not str or len(value) > 100000:
        return False
    value = body.get("like_count")
    if value is not None:
        if type(value) is not int or not 0 <= value <= 9223372036854775807:
            return False
    return True


def _profile(event: dict[str, Any], latest: datetime) -> bool:
    body = event["body"]
    if type(body) is not dict:
        return False
    value = event["event_id"]
    if type(value) is not str or not 1 <= len(value) <= 128:
        return False
    value = event["schema_version"]
    if type(value) is not int or value != 1:
        return False
    value = event["source"]
    if type(value) is not str or value not in {"mock", "file", "youtube", "x", "api"}:
        return False
    value = event["occurred_at"]
    if type(value) is not str or not EARLIEST <= (instant(value) or NEVER) <= latest:
        return False
    value = event["author_id"]
    if type(value) is not str or not 1 <= len(value) <= 256:
        return False
    value = body["handle"]
    if type(value) is not str or not 1 <= len(value) <= 256:
        return False
    value = body.get("display_name")
    if value is not None:
        if type(value) is not str or len(value) > 1000:
            return False
    value = body.get("bio")
    if value is not None:
        if type(value) is not str or len(value) > 100000:
            return False
    value = body.get("location")
    if value is not None:
        if type(value) is not str or len(value) > 1000:
            return False
    value = body.get("followers")
    if value is not None:
        if type(value) is not int or not 0 <= value <= 9223372036854775807:
            return False
    value = body.get("following")
    if value is not None:
        if type(value) is not int or not 0 <= value <= 9223372036854775807:
            return False
    value = body.get("joined_at")
    if value is not None:
        if type(value) is not str or instant(value) is None:
            return False
    value = body.get("verified")
    if value is not None:
        if type(value) is not bool:
            return False
    return True


def _interaction(event: dict[str, Any], latest: datetime) -> bool:
    body = event["body"]
    if type(body) is not dict:
        return False
    value = event["event_id"]
    if type(value) is not str or not 1 <= len(value) <= 128:
        return False
    value = event["schema_version"]
    if type(value) is not int or value != 1:
        return False
    value = event["source"]
    if type(value) is not str or value not in {"mock", "file", "youtube", "x", "api"}:
        return False
    value = event["occurred_at"]
    if type(value) is not str or not EARLIEST <= (instant(value) or NEVER) <= latest:
        return False
    value = event["author_id"]
    if type(value) is not str or not 1 <= len(value) <= 256:
        return False
    value = body["interaction_id"]
    if type(value) is not str or not 1 <= len(value) <= 128:
        return False
    value = body["kind"]
    if type(value) is not str or value not in {"like", "share", "follow", "view", "click"}:
        return False
    value = body["target_type"]
    if type(value) is not str or not 1 <= len(value) <= 128:
        return False
    value = body["target_id"]
    if type(value) is not str or not 1 <= len(value) <= 256:
        return False
    return True


def _message(event: dict[str, Any], latest: datetime) -> bool:
    body = event["body"]
    if type(body) is not dict:
        return False
    value = event["event_id"]
    if type(value) is not str or not 1 <= len(value) <= 128:
        return False
    value = event["schema_version"]
    if type(value) is not int or value != 1:
        return False
    value = event["source"]
    if type(value) is not str or value not in {"mock", "file", "youtube", "x", "api"}:
        return False
    value = event["occurred_at"]
    if type(value) is not str or not EARLIEST <= (instant(value) or NEVER) <= latest:
        return False
    value = event["author_id"]
    if type(value) is not str or not 1 <= len(value) <= 256:
        return False
    value = body["conversation_id"]
    if type(value) is not str or not 1 <= len(value) <= 128:
        return False
    value = body["turn"]
    if type(value) is not int or not 0 <= value <= 2147483647:
        return False
    value = body["speaker"]
    if type(value) is not str or not 1 <= len(value) <= 256:
        return False
    value = body["text"]
    if type(value) is not str or len(value) > 100000:
        return False
    value = body.get("context")
    if value is not None:
        if type(value) is not str or len(value) > 100000:
            return False
    return True


CHECKS: dict[str, Callable[[dict[str, Any], datetime], bool]] = {
    "post": _post,
    "comment": _comment,
    "profile": _profile,
    "interaction": _interaction,
    "message": _message,
}
"""Check of each event type; raises KeyError where a required field is absent."""
