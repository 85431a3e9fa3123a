"""What can be wrong with a ticket's id, its state, or the queues' file."""

from __future__ import annotations

from voxlake.errors import TerminalError, TransientError


class QueuesError(TerminalError):
    """The queues' file does not describe queues; the message names queue and field."""


class TicketIdError(TerminalError):
    """A text is no ticket id, or one that was mistyped."""


class TicketStateError(TerminalError):
    """A ticket cannot go from its state to the one asked for."""


class NoTicketError(TerminalError):
    """There is no ticket of that id."""


class TicketChangedError(TransientError):
    """Somebody else has changed the ticket meanwhile."""
