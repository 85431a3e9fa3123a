"""Tickets as items: what is stored, what may change, what the public sees."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.tickets.kit import scored, stream_text
from voxlake.tickets import load_queues
from voxlake.tickets.errors import TicketStateError
from voxlake.tickets.items import change, public_view, same_text, text_item, ticket_item
from voxlake.tickets.states import TRANSITIONS, State

OPENED = datetime(2026, 2, 24, 12, 0, 1, tzinfo=UTC)
TEXT = stream_text("@auroraair where is my bag")


def ticket(**changed):
    made = ticket_item(
        ticket_id="BAG-5RW1J0-GBC0A",
        queue="baggage_issue",
        text={**TEXT.identity, "text": TEXT.text, "author_id": TEXT.author_id, **scored("neutral")},
        kind="question",
        confidence=0.9,
        queue_score=0.75,
        reason="Lost Luggage",
        opened_at=OPENED,
    )
    return {**made, **changed}


def test_a_new_ticket_is_open_and_carries_what_an_agent_needs():
    assert ticket() == {
        "pk": "TICKET#BAG-5RW1J0-GBC0A",
        "ticket_id": "BAG-5RW1J0-GBC0A",
        "state": "open",
        "queue": "baggage_issue",
        "kind": "question",
        "confidence": 0.9,
        "queue_score": 0.75,
        "reason": "Lost Luggage",
        "source": "x",
        "native_id": "p1",
        "event_id": "e1",
        "event_type": "post",
        "dt": "2026-02-24",
        "thread_id": None,
        "author_id": "k1_000000000000000000000000",
        "text": "@auroraair where is my bag",
        "occurred_at": "2026-02-24T11:59:59.000000Z",
        "arrived_at": "2026-02-24T12:00:00.250000Z",
        "trackers": ["aurora_air"],
        "sentiment": "neutral",
        "polarity": 0.0,
        "main_emotion": "joy",
        "language": "en",
        "model": "fake-1",
        "opened_at": "2026-02-24T12:00:01.000000Z",
        "updated_at": "2026-02-24T12:00:01.000000Z",
        "change_shard": "2",
        "revision": 1,
        "history": [
            {
                "what": "opened",
                "who": "text_enricher",
                "at": "2026-02-24T12:00:01.000000Z",
                "note": None,
            }
        ],
    }


def test_a_text_says_which_ticket_it_has():
    assert text_item(ticket()) == {
        "pk": "TEXT#x#p1",
        "ticket_id": "BAG-5RW1J0-GBC0A",
        "event_id": "e1",
        "opened_at": "2026-02-24T12:00:01.000000Z",
    }
    assert same_text(ticket(), ticket(event_id="an edit"))
    assert not same_text(ticket(), ticket(native_id="p2"))


def test_a_change_is_conditional_on_what_was_read_and_adds_to_the_history():
    later = OPENED + timedelta(minutes=5)
    assert change(ticket(), State.CLOSED, who="agent:kim", at=later, note="found") == {
        "Key": {"pk": "TICKET#BAG-5RW1J0-GBC0A"},
        "UpdateExpression": "SET #state = :state, updated_at = :at, revision = :next, "
        "history = list_append(history, :entry)",
        "ConditionExpression": "revision = :read",
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": {
            ":state": "closed",
            ":at": "2026-02-24T12:05:01.000000Z",
            ":next": 2,
            ":read": 1,
            ":entry": [
                {
                    "what": "closed",
                    "who": "agent:kim",
                    "at": "2026-02-24T12:05:01.000000Z",
                    "note": "found",
                }
            ],
        },
    }


@pytest.mark.parametrize("current", State)
@pytest.mark.parametrize("wanted", State)
def test_only_allowed_transitions_pass(current, wanted):
    allowed = {
        ("open", "replied"), ("open", "closed"), ("open", "suppressed"),
        ("replied", "open"), ("replied", "closed"),
        ("suppressed", "open"), ("suppressed", "closed"),
    }  # fmt: skip
    assert set(TRANSITIONS) == set(State)
    if (current, wanted) in allowed:
        change(ticket(state=current.value), wanted, who="agent:kim", at=OPENED)
    else:
        with pytest.raises(TicketStateError, match=f"BAG-5RW1J0-GBC0A is {current}: "):
            change(ticket(state=current.value), wanted, who="agent:kim", at=OPENED)


def test_the_public_sees_state_and_times_and_nothing_personal():
    seen = ticket(state="closed")
    seen["history"] = [
        *seen["history"],
        {"what": "suppressed", "who": "agent:kim", "at": "T1", "note": "troll"},
        {"what": "closed", "who": "agent:kim", "at": "T2", "note": "phoned Mr Smith"},
    ]
    view = public_view(seen, load_queues().named("baggage_issue"))
    assert view == {
        "ticket_id": "BAG-5RW1J0-GBC0A",
        "queue": "Baggage Issue",
        "state": "closed",
        "opened_at": "2026-02-24T12:00:01.000000Z",
        "updated_at": "2026-02-24T12:00:01.000000Z",
        "hours": "24/7",
        "history": [
            {"what": "opened", "at": "2026-02-24T12:00:01.000000Z"},
            {"what": "closed", "at": "T2"},
        ],
    }
    written = json.dumps(view)
    for hidden in (seen["text"], seen["author_id"], "p1", "e1", "kim", "Smith", "troll", "reason"):
        assert hidden not in written
