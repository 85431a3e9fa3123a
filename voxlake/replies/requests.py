"""The outbox message: somebody asks that a ticket be answered. Everything else is the sender's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from voxlake.replies.errors import ReplyRequestError
from voxlake.tickets.ids import parse_ticket_id
from voxlake.times import format_rfc3339, parse_rfc3339

AGENT = "agent:"
MAX_WORDS = 1000
"""Characters of an agent's words; what X takes is less, and the sender says how much."""


@dataclass(frozen=True)
class ReplyRequest:
    """A message of the outbox, read.

    Attributes:
        by: `text_enricher`, or `agent:<name>`.
        text: an agent's words; None for the queue's template.
    """

    ticket_id: str
    by: str
    text: str | None
    requested_at: datetime

    @property
    def by_agent(self) -> bool:
        return self.by.startswith(AGENT)

    @property
    def key(self) -> str:
        """What makes a reply of a ticket one: the same words go out once, whoever asks again."""
        if self.text is None:
            return "template"
        return "words-" + hashlib.sha256(self.text.encode()).hexdigest()[:16]


def reply_request(
    ticket_id: str,
    by: str,
    text: str | None,
    requested_at: datetime,
    attempt: int = 0,
    *,
    source: str = "x",
) -> dict[str, str]:
    """Asks for a reply: the arguments of SQS's SendMessage besides QueueUrl.

    Args:
        by: `text_enricher`, or `agent:<name>`.
        text: an agent's words; None for the queue's template.
        requested_at: aware.
        attempt: counts up where the same is to be asked again within SQS's five minutes of
            deduplication.
        source: whose rate limits the reply falls under; its messages are sent in order.

    Returns:
        MessageBody, MessageGroupId, MessageDeduplicationId.

    Raises:
        ReplyRequestError: the words are empty or too long, or nobody is named.
    """
    _check(ticket_id, by, text)
    # Who and what belong to it: an agent's words are not lost behind the enricher's asking.
    asked = "\0".join((ticket_id, str(attempt), by, text or ""))
    return {
        "MessageBody": json.dumps(
            {
                "ticket_id": ticket_id,
                "by": by,
                "text": text,
                "requested_at": format_rfc3339(requested_at),
            },
            ensure_ascii=False,
        ),
        "MessageGroupId": source,
        "MessageDeduplicationId": hashlib.sha256(asked.encode()).hexdigest(),
    }


def read_request(body: str) -> ReplyRequest:
    """A message's body. Raises ReplyRequestError, naming the member."""
    try:
        document: Any = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, Mapping):
        raise ReplyRequestError("expected a JSON object as message, found something else")
    ticket_id, by, text = (document.get(name) for name in ("ticket_id", "by", "text"))
    _check(ticket_id, by, text)
    try:
        requested_at = parse_rfc3339(document["requested_at"])
    except (KeyError, TypeError, ValueError):
        raise ReplyRequestError(
            f"expected requested_at in RFC 3339, found {document.get('requested_at')!r}"
        ) from None
    return ReplyRequest(ticket_id, by, text, requested_at)


def _check(ticket_id: Any, by: Any, text: Any) -> None:
    if not isinstance(ticket_id, str):
        raise ReplyRequestError(f"expected ticket_id as text, found {ticket_id!r}")
    parse_ticket_id(ticket_id)
    if not isinstance(by, str) or not by.removeprefix(AGENT).strip():
        raise ReplyRequestError(f"expected by as text_enricher or agent:<name>, found {by!r}")
    if text is None:
        return
    if not isinstance(text, str) or not text.strip() or len(text) > MAX_WORDS:
        found = f"{len(text)} characters" if isinstance(text, str) else repr(text)
        raise ReplyRequestError(
            f"expected text of 1 to {MAX_WORDS} characters, or none for the template, found {found}"
        )
    if not by.startswith(AGENT):
        raise ReplyRequestError(f"expected words of agents only, found some of {by!r}")
