"""Queries of trackers, and the cursor of a query."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.servers.x import post_id
from voxlake.sources.x import Page
from voxlake.sources.x_search import MAX_QUERY, Search, queries, reaches, written_at
from voxlake.trackers import Tracker, load_trackers

NOW = datetime(2026, 2, 24, 20, 0, tzinfo=UTC)


def test_a_query_holds_handles_hashtags_and_quoted_keywords_without_reposts():
    tracker = Tracker("t", "T", ("ourair", "help"), ("ourair",), ("our air", 'a "b" \\', "or"))
    assert queries(tracker) == [
        '(@ourair OR @help OR #ourair OR "our air" OR "a \\"b\\" \\\\" OR "or") -is:retweet'
    ]


def test_what_is_too_long_for_one_query_is_cut_into_several_that_hold_every_term():
    keywords = tuple(f"keyword number {n}" for n in range(100))
    found = queries(Tracker("t", "T", keywords=keywords))
    assert len(found) > 3
    assert max(map(len, found)) <= MAX_QUERY
    assert sum(query.count(f'"{keyword}"') for query in found for keyword in keywords) == 100


def test_every_packaged_tracker_fits_one_query():
    assert [len(queries(tracker)) for tracker in load_trackers().trackers if tracker] == [1] * len(
        load_trackers().trackers
    )


def test_an_id_holds_its_time():
    assert written_at(post_id(NOW, 5)) == NOW
    assert reaches(post_id(NOW - timedelta(days=6)), NOW)
    assert not reaches(post_id(NOW - timedelta(days=7)), NOW)


def params(search, **options):
    found = search.params("q", now=NOW, first_hours=options.get("first_hours", 24))
    assert (found.pop("query"), found.pop("max_results")) == ("q", 100)
    return found


def test_a_reading_goes_on_from_the_last_one_as_far_as_search_reaches():
    recent, old = post_id(NOW - timedelta(hours=1)), post_id(NOW - timedelta(days=9))
    assert params(Search()) == {"start_time": "2026-02-23T20:00:00Z"}
    assert params(Search(), first_hours=10_000) == {"start_time": "2026-02-17T20:05:00Z"}
    assert params(Search(since_id=recent)) == {"since_id": recent}
    assert params(Search(since_id=old)) == {"start_time": "2026-02-17T20:05:00Z"}
    assert params(Search(since_id=recent, next_token="n")) == {
        "since_id": recent,
        "next_token": "n",
    }


def page(newest=None, next_token=None):
    return Page([], [], 0, newest, next_token)


def test_since_id_moves_to_the_first_pages_newest_post_with_the_last_page():
    search = Search(since_id="5").after(page("90", "n1"))
    assert search == Search(since_id="5", newest_id="90", next_token="n1")
    search = search.after(page("60", "n2"))
    assert search == Search(since_id="5", newest_id="90", next_token="n2")
    assert search.after(page("30")) == Search(since_id="90", done=True)


def test_an_empty_answer_leaves_since_id():
    assert Search(since_id="5").after(page()) == Search(since_id="5", done=True)


def test_a_token_that_does_not_move_ends_the_reading():
    search = Search(since_id="5", newest_id="90", next_token="n")
    assert search.after(page("60", "n")) == Search(since_id="90", done=True)


def test_a_refused_token_begins_again_and_ends_after_some_times():
    search = Search(since_id="5", newest_id="90", next_token="n")
    search = search.token_refused()
    assert search == Search(since_id="5", restarts=1)
    search = Search(since_id="5", newest_id="91", next_token="n", restarts=2).token_refused()
    assert search == Search(since_id="91", done=True, cut_short=True)


@pytest.mark.parametrize(
    "search", [Search(), Search(since_id="5", newest_id="90", next_token="n", restarts=1)]
)
def test_a_cursor_is_kept_as_it_is(search):
    assert Search.from_item({"sk": "search#t#1", "version": 3, **search.to_item()}) == search
