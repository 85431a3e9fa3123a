"""X API v2 as far as recent search, posting and timelines go.

With its windows of requests, its headers and its problem documents.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.servers.api import Answer, ApiServer, Fault, Request

SEARCH = "/2/tweets/search/recent"
TIMELINE = re.compile(r"/2/users/(\d+)/tweets")
QUARTER, DAY = timedelta(minutes=15), timedelta(hours=24)
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
POSTED_THEN_DROPS = Fault(drops=True, acts=True)
POSTED_THEN_HANGS = Fault(hangs=True, acts=True)
POSTED_THEN_BROKEN = Fault(Answer(502, b"bad gateway"), acts=True)
POSTED_THEN_NOT_JSON = Fault(Answer(201, b"<html>sorry</html>"), acts=True)
REPLY_NOT_ALLOWED = problem(
    403,
    "about:blank",
    "Forbidden",
    "You attempted to reply to a Tweet that is deleted or not visible to you.",
)
DUPLICATE = problem(
    403, "about:blank", "Forbidden", "You are not allowed to create a Tweet with duplicate content."
)
READ_ONLY = problem(
    403,
    "oauth1-permissions",
    "Forbidden",
    "Your client app is not configured with the appropriate oauth1 app permissions.",
)


def post_id(at: datetime, number: int = 0) -> str:
    """An id as X would give at a time."""
    return str((int(at.timestamp() * 1000) - EPOCH_MS << 22) + number)


@dataclass
class Window:
    """Requests at most in a time; ``used`` of the window that began at ``since``."""

    limit: int
    length: timedelta
    since: datetime
    used: int = 0

    def take(self, now: datetime) -> bool:
        """Counts a request; False where none is left."""
        if now >= self.since + self.length:
            self.since, self.used = now, 0
        if self.used >= self.limit:
            return False
        self.used += 1
        return True

    def headers(self, prefix: str) -> dict[str, str]:
        return {
            f"{prefix}-limit": str(self.limit),
            f"{prefix}-remaining": str(self.limit - self.used),
            f"{prefix}-reset": str(int((self.since + self.length).timestamp())),
        }


class XServer(ApiServer):
    """Posts that can be searched behind a bearer token, written and listed behind OAuth 1.0a.

    Attributes:
        posts: as the API shows them, ours too.
        tokens: accepted bearer tokens.
        writers: {access token: id of its account}.
        windows: {endpoint: window}: ``search``, ``post``, ``me``, ``timeline``, ``post_day``.
        refused_tokens: next_tokens that are not taken.
        closed: ids of posts that take no replies.
        takes_duplicates: whether an account may post the same words again.
        lag: how much later a timeline shows a post.
        page_size: of a timeline, at most.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        super().__init__()
        self.clock = clock
        self.posts: list[dict[str, Any]] = []
        self.places: dict[str, str] = {}
        self.tokens = {"good-token"}
        self.writers = {"good-access": "99"}
        self.refused_tokens: set[str] = set()
        self.closed: set[str] = set()
        self.takes_duplicates = False
        self.lag = timedelta()
        self.page_size = 100
        limits = {"search": 450, "post": 100, "me": 75, "timeline": 900}
        self.windows = {name: Window(most, QUARTER, clock()) for name, most in limits.items()}
        self.windows["post_day"] = Window(10_000, DAY, clock())

    @property
    def limit(self) -> int:
        """Searches in a window of 15 minutes."""
        return self.windows["search"].limit

    @limit.setter
    def limit(self, most: int) -> None:
        self.windows["search"].limit = most

    def replies(self, to: str | None = None) -> list[dict[str, Any]]:
        """Posts that answer one (any, where none is named), in order of posting."""
        return [
            post
            for post in self.posts
            if (answered := post.get("in_reply_to")) and to in (None, answered)
        ]

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
        account: str | None = None
        if request.path == SEARCH and request.method == "GET":
            bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
            window, allowed = "search", bearer in self.tokens
        else:
            signed = request.headers.get("authorization", "")
            token = re.search(r'^OAuth .*oauth_token="([^"]+)"', signed)
            account = self.writers.get(token[1]) if token and "oauth_signature=" in signed else None
            window, allowed = self._endpoint(request), account is not None
        if not allowed:
            return UNAUTHORIZED
        if window is None:
            return problem(404, "resource-not-found", "Not Found")
        names = {"x-rate-limit": window}
        if window == "post":
            names["x-user-limit-24hour"] = "post_day"
        taken = [self.windows[name].take(self.clock()) for name in names.values()]
        headers: dict[str, str] = {}
        for prefix, name in names.items():
            headers |= self.windows[name].headers(prefix)
        if not all(taken):
            return Answer(429, {"title": "Too Many Requests", "status": 429}, headers)
        answer = self._answer(window, request, account or "")
        return Answer(answer.status, answer.body, headers)

    @staticmethod
    def _endpoint(request: Request) -> str | None:
        match request.method, request.path:
            case "POST", "/2/tweets":
                return "post"
            case "GET", "/2/users/me":
                return "me"
            case "GET", path if TIMELINE.fullmatch(path):
                return "timeline"
        return None

    def _answer(self, window: str, request: Request, account: str) -> Answer:
        match window:
            case "search":
                return self._search(dict(request.params))
            case "me":
                return Answer(200, {"data": {"id": account, "username": "us", "name": "Us"}})
            case "timeline":
                return self._timeline(request)
        return self._create(json.loads(request.body), account)

    def _create(self, wanted: dict[str, Any], account: str) -> Answer:
        unknown = set(wanted) - {"text", "reply"}
        if unknown or not wanted.get("text") or len(wanted["text"]) > 280:
            return problem(400, "invalid-request", "Invalid Request", f"text; {sorted(unknown)}")
        alike = [p for p in self.posts if (p["text"], p["author_id"]) == (wanted["text"], account)]
        if alike and not self.takes_duplicates:
            return DUPLICATE
        answered = (wanted.get("reply") or {}).get("in_reply_to_tweet_id")
        if answered in self.closed:
            return REPLY_NOT_ALLOWED
        members = {"in_reply_to": answered} if answered else {}
        made = self.add_post(
            wanted["text"], self.clock(), author=account, number=len(self.posts), **members
        )
        return Answer(201, {"data": {"id": made["id"], "text": made["text"]}})

    def _timeline(self, request: Request) -> Answer:
        author = TIMELINE.fullmatch(request.path)[1]
        size = min(int(request.params.get("max_results", "10")), self.page_size)
        start = datetime.fromisoformat(request.params["start_time"])
        seen = self.clock() - self.lag
        found = [
            {"id": post["id"], "text": post["text"]}
            for post in sorted(self.posts, key=lambda post: -int(post["id"]))
            if post["author_id"] == author
            and start <= datetime.fromisoformat(post["created_at"]) <= seen
        ]
        begin = int(request.params.get("pagination_token", "at-0")[3:])
        meta: dict[str, Any] = {"result_count": len(found[begin : begin + size])}
        if begin + size < len(found):
            meta["next_token"] = f"at-{begin + size}"
        if not meta["result_count"]:
            return Answer(200, {"meta": meta})
        return Answer(200, {"data": found[begin : begin + size], "meta": meta})

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
