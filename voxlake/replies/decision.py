"""What to do about a request for a reply. Pure: all that is known goes in, the next step comes out.

A ticket's attribute `replies` holds an entry a reply: `{key: {state, text, by, …}}` (the key is
`ReplyRequest.key`). Its states: `sending` (it may have been sent), `waiting` (it was not), `sent`,
`dry_run`, `refused`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from voxlake.replies.errors import ReplyTextError
from voxlake.replies.requests import ReplyRequest
from voxlake.replies.words import reply_text
from voxlake.tickets.directed import is_repost
from voxlake.tickets.queues import Queue
from voxlake.tickets.states import State
from voxlake.times import parse_rfc3339


class Mode(StrEnum):
    """off: nobody is asked. dry_run: what would be sent is recorded. live: it is sent."""

    OFF = "off"
    DRY_RUN = "dry_run"
    LIVE = "live"


class Progress(StrEnum):
    """Of one reply."""

    SENDING = "sending"
    WAITING = "waiting"
    SENT = "sent"
    DRY_RUN = "dry_run"
    REFUSED = "refused"


class Reason(StrEnum):
    """Why a reply is not sent."""

    OPTED_OUT = "opted_out"
    REPOST = "repost"
    PRAISE = "praise"
    UNSURE = "unsure"
    TOO_LATE = "too_late"
    NOT_ON_X = "not_on_x"
    NOT_OPEN = "not_open"
    NO_WORDS = "no_words"
    AUTHOR_LIMIT = "author_limit"
    HOUR_LIMIT = "hour_limit"
    DAY_LIMIT = "day_limit"
    REFUSED_BY_X = "refused_by_x"


SUPPRESSING = frozenset({Reason.OPTED_OUT, Reason.REPOST, Reason.PRAISE})
"""Reasons for which nobody is to answer; with the others the ticket stays open for a person."""


@dataclass(frozen=True)
class Rules:
    """What the settings say.

    Attributes:
        min_confidence: 0 to 1; below it a ticket's text is not answered without an agent.
        max_age: since the text was said; older ones are left to an agent.
        sources: those whose native ids are ids of posts on X.
        settle: how long our own timeline may lag behind what was posted.
        author_per_day, per_hour, per_day: replies at most; days are UTC's.
    """

    mode: Mode
    min_confidence: float = 0.7
    max_age: timedelta = timedelta(hours=24)
    sources: tuple[str, ...] = ("x",)
    settle: timedelta = timedelta(seconds=60)
    author_per_day: int = 2
    per_hour: int = 20
    per_day: int = 100


@dataclass(frozen=True)
class Account:
    """What holds for every reply right now: the kill switch, and until when X wants no call."""

    stopped: bool = False
    paused_until: datetime | None = None
    why: str = ""


@dataclass(frozen=True)
class Done:
    """Nothing is left to do."""


@dataclass(frozen=True)
class Wait:
    """Nothing may be done before a time. why: for the log."""

    until: datetime
    why: str


@dataclass(frozen=True)
class Refuse:
    """No reply is sent; the reason goes onto the ticket."""

    reason: Reason
    detail: str | None = None

    @property
    def suppresses(self) -> bool:
        return self.reason in SUPPRESSING


@dataclass(frozen=True)
class LookUp:
    """The reply may be out: look for it before anything else."""


@dataclass(frozen=True)
class Send:
    """Send the text. counted: the limits have counted it already."""

    text: str
    counted: bool


@dataclass(frozen=True)
class Record:
    """Dry run: record the text."""

    text: str


Step = Done | Wait | Refuse | LookUp | Send | Record
STOPPED_FOR = timedelta(minutes=15)
"""How often a stopped sender looks whether it may go on."""


def decide(
    request: ReplyRequest,
    ticket: Mapping[str, Any],
    queue: Queue,
    rules: Rules,
    account: Account,
    *,
    opted_out: bool,
    not_found: bool,
    now: datetime,
) -> Step:
    """The next step.

    Args:
        ticket: as it was read.
        opted_out: whether the ticket's author wants no replies.
        not_found: whether our timeline was just looked through, without finding the reply.
        now: aware.
    """
    entry = (ticket.get("replies") or {}).get(request.key) or {}
    progress = entry.get("state")
    if progress == Progress.SENT or (not request.by_agent and progress in _SETTLED):
        return Done()
    live = rules.mode is Mode.LIVE
    if live and account.paused_until is not None and now < account.paused_until:
        return Wait(account.paused_until, account.why)
    if progress == Progress.SENDING:
        if not not_found:
            return LookUp()
        settled = parse_rfc3339(entry["tried_at"]) + rules.settle
        if now < settled:
            return Wait(settled, "the timeline may not show it yet")
    if refusal := _refusal(request, ticket, rules, opted_out, now):
        return refusal
    if account.stopped:
        return Wait(now + STOPPED_FOR, "stopped")
    counted = progress in (Progress.SENDING, Progress.WAITING)
    if counted:
        # The words of the first attempt, whatever the templates say by now.
        return Send(entry["text"], counted=True)
    try:
        text = reply_text(dict(ticket), queue, request.text)
    except ReplyTextError as error:
        return Refuse(Reason.NO_WORDS, str(error))
    return Send(text, counted=False) if live else Record(text)


_SETTLED = (Progress.DRY_RUN, Progress.REFUSED)


def _refusal(
    request: ReplyRequest,
    ticket: Mapping[str, Any],
    rules: Rules,
    opted_out: bool,
    now: datetime,
) -> Refuse | None:
    """What speaks against a reply. An agent knows best whether one is needed, so praise, doubt and
    age do not hold an agent's back."""
    if opted_out:
        return Refuse(Reason.OPTED_OUT)
    # An agent may write again below our first reply.
    answerable = (State.OPEN, State.REPLIED) if request.text is not None else (State.OPEN,)
    if ticket["state"] not in answerable:
        return Refuse(Reason.NOT_OPEN, ticket["state"])
    if ticket["source"] not in rules.sources:
        return Refuse(Reason.NOT_ON_X, ticket["source"])
    if is_repost(ticket["text"]):
        return Refuse(Reason.REPOST)
    if request.by_agent:
        return None
    if ticket["sentiment"] == "positive":
        return Refuse(Reason.PRAISE)
    if ticket["confidence"] < rules.min_confidence:
        return Refuse(Reason.UNSURE, f"{ticket['confidence']:.2f}")
    if now - parse_rfc3339(ticket["occurred_at"]) > rules.max_age:
        return Refuse(Reason.TOO_LATE, ticket["occurred_at"])
    return None
