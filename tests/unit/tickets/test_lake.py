"""Tickets on their way to the lake: the row of one, and whether a set of them changed."""

from __future__ import annotations

from datetime import timedelta

from tests.unit.tickets.test_items import OPENED, ticket
from voxlake.tables import TABLES
from voxlake.tickets.items import change_shards, history_entry
from voxlake.tickets.lake import ATTRIBUTES, fingerprint, ticket_row


def test_a_row_has_the_tables_columns_and_no_text_or_author():
    row = ticket_row(ticket())
    assert sorted(row) == sorted([*TABLES["tickets"].column_names, "dt"])
    assert not {"text", "author_id", "thread_id"} & set(ATTRIBUTES)
    assert (row["replied_at"], row["closed_at"], row["seconds_to_first_reply"]) == (None,) * 3


def test_the_first_reply_counts_from_the_texts_arrival():
    later = OPENED + timedelta(seconds=29.25)
    entries = [
        history_entry(what, "reply_sender", later + timedelta(minutes=minute))
        for minute, what in enumerate(("replied", "open", "replied", "closed"))
    ]
    found = ticket_row(ticket(history=[*ticket()["history"], *entries], confidence=1))
    assert found["replied_at"] == "2026-02-24T12:00:30.250000Z"
    assert found["closed_at"] == "2026-02-24T12:03:30.250000Z"
    assert found["seconds_to_first_reply"] == 30.0
    assert isinstance(found["confidence"], float)
    # Where the history does not say it, the attribute does.
    replied = ticket_row(ticket(replied_at="2026-02-24T12:01:00.250000Z"))
    assert replied["seconds_to_first_reply"] == 60.0


def test_a_set_of_tickets_is_known_by_its_fingerprint_in_any_order():
    one, two = ticket(), ticket(ticket_id="BAG-5RW1J0-HBC0A")
    assert fingerprint([one, two]) == fingerprint([two, one])
    different = {
        fingerprint(tickets)
        for tickets in ([], [one], [two], [one, two], [one, {**two, "revision": 2}])
    }
    assert len(different) == 5
    assert ticket()["change_shard"] in change_shards()
