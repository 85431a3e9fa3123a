"""Items of the tickets table: plain dicts as boto3's DynamoDB resource takes them.

Two kinds, told apart by `pk`: `TICKET#<id>` is a ticket; `TEXT#<source>#<native id>` says that a
text has one, and which. Each is put only if it is not there, the text's first, so a text has one
ticket for ever, however often it is delivered or edited, and an id belongs to one ticket. The
indexes `by_state` (state, opened_at) and `by_queue` (queue, opened_at) list tickets by time,
`by_change` (change_shard, updated_at) what happened since; the second kind has none of these
attributes and is in none of them. So whoever changes a ticket sets `updated_at` and raises
`revision`: by these the lake learns of it.

No clear author, no unmasked text: `author_id` is a pseudonym, `text` is as the cleansed zone has
it.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from voxlake.tickets.queues import Queue
from voxlake.tickets.states import State, check_transition
from voxlake.times import format_rfc3339

Item = dict[str, Any]

BY_STATE, BY_QUEUE, BY_CHANGE = "by_state", "by_queue", "by_change"
CHANGE_SHARDS = 4
"""Partitions of `by_change`: four queries list it all, and none takes every ticket's writes."""
OPENED = "opened"
ENRICHER = "text_enricher"


def ticket_key(ticket_id: str) -> dict[str, str]:
    """Primary key of a ticket."""
    return {"pk": f"TICKET#{ticket_id}"}


def text_key(source: str, native_id: str) -> dict[str, str]:
    """Primary key of what says that a text has a ticket. native_id: the id that edits share."""
    return {"pk": f"TEXT#{source}#{native_id}"}


def change_shards() -> list[str]:
    """All partitions of the index `by_change`."""
    return [str(number) for number in range(CHANGE_SHARDS)]


def history_entry(
    what: str, who: str, at: datetime, *, note: str | None = None
) -> dict[str, str | None]:
    """Who did what and when. what: `opened` or the new state."""
    return {"what": what, "who": who, "at": format_rfc3339(at), "note": note}


def ticket_item(
    *,
    ticket_id: str,
    queue: str,
    text: Mapping[str, Any],
    kind: str,
    confidence: float,
    queue_score: float,
    reason: str | None,
    opened_at: datetime,
) -> Item:
    """Item of a new ticket, open.

    Args:
        queue: id of the queue.
        text: of the text: source, native_id, event_id, event_type, dt, thread_id, author_id (a
            pseudonym), text (masked), occurred_at, arrived_at (both RFC 3339), trackers, and of its
            score: sentiment, polarity, main_emotion, language, model.
        kind: complaint or question.
        confidence: 0 to 1, that it needs a reply.
        queue_score: 0 to 1, that the queue is the right one.
        reason: the complaint reason, None where the model tells none.
    """
    opened = format_rfc3339(opened_at)
    return {
        **ticket_key(ticket_id),
        "ticket_id": ticket_id,
        "state": State.OPEN.value,
        "queue": queue,
        "kind": kind,
        "confidence": confidence,
        "queue_score": queue_score,
        "reason": reason,
        **{name: text[name] for name in TEXT_ATTRIBUTES},
        "opened_at": opened,
        "updated_at": opened,
        "change_shard": str(zlib.crc32(ticket_id.encode()) % CHANGE_SHARDS),
        "revision": 1,
        "history": [history_entry(OPENED, ENRICHER, opened_at)],
    }


TEXT_ATTRIBUTES = (
    "source",
    "native_id",
    "event_id",
    "event_type",
    "dt",
    "thread_id",
    "author_id",
    "text",
    "occurred_at",
    "arrived_at",
    "trackers",
    "sentiment",
    "polarity",
    "main_emotion",
    "language",
    "model",
)


def text_item(ticket: Mapping[str, Any]) -> Item:
    """What says that a ticket's text has one, to be put before the ticket, under `NEW`."""
    return {
        **text_key(ticket["source"], ticket["native_id"]),
        "ticket_id": ticket["ticket_id"],
        "event_id": ticket["event_id"],
        "opened_at": ticket["opened_at"],
    }


NEW = "attribute_not_exists(pk)"
"""Condition of putting either item: the guarantee of one ticket a text, and one text an id."""
STILL_NAMED = "ticket_id = :read"
"""Condition of giving a text's item another id, where the first turned out to be taken."""


def same_text(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two tickets are of one text."""
    return (one["source"], one["native_id"]) == (other["source"], other["native_id"])


def change(
    ticket: Mapping[str, Any],
    wanted: State,
    *,
    who: str,
    at: datetime,
    note: str | None = None,
) -> dict[str, Any]:
    """Update of a ticket's state (keyword arguments of `Table.update_item`).

    Its conditional failure means that somebody changed the ticket since it was read: read it again.

    Args:
        ticket: as it was read.

    Raises:
        TicketStateError: a ticket in its state cannot go there.
    """
    check_transition(ticket["ticket_id"], ticket["state"], wanted)
    return {
        "Key": ticket_key(ticket["ticket_id"]),
        "UpdateExpression": "SET #state = :state, updated_at = :at, revision = :next, "
        "history = list_append(history, :entry)",
        "ConditionExpression": "revision = :read",
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": {
            ":state": wanted.value,
            ":at": format_rfc3339(at),
            ":next": ticket["revision"] + 1,
            ":read": ticket["revision"],
            ":entry": [history_entry(wanted.value, who, at, note=note)],
        },
    }


def public_view(ticket: Mapping[str, Any], queue: Queue) -> Item:
    """What anybody who knows a ticket's id may see: nothing of the text, its author or ours."""
    return {
        "ticket_id": ticket["ticket_id"],
        "queue": queue.name,
        "state": ticket["state"],
        "opened_at": ticket["opened_at"],
        "updated_at": ticket["updated_at"],
        "hours": queue.hours.text,
        "history": [
            {"what": entry["what"], "at": entry["at"]} for entry in _entries(ticket["history"])
        ],
    }


def _entries(history: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """History without what only concerns us: that an answer was held back."""
    shown = {OPENED, *State} - {State.SUPPRESSED}
    return [entry for entry in history if entry["what"] in shown]
