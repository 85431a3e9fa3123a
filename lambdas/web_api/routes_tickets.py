"""Routes of agents: tickets, what is done with them, replies. And one for whoever has an id."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from lambdas.web_api import documents
from lambdas.web_api.caller import Caller
from lambdas.web_api.problems import ApiError
from lambdas.web_api.routes_live import Limit, Since
from lambdas.web_api.services import Services
from lambdas.web_api.texts import decode, encode
from voxlake.replies.requests import AGENT, reply_request
from voxlake.tickets import Queues
from voxlake.tickets.items import public_view
from voxlake.tickets.queues import UNSORTED
from voxlake.tickets.states import State
from voxlake.tickets.store import place, shown

_ACTIONS = {"close": State.CLOSED, "suppress": State.SUPPRESSED, "reopen": State.OPEN}
_LISTED = (
    "ticket_id",
    "queue",
    "state",
    "kind",
    "opened_at",
    "updated_at",
    "source",
    "sentiment",
    "text",
)
TicketId = Annotated[
    str, Path(max_length=40, description="As it was read out.", examples=["BAG-5Q43E0-4TQ2M"])
]
OfQueue = Annotated[str | None, Query(max_length=64, description="Only this queue, by its id.")]
OfState = Annotated[State | None, Query(description="Only this state.")]


def tickets_router(services: Callable[[], Services]) -> APIRouter:
    """All but the public view need a token."""
    routes = APIRouter(prefix="/v1")

    @routes.get("/tickets", tags=["tickets"])
    def tickets(
        _: Caller,
        queue: OfQueue = None,
        state: OfState = None,
        since: Since = None,
        limit: Limit = 100,
    ) -> documents.TicketList:
        """Tickets, the newest first; after the cursor of an answer those that are older."""
        queues = services().queues
        before = tuple(decode(since, 2)) if since is not None else None
        found = services().tickets.listed(
            queue=queues.named(queue).id if queue is not None else None,
            state=state,
            before=before,  # type: ignore[arg-type]
            limit=limit + 1,
        )
        given = found[:limit]
        cursor = encode(*place(given[-1])) if given else since or encode("9", "-")
        listed = [listed_ticket(ticket, queues) for ticket in given]
        return documents.TicketList.model_validate(
            {"tickets": listed, "cursor": cursor, "more": len(found) > limit}
        )

    @routes.get("/tickets/{ticket_id}", tags=["public"])
    def ticket(ticket_id: TicketId) -> documents.PublicTicket:
        """How far a ticket is: what anybody who has its id may know."""
        found = services().tickets.read(ticket_id)
        queues = services().queues.by_id
        queue = queues.get(found["queue"]) or queues[UNSORTED]
        return documents.PublicTicket.model_validate(public_view(found, queue))

    @routes.get("/tickets/{ticket_id}/details", tags=["tickets"])
    def details(_: Caller, ticket_id: TicketId) -> documents.TicketDetails:
        """A ticket with its text and its history."""
        return _details(services().tickets.read(ticket_id), services().queues)

    @routes.post("/tickets/{ticket_id}/actions", tags=["tickets"])
    def act(who: Caller, ticket_id: TicketId, asked: documents.Action) -> documents.TicketDetails:
        """Closes, suppresses or reopens a ticket; the token's subject goes into its history."""
        changed = services().tickets.changed(
            ticket_id,
            _ACTIONS[asked.action],
            who=f"{AGENT}{who}",
            clock=services().clock,
            note=asked.note,
            revision=asked.revision,
        )
        return _details(changed, services().queues)

    @routes.post("/replies", tags=["tickets"], status_code=202)
    def reply(who: Caller, asked: documents.ReplyAsked) -> documents.ReplyQueued:
        """Asks for a reply to be sent, in your words or by the queue's template."""
        settings = services().settings
        if settings.replies_mode == "off" or not settings.outbox_url:
            raise ApiError(
                409, "replies are turned off in this stage's configuration (docs/replies.md)"
            )
        found = services().tickets.read(asked.ticket_id)
        ticket_id = found["ticket_id"]
        if found["state"] == State.CLOSED:
            raise ApiError(409, f"{ticket_id} is closed: it is not answered any more")
        message = reply_request(
            ticket_id, f"{AGENT}{who}", asked.text, services().clock(), source=found["source"]
        )
        services().client("sqs").send_message(QueueUrl=settings.outbox_url, **message)
        return documents.ReplyQueued(ticket_id=ticket_id, state="queued")

    return routes


def listed_ticket(ticket: Mapping[str, Any], queues: Queues) -> dict[str, Any]:
    """A ticket as a list has it."""
    return {
        **{name: ticket.get(name) for name in _LISTED},
        "queue_name": queue_name(ticket["queue"], queues),
        "replied_at": max(
            (e["at"] for e in ticket["history"] if e["what"] == State.REPLIED), default=None
        ),
    }


def queue_name(queue: str, queues: Queues) -> str:
    """Its id where the queues' file has no such queue any more."""
    return queues.by_id[queue].name if queue in queues.by_id else queue


def _details(ticket: Mapping[str, Any], queues: Queues) -> documents.TicketDetails:
    named = {**shown(ticket), "queue_name": queue_name(ticket["queue"], queues)}
    return documents.TicketDetails.model_validate(named)
