"""tickets_to_analytics over moto's DynamoDB: what it takes in, when it does nothing, crashes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from glue_jobs import tickets_to_analytics
from glue_jobs.common.arguments import JobArguments
from glue_jobs.common.errors import MissingArgumentError
from glue_jobs.common.publisher import (
    AFTER_WRITE,
    BEFORE_LEDGER_MARK,
    BETWEEN_PUBLISHES,
    Publisher,
)
from lambdas.common.score_indexes import NO_TRACKER
from tests.unit.glue.properties import Killed
from tests.unit.glue.stream_kit import OPENED, StreamKit, text
from voxlake.tickets.states import State

FIRST, SECOND = "2026-02-28", "2026-03-01"
BOTH = ("tickets", "stream_scores")


@pytest.fixture
def stream(lake) -> StreamKit:
    return StreamKit(lake)


def at(seconds: float) -> datetime:
    return OPENED + timedelta(seconds=seconds)


def moments(stream: StreamKit, table: str) -> dict[str, str]:
    return {dt: item["version"] for dt, item in stream.lake.versions(table).items()}


def test_a_ticket_is_a_row_without_its_text_and_author(stream):
    ticket = stream.open(text(1))
    stream.change(ticket, State.REPLIED, at(59))
    stream.change(ticket, State.OPEN, at(90))
    stream.change(ticket, State.REPLIED, at(99))
    stream.change(ticket, State.CLOSED, at(120.5))
    stream.open(text(2, FIRST, trackers=()), reason=None)
    item = stream.run()
    common = {
        "queue": "baggage_issue",
        "kind": "complaint",
        "confidence": 0.9,
        "queue_score": 0.75,
        "source": "x",
        "event_type": "post",
        "sentiment": "negative",
        "polarity": -0.85,
        "main_emotion": "anger",
        "language": "en",
        "model": "fake-1",
        "arrived_at": datetime(2026, 3, 1, 12, tzinfo=UTC),
        "opened_at": OPENED,
    }
    assert stream.lake.rows("tickets") == [
        common
        | {
            "dt": SECOND,
            "ticket_id": "BAG-5RW1J0-E1",
            "state": "closed",
            "reason": "Lost Luggage",
            "event_id": "e1",
            "native_id": "p1",
            "trackers": ["aurora_air"],
            "replied_at": at(59),
            "closed_at": at(120.5),
            # From the arrival, a second before it was opened.
            "seconds_to_first_reply": 60.0,
            "updated_at": at(120.5),
            "revision": 5,
        },
        common
        | {
            "dt": FIRST,
            "ticket_id": "BAG-5RW1J0-E2",
            "state": "open",
            "reason": None,
            "event_id": "e2",
            "native_id": "p2",
            "trackers": [],
            "replied_at": None,
            "closed_at": None,
            "seconds_to_first_reply": None,
            "updated_at": OPENED,
            "revision": 1,
        },
    ]
    assert item["counts"] == {"tickets": {"partitions": 2, "written": 2}}


def test_a_changed_ticket_renews_its_day_and_no_other_and_a_second_run_nothing(stream, capsys):
    ticket = stream.open(text(1))
    stream.open(text(2))
    stream.open(text(3, FIRST))
    stream.run("run-1")
    before = moments(stream, "tickets")
    stream.run("run-2")
    assert "nothing done" in capsys.readouterr().out
    assert moments(stream, "tickets") == before

    # Long ago by its own clock, so only the index of changes tells.
    now = datetime.now(UTC)
    stream.change(ticket, State.CLOSED, now)
    stream.open(text(4, FIRST), at=now)
    stream.run("run-3")
    between = moments(stream, "tickets")
    assert between.keys() == before.keys()
    assert between[SECOND] != before[SECOND]
    assert {r["ticket_id"][-2:]: (r["dt"], r["state"]) for r in stream.lake.rows("tickets")} == {
        "E1": (SECOND, "closed"),
        "E2": (SECOND, "open"),
        "E3": (FIRST, "open"),
        "E4": (FIRST, "open"),
    }
    # What is as new as the overlap is read again and known.
    stream.open(text(5, "2026-03-02"), at=now)
    stream.run("run-4")
    after = moments(stream, "tickets")
    assert {dt: after[dt] for dt in between} == between
    assert stream.lake.ledger.position(tickets_to_analytics.JOB)["run_id"] == "run-4"


def test_scores_of_the_records_texts_are_taken_and_kept_when_dynamodb_drops_them(stream):
    two = text(2, trackers=())
    other = text(3)
    stream.publish_texts("run-1", [text(1, trackers=("delta", "united")), two, text(3), text(4)])
    stream.score(text(1, trackers=("delta", "united")))
    stream.score(two, "positive")
    # The stream has another text under this id than the record has.
    stream.score(text(3, text="edited"))
    stream.score(text(9))
    stream.run("run-1")
    common = {
        "dt": SECOND,
        "event_type": "post",
        "source": "x",
        "model": "fake-1",
        "arrived_at": datetime(2026, 3, 1, 12, tzinfo=UTC),
        "scored_at": OPENED,
    }
    negative = {"sentiment": "negative", "polarity": -0.85, "main_emotion": "anger"}
    positive = {"sentiment": "positive", "polarity": 0.85, "main_emotion": "joy"}
    one = common | {"event_id": "e1", **negative, "emotions": ["anger"]}
    assert stream.lake.rows("stream_scores") == [
        one,
        common | {"event_id": "e2", **positive, "emotions": []},
    ]

    for item in stream.scores.scan()["Items"]:
        stream.scores.delete_item(Key={name: item[name] for name in ("event_id", "tracker")})
    stream.score(other)
    # e2 is forgotten: texts_scored has it no longer.
    stream.publish_texts("run-2", [text(1, trackers=("delta", "united")), other])
    stream.run("run-2")
    assert stream.lake.rows("stream_scores") == [
        one,
        common | {"event_id": "e3", **negative, "emotions": ["anger"]},
    ]
    versions = stream.lake.versions("stream_scores")
    scored = stream.lake.versions("texts_scored")
    assert versions[SECOND]["sources"] == {"texts_scored": scored[SECOND]["version"]}


def check_repeat_after_death(stream: StreamKit, phase: str) -> None:
    """A run that ends at a phase and is repeated loses nothing and publishes nothing twice."""

    def die(reached: str) -> None:
        if reached == phase:
            raise Killed(phase)

    texts = [text(1), text(2), text(3, FIRST)]
    for one in texts:
        stream.score(one)
        # Of today by their clock, so that the next run reads them only if this one marked nothing.
        stream.open(one, at=datetime.now(UTC) - timedelta(hours=1))
    stream.publish_texts("run-1", texts)
    with pytest.raises(Killed):
        stream.run("run-1", die)
    published = [len(stream.lake.versions(name)) for name in BOTH]
    assert sum(published) == {BETWEEN_PUBLISHES: 1, BEFORE_LEDGER_MARK: 4}.get(phase, 0)
    before = [moments(stream, name) for name in BOTH]
    stream.run("run-2")
    rows = stream.lake.tables(BOTH)
    for name in BOTH:
        assert sorted(row["event_id"] for row in rows[name]) == ["e1", "e2", "e3"]
    # What was published stays as it is: the lake has it.
    for name, was in zip(BOTH, before, strict=True):
        assert moments(stream, name).items() >= was.items()


@pytest.mark.parametrize("phase", [AFTER_WRITE, BETWEEN_PUBLISHES, BEFORE_LEDGER_MARK])
def test_a_run_that_dies_is_done_whole_by_the_next(stream, phase):
    check_repeat_after_death(stream, phase)


def test_a_position_noted_too_early_is_caught(stream, monkeypatch):
    def mark_first(self, written, mark):
        mark()
        self.publish(written)

    monkeypatch.setattr(Publisher, "publish_and", mark_first)
    with pytest.raises(AssertionError):
        check_repeat_after_death(stream, BETWEEN_PUBLISHES)


def test_more_tickets_than_a_run_takes_are_the_next_ones(stream, monkeypatch):
    monkeypatch.setattr(tickets_to_analytics, "MAX_TICKETS", 12)
    for number in range(20):
        stream.open(text(number), at=at(number))
    counts = []
    while not counts or stream.lake.ledger.position(tickets_to_analytics.JOB)["seen"] == "":
        stream.run(f"run-{len(counts)}")
        counts.append(len(stream.lake.rows("tickets")))
    assert counts[0] < 20
    assert counts == sorted(set(counts))
    assert counts[-1] == 20


def test_the_job_needs_its_tables_and_asks_for_the_scores_that_the_enricher_writes():
    arguments = JobArguments("r", "ledger", "l", "c", "a", "art", "arn", tickets_table="t")
    with pytest.raises(MissingArgumentError) as raised:
        arguments.demand("tickets_table", "scores_table")
    assert raised.value.missing == ["scores_table"]
    assert tickets_to_analytics.UNTRACKED == NO_TRACKER
