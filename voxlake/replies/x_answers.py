"""What X's answers to POST /2/tweets and to a look at our timeline mean.

https://docs.x.com/x-api/fundamentals/response-codes-and-errors and, beside it, rate-limits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from voxlake.errors import VoxlakeError
from voxlake.replies.errors import AccountRefusedError, DuplicatePostError, PostRefusedError
from voxlake.sources.errors import ApiUnavailableError, RateLimitedError
from voxlake.sources.x_answers import next_day, problem_of

WINDOW = timedelta(minutes=15)
LONGEST = timedelta(hours=25)
# The short window, and those of a day for the account and for the app.
_WINDOWS = ("x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour")
_SPENT = ("usage-capped", "usagecapexceeded", "credits", "spend")
# A 403 that says something of our app or account, and not of the post that is answered.
_OURS = (
    "oauth1-permissions",
    "client-forbidden",
    "client-not-enrolled",
    "unsupported-authentication",
    "suspended account",
    "account is suspended",
    "account is temporarily locked",
    "credentials",
)
_BEFORE = "posting goes on after "


def posting_refusal(
    status: int, headers: Mapping[str, str], data: bytes, *, now: datetime, **_: Any
) -> VoxlakeError:
    """The error that an answer with another status than 2xx stands for.

    Args:
        headers: names in lower case.

    Returns:
        RateLimitedError: until a window begins anew; nothing was posted.
        AccountRefusedError: X takes no posts of ours for now; nothing was posted.
        DuplicatePostError: X has this post of ours.
        PostRefusedError: X takes no reply to this post, ever.
        ApiUnavailableError: X failed; whether it posted is not known.
    """
    problem, detail = problem_of(data)
    said = f"status {status} ({problem or 'no reason'})"
    both = f"{problem} {detail}"
    if status >= 500 or status == 408:
        return ApiUnavailableError(f"expected an answer from X, found {said}; looked for and tried")
    if status == 402 or any(word in problem for word in _SPENT):
        until = next_day(now)
        return AccountRefusedError(
            f"expected posts to be left in the plan, found {said}; buy credits; {_BEFORE}"
            f"{until.isoformat()}",
            until=until,
        )
    if status == 429:
        # Without a word on what is left, the short window is the one that ended.
        until = window_end(headers, now) or _reset(headers, _WINDOWS[0], now)
        return RateLimitedError(
            f"expected posts to be left in X's window, found {said}; {_BEFORE}{until.isoformat()}",
            until=until,
        )
    if status == 403 and "duplicate" in both:
        return DuplicatePostError(f"expected X to take a new post, found {said}: it has one alike")
    if status == 401 or (status == 403 and any(word in both for word in _OURS)):
        until = now + WINDOW
        return AccountRefusedError(
            f"expected X to let our account post, found {said}; check the account and the keys "
            f"with write access in the secret (docs/replies.md); {_BEFORE}{until.isoformat()}",
            until=until,
        )
    return PostRefusedError(f"status {status} {detail or problem}".strip()[:200])


def window_end(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When X takes posts again: the latest reset of the windows with nothing left, None if none."""
    resets = [
        reset
        for window in _WINDOWS
        if headers.get(f"{window}-remaining") == "0" and (reset := _reset(headers, window, now))
    ]
    return max(resets, default=None)


def post_id_of(data: bytes) -> str | None:
    """The id in an answer to a post that succeeded; None where it holds none: look it up."""
    try:
        made = json.loads(data)["data"]["id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return made if isinstance(made, str) and made else None


def _reset(headers: Mapping[str, str], window: str, now: datetime) -> datetime:
    """A window's reset; 15 minutes from now where it is missing or absurd."""
    try:
        reset = datetime.fromtimestamp(int(headers[f"{window}-reset"]), UTC)
    except (KeyError, ValueError, OverflowError, OSError):
        return now + WINDOW
    # A second more: X's clock and ours differ.
    return reset + timedelta(seconds=1) if now <= reset < now + LONGEST else now + WINDOW
