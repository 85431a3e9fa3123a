"""cleansed_to_features, then scores_to_analytics: cleansed tables in, analytics tables out."""

from __future__ import annotations

import json

import pytest

from glue_jobs import scores_to_analytics
from glue_jobs.common.errors import MissingRunError, MissingScoresError
from glue_jobs.common.publisher import BETWEEN_PUBLISHES
from tests.unit.glue.kit import CLEANING, NOON, LakeKit, Record, event, records
from tests.unit.glue.properties import Killed
from tests.unit.glue.scoring_kit import score_lines

ANALYTICS = (
    "texts_scored",
    "sentiment_hourly",
    "emotion_daily",
    "entities_daily",
    "topic_daily",
    "engagement_daily",
    "authors_daily",
    "conversations",
    "word_frequencies",
)
FIRST, SECOND = "2026-02-28", "2026-03-01"


def pseudonym(who: str) -> str:
    return CLEANING.pseudonymiser().pseudonym("mock", who)


def some_events() -> list[dict]:
    return [
        event(
            "p1",
            at=f"{FIRST}T10:05:00Z",
            text="good good flight with @united 123",
            like_count=3,
            share_count=2,
            hashtags=["Fly"],
            lang="en",
        ),
        event("p2", at=f"{FIRST}T10:50:00Z", text="bad food, @united and @delta", author="bob"),
        event("c1", "comment", at=f"{SECOND}T00:00:00Z", text="nothing", like_count=5),
        event("m1", "message", at=f"{FIRST}T23:59:00Z", text="good day", turn=1, author="bob"),
        event("m2", "message", at=f"{SECOND}T00:01:00Z", text="bad night", turn=2),
        event("i1", "interaction", at=f"{SECOND}T09:00:00Z", kind="share"),
    ]


def whole_run(lake: LakeKit, run_id: str, **arguments) -> None:
    lake.cleanse(run_id)
    lake.features(run_id)
    score_lines(lake, run_id)
    lake.analyse(run_id, **arguments)


@pytest.fixture(scope="module")
def done(environment, spark, tmp_path_factory) -> LakeKit:
    """A lake after one whole run; only to be read."""
    lake = LakeKit(tmp_path_factory.mktemp("done")).create()
    lake.land(records(some_events()))
    whole_run(lake, "run-1")
    return lake


def test_features_hold_words_and_trackers(done):
    rows = {row["event_id"]: row for row in done.rows("text_features")}
    assert rows["p1"] == {
        "event_id": "p1",
        "event_type": "post",
        "tokens": ["good", "good", "flight"],
        "stems": ["good", "good", "flight"],
        "lemmas": ["good", "good", "flight"],
        "trackers": ["united"],
        "word_count": 4,
        "dt": FIRST,
    }
    assert rows["p2"]["trackers"] == ["delta", "united"]
    assert {(row["event_id"], row["event_type"], row["dt"]) for row in rows.values()} == {
        ("p1", "post", FIRST),
        ("p2", "post", FIRST),
        ("m1", "message", FIRST),
        ("c1", "comment", SECOND),
        ("m2", "message", SECOND),
    }


def test_the_model_is_given_each_text_once_in_files_of_lines_and_nothing_else(done):
    folder = done.folder / "artifacts" / "scoring" / "run=run-1"
    assert [path.name for path in folder.iterdir() if path.name != "output"] == ["input"]
    assert [path.name for path in (folder / "input").iterdir()] == ["part-00000.jsonl"]
    lines = (folder / "input" / "part-00000.jsonl").read_text().splitlines()
    assert sorted(map(json.loads, lines), key=lambda line: line["event_id"])[0] == {
        "event_id": "c1",
        "dt": SECOND,
        "text": "nothing",
        "lemmas": [],
    }
    assert len(lines) == done.ledger.run("run-1", "cleansed_to_features")["to_score"] == 5


def test_scored_texts_hold_text_score_and_trackers(done):
    rows = {row["event_id"]: row for row in done.rows("texts_scored")}
    assert sorted(rows) == ["c1", "m1", "m2", "p1", "p2"]
    assert {**rows["p1"], "occurred_at": str(rows["p1"]["occurred_at"])} == {
        "event_id": "p1",
        "event_type": "post",
        "source": "mock",
        "native_id": "p-p1",
        "thread_id": None,
        "occurred_at": "2026-02-28 10:05:00+00:00",
        "author_id": pseudonym("ann"),
        "lang": "en",
        "text": "good good flight with @united 123",
        "trackers": ["united"],
        "hashtags": ["Fly"],
        "like_count": 3,
        "share_count": 2,
        "sentiment": "positive",
        "polarity": 0.7,
        "p_negative": 0.1,
        "p_neutral": 0.1,
        "p_positive": 0.8,
        "emotions": ["joy"],
        "emotion_scores": [("anger", 0.25), ("joy", 0.9)],
        "main_emotion": "joy",
        "entities": [],
        "topic": None,
        "language": "en",
        "in_scope": True,
        "model": "rule-1",
        "dt": FIRST,
    }
    assert (rows["m2"]["native_id"], rows["m2"]["thread_id"]) == ("m2", "talk")
    assert (rows["c1"]["native_id"], rows["c1"]["thread_id"]) == ("c-c1", "t1")
    versions = done.versions("texts_scored")
    assert versions[FIRST]["sources"] == {
        name: done.versions(name)[FIRST]["version"] for name in ("posts", "messages")
    }


def test_sentiment_is_counted_by_hour_and_tracker(done):
    rows = [
        (
            str(row["hour"])[:13],
            row["tracker"],
            row["event_type"],
            row["texts"],
            row["negative"],
            row["neutral"],
            row["positive"],
            row["polarity_sum"],
            row["polarity_mean"],
        )
        for row in done.rows("sentiment_hourly")
    ]
    assert sorted(rows) == [
        ("2026-02-28 10", "(all)", "post", 2, 1, 0, 1, 0.0, 0.0),
        ("2026-02-28 10", "delta", "post", 1, 1, 0, 0, -0.7, -0.7),
        ("2026-02-28 10", "united", "post", 2, 1, 0, 1, 0.0, 0.0),
        ("2026-02-28 23", "(all)", "message", 1, 0, 0, 1, 0.7, 0.7),
        ("2026-02-28 23", "(none)", "message", 1, 0, 0, 1, 0.7, 0.7),
        ("2026-03-01 00", "(all)", "comment", 1, 0, 1, 0, 0.0, 0.0),
        ("2026-03-01 00", "(all)", "message", 1, 1, 0, 0, -0.7, -0.7),
        ("2026-03-01 00", "(none)", "comment", 1, 0, 1, 0, 0.0, 0.0),
        ("2026-03-01 00", "(none)", "message", 1, 1, 0, 0, -0.7, -0.7),
    ]


def test_engagement_words_and_authors_are_counted_by_day(done):
    columns = ["dt", "tracker", "event_type", "texts", "likes", "shares", "interactions_share"]
    assert sorted(
        tuple(row.values())
        for row in done.rows("engagement_daily", columns)
        if row["tracker"] in ("(all)", "delta")
    ) == [
        (FIRST, "(all)", "message", 1, 0, 0, 0),
        (FIRST, "(all)", "post", 2, 3, 2, 0),
        (FIRST, "delta", "post", 1, 0, 0, 0),
        (SECOND, "(all)", "comment", 1, 5, 0, 0),
        (SECOND, "(all)", "interaction", 0, 0, 0, 1),
        (SECOND, "(all)", "message", 1, 0, 0, 0),
    ]
    words = [
        tuple(row.values())
        for row in done.rows("word_frequencies", ["dt", "sentiment", "tracker", "word", "texts"])
    ]
    assert sorted(row for row in words if row[2] in ("delta", "(all)") and row[0] == FIRST) == [
        (FIRST, "negative", "(all)", "bad", 1),
        (FIRST, "negative", "(all)", "food", 1),
        (FIRST, "negative", "delta", "bad", 1),
        (FIRST, "negative", "delta", "food", 1),
        (FIRST, "positive", "(all)", "day", 1),
        (FIRST, "positive", "(all)", "flight", 1),
        (FIRST, "positive", "(all)", "good", 2),
    ]
    authors = [
        (row["dt"], row["author_id"], row["texts"], row["likes"], row["polarity_mean"])
        for row in done.rows("authors_daily")
    ]
    assert sorted(authors) == sorted(
        [
            (FIRST, pseudonym("ann"), 1, 3, 0.7),
            (FIRST, pseudonym("bob"), 2, 0, 0.0),
            (SECOND, pseudonym("ann"), 2, 5, -0.35),
        ]
    )


def test_a_conversation_over_midnight_is_one_row_on_its_first_day(done):
    (row,) = done.rows("conversations")
    assert {name: str(value) for name, value in row.items()} == {
        "conversation_id": "talk",
        "source": "mock",
        "turns": "2",
        "speakers": "2",
        "started_at": "2026-02-28 23:59:00+00:00",
        "ended_at": "2026-03-01 00:01:00+00:00",
        "polarity_first": "0.7",
        "polarity_last": "-0.7",
        "polarity_mean": "0.0",
        "dt": FIRST,
    }


def test_increments_equal_one_run_over_everything(lake, tmp_path_factory):
    """Also a conversation whose first message comes last, and so changes its day."""
    early = records(some_events())
    late = records(
        [
            event("m0", "message", at="2026-02-27T12:00:00Z", text="hello", turn=0),
            event("p3", at=f"{SECOND}T11:00:00Z", text="late good news"),
            event("i2", "interaction", at=f"{FIRST}T09:00:00Z"),
            event("p1", at=f"{FIRST}T10:05:00Z", text="an earlier copy, all bad"),
        ],
        first=500,
    )
    late[-1] = Record(0, late[-1].data, NOON.replace(hour=11))
    once = LakeKit(tmp_path_factory.mktemp("once")).create()
    once.land(early)
    once.land(late[:-1])
    once.land(late[-1:])
    whole_run(once, "run-1")

    lake.land(early)
    whole_run(lake, "run-1")
    lake.land(late[:-1])
    lake.land(late[-1:])
    whole_run(lake, "run-2")

    assert lake.ledger.run("run-2", "cleansed_to_features")["to_score"] == 3
    assert lake.tables(ANALYTICS) == once.tables(ANALYTICS)
    assert [row["dt"] for row in lake.rows("conversations")] == ["2026-02-27"]
    assert {row["event_id"]: row["lemmas"] for row in lake.rows("text_features")} == {
        row["event_id"]: row["lemmas"] for row in once.rows("text_features")
    }

    before = {name: lake.versions(name) for name in ANALYTICS}
    lake.features("run-3")
    lake.analyse("run-3")
    assert {name: lake.versions(name) for name in ANALYTICS} == before
    assert lake.ledger.run("run-3", "cleansed_to_features")["to_score"] == 0


def test_texts_without_score_fail_the_run_and_nothing_is_published(lake):
    lake.land(records(some_events()))
    lake.cleanse()
    lake.features()
    score_lines(lake, "run-1", skip=frozenset({"p1", "m2"}))
    with pytest.raises(MissingScoresError) as raised:
        lake.analyse()
    assert raised.value.missing == {FIRST: 1, SECOND: 1}
    assert "2 texts" in str(raised.value)
    assert [lake.versions(name) for name in ANALYTICS] == [{}] * len(ANALYTICS)


def test_a_run_that_dies_while_publishing_is_done_whole_by_the_next(lake, done):
    def die(phase: str) -> None:
        if phase == BETWEEN_PUBLISHES and lake.versions("engagement_daily"):
            raise Killed

    lake.land(records(some_events()))
    with pytest.raises(Killed):
        whole_run(lake, "run-1", on_phase=die)
    assert lake.versions("sentiment_hourly")
    assert not lake.versions("texts_scored")
    lake.features("run-2")
    score_lines(lake, "run-2")
    lake.analyse("run-2")
    assert lake.tables(ANALYTICS) == done.tables(ANALYTICS)


def test_a_run_overtaken_by_another_leaves_its_days_alone(lake, capsys):
    lake.land(records(some_events()))
    lake.cleanse("run-1")
    for run_id in ("run-1", "run-2"):
        lake.features(run_id)
        score_lines(lake, run_id)
    lake.analyse("run-2")
    published = {name: lake.versions(name) for name in ANALYTICS}
    lake.analyse("run-1")
    assert "published by another run" in capsys.readouterr().out
    assert {name: lake.versions(name) for name in ANALYTICS} == published


def test_analytics_without_features_of_the_run_is_refused(lake):
    with pytest.raises(MissingRunError) as raised:
        lake.analyse("never")
    assert (raised.value.run_id, raised.value.job) == ("never", scores_to_analytics.FEATURES_JOB)
