"""What X's answers mean besides their content: errors, limits, allowances.

https://docs.x.com/x-api/fundamentals/response-codes-and-errors and, beside it, rate-limits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

from voxlake.errors import VoxlakeError
from voxlake.sources.errors import (
    ApiUnavailableError,
    KeyRefusedError,
    MalformedPageError,
    PageTokenRefusedError,
    QuotaSpentError,
    RateLimitedError,
    RequestRefusedError,
)

WINDOW = timedelta(minutes=15)
_MAX_WAIT = timedelta(hours=25)
_SPENT = ("usage-capped", "usagecapexceeded", "credits")


def utc_day(now: datetime) -> str:
    """The day by which X counts reads, such as ``2026-02-24``."""
    return now.astimezone(UTC).date().isoformat()


def next_day(now: datetime) -> datetime:
    """The next midnight in UTC."""
    tomorrow = now.astimezone(UTC).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), UTC)


def page_of(data: bytes) -> Any:
    """The JSON value of an answer that succeeded. Raises MalformedPageError."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise MalformedPageError(
            f"expected JSON, found {len(data)} bytes of something else; the page is read again in "
            "the next run"
        ) from None


def window_spent(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When the window of requests begins anew, where an answer says that none is left in it."""
    if headers.get("x-rate-limit-remaining") != "0":
        return None
    return _reset(headers, now)


def refusal(
    status: int, headers: Mapping[str, str], data: bytes, *, with_token: bool, now: datetime
) -> VoxlakeError:
    """The error that an answer with another status than 2xx stands for.

    Args:
        with_token: whether the request named a page; a refusal can then mean its token.
    """
    problem, detail = problem_of(data)
    said = f"status {status} ({problem or 'no reason'})"
    if status == 402 or any(word in problem for word in _SPENT):
        until = next_day(now)
        return QuotaSpentError(
            f"expected posts to be left in the plan, found {said}; buy credits or wait; the next "
            f"attempt is after {until.isoformat()}",
            until=until,
        )
    if status == 429:
        until = _reset(headers, now)
        return RateLimitedError(
            f"expected requests to be left in X's window, found {said}; reading goes on after "
            f"{until.isoformat()}",
            until=until,
        )
    if status in (401, 403):
        return KeyRefusedError(
            f"expected X to take the bearer token, found {said}; make a token for an app with "
            "access to search and put it in the source's secret"
        )
    if status >= 500 or status == 408:
        return ApiUnavailableError(f"expected an answer from X, found {said}; asked again")
    if status == 400 and with_token and "next_token" in detail:
        return PageTokenRefusedError(f"expected the page token to be taken, found {said}")
    return RequestRefusedError(
        f"expected X to take the request, found {said}; check the tracker's terms"
    )


def _reset(headers: Mapping[str, str], now: datetime) -> datetime:
    """The time in x-rate-limit-reset; a window from now where it is missing or absurd."""
    try:
        reset = datetime.fromtimestamp(int(headers["x-rate-limit-reset"]), UTC)
    except (KeyError, ValueError, OverflowError, OSError):
        return now + WINDOW
    return reset if now < reset < now + _MAX_WAIT else now + WINDOW


def problem_of(data: bytes) -> tuple[str, str]:
    """Type and title of a problem document, and its details, in lower case."""
    try:
        document = json.loads(data)
        errors = document.get("errors") or []
        parts = [document, *(error for error in errors if isinstance(error, Mapping))]
    except (ValueError, AttributeError, TypeError, RecursionError):
        return "", ""
    kind = str(document.get("type") or "").rpartition("/")[2]
    name = f"{kind} {document.get('title') or ''} {document.get('reason') or ''}"
    details = " ".join(
        f"{part.get('detail', '')} {part.get('message', '')} {part.get('parameters', '')}"
        for part in parts
    )
    return " ".join(name.split()).lower()[:200], details.lower()
