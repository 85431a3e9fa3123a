from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.domain.kit import valid_event
from voxlake.events.parse import parse_event
from voxlake.sources.lines import BadLine, events_from_lines

RECEIVED = datetime(2026, 1, 1, 12, 0, 0, 999, tzinfo=UTC)


def events(*lines: str | bytes | dict, name: str = "a.jsonl") -> list:
    texts = [json.dumps(line) if isinstance(line, dict) else line for line in lines]
    return list(events_from_lines(texts, name=name, received_at=RECEIVED))


def test_a_row_becomes_a_post_and_nothing_else_of_it_comes_along():
    row = {
        "id": "570306133677760513",
        "text": "@JetBlue #fail @jo",
        "author": "jo_b",
        "created_at": "2015-02-24 11:35:52 -0800",
        "retweet_count": 2,
        "lang": "en",
        "label": "negative",
        "name": "Jo",
        "tweet_location": "Ulm",
        "tweet_coord": [1, 2],
        "airline": "JetBlue",
        "place": "Ulm",
    }
    assert events(row) == [
        {
            "event_id": "file-570306133677760513",
            "event_type": "post",
            "schema_version": 1,
            "source": "file",
            "occurred_at": "2015-02-24T19:35:52Z",
            "author_id": "jo_b",
            "body": {
                "post_id": "570306133677760513",
                "text": "@JetBlue #fail @jo",
                "hashtags": ["fail"],
                "mentions": ["JetBlue", "jo"],
                "lang": "en",
                "share_count": 2,
            },
        }
    ]


def test_a_line_that_is_an_event_passes_unchanged_even_if_invalid():
    event, broken = valid_event(), {"event_type": "post", "event_id": 5}
    assert events(event, broken) == [event, broken]


def test_every_form_of_input_gives_valid_events():
    made = events(
        {"text": "no id"},
        {"id": 7, "text": "t", "author": None},
        "just a text\n",
        b"bytes \xc3\xa9",
        {"id": "8", "text": "t", "created_at": "2015-02-24T19:35:52.5+01:00"},
    )
    for event in made:
        data = json.dumps(event).encode()
        parse_event(data, arrival=RECEIVED, max_future=timedelta(0))
    assert [event["author_id"] for event in made] == ["anonymous"] * 5
    assert made[2]["occurred_at"] == "2026-01-01T12:00:00Z"
    assert made[4]["occurred_at"] == "2015-02-24T18:35:52.500000Z"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2015-02-24T19:35:52Z", "2015-02-24T19:35:52Z"),
        ("2015-02-24T19:35:52", "2015-02-24T19:35:52Z"),
        ("2015-02-24", "2015-02-24T00:00:00Z"),
        ("20150224T193552Z", "2015-02-24T19:35:52Z"),
        ("Tue Feb 24 19:35:52 +0000 2015", "2015-02-24T19:35:52Z"),
        ("Tue, 24 Feb 2015 19:35:52 GMT", "2015-02-24T19:35:52Z"),
    ],
)
def test_times_are_read_in_the_forms_files_have_them(written, expected):
    assert events({"id": 1, "text": "t", "created_at": written})[0]["occurred_at"] == expected


def test_ids_are_the_same_for_the_same_file_and_differ_between_lines():
    lines = ["same text", "same text", {"text": "a", "author": "b"}, {"text": "a", "author": "c"}]
    first, second = events(*lines), events(*lines)
    assert first == second
    assert len({event["event_id"] for event in first}) == 4
    assert events("same text", name="other")[0]["event_id"] != first[0]["event_id"]


def test_bad_lines_are_told_by_number_and_the_rest_goes_on():
    found = events(
        b"\xef\xbb\xbffirst",
        "",
        "  \n",
        "{broken",
        {"id": 1},
        {"id": 1, "text": 5},
        b"\xff",
        {"id": [1], "text": "t"},
        {"id": "x" * 130, "text": "t"},
        {"id": 2, "text": "t", "created_at": "soon"},
        {"id": 2, "text": "t", "created_at": 5},
        "last",
    )
    bad = [line.number for line in found if isinstance(line, BadLine)]
    assert bad == [4, 5, 6, 7, 8, 9, 10, 11]
    assert [event["body"]["text"] for event in found if isinstance(event, dict)] == [
        "first",
        "last",
    ]
