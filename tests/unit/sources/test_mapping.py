"""Resources of the platforms as events: whole rows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from voxlake.sources.contract import Malformed
from voxlake.sources.errors import MalformedPageError
from voxlake.sources.x import post_event, read_search
from voxlake.sources.youtube import comment_event, read_replies, read_threads

NOW = datetime(2026, 2, 24, 20, 0, tzinfo=UTC)


def comment(name="c1", **changed):
    snippet = {
        "channelId": "UCowner",
        "videoId": "ignored",
        "textDisplay": "so true",
        "textOriginal": "so true",
        "authorDisplayName": "@ann",
        "authorProfileImageUrl": "https://example.com/a.jpg",
        "authorChannelId": {"value": "UCann"},
        "viewerRating": "none",
        "likeCount": 2,
        "publishedAt": "2026-02-24T10:00:00Z",
        "updatedAt": "2026-02-24T11:00:00.5Z",
        **changed,
    }
    return {"kind": "youtube#comment", "etag": "e", "id": name, "snippet": snippet}


def thread(name, *replies, total=None, **changed):
    return {
        "id": name,
        "snippet": {
            "topLevelComment": comment(name, **changed),
            "totalReplyCount": len(replies) if total is None else total,
        },
        "replies": {"comments": list(replies)},
    }


def row(name, at, **body):
    return {
        "event_id": f"youtube-{name}-{at}",
        "event_type": "comment",
        "schema_version": 1,
        "source": "youtube",
        "occurred_at": at,
        "author_id": "UCann",
        "body": {
            "comment_id": name,
            "thread_id": "v",
            "channel_id": "UCowner",
            "text": "so true",
            "like_count": 2,
            **body,
        },
    }


AT = "2026-02-24T11:00:00.500000Z"
OTHER = "expected another shape"


def test_a_reply_names_its_parent_and_its_video():
    made = comment_event(comment("p.c", parentId="p"), video_id="v")
    assert made == row("p.c", AT, parent_id="p")


def test_the_same_instant_in_another_spelling_is_the_same_event():
    other = comment(updatedAt="2026-02-24T12:00:00.500+01:00")
    assert comment_event(other, video_id="v") == comment_event(comment(), video_id="v")


def test_a_page_of_threads_gives_comments_shown_replies_and_threads_to_ask_for():
    page = {
        "items": [
            thread("t1", comment("t1.a", parentId="t1")),
            thread("t2", comment("t2.a", parentId="t2"), total=7),
            thread("t3", publishedAt="2026-02-01T00:00:00Z", total=7),
        ],
        "nextPageToken": "next",
    }
    found = read_threads(page, video_id="v", since=None, recent_only=False, now=NOW)
    assert found.events == [
        row("t1", AT),
        row("t1.a", AT, parent_id="t1"),
        row("t2", AT),
        row("t3", AT),
    ]
    assert (found.replies_wanted, found.next_token) == (("t2", "t3"), "next")
    assert (found.malformed, found.known, found.all_before_since) == ([], 0, False)

    since = datetime(2026, 2, 20, tzinfo=UTC)
    recent = read_threads(page, video_id="v", since=since, recent_only=True, now=NOW)
    assert recent.replies_wanted == ("t2",)


def test_what_an_earlier_walk_has_seen_is_left_out_but_not_its_new_revision():
    since = datetime(2026, 2, 24, 11, tzinfo=UTC)
    page = {"items": [comment("old", updatedAt="2026-02-24T10:59:59Z"), comment("new")]}
    found = read_replies(page, video_id="v", since=since, now=NOW)
    assert ([event["body"]["comment_id"] for event in found.events], found.known) == (["new"], 1)


def test_a_page_of_threads_begun_before_since_says_so():
    page = {"items": [thread("t1", publishedAt="2026-02-01T00:00:00Z")]}
    since = datetime(2026, 2, 2, tzinfo=UTC)
    found = read_threads(page, video_id="v", since=since, recent_only=True, now=NOW)
    assert found.all_before_since
    empty = read_threads({"items": []}, video_id="v", since=since, recent_only=True, now=NOW)
    assert not empty.all_before_since


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (
            None,
            Malformed(None, "unreadable_item", "", "expected another shape: TypeError at an item"),
        ),
        (
            {"id": "t"},
            Malformed("t", "unreadable_item", "", "expected another shape: KeyError at 'snippet'"),
        ),
        (
            thread("t", textDisplay=7),
            Malformed("t", "wrong_type", "body.text", "expected a string, found an integer"),
        ),
        (
            thread("t", updatedAt="2026-02-26T00:00:00Z"),
            Malformed(
                "t",
                "occurred_at_out_of_range",
                "occurred_at",
                "expected 2004-01-01T00:00:00+00:00 to 2026-02-25T20:00:00+00:00, found "
                "'2026-02-26T00:00:00Z'",
            ),
        ),
    ],
)
def test_a_broken_thread_is_told_and_the_others_come(broken, expected):
    page = {"items": [broken, thread("good")]}
    found = read_threads(page, video_id="v", since=None, recent_only=False, now=NOW)
    assert ([event["body"]["comment_id"] for event in found.events], found.malformed) == (
        ["good"],
        [expected],
    )


@pytest.mark.parametrize("page", [None, [], {}, {"items": {}}, {"items": [], "nextPageToken": 3}])
def test_another_shape_of_page_is_malformed(page):
    with pytest.raises(MalformedPageError):
        read_threads(page, video_id="v", since=None, recent_only=False, now=NOW)


POST = {
    "id": "1001",
    "text": "@OurAir lost it #fail …",
    "author_id": "77",
    "created_at": "2026-02-24T19:57:00.000Z",
    "edit_history_tweet_ids": ["1000", "1001"],
    "lang": "en",
    "geo": {"place_id": "p1"},
    "entities": {"hashtags": [{"tag": "fail"}], "mentions": [{"username": "OurAir", "id": "5"}]},
    "public_metrics": {"retweet_count": 1, "quote_count": 2, "like_count": 3, "bookmark_count": 9},
    "source": "somewhere",
}


def test_an_edited_long_post_is_whole_and_keeps_the_first_posts_id():
    note = {
        "text": "@OurAir lost it #fail and #again",
        "entities": {"hashtags": [{"tag": "again"}]},
    }
    assert post_event(POST | {"note_tweet": note}, {"p1": "Somewhere"}) == {
        "event_id": "x-1001",
        "event_type": "post",
        "schema_version": 1,
        "source": "x",
        "occurred_at": "2026-02-24T19:57:00Z",
        "author_id": "77",
        "body": {
            "post_id": "1000",
            "text": "@OurAir lost it #fail and #again",
            "lang": "en",
            "hashtags": ["again"],
            "mentions": [],
            "like_count": 3,
            "share_count": 3,
            "place": "Somewhere",
        },
    }


def test_a_bare_post_is_an_event_too():
    bare = {"id": "1001", "text": "hm", "created_at": "2026-02-24T19:57:00.000Z"}
    assert post_event(bare, {}) == {
        "event_id": "x-1001",
        "event_type": "post",
        "schema_version": 1,
        "source": "x",
        "occurred_at": "2026-02-24T19:57:00Z",
        "author_id": "anonymous",
        "body": {"post_id": "1001", "text": "hm", "hashtags": [], "mentions": []},
    }


def test_a_page_of_search_gives_posts_and_where_to_go_on():
    page = {"data": [POST], "meta": {"newest_id": "1001", "next_token": "n"}}
    found = read_search(page, now=NOW)
    assert [event["event_id"] for event in found.events] == ["x-1001"]
    assert (found.posts, found.newest_id, found.next_token) == (1, "1001", "n")
    empty = read_search({"meta": {"result_count": 0}}, now=NOW)
    assert (empty.events, empty.posts, empty.newest_id, empty.next_token) == ([], 0, None, None)


@pytest.mark.parametrize(
    "page",
    [None, [], {}, {"data": []}, {"data": {}, "meta": {}}, {"data": [POST], "meta": {}}],
)
def test_another_shape_of_search_is_malformed(page):
    with pytest.raises(MalformedPageError):
        read_search(page, now=NOW)
