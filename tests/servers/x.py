"""X API v2 as far as recent search goes, with its windows of requests and its problem documents."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.servers.api import Answer, ApiServer, Fault, Request

SEARCH = "/2/tweets/search/recent"
EPOCH_MS = 1_288_834_974_657
REACH = timedelta(days=7)


def problem(status: int, kind: str, title: str, detail: str = "", **members: Any) -> Answer:
    """A problem document."""
    document = {"title": title, "detail": detail or title, "status": status, **members}
    return Answer(status, {"type": f"https://api.x.com/2/problems/{kind}", **document})


UNAUTHORIZED = problem(401, "unauthorized", "Unauthorized")
CAP_REACHED = Fault(
    problem(429, "usage-capped", "UsageCapExceeded", "Usage cap exceeded", period="Monthly")
)
CREDITS_DEPLETED = Fault(problem(402, "credits", "CreditsDepleted"))
UNAVAILABLE = Fault(problem(503, "service-unavailable", "Service Unavailable"))
BROKEN = Fault(Answer(502, b"bad gateway"))
HANGS = Fault(hangs=True)
DROPS = Fault(drops=True)
NOT_JSON = Fault(Answer(200, b"<html>sorry</html>"))


def post_id(at: datetime, number: int = 0) -> str:
    """An id as X would give at a time."""
    return str((int(at.timestamp() * 1000) - EPOCH_MS << 22) + number)


class XServer(ApiServer):
    """Posts that can be searched, behind a bearer token.

    Attributes:
        posts: as the API shows them.
        tokens: accepted bearer tokens.
        limit: requests in a window of 15 minutes.
        window_from: when the current window began; ``clock`` moves on.
        refused_tokens: next_tokens that are not taken.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        super().__init__()
        self.clock = clock
        self.posts: list[dict[str, Any]] = []
        self.places: dict[str, str] = {}
        self.tokens = {"good-token"}
        self.limit = 450
        self.refused_tokens: set[str] = set()
        self._window_from = clock()
        self._used = 0

    def add_post(
        self, text: str, at: datetime, *, author: str = "77", number: int = 0, **members: Any
    ) -> dict[str, Any]:
        """Publishes a post; members override what follows from its text."""
        made = post_id(at, number)
        tags = [{"start": 0, "end": 1, "tag": tag} for tag in re.findall(r"#(\w+)", text)]
        names = [
            {"start": 0, "end": 1, "username": name, "id": "5"}
            for name in re.findall(r"@(\w+)", text)
        ]
        post = {
            "id": made,
            "text": text,
            "author_id": author,
            "created_at": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "edit_history_tweet_ids": [made],
            "lang": "en",
            "entities": {
                name: value for name, value in (("hashtags", tags), ("mentions", names)) if value
            },
            "public_metrics": {
                "retweet_count": 2,
                "reply_count": 1,
                "like_count": 3,
                "quote_count": 1,
                "impression_count": 900,
            },
            "source": "somewhere",
            **members,
        }
        self.posts.append(post)
        return post

    def respond(self, request: Request) -> Answer:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        if bearer not in self.tokens:
            return UNAUTHORIZED
        if request.path != SEARCH or request.method != "GET":
            return problem(404, "resource-not-found", "Not Found")
        headers = self._count()
        if headers is None:
            return Answer(429, {"title": "Too Many Requests", "status": 429}, self._headers(0))
        answer = self._search(request.params)
        return Answer(answer.status, answer.body, headers)

    def _count(self) -> dict[str, str] | None:
        """Counts a request in its window; the headers to send, None where none was left."""
        if self.clock() >= self._window_from + timedelta(minutes=15):
            self._window_from, self._used = self.clock(), 0
        if self._used >= self.limit:
            return None
        self._used += 1
        return self._headers(self.limit - self._used)

    def _headers(self, remaining: int) -> dict[str, str]:
        reset = int((self._window_from + timedelta(minutes=15)).timestamp())
        return {
            "x-rate-limit-limit": str(self.limit),
            "x-rate-limit-remaining": str(remaining),
            "x-rate-limit-reset": str(reset),
        }

    def _search(self, params: dict[str, str]) -> Answer:
        def invalid(detail: str) -> Answer:
            return problem(400, "invalid-request", "Invalid Request", detail)

        if len(params["query"]) > 512:
            return invalid("Rules must be at most 512 characters long")
        size = int(params["max_results"])
        assert 10 <= size <= 100
        token = params.get("next_token", "at-0")
        if token in self.refused_tokens or not token.startswith("at-"):
            return invalid("Invalid 'next_token'")
        oldest = int(post_id(self.clock() - REACH))
        since = int(params.get("since_id", oldest))
        if since < oldest:
            return invalid("'since_id' must be a tweet id created after 7 days ago")
        if start := params.get("start_time"):
            begins = datetime.fromisoformat(start)
            if begins < self.clock() - REACH:
                return invalid("Invalid 'start_time'")
            since = max(since, int(post_id(begins.astimezone(UTC))) - 1)
        terms = _terms(params["query"])
        found = [
            post
            for post in sorted(self.posts, key=lambda post: -int(post["id"]))
            if int(post["id"]) > since and any(term(post) for term in terms)
        ]
        begin = int(token[3:])
        part = found[begin : begin + size]
        if not part:
            return Answer(200, {"meta": {"result_count": 0}})
        meta: dict[str, Any] = {
            "result_count": len(part),
            "newest_id": part[0]["id"],
            "oldest_id": part[-1]["id"],
        }
        if begin + size < len(found):
            meta["next_token"] = f"at-{begin + size}"
        body: dict[str, Any] = {"data": part, "meta": meta}
        if self.places:
            places = [{"id": key, "full_name": name} for key, name in self.places.items()]
            body["includes"] = {"places": places}
        return Answer(200, body)


def _terms(query: str) -> list[Callable[[dict[str, Any]], bool]]:
    """What a query of the form ``(a OR b) -is:retweet`` asks for, term by term."""
    inside = re.fullmatch(r"\((.*)\) -is:retweet", query)
    assert inside, query

    def term(word: str) -> Callable[[dict[str, Any]], bool]:
        return lambda post: bool(
            re.search(rf"(?<!\w){re.escape(word)}(?!\w)", post["text"], re.IGNORECASE)
        )

    lexer = shlex.shlex(inside[1], posix=True)
    lexer.whitespace_split, lexer.commenters, lexer.quotes = True, "", '"'
    return [term(word) for word in lexer if word != "OR"]
