"""How X counts, who wants no replies, what a message holds."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from voxlake.replies.errors import ReplyRequestError, ReplyTextError
from voxlake.replies.opt_out import asks_to_stop
from voxlake.replies.requests import read_request, reply_request
from voxlake.replies.words import reply_text
from voxlake.text.post_length import weighted_length
from voxlake.tickets import load_queues
from voxlake.tickets.errors import TicketIdError
from voxlake.tickets.ids import make_ticket_id

NOW = datetime(2026, 2, 24, 20, tzinfo=UTC)
ID = make_ticket_id("BAG", NOW, "x", "1")
TICKET = {"ticket_id": ID, "language": "en"}
BAGGAGE = load_queues().named("baggage_issue")


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("hello", 5),
        ("héllo “quoted” – dash…", 23),
        ("cafe\u0301", 4),
        ("日本語", 6),
        ("안녕", 4),
        ("😀", 2),
        ("👍🏽", 2),
        ("👨‍👩‍👧‍👦", 2),
        ("🇨🇭", 2),
        ("1️⃣", 2),
        ("❤️", 2),
        ("see https://example.com/a/very/long/path?with=a&query=string now", 4 + 23 + 4),
        ("http://a.b", 23),
        ("see example.com", 4 + 23),
    ],
)
def test_characters_weigh_what_x_says(text, length):
    assert weighted_length(text) == length


def test_an_agents_words_may_fill_a_post_to_the_last_character():
    room = 280 - len(ID) - 1
    assert len(reply_text(TICKET, BAGGAGE, "x" * room)) == 280
    assert len(reply_text(TICKET, BAGGAGE, "日" * (room // 2))) < 280
    for words in ("x" * (room + 1), "日" * (room // 2 + 1)):
        with pytest.raises(ReplyTextError, match="expected at most 280 characters as X counts"):
            reply_text(TICKET, BAGGAGE, words)
    with pytest.raises(ReplyTextError, match="expected text without control characters"):
        reply_text(TICKET, BAGGAGE, "a\x00b")


def test_a_tickets_id_is_not_said_twice():
    assert reply_text(TICKET, BAGGAGE, f"{ID}: found.") == f"{ID}: found."


@pytest.mark.parametrize(
    "text",
    [
        "@auroraair STOP",
        "stop",
        "@auroraair please stop!!",
        "@auroraair stop replying to me",
        "Unsubscribe @auroraair",
        "@auroraair opt out, thanks",
        "@auroraair don't reply to me",
        "@auroraair no bots",
        "@auroraair leave me alone.",
        "@auroraair no automated replies please",
        "@auroraair deja de responderme",
        "@auroraair bitte nicht mehr antworten",
    ],
)
def test_a_text_that_only_asks_for_an_end_is_a_wish(text):
    assert asks_to_stop(text)


@pytest.mark.parametrize(
    "text",
    [
        "@auroraair stop losing my bags",
        "@auroraair when will you stop?  I am waiting",
        "@auroraair does flight 12 stop in Denver",
        "@auroraair you did not reply to me",
        "@auroraair I want to opt out of the paid seat",
        "@auroraair nonstop",
        "@auroraair",
        "stop " * 60,
    ],
)
def test_a_text_that_says_anything_else_is_none(text):
    assert not asks_to_stop(text)


def test_a_message_is_read_as_it_was_written():
    sent = reply_request(ID, "agent:kim", "We found it.", NOW, source="mock")
    assert json.loads(sent["MessageBody"]) == {
        "ticket_id": ID,
        "by": "agent:kim",
        "text": "We found it.",
        "requested_at": "2026-02-24T20:00:00.000000Z",
    }
    assert sent["MessageGroupId"] == "mock"
    read = read_request(sent["MessageBody"])
    assert (read.ticket_id, read.by, read.text, read.requested_at, read.by_agent) == (
        ID,
        "agent:kim",
        "We found it.",
        NOW,
        True,
    )


def test_the_same_asking_has_one_deduplication_id_and_another_asking_another():
    def key(*asked, **more):
        return reply_request(*asked, NOW, **more)["MessageDeduplicationId"]

    first = key(ID, "text_enricher", None)
    assert first == key(ID, "text_enricher", None)
    others = {
        key(ID, "text_enricher", None, attempt=1),
        key(ID, "agent:kim", None),
        key(ID, "agent:kim", "words"),
        key(make_ticket_id("BAG", NOW, "x", "2"), "text_enricher", None),
    }
    assert len(others | {first}) == 5
    assert all(len(one) == 64 for one in others)


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ((ID, "", None), ReplyRequestError, "expected by as text_enricher or agent:<name>"),
        ((ID, "agent: ", "x"), ReplyRequestError, "expected by as"),
        ((ID, "agent:kim", "  "), ReplyRequestError, "expected text of 1 to 1000 characters"),
        ((ID, "agent:kim", "x" * 1001), ReplyRequestError, "found 1001 characters"),
        ((ID, "text_enricher", "x"), ReplyRequestError, "expected words of agents only"),
        (("BAG-000000-00000", "agent:kim", None), TicketIdError, "check character"),
    ],
)
def test_what_asks_for_nothing_that_can_be_sent_is_refused(asked, error, message):
    with pytest.raises(error, match=message):
        reply_request(*asked, NOW)
