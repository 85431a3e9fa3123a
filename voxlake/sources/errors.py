"""What can go wrong at a platform's API, by what the reader does about it."""

from __future__ import annotations

from datetime import datetime

from voxlake.errors import TerminalError, TransientError


class KeyRefusedError(TerminalError):
    """The platform does not take our key: expired, unknown, restricted or switched off."""


class ItemClosedError(TerminalError):
    """What was asked for is not there to be read: gone, private, or comments are switched off.

    Attributes:
        reason: of ``video_gone``, ``comments_disabled``, ``forbidden``, ``comment_gone``.
    """

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        super().__init__(message)


class PageTokenRefusedError(TerminalError):
    """The platform does not take the token of the next page: too old, or lost on its side."""


class MalformedPageError(TerminalError):
    """An answer that says it succeeded has another shape than the platform documents."""


class RequestRefusedError(TerminalError):
    """The platform refuses the request for a reason that asking again does not change."""


class ApiUnavailableError(TransientError):
    """The platform did not answer, or answered that it cannot now: asking again may succeed."""


class WaitError(TransientError):
    """Nothing is to be had before a time.

    Attributes:
        until: aware, UTC.
    """

    def __init__(self, message: str, *, until: datetime) -> None:
        self.until = until
        super().__init__(message)


class QuotaSpentError(WaitError):
    """The day's or month's allowance is used up: the platform's, or our own budget."""


class RateLimitedError(WaitError):
    """The platform's short window of requests is used up."""
