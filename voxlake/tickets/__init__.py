"""Tickets: who needs an answer, which queue sees it, and what has become of it."""

from voxlake.tickets.errors import QueuesError, TicketIdError, TicketStateError
from voxlake.tickets.queues import Queue, Queues, load_queues

__all__ = [
    "Queue",
    "Queues",
    "QueuesError",
    "TicketIdError",
    "TicketStateError",
    "load_queues",
]
