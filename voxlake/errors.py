"""The one family of errors. Whether a caller retries follows from the type, never from a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voxlake.quarantine import QuarantineReason

UNKNOWN_EVENT_TYPE = "unknown"


class VoxlakeError(Exception):
    """Root of every error this project raises on purpose."""


class TerminalError(VoxlakeError):
    """Doing the same again fails again: bad input, bad configuration, a broken rule."""


class TransientError(VoxlakeError):
    """Doing the same again may succeed: a lost race, a throttled or unreachable service."""


class InvalidEventError(TerminalError):
    """A record breaks the event contract.

    Attributes:
        reason: member of ``QuarantineReason``.
        field: dotted path of the first bad field (``body.post_id``); empty for the whole record.
        detail: expected and found, in words; never the text of a body field.
        event_type: one of the five types, or ``"unknown"`` where it could not be read.
        event_id: the record's event_id where it could be read, else None.
    """

    def __init__(
        self,
        reason: QuarantineReason,
        field: str,
        detail: str,
        *,
        event_type: str = UNKNOWN_EVENT_TYPE,
        event_id: str | None = None,
    ) -> None:
        self.reason = reason
        self.field = field
        self.detail = detail
        self.event_type = event_type
        self.event_id = event_id
        super().__init__(f"{reason}: {field or 'record'}: {detail}")
