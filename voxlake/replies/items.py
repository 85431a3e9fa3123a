"""What is written about replies: on the ticket, and in the replies table. Plain dicts, no AWS.

The replies table holds, told apart by `pk`: `ACCOUNT` (kill switch, pause), `OPTOUT#…` (authors
who want no replies), `LIMIT#…` (how many replies an author, an hour, a day had) and
`TALLY#<mode>#<day>` (what became of requests). An update is UpdateItem's arguments but the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from voxlake.replies.decision import SUPPRESSING, Mode, Progress, Reason, Refuse, Rules
from voxlake.replies.requests import ReplyRequest
from voxlake.tickets.items import change, history_entry, ticket_key
from voxlake.tickets.states import State
from voxlake.times import format_rfc3339

Item = dict[str, Any]
Update = dict[str, Any]

SENDER, REPLIED = "reply_sender", State.REPLIED.value
TALLY_DAYS = 400
STOPPED, PAUSED = "stopped_at", "paused_until"


def account_key() -> dict[str, str]:
    """Primary key of what holds for all replies of our account."""
    return {"pk": "ACCOUNT"}


def opt_out_key(source: str, author_id: str) -> dict[str, str]:
    """Primary key of an author's wish. author_id: pseudonym."""
    return {"pk": f"OPTOUT#{source}#{author_id}"}


def opt_out_item(source: str, author_id: str, *, by: str, at: datetime) -> Item:
    """An author's wish to get no replies. by: `text_enricher` who read it, or `agent:<name>`."""
    return {**opt_out_key(source, author_id), "by": by, "at": format_rfc3339(at)}


def tally_key(mode: Mode, day: str) -> dict[str, str]:
    """Primary key of a day's counts. day: YYYY-MM-DD, UTC."""
    return {"pk": f"TALLY#{mode.value}#{day}"}


def stop(*, by: str, at: datetime) -> Update:
    """The kill switch, on."""
    return {
        "Key": account_key(),
        "UpdateExpression": "SET stopped_at = :at, stopped_by = :by",
        "ExpressionAttributeValues": {":at": format_rfc3339(at), ":by": by},
    }


def start() -> Update:
    """The kill switch, off; a pause too, for whoever starts has put right what caused it."""
    return {
        "Key": account_key(),
        "UpdateExpression": "REMOVE stopped_at, stopped_by, paused_until, paused_why",
    }


def pause(*, until: datetime, why: str) -> Update:
    """No call of X before a time."""
    return {
        "Key": account_key(),
        "UpdateExpression": "SET paused_until = :until, paused_why = :why",
        "ExpressionAttributeValues": {":until": format_rfc3339(until), ":why": why},
    }


def count(mode: Mode, outcomes: Sequence[str], at: datetime) -> Update:
    """Counts outcomes (`sent`, `refused`, `refused_<reason>`, `dry_run`) of a day."""
    names = {f"#n{i}": outcome for i, outcome in enumerate(outcomes)}
    return {
        "Key": tally_key(mode, _day(at)),
        "UpdateExpression": f"ADD {', '.join(f'{name} :one' for name in names)} "
        "SET expires_at = :expires",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": {
            ":one": 1,
            ":expires": int((at + timedelta(days=TALLY_DAYS)).timestamp()),
        },
    }


def limits(
    ticket: Mapping[str, Any], request: ReplyRequest, rules: Rules, at: datetime
) -> dict[Reason, Update]:
    """What counts a reply, each failing its condition where the limit is reached.

    An author's limit is one of automatic replies; what agents write counts for the account.
    """
    mode, source, day = rules.mode.value, ticket["source"], _day(at)
    hour = f"LIMIT#{mode}#HOUR#{at.astimezone(UTC):%Y-%m-%dT%H}"
    found = {
        Reason.HOUR_LIMIT: _limit(hour, rules.per_hour, at),
        Reason.DAY_LIMIT: _limit(f"LIMIT#{mode}#DAY#{day}", rules.per_day, at),
    }
    if not request.by_agent:
        author = f"LIMIT#{mode}#AUTHOR#{source}#{ticket['author_id']}#{day}"
        found[Reason.AUTHOR_LIMIT] = _limit(author, rules.author_per_day, at)
    return found


def _limit(pk: str, most: int, at: datetime) -> Update:
    return {
        "Key": {"pk": pk},
        "UpdateExpression": "ADD used :one SET expires_at = :expires",
        "ConditionExpression": "attribute_not_exists(used) OR used < :most",
        "ExpressionAttributeValues": {
            ":one": 1,
            ":most": most,
            ":expires": int((at + timedelta(days=2)).timestamp()),
        },
    }


def given_back(limit: Update) -> Update:
    """Takes back what an update of a limit counted."""
    return {
        "Key": limit["Key"],
        "UpdateExpression": "ADD used :less",
        "ExpressionAttributeValues": {":less": -1},
    }


def sending(ticket: Mapping[str, Any], request: ReplyRequest, text: str, at: datetime) -> Update:
    """The intent: from here on the reply may be out."""
    before = entry_of(ticket, request)
    entry = {
        "state": Progress.SENDING.value,
        "text": text,
        "by": request.by,
        "tried_at": format_rfc3339(at),
        # How far back our timeline is looked through.
        "since": before.get("since", format_rfc3339(at)),
        "tries": before.get("tries", 0) + 1,
    }
    return _note(ticket, request, entry, at)


def waiting(ticket: Mapping[str, Any], request: ReplyRequest, at: datetime) -> Update:
    """X refused to take it now: it is not out, and need not be looked for."""
    entry = {**entry_of(ticket, request), "state": Progress.WAITING.value}
    return _note(ticket, request, entry, at)


def sent(ticket: Mapping[str, Any], request: ReplyRequest, post_id: str, at: datetime) -> Update:
    """The result. A ticket that somebody closed meanwhile stays closed."""
    entry = {
        **entry_of(ticket, request),
        "state": Progress.SENT.value,
        "sent_at": format_rfc3339(at),
        "post_id": post_id,
    }
    state = State.REPLIED if ticket["state"] == State.OPEN else None
    update = _note(ticket, request, entry, at, state, what=REPLIED, detail=f"post {post_id}")
    if "replied_at" not in ticket:
        update["UpdateExpression"] += ", replied_at = :at, reply_post_id = :post"
        update["ExpressionAttributeValues"][":post"] = post_id
    return update


def dry_run(ticket: Mapping[str, Any], request: ReplyRequest, text: str, at: datetime) -> Update:
    """What would have been sent; the ticket stays as it is."""
    entry = {
        "state": Progress.DRY_RUN.value,
        "text": text,
        "by": request.by,
        "at": format_rfc3339(at),
    }
    return _note(ticket, request, entry, at, what="reply_dry_run", detail=text)


def refused(
    ticket: Mapping[str, Any], request: ReplyRequest, refusal: Refuse, at: datetime
) -> Update:
    """Why nothing was sent; where nobody is to answer, the ticket is suppressed."""
    reason = refusal.reason.value
    entry = {
        **entry_of(ticket, request),
        "state": Progress.REFUSED.value,
        "by": request.by,
        "reason": reason,
        "at": format_rfc3339(at),
    }
    detail = f"{reason}: {refusal.detail}" if refusal.detail else reason
    suppresses = refusal.reason in SUPPRESSING and ticket["state"] == State.OPEN
    state = State.SUPPRESSED if suppresses else None
    what = State.SUPPRESSED.value if suppresses else "reply_refused"
    return _note(ticket, request, entry, at, state, what=what, detail=detail)


def entry_of(ticket: Mapping[str, Any], request: ReplyRequest) -> dict[str, Any]:
    """What the ticket says of this reply; empty where nothing."""
    return dict((ticket.get("replies") or {}).get(request.key) or {})


def post_ids(ticket: Mapping[str, Any]) -> set[str]:
    """Our posts below this ticket's text, as far as they are recorded."""
    entries = (ticket.get("replies") or {}).values()
    return {entry["post_id"] for entry in entries if "post_id" in entry}


def _note(
    ticket: Mapping[str, Any],
    request: ReplyRequest,
    entry: Mapping[str, Any],
    at: datetime,
    state: State | None = None,
    *,
    what: str | None = None,
    detail: str | None = None,
) -> Update:
    """An update of one entry, and with it of history and state, on the revision that was read."""
    values: dict[str, Any] = {":replies": {**(ticket.get("replies") or {}), request.key: entry}}
    if state is not None:
        update = change(ticket, state, who=_who(request, what), at=at, note=detail)
    else:
        history = ", history = list_append(history, :entry)" if what else ""
        update = {
            "Key": ticket_key(ticket["ticket_id"]),
            "UpdateExpression": f"SET updated_at = :at, revision = :next{history}",
            "ConditionExpression": "revision = :read",
        }
        values |= {
            ":at": format_rfc3339(at),
            ":next": ticket["revision"] + 1,
            ":read": ticket["revision"],
        }
        if what:
            values[":entry"] = [history_entry(what, _who(request, what), at, note=detail)]
    values = update.get("ExpressionAttributeValues", {}) | values
    expression = update["UpdateExpression"] + ", replies = :replies"
    return {**update, "UpdateExpression": expression, "ExpressionAttributeValues": values}


def _who(request: ReplyRequest, what: str | None) -> str:
    """An agent's reply is the agent's; what the rules decide is the sender's."""
    return request.by if request.by_agent and what == REPLIED else SENDER


def _day(at: datetime) -> str:
    return at.astimezone(UTC).date().isoformat()
