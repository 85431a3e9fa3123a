"""Tickets on their way to the lake: which have changed, and what the lake keeps of one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from voxlake.tickets.states import State
from voxlake.times import parse_rfc3339

JOB = "tickets_to_analytics"

_AS_THEY_ARE = (
    "ticket_id",
    "dt",
    "queue",
    "state",
    "kind",
    "reason",
    "source",
    "event_type",
    "event_id",
    "native_id",
    "trackers",
    "sentiment",
    "main_emotion",
    "language",
    "model",
    "arrived_at",
    "opened_at",
    "updated_at",
    "revision",
)
_NUMBERS = ("confidence", "queue_score", "polarity")
ATTRIBUTES = (*_AS_THEY_ARE, *_NUMBERS, "replied_at", "history")
"""What is read of a ticket: neither its text nor whose it is."""


def ticket_row(ticket: Mapping[str, Any]) -> dict[str, Any]:
    """A ticket as a row of the table `tickets` with dt; times stay RFC 3339.

    Args:
        ticket: a ticket's item, at least `ATTRIBUTES`; `voxlake.ledger.items.plain`.
    """
    replied_at = _first(ticket, State.REPLIED) or ticket.get("replied_at")
    waited = None
    if replied_at:
        waited = parse_rfc3339(replied_at) - parse_rfc3339(ticket["arrived_at"])
    return {
        **{name: ticket.get(name) for name in _AS_THEY_ARE},
        **{name: None if ticket.get(name) is None else float(ticket[name]) for name in _NUMBERS},
        "replied_at": replied_at,
        "closed_at": _first(ticket, State.CLOSED),
        "seconds_to_first_reply": waited.total_seconds() if waited is not None else None,
    }


def _first(ticket: Mapping[str, Any], what: State) -> str | None:
    return next((entry["at"] for entry in ticket["history"] if entry["what"] == what), None)


def fingerprint(tickets: Iterable[Mapping[str, Any]]) -> str:
    """What a set of tickets was like, in any order: another one, or a change of one, differs.

    Args:
        tickets: of each at least ticket_id and revision.
    """
    seen = sorted(f"{ticket['ticket_id']}#{ticket['revision']}" for ticket in tickets)
    return hashlib.sha256("\n".join(seen).encode()).hexdigest()[:32]
