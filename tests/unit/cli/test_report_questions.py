"""What the report asks of the warehouse, answered by the laptop's SQL engine over a few rows."""

from __future__ import annotations

import json

import duckdb
import pytest

from localcloud.athena import dialect
from voxlake.cli.report.data import COUNTS
from voxlake.cli.report.doubts import PLEASANT, UNPLEASANT, Doubt, gather_doubts
from voxlake.cli.report.said import gather_said
from voxlake.cli.report.shares import Shares, Split

COLUMNS = """event_id VARCHAR, dt VARCHAR, text VARCHAR, sentiment VARCHAR, polarity DOUBLE,
    p_negative DOUBLE, p_neutral DOUBLE, p_positive DOUBLE, trackers VARCHAR[], emotions VARCHAR[],
    emotion_scores MAP(VARCHAR, DOUBLE),
    entities STRUCT("text" VARCHAR, label VARCHAR, "start" INTEGER, "end" INTEGER)[],
    topic VARCHAR, language VARCHAR, in_scope BOOLEAN"""


def scored(number: int, **changes) -> dict:
    """A positive text of joy that names Lisbon twice and a person of its own."""
    names = (
        ("LOC", "LISBON" if number == 1 else "Lisbon"),
        ("LOC", "Lisbon"),
        ("PER", f"P{number}"),
    )
    return {
        "event_id": f"e{number}",
        "dt": f"2026-03-0{number % 2 + 1}",
        "text": f"text {number}",
        "sentiment": "positive",
        "polarity": 0.5,
        "p_negative": 0.1,
        "p_neutral": 0.3,
        "p_positive": 0.6,
        "trackers": ["united"],
        "emotions": ["joy"],
        "emotion_scores": dict.fromkeys((*PLEASANT, *UNPLEASANT), 0.0) | {"joy": 0.9},
        "entities": [
            {"text": text, "label": label, "start": 0, "end": len(text)} for label, text in names
        ],
        "topic": "Late flight",
        "language": "en",
        "in_scope": True,
    } | changes


@pytest.fixture
def ask(tmp_path):
    connection = duckdb.connect()
    connection.execute(dialect.MACROS)

    def fill(*rows: dict):
        (tmp_path / "rows.json").write_text("\n".join(json.dumps(row) for row in rows))
        connection.execute("CREATE SCHEMA voxlake_analytics")
        connection.execute(f"CREATE TABLE voxlake_analytics.texts_scored ({COLUMNS})")
        connection.execute(
            f"INSERT INTO voxlake_analytics.texts_scored BY NAME SELECT * FROM read_json("
            f"'{tmp_path / 'rows.json'}', columns = {dict(columns())})"
        )

        def answer(sql: str) -> list[dict]:
            done = connection.execute(dialect.to_duckdb(dialect.parse(sql)))
            names = [column[0] for column in done.description]
            return [dict(zip(names, row, strict=True)) for row in done.fetchall()]

        return answer

    def columns():
        described = duckdb.connect().execute(f"CREATE TABLE t ({COLUMNS}); DESCRIBE t").fetchall()
        return [(row[0], row[1]) for row in described]

    return fill


def test_texts_in_scope_are_told_of_and_the_others_counted_by_language(ask):
    old = dict.fromkeys(scored(1)) | {"event_id": "old", "dt": "2026-01-01", "text": "old"}
    rows = [scored(number) for number in range(1, 4)]
    rows += [scored(4, topic=None, emotions=[]), scored(5, in_scope=False, language="de"), old]
    said = gather_said(ask(*rows), moment="dt", moments=["2026-03-01", "2026-03-02"], counts=COUNTS)
    assert said.overall == Shares("all", 4, {"joy": 3})
    assert said.emotions == ["joy"]
    assert said.over_time == [
        Shares("2026-03-01", 2, {"joy": 1}),
        Shares("2026-03-02", 2, {"joy": 2}),
    ]
    assert said.trackers == [Shares("united", 4, {"joy": 3})]
    # Each text once, by the commonest spelling; a name that one text mentions is nobody's here.
    assert said.entities == {"LOC": [Split("Lisbon", 0, 0, 4, 0.5)]}
    assert said.topics == [Split("Late flight", 0, 0, 3, 0.5)]
    assert (said.without_topic, said.out_of_scope) == (1, {"de": 1})


def test_texts_that_contradict_themselves_or_are_uncertain_are_found_once(ask):
    angry = scored(1)["emotion_scores"] | {"joy": 0.1, "anger": 0.9}
    someone = "k1_0123456789abcdef01234567"
    twice = {
        "text": f"@{someone} thanks for nothing",
        "emotion_scores": angry,
        "emotions": ["anger"],
    }
    again = twice | {"text": "@k2_ffffffffffffffffffffffff thanks for nothing"}
    unsure = {"p_negative": 0.32, "p_neutral": 0.34, "p_positive": 0.34, "sentiment": "neutral"}
    doubts = gather_doubts(
        ask(scored(1), scored(2, **twice), scored(3, **again), scored(4, **unsure))
    )
    assert doubts == {
        "torn": [Doubt("@… thanks for nothing", "positive", "anger", 0.6, "2026-03-02")],
        "unsure": [
            Doubt("text 4", "neutral", "joy", 0.34, "2026-03-01"),
            Doubt("@… thanks for nothing", "positive", "anger", 0.6, "2026-03-02"),
            Doubt("text 1", "positive", "joy", 0.6, "2026-03-02"),
        ],
    }
