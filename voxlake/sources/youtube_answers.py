"""What YouTube's error answers mean, and when its quota is full again.

https://developers.google.com/youtube/v3/docs/errors and the general form of Google's API errors.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from voxlake.errors import VoxlakeError
from voxlake.sources.errors import (
    ApiUnavailableError,
    ItemClosedError,
    KeyRefusedError,
    MalformedPageError,
    PageTokenRefusedError,
    QuotaSpentError,
    RequestRefusedError,
)

UNITS_PER_CALL = 1
"""commentThreads.list and comments.list cost one unit each, refused requests too."""

_PACIFIC = ZoneInfo("America/Los_Angeles")

_QUOTA = {"quotaExceeded", "dailyLimitExceeded", "dailyLimitExceededUnreg", "RATE_LIMIT_EXCEEDED"}
_TOO_FAST = {"rateLimitExceeded", "userRateLimitExceeded", "servingLimitExceeded"}
_CLOSED = {
    "commentsDisabled": "comments_disabled",
    "videoNotFound": "video_gone",
    "channelNotFound": "video_gone",
    "commentNotFound": "comment_gone",
    "commentThreadNotFound": "comment_gone",
    "notFound": "video_gone",
    "forbidden": "forbidden",
    "insufficientPermissions": "forbidden",
}
_TOKEN = {"invalidPageToken", "processingFailure"}
_KEY = {
    "keyInvalid",
    "keyExpired",
    "accessNotConfigured",
    "ipRefererBlocked",
    "authError",
    "required",
    "API_KEY_INVALID",
    "API_KEY_SERVICE_BLOCKED",
    "API_KEY_HTTP_REFERRER_BLOCKED",
    "API_KEY_IP_ADDRESS_BLOCKED",
    "SERVICE_DISABLED",
    "CONSUMER_INVALID",
    "CONSUMER_SUSPENDED",
}


def quota_day(now: datetime) -> str:
    """The day whose quota ``now`` spends, such as ``2026-02-24``: Google's days are Pacific."""
    return now.astimezone(_PACIFIC).date().isoformat()


def next_reset(now: datetime) -> datetime:
    """The next midnight Pacific time, in UTC."""
    tomorrow = now.astimezone(_PACIFIC).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), _PACIFIC).astimezone(UTC)


def page_of(status: int, data: bytes, *, with_token: bool, now: datetime) -> Any:
    """The JSON value of an answer that succeeded.

    Args:
        with_token: whether the request named a page; some refusals then mean its token.

    Raises:
        VoxlakeError: what the answer says instead; see `refusal`. MalformedPageError where a
            success is no JSON.
    """
    if status != 200:
        raise refusal(status, data, with_token=with_token, now=now)
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise MalformedPageError(
            f"expected JSON, found {len(data)} bytes of something else; the page is read again in "
            "the next run"
        ) from None


def refusal(status: int, data: bytes, *, with_token: bool, now: datetime) -> VoxlakeError:
    """The error that an answer with another status than 200 stands for."""
    reasons = _reasons(data)
    said = f"status {status} ({', '.join(sorted(reasons)) or 'no reason'})"
    if reasons & _KEY or status == 401:
        return KeyRefusedError(
            f"expected YouTube to take the API key, found {said}; make a key for the YouTube Data "
            "API v3 and put it in the source's secret"
        )
    if reasons & _TOO_FAST or status >= 500 or (status == 429 and not reasons & _QUOTA):
        return ApiUnavailableError(f"expected an answer from YouTube, found {said}; asked again")
    if reasons & _QUOTA:
        until = next_reset(now)
        return QuotaSpentError(
            f"expected quota units to be left, found {said}; reading goes on after "
            f"{until.isoformat()}, when YouTube's day begins",
            until=until,
        )
    if closed := sorted(_CLOSED[reason] for reason in reasons & _CLOSED.keys()):
        return ItemClosedError(
            closed[0], f"expected comments to read, found {said}; the item is not asked for again"
        )
    if status == 404:
        return ItemClosedError(
            "video_gone", f"expected a video, found {said}; the item is not asked for again"
        )
    if status == 400 and with_token and (reasons & _TOKEN or reasons <= {"badRequest"}):
        return PageTokenRefusedError(f"expected the page token to be taken, found {said}")
    return RequestRefusedError(
        f"expected YouTube to take the request, found {said}; check the video's id and the API"
    )


def _reasons(data: bytes) -> set[str]:
    """Reasons in both forms: error.errors[].reason and error.details[].reason."""
    try:
        error = json.loads(data)["error"]
        entries = [*(error.get("errors") or []), *(error.get("details") or [])]
        return {entry["reason"] for entry in entries if isinstance(entry.get("reason"), str)}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return set()
