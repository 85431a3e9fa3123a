"""What may become of a ticket."""

from __future__ import annotations

from enum import StrEnum

from voxlake.tickets.errors import TicketStateError


class State(StrEnum):
    """open: somebody waits. replied: we have answered. suppressed: no answer is to be sent, a
    person may still look. closed: done with, for ever."""

    OPEN = "open"
    REPLIED = "replied"
    CLOSED = "closed"
    SUPPRESSED = "suppressed"


TRANSITIONS: dict[State, frozenset[State]] = {
    State.OPEN: frozenset({State.REPLIED, State.CLOSED, State.SUPPRESSED}),
    # Who writes again after our answer waits again.
    State.REPLIED: frozenset({State.OPEN, State.CLOSED}),
    State.SUPPRESSED: frozenset({State.OPEN, State.CLOSED}),
    State.CLOSED: frozenset(),
}


def check_transition(ticket_id: str, current: str, wanted: State) -> None:
    """Raises TicketStateError unless a ticket may go from its state to the one wanted."""
    allowed = sorted(TRANSITIONS[State(current)])
    if wanted not in allowed:
        how = f"expected {' or '.join(allowed)}" if allowed else "it stays so for ever"
        raise TicketStateError(f"{ticket_id} is {current}: {how}, found {wanted}")
