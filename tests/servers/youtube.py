"""YouTube Data API v3 as far as comments go: commentThreads.list and comments.list.

With the answers that the real one gives: pages of at most 100, at most five replies in a thread,
resources full of members nobody asked for, and errors in Google's form.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.servers.api import Answer, ApiServer, Fault, Request

BASE = "/youtube/v3"
INLINED = 5
START = datetime(2026, 2, 1, tzinfo=UTC)


def error(status: int, reason: str, message: str = "", detail: str | None = None) -> Answer:
    """An error answer; ``detail`` is the reason in the newer form."""
    body: dict[str, Any] = {
        "code": status,
        "message": message or reason,
        "errors": [{"message": message or reason, "domain": "youtube", "reason": reason}],
    }
    if detail:
        kind = "type.googleapis.com/google.rpc.ErrorInfo"
        body["details"] = [{"@type": kind, "reason": detail, "domain": "googleapis.com"}]
    return Answer(status, {"error": body})


QUOTA_EXCEEDED = Fault(error(403, "quotaExceeded"))
KEY_EXPIRED = Fault(
    error(400, "badRequest", "API key expired. Please renew the API key.", "API_KEY_INVALID")
)
UNAVAILABLE = Fault(error(503, "backendError"))
TOO_FAST = Fault(error(403, "rateLimitExceeded"))
HANGS = Fault(hangs=True)
DROPS = Fault(drops=True)
NOT_JSON = Fault(Answer(200, b"<html>sorry</html>"))


@dataclass
class Comment:
    """A comment as the server keeps it; ``replies`` of top-level ones, oldest first."""

    id: str
    text: str
    published: datetime
    updated: datetime
    author: str | None = "UCsomebody"
    likes: int = 0
    replies: list[Comment] = field(default_factory=list)
    changed: dict[str, Any] = field(default_factory=dict)
    """Members of the snippet to send instead of the right ones; None leaves one out."""


def make_thread(number: int, *, replies: int = 0, at: datetime | None = None) -> Comment:
    """A thread whose texts, authors and times follow from its number."""
    at = at or START + timedelta(minutes=number)
    name = f"Ug{number:06d}"
    thread = Comment(name, f"comment {number}", at, at, f"UC{number % 997:05d}", number % 5)
    for i in range(replies):
        when = at + timedelta(seconds=i + 1)
        thread.replies.append(Comment(f"{name}.{i:04d}", f"reply {i} to {number}", when, when))
    return thread


class YoutubeServer(ApiServer):
    """Videos with comments, behind an API key in the X-Goog-Api-Key header.

    Attributes:
        threads: {video id: its threads, in any order}.
        keys: accepted keys.
        comments_disabled: ids of videos.
        repeated: numbers of threads pages, from 0, that are sent twice.
        refused_tokens: page tokens that are not taken.
    """

    def __init__(self) -> None:
        super().__init__()
        self.threads: dict[str, list[Comment]] = {}
        self.keys = {"good-key"}
        self.comments_disabled: set[str] = set()
        self.repeated: set[int] = set()
        self.refused_tokens: set[str] = set()

    @property
    def api(self) -> str:
        """What YOUTUBE_API_URL is set to."""
        return self.url + BASE

    def comments(self, video: str) -> list[Comment]:
        """Every comment and reply of a video."""
        return [one for thread in self.threads[video] for one in (thread, *thread.replies)]

    def respond(self, request: Request) -> Answer:
        if request.headers.get("x-goog-api-key") not in self.keys:
            return error(400, "badRequest", "API key not valid.", "API_KEY_INVALID")
        if request.params.get("pageToken") in self.refused_tokens:
            return error(400, "processingFailure")
        if request.path == f"{BASE}/commentThreads":
            return self._threads(request.params)
        if request.path == f"{BASE}/comments":
            return self._replies(request.params)
        return error(404, "notFound")

    def _threads(self, params: dict[str, str]) -> Answer:
        video = params["videoId"]
        if video in self.comments_disabled:
            return error(403, "commentsDisabled")
        if video not in self.threads:
            return error(404, "videoNotFound")
        assert params["order"] == "time"
        threads = sorted(self.threads[video], key=lambda one: (one.published, one.id))[::-1]
        number, _, again = params.get("pageToken", "page-0").removeprefix("page-").partition("-")
        page, size = int(number), int(params["maxResults"])
        assert 1 <= size <= 100
        following = f"page-{page + 1}" if (page + 1) * size < len(threads) else None
        if page in self.repeated and not again:
            following = f"page-{page}-again"
        items = [self._thread(one, video) for one in threads[page * size : (page + 1) * size]]
        return Answer(200, _page("commentThreadListResponse", items, following))

    def _replies(self, params: dict[str, str]) -> Answer:
        found = [
            (video, thread)
            for video, threads in self.threads.items()
            for thread in threads
            if thread.id == params["parentId"]
        ]
        if not found:
            return error(404, "commentNotFound")
        ((video, thread),) = found
        begin, size = int(params.get("pageToken", "from-0")[5:]), int(params["maxResults"])
        part = thread.replies[begin : begin + size]
        more = begin + size < len(thread.replies)
        items = [_comment(one, video, parent=thread.id) for one in part]
        return Answer(
            200, _page("commentListResponse", items, f"from-{begin + size}" if more else None)
        )

    def _thread(self, thread: Comment, video: str) -> dict[str, Any]:
        found: dict[str, Any] = {
            "kind": "youtube#commentThread",
            "etag": "etag",
            "id": thread.id,
            "snippet": {
                "channelId": "UCchannel",
                "videoId": video,
                "topLevelComment": _comment(thread, video),
                "canReply": False,
                "totalReplyCount": len(thread.replies),
                "isPublic": True,
            },
        }
        if thread.replies:
            shown = thread.replies[-INLINED:]
            comments = [_comment(one, video, parent=thread.id) for one in shown]
            found["replies"] = {"comments": comments}
        return found


def _page(kind: str, items: list[Any], following: str | None) -> dict[str, Any]:
    page = {"kind": f"youtube#{kind}", "etag": "etag", "items": items}
    page["pageInfo"] = {"totalResults": len(items), "resultsPerPage": 100}
    return page | ({"nextPageToken": following} if following else {})


def _comment(comment: Comment, video: str, parent: str | None = None) -> dict[str, Any]:
    snippet: dict[str, Any] = {
        "channelId": "UCchannel",
        "videoId": video,
        "textDisplay": comment.text,
        "textOriginal": comment.text,
        "authorDisplayName": "@some.body",
        "authorProfileImageUrl": "https://example.com/picture.jpg",
        "authorChannelUrl": "http://www.youtube.com/@some.body",
        "canRate": False,
        "viewerRating": "none",
        "likeCount": comment.likes,
        "publishedAt": comment.published.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "updatedAt": comment.updated.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    if comment.author:
        snippet["authorChannelId"] = {"value": comment.author}
    if parent:
        snippet["parentId"] = parent
    snippet = {k: v for k, v in (snippet | comment.changed).items() if v is not None}
    return {"kind": "youtube#comment", "etag": "etag", "id": comment.id, "snippet": snippet}
