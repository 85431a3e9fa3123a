"""What a reply says: a queue's template or an agent's words, with the ticket's id."""

from __future__ import annotations

import re
from typing import Any

from voxlake.replies.errors import ReplyTextError
from voxlake.text.post_length import LIMIT, weighted_length
from voxlake.tickets.queues import Queue

DEFAULT_LANGUAGE = "en"
_UNSENDABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff\ud800-\udfff]")


def reply_text(ticket: dict[str, Any], queue: Queue, words: str | None) -> str:
    """The text to send.

    The template in the ticket's language, else in English; it takes nothing from what the customer
    wrote. An agent's words get the ticket's id at their end, by which the reply is found again.

    Raises:
        ReplyTextError: too long for a post, characters that X refuses, or no template.
    """
    ticket_id = ticket["ticket_id"]
    if words is None:
        text = queue.reply(ticket_id, ticket.get("language") or DEFAULT_LANGUAGE)
        text = text or queue.reply(ticket_id, DEFAULT_LANGUAGE)
        if text is None:
            raise ReplyTextError(
                f"expected a reply of the queue {queue.id} in {DEFAULT_LANGUAGE}, found none; add "
                "one to the queues' file"
            )
    else:
        text = words.strip()
        if ticket_id not in text:
            text = f"{text} {ticket_id}"
    if _UNSENDABLE.search(text):
        raise ReplyTextError("expected text without control characters, found some; leave them out")
    if (length := weighted_length(text)) > LIMIT:
        raise ReplyTextError(
            f"expected at most {LIMIT} characters as X counts them, the ticket's id with them, "
            f"found {length}; shorten it"
        )
    return text
