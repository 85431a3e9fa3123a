"""A small web API that speaks the dashboard's contract, and serves the page beside it."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.servers.api import Answer, ApiServer, Request

PAGE = Path(__file__).resolve().parents[2] / "dashboard"
START = datetime(2026, 3, 1, 9, tzinfo=UTC)
AFTER = {"close": "closed", "suppress": "suppressed", "reopen": "open"}
ALLOWED = {
    "open": {"close", "suppress"},
    "replied": {"close", "reopen"},
    "suppressed": {"close", "reopen"},
    "closed": set(),
}


def text(number: int, said: str = "", *, sentiment: str = "neutral", emotions: Iterable[str] = ()):
    """A text as the API tells it, said so many minutes after the start."""
    at = (START + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "event_id": f"e{number:06d}",
        "arrived": f"{at}#e{number:06d}",
        "occurred_at": at,
        "source": "youtube",
        "text": said or f"This is comment {number}",
        "sentiment": sentiment,
        "polarity": {"positive": 0.8, "neutral": 0.0, "negative": -0.8}[sentiment],
        "emotions": list(emotions),
        "emotion_scores": {},
        "main_emotion": None,
        "entities": [],
        "language": "en",
        "in_scope": True,
        "model": "encoder-1",
    }


def ticket(ticket_id: str, queue: str, said: str, *, state: str = "open", minutes: int = 0):
    """A ticket with its whole history, as agents see it."""
    at = (START + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "ticket_id": ticket_id,
        "queue": queue,
        "queue_name": queue.replace("_", " ").title(),
        "state": state,
        "kind": "complaint",
        "reason": None,
        "opened_at": at,
        "updated_at": at,
        "source": "x",
        "sentiment": "negative",
        "text": said,
        "revision": 1,
        "history": [{"what": "opened", "who": "text_enricher", "at": at, "note": None}],
    }


@dataclass
class Video:
    """A video: its texts come at once when it is asked for, or as a test adds them."""

    state: str = "reading"
    texts: list[dict[str, Any]] = field(default_factory=list)
    detail: str | None = None
    resumes_at: str | None = None


class WebApi(ApiServer):
    """`url` serves the page; everything under /v1/ follows the contract.

    Attributes:
        down: /v1/ answers 503.
        token: a call without it gets 401; None lets everybody in.
        replies: bodies of POST v1/replies.
    """

    def __init__(self) -> None:
        super().__init__()
        self.videos: dict[str, Video] = {}
        self.tracked: dict[str, list[dict[str, Any]]] = {}
        self.names: dict[str, str] = {}
        self.tickets: dict[str, dict[str, Any]] = {}
        self.health: dict[str, Any] = {"status": "ok", "stream": {"lag_seconds": 0}}
        self.replies: list[dict[str, Any]] = []
        self.down = False
        self.token: str | None = None

    def add(self, *tickets: dict[str, Any]) -> None:
        self.tickets.update({one["ticket_id"]: one for one in tickets})

    def calls(self, path: str) -> int:
        """How many requests of a path were answered or refused."""
        return sum(request.path == path for request, _status in self.log)

    def respond(self, request: Request) -> Answer:
        if not request.path.startswith("/v1/"):
            return _file(request.path)
        if self.down:
            return _problem(503, "Service Unavailable", "down for a moment")
        parts = request.path.removeprefix("/v1/").split("/")
        signed = request.headers.get("authorization") == f"Bearer {self.token}"
        public = parts[0] == "tickets" and len(parts) == 2
        if self.token and not (public or signed):
            return _problem(401, "Unauthorized", "a token is needed")
        answer = getattr(self, f"_{parts[0]}", None)
        if answer is None:
            return _problem(404, "Not Found", "no such route")
        return answer(request, parts[1:])

    def _health(self, _request: Request, _parts: list[str]) -> Answer:
        return Answer(body=self.health)

    def _trackers(self, request: Request, parts: list[str]) -> Answer:
        if not parts:
            named = [{"id": i, "name": self.names.get(i, i)} for i in self.tracked]
            return Answer(body={"trackers": named})
        if parts[0] not in self.tracked:
            return _problem(404, "Not Found", f"no tracker {parts[0]}")
        return Answer(body=_page(self.tracked[parts[0]], request.params))

    def _videos(self, request: Request, parts: list[str]) -> Answer:
        video = self.videos.get(parts[0]) or Video(state="not_found")
        about = {
            "video_id": parts[0],
            "state": video.state,
            "texts_read": len(video.texts),
            "detail": video.detail,
            "resumes_at": video.resumes_at,
        }
        if request.method == "POST":
            return Answer(202, {"video": about, "cursor": "0"})
        return Answer(body={**_page(video.texts, request.params), "video": about})

    def _tickets(self, request: Request, parts: list[str]) -> Answer:
        if not parts:
            return self._listed(request)
        found = self.tickets.get(parts[0])
        if found is None:
            return _problem(404, "Not Found", f"no ticket {parts[0]}")
        if len(parts) == 1:
            return Answer(body=_public(found))
        if parts[1] == "details":
            return Answer(body=found)
        wanted = json.loads(request.body)
        if wanted["action"] not in ALLOWED[found["state"]]:
            return _problem(409, "Conflict", f"{parts[0]} is {found['state']}")
        if wanted.get("revision", found["revision"]) != found["revision"]:
            return _problem(409, "Conflict", "somebody changed the ticket; look again")
        state = AFTER[wanted["action"]]
        self.tickets[parts[0]] = {
            **found,
            "state": state,
            "revision": found["revision"] + 1,
            "history": [
                *found["history"],
                {
                    "what": state,
                    "who": "agent:laptop",
                    "at": found["opened_at"],
                    "note": wanted.get("note"),
                },
            ],
        }
        return Answer(body=self.tickets[parts[0]])

    def _listed(self, request: Request) -> Answer:
        found = [
            one
            for one in self.tickets.values()
            if all(request.params.get(k) in (None, one[k]) for k in ("queue", "state"))
        ]
        found.sort(key=lambda one: one["opened_at"], reverse=True)
        start, limit = int(request.params.get("since", 0)), int(request.params.get("limit", 50))
        shown = [
            {k: v for k, v in one.items() if k != "history"} for one in found[start : start + limit]
        ]
        more = start + limit < len(found)
        return Answer(body={"tickets": shown, "cursor": str(start + limit), "more": more})

    def _replies(self, request: Request, _parts: list[str]) -> Answer:
        self.replies.append(json.loads(request.body))
        return Answer(202, {"ticket_id": self.replies[-1]["ticket_id"], "state": "queued"})


def _page(texts: list[dict[str, Any]], params: Any) -> dict[str, Any]:
    """Texts after the cursor (their number), oldest first; without one the newest.

    At the end the cursor stays two texts behind, so that they come again.
    """
    limit = int(params.get("limit", 100))
    start = int(params["since"]) if params.get("since") else max(0, len(texts) - limit)
    end = min(start + limit, len(texts))
    more = end < len(texts)
    return {
        "texts": texts[start:end],
        "cursor": str(end if more else max(0, end - 2)),
        "more": more,
    }


def _public(found: dict[str, Any]) -> dict[str, Any]:
    return {
        "ticket_id": found["ticket_id"],
        "queue": found["queue_name"],
        "state": found["state"],
        "opened_at": found["opened_at"],
        "updated_at": found["updated_at"],
        "hours": "every day, around the clock",
        "history": [{"what": e["what"], "at": e["at"]} for e in found["history"]],
    }


def _file(path: str) -> Answer:
    name = path.lstrip("/") or "index.html"
    found = (PAGE / name).resolve()
    if PAGE not in found.parents or not found.is_file():
        return Answer(404, b"")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Answer(200, found.read_bytes(), {"Content-Type": kind})


def _problem(status: int, title: str, detail: str) -> Answer:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Answer(status, body, {"Content-Type": "application/problem+json"})
