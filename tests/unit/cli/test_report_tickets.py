"""Tickets and agreement in the report: asked of the laptop's SQL engine over made-up rows."""

from __future__ import annotations

import duckdb
import pytest

from localcloud.athena import dialect
from tests.unit.cli.test_report import page_data
from voxlake.cli.report.tickets import (
    Agreement,
    Tickets,
    Waiting,
    by_state,
    duration,
    gather_tickets,
    share,
)
from voxlake.cli.report.verb import render

NAMES = {"baggage_issue": "Baggage Issue"}


@pytest.fixture
def warehouse():
    """Tables without rows."""
    connection = duckdb.connect()
    connection.execute(dialect.MACROS)
    connection.execute(
        "CREATE SCHEMA voxlake_analytics; USE voxlake_analytics;"
        "CREATE TABLE tickets (dt VARCHAR, queue VARCHAR, state VARCHAR,"
        " seconds_to_first_reply DOUBLE);"
        "CREATE TABLE texts_scored (dt VARCHAR, event_id VARCHAR, model VARCHAR,"
        " sentiment VARCHAR, main_emotion VARCHAR, emotions VARCHAR[]);"
        "CREATE TABLE stream_scores AS FROM texts_scored"
    )
    return connection


def gathered(connection) -> Tickets:
    def ask(sql: str) -> list[dict]:
        done = connection.execute(dialect.to_duckdb(dialect.parse(sql)))
        names = [column[0] for column in done.description]
        return [dict(zip(names, row, strict=True)) for row in done.fetchall()]

    return gather_tickets(ask, names=NAMES)


def states(open_=0, replied=0, suppressed=0, closed=0) -> dict[str, int]:
    return {"open": open_, "replied": replied, "suppressed": suppressed, "closed": closed}


def test_tickets_are_counted_by_queue_state_and_day_with_the_wait_for_the_first_reply(warehouse):
    replied = [("2026-03-01", "baggage_issue", "replied", float(s)) for s in range(10, 110, 10)]
    rows = [
        *replied,
        ("2026-03-02", "baggage_issue", "closed", 4000.0),
        ("2026-03-02", "other", "open", None),
        ("2026-03-02", "other", "open", None),
        ("2026-03-02", "other", "suppressed", None),
    ]
    warehouse.executemany("INSERT INTO tickets VALUES (?, ?, ?, ?)", rows)
    assert gathered(warehouse) == Tickets(
        overall=Waiting("all", states(2, 10, 1, 1), 11, 60.0, 100.0),
        queues=[
            Waiting("other", states(2, suppressed=1), 0, None, None),
            Waiting("Baggage Issue", states(replied=10, closed=1), 11, 60.0, 100.0),
        ],
        days={
            "2026-03-01": {"replied": 10},
            "2026-03-02": {"closed": 1, "open": 2, "suppressed": 1},
        },
    )


def test_agreement_is_counted_by_the_models_that_scored(warehouse):
    def put(table: str, model: str, *scores: tuple) -> None:
        rows = [("2026-03-01", f"e{n}", model, *score) for n, score in enumerate(scores)]
        warehouse.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?)", rows)

    same = ("negative", "anger", ["anger", "disgust"])
    put("texts_scored", "m-2", same, same, same, ("neutral", "joy", []), ("neutral", None, []))
    put("stream_scores", "m-2", same, ("negative", "anger", ["disgust", "anger"]))
    # A text with nothing to read has no main emotion.
    empty = "INSERT INTO stream_scores VALUES ('2026-03-01', 'e4', 'm-2', 'neutral', NULL, [])"
    warehouse.execute(empty)
    warehouse.execute(
        "INSERT INTO stream_scores VALUES ('2026-03-01', 'e3', 'm-1', 'positive', 'joy', ['joy']),"
        " ('2026-02-01', 'e2', 'm-2', 'positive', 'joy', [])"
    )
    assert gathered(warehouse).agreement == [
        Agreement("m-2", "m-2", 3, 3, 3, 3),
        Agreement("m-1", "m-2", 1, 0, 1, 0),
    ]


def test_a_lake_without_tickets_has_a_page_that_says_so(warehouse):
    assert gathered(warehouse) == Tickets()
    page = render(page_data())
    assert "No text asks one of our accounts for an answer" in page
    assert "No text has both scores." in page
    assert "open tickets" not in page


def test_the_page_says_who_waits_and_for_how_long():
    found = Tickets(
        overall=Waiting("all", states(1200, 3), 3, 65.0, 7500.0),
        queues=[Waiting("<b>Bags", states(1200, 3), 3, 65.0, 7500.0)],
        days={"2015-02-17": {"open": 1200, "replied": 3}},
        agreement=[Agreement("m-1", "m-2", 10_000, 9_999, 10_000, 0)],
    )
    page = render(page_data(tickets=found))
    assert "<b>1,200</b><span>open tickets</span>" in page
    assert "1,203 complaints and questions" in page
    assert "within\n1 min 5 s of the text's arrival, nine in ten within 2 h 5 min." in page
    assert "2015-02-17" not in page.partition("By queue")[0].rpartition("Who waits")[2]
    assert "17 Feb: 1,200 open" in page
    assert "&lt;b&gt;Bags" in page
    assert '<td class="num">99.99%</td><td class="num">100%</td><td class="num">0%</td>' in page


def test_durations_have_two_units_at_most():
    seconds = (None, 0.84, 9.96, 45, 60, 65, 3600, 7500, 90_000, 86_400)
    assert [duration(one) for one in seconds] == [
        *("–", "0.8 s", "10.0 s", "45 s", "1 min", "1 min 5 s", "1 h", "2 h 5 min", "1 d 1 h"),
        "1 d",
    ]


def test_all_and_none_are_only_said_where_they_are_so():
    assert [share(n, 1_000_000) for n in (0, 1, 987_654, 999_999, 1_000_000)] == [
        "0%",
        "0.01%",
        "98.77%",
        "99.99%",
        "100%",
    ]


def test_only_states_that_occur_on_drawn_days_are_drawn():
    days = {"a": {"open": 2}, "b": {"closed": 1, "open": 1}, "stray": {"replied": 1}}
    assert by_state(days, ["a", "b"]) == {"open": [2, 1], "closed": [0, 1]}
