"""One request for a reply, taken as far as it goes now.

Exactly once: the intent is on the ticket before X is asked, the result before the message is
deleted. Whoever finds an intent without a result looks for the ticket's id in our own timeline
before sending again, and believes that it is not there only after the time for which a timeline may
lag. Two senders cannot meet at one ticket: its messages are all in the message group of its source,
and a message stays hidden for longer than a function lives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from lambdas.reply_sender.adapters import Tables
from lambdas.reply_sender.posting import Poster
from voxlake.errors import TerminalError, TransientError
from voxlake.replies import items
from voxlake.replies.decision import (
    Done,
    LookUp,
    Reason,
    Record,
    Refuse,
    Rules,
    Send,
    Step,
    Wait,
    decide,
)
from voxlake.replies.errors import (
    DuplicatePostError,
    PostRefusedError,
    ReplyUnsureError,
)
from voxlake.replies.requests import ReplyRequest
from voxlake.sources.errors import ApiUnavailableError, WaitError
from voxlake.tickets import Queues
from voxlake.tickets.errors import TicketChangedError
from voxlake.times import parse_rfc3339

_ATTEMPTS = 6


class Outcome(StrEnum):
    """What became of a request; also the names of the metrics' counts."""

    SENT = "sent"
    FOUND = "found"
    DRY_RUN = "dry_run"
    REFUSED = "refused"
    DONE = "done"


class DryRunError(TerminalError):
    """A dry run came to a reply that a live run left half sent."""


class HeldBackError(TransientError):
    """Not now, through no fault of this message: it waits without using up its receives."""

    def __init__(self, until: datetime, why: str) -> None:
        self.until = until
        super().__init__(f"held back until {until.isoformat()}: {why}")


@dataclass(frozen=True)
class Sender:
    """Answers requests.

    Attributes:
        poster: None in a dry run, which has no way to X.
        clock: now, aware.
    """

    tables: Tables
    queues: Queues
    rules: Rules
    poster: Poster | None
    clock: Callable[[], datetime]

    def answer(self, request: ReplyRequest) -> Outcome:
        """Takes one request as far as it goes.

        Raises:
            HeldBackError: stopped, throttled, or X refuses our account.
            ReplyUnsureError: it may be out; to be looked for after a time.
            NoTicketError: there is no such ticket.
            TicketChangedError: others kept changing the ticket.
            ApiUnavailableError: X did not answer, before anything was sent.
            ClientError: an AWS service refuses.
        """
        not_found = False
        for _ in range(_ATTEMPTS):
            ticket = self.tables.ticket(request.ticket_id)
            step = self._decide(request, ticket, not_found)
            try:
                match step:
                    case Done():
                        return Outcome.DONE
                    case Wait():
                        raise HeldBackError(step.until, step.why)
                    case Refuse():
                        return self._refuse(request, ticket, step)
                    case Record():
                        return self._record(request, ticket, step.text)
                    case LookUp():
                        if self._look_up(request, ticket):
                            return Outcome.FOUND
                        not_found = True
                    case Send():
                        return self._send(request, ticket, step)
            except TicketChangedError:
                continue
        raise TicketChangedError(
            f"expected {request.ticket_id} to stand still, found others changing it; tried again"
        )

    def _decide(self, request: ReplyRequest, ticket: Mapping[str, Any], not_found: bool) -> Step:
        return decide(
            request,
            ticket,
            self.queues.named(ticket["queue"]),
            self.rules,
            self.tables.account(),
            opted_out=self.tables.opted_out(ticket["source"], ticket["author_id"]),
            not_found=not_found,
            now=self.clock(),
        )

    def _refuse(self, request: ReplyRequest, ticket: Mapping[str, Any], why: Refuse) -> Outcome:
        now = self.clock()
        self.tables.change(items.refused(ticket, request, why, now))
        self._tally(["refused", f"refused_{why.reason.value}"], now)
        return Outcome.REFUSED

    def _record(self, request: ReplyRequest, ticket: Mapping[str, Any], text: str) -> Outcome:
        now = self.clock()
        update = items.dry_run(ticket, request, text, now)
        if reached := self._change_within_limits(request, ticket, update):
            return self._refuse(request, ticket, Refuse(reached))
        self._tally(["dry_run"], now)
        return Outcome.DRY_RUN

    def _look_up(self, request: ReplyRequest, ticket: Mapping[str, Any]) -> bool:
        """Whether the reply is in our timeline; if so, it is recorded."""
        entry = items.entry_of(ticket, request)
        try:
            post_id = self._x.find(
                ticket["ticket_id"],
                since=parse_rfc3339(entry["since"]),
                known=items.post_ids(ticket),
            )
        except ReplyUnsureError:
            raise
        except WaitError as error:
            raise self._held_back(error) from error
        if post_id is not None:
            self._sent(request, post_id)
        return post_id is not None

    def _send(self, request: ReplyRequest, ticket: Mapping[str, Any], step: Send) -> Outcome:
        try:
            self._x.ready()
        except WaitError as error:
            raise self._held_back(error) from error
        tried_at = self.clock()
        intent = items.sending(ticket, request, step.text, tried_at)
        if step.counted:
            self.tables.change(intent)
        elif reached := self._change_within_limits(request, ticket, intent):
            return self._refuse(request, ticket, Refuse(reached))
        try:
            post_id, spent_until = self._x.post(step.text, ticket["native_id"])
        except (ApiUnavailableError, DuplicatePostError, ReplyUnsureError) as error:
            raise ReplyUnsureError(str(error), until=tried_at + self.rules.settle) from error
        except PostRefusedError as error:
            refusal = Refuse(Reason.REFUSED_BY_X, str(error))
            self._again(request, lambda ticket: self._refuse(request, ticket, refusal))
            return Outcome.REFUSED
        except WaitError as error:
            self._again(
                request,
                lambda ticket: self.tables.change(items.waiting(ticket, request, self.clock())),
            )
            raise self._held_back(error) from error
        self._sent(request, post_id)
        if spent_until is not None:
            # The next message waits without asking X in vain.
            self.tables.pause(until=spent_until, why="X's window is used up")
        return Outcome.SENT

    def _sent(self, request: ReplyRequest, post_id: str) -> None:
        now = self.clock()
        self._again(
            request, lambda ticket: self.tables.change(items.sent(ticket, request, post_id, now))
        )
        self._tally(["sent"], now)

    def _held_back(self, error: WaitError) -> HeldBackError:
        """Everybody else waits too; what X said is kept for `voxlake replies status`."""
        self.tables.pause(until=error.until, why=str(error))
        return HeldBackError(error.until, str(error))

    def _again(self, request: ReplyRequest, write: Callable[[Mapping[str, Any]], Any]) -> None:
        """Writes onto the ticket as it is then, whoever else changes it meanwhile."""
        for _ in range(_ATTEMPTS):
            try:
                write(self.tables.ticket(request.ticket_id))
                return
            except TicketChangedError as error:
                last = error
        raise last

    def _change_within_limits(
        self, request: ReplyRequest, ticket: Mapping[str, Any], update: items.Update
    ) -> Reason | None:
        """Counts, then changes the ticket; the limit that is reached where that was not done.

        A crash between the two leaves a reply counted that is counted again: the limits are never
        exceeded, and a transaction would be twice the price.
        """
        taken: list[items.Update] = []
        try:
            for reason, limit in items.limits(ticket, request, self.rules, self.clock()).items():
                if not self.tables.count(limit):
                    self._give_back(taken)
                    return reason
                taken.append(limit)
            self.tables.change(update)
        except TicketChangedError:
            self._give_back(taken)
            raise
        return None

    def _give_back(self, taken: list[items.Update]) -> None:
        for limit in taken:
            self.tables.count(items.given_back(limit))

    def _tally(self, outcomes: list[str], at: datetime) -> None:
        """For `voxlake replies status`: a crash just before leaves one uncounted."""
        self.tables.count(items.count(self.rules.mode, outcomes, at))

    @property
    def _x(self) -> Poster:
        if self.poster is None:
            raise DryRunError("expected nothing to be sent in a dry run; set the mode to live")
        return self.poster
