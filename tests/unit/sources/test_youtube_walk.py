"""The cursor of a video's comments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from voxlake.sources.youtube import Page
from voxlake.sources.youtube_walk import MAX_RESTARTS, Request, Walk, next_walk

NOW = datetime(2026, 2, 24, 20, 0, tzinfo=UTC)
COMMON = {"maxResults": "100", "textFormat": "plainText"}
THREADS = {"part": "snippet,replies", "videoId": "v", "order": "time", **COMMON}


def page(next_token=None, replies=(), *, old=False):
    return Page([], [], 0, next_token, tuple(replies), old)


def begin(**progress):
    return next_walk(
        now=NOW,
        walked_at=progress.get("walked_at"),
        full_walk_at=progress.get("full_walk_at"),
        full_every=timedelta(hours=24),
        overlap=timedelta(hours=1),
    )


def requests(walk, pages):
    """The requests of a walk that gets these pages."""
    asked = []
    for answer in pages:
        asked.append(walk.request("v"))
        walk = walk.after(answer)
    assert walk.done
    return asked


def test_a_walk_reads_the_replies_of_a_page_before_its_next_page():
    asked = requests(
        begin(),
        [page("t2", ["a", "b"]), page("r2"), page(), page(), page(None, ["c"]), page()],
    )
    replies = {"part": "snippet", **COMMON}
    assert asked == [
        Request("commentThreads", THREADS),
        Request("comments", replies | {"parentId": "a"}),
        Request("comments", replies | {"parentId": "a", "pageToken": "r2"}),
        Request("comments", replies | {"parentId": "b"}),
        Request("commentThreads", THREADS | {"pageToken": "t2"}),
        Request("comments", replies | {"parentId": "c"}),
    ]


def test_a_first_walk_is_full_a_later_one_goes_back_to_the_last_and_once_a_day_to_the_end():
    day, hour = timedelta(days=1), timedelta(hours=1)
    assert begin() == Walk(full=True, started_at=NOW)
    assert begin(walked_at=NOW - hour, full_walk_at=NOW - 3 * hour) == Walk(
        full=False, started_at=NOW, since=NOW - 2 * hour
    )
    assert begin(walked_at=NOW - hour, full_walk_at=NOW - day) == Walk(
        full=True, started_at=NOW, since=NOW - day - hour
    )


def test_only_a_recent_walk_ends_at_old_threads():
    recent = Walk(full=False, started_at=NOW, since=NOW)
    assert recent.after(page("t2", old=True)).done
    assert not Walk(full=True, started_at=NOW, since=NOW).after(page("t2", old=True)).done


def test_a_next_token_that_leads_to_the_same_page_ends_the_list():
    assert Walk(full=True, started_at=NOW, page_token="t").after(page("t")).done
    replies = Walk(full=True, started_at=NOW, page_token="t", replies=("a", "b"), reply_token="r")
    assert replies.after(page("r")).replies == ("b",)


def test_refused_tokens_begin_a_list_again_and_end_it_after_some_times():
    walk = Walk(full=True, started_at=NOW, page_token="t3", replies=("a", "b"), reply_token="r")
    for _ in range(MAX_RESTARTS):
        walk = walk.token_refused()
        assert (walk.replies, walk.reply_token, walk.page_token) == (("a", "b"), None, "t3")
    walk = walk.token_refused()
    assert (walk.replies, walk.cut_short, walk.done) == (("b",), True, False)
    walk = walk.without_thread().token_refused()
    assert (walk.done, walk.cut_short) == (True, True)


@pytest.mark.parametrize(
    "walk",
    [
        Walk(full=True, started_at=NOW),
        Walk(
            full=False,
            started_at=NOW,
            since=NOW - timedelta(hours=2),
            page_token="t",
            threads_done=True,
            replies=("a", "b"),
            reply_token="r",
            restarts=1,
            cut_short=True,
        ),
    ],
)
def test_a_cursor_is_kept_as_it_is(walk):
    assert Walk.from_item(walk.to_item()) == walk
