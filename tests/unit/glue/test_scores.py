"""What the model says of texts: read strictly, masked, counted, and filled in where it is old."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from glue_jobs.common.errors import ScoreLinesError
from glue_jobs.common.score_lines import read_scores, shown_entities
from tests.unit.glue.kit import LakeKit, event, records
from tests.unit.glue.scoring_kit import score_line, score_lines
from tests.unit.glue.test_features_and_analytics import ANALYTICS, pseudonym
from voxlake.text.hidden import without_hidden

FIRST, SECOND = "2026-02-28", "2026-03-01"
NEW_COLUMNS = (
    "emotions",
    "emotion_scores",
    "main_emotion",
    "entities",
    "topic",
    "language",
    "in_scope",
)


def texts_of_two_days() -> list[dict]:
    call = "call +1 703 464 0200"
    return [
        event("a1", at=f"{FIRST}T10:00:00Z", text=f"good food @united, Ann and @ann_k {call} Ann"),
        event("a2", "comment", at=f"{FIRST}T11:00:00Z", text="bad food, Ann, in Oslo"),
        event("a3", at=f"{FIRST}T12:00:00Z", text="nicht good food, Ann"),
        event("b1", "message", at=f"{SECOND}T10:00:00Z", text="good morning"),
    ]


def whole_run(lake: LakeKit, run_id: str, rescore: str = "none") -> int:
    """Runs the jobs; how many texts the model scored."""
    lake.cleanse(run_id)
    item = lake.features(run_id, rescore=rescore)
    score_lines(lake, run_id)
    lake.analyse(run_id)
    return item["to_score"]


@pytest.fixture(scope="module")
def done(environment, spark, tmp_path_factory) -> LakeKit:
    """A lake after one whole run; only to be read."""
    lake = LakeKit(tmp_path_factory.mktemp("done")).create()
    lake.land(records(texts_of_two_days()))
    assert whole_run(lake, "run-1") == 4
    return lake


def test_entities_are_shown_unless_they_touch_a_pseudonym_or_a_mask(done):
    rows = {row["event_id"]: row for row in done.rows("texts_scored")}
    text = rows["a1"]["text"]
    assert text == f"good food @united, Ann and @{pseudonym('ann_k')} call <phone> Ann"
    given = score_line({"event_id": "a1", "dt": FIRST, "text": text, "lemmas": []})["entities"]
    assert [one["text"] for one in given] == ["Ann", pseudonym("ann_k"), "phone", "Ann"]
    assert rows["a1"]["entities"] == [given[0], given[3]]


def test_emotions_are_counted_over_texts_in_scope(done):
    columns = ["tracker", "source", "emotion", "texts", "score_sum"]
    rows = [
        tuple(row.values())
        for row in done.rows("emotion_daily", [*columns, "dt"])
        if row["dt"] == FIRST
    ]
    assert sorted(rows) == [
        ("(all)", "mock", "anger", 1, 1.15, FIRST),
        ("(all)", "mock", "joy", 1, 1.15, FIRST),
        ("(none)", "mock", "anger", 1, 0.9, FIRST),
        ("(none)", "mock", "joy", 0, 0.25, FIRST),
        ("united", "mock", "anger", 0, 0.25, FIRST),
        ("united", "mock", "joy", 1, 0.9, FIRST),
    ]


def test_a_text_that_names_something_twice_counts_once(done):
    rows = [tuple(row.values()) for row in done.rows("entities_daily")]
    assert sorted(rows) == [
        ("(all)", "PER", "ann", 2, FIRST),
        ("(all)", "PER", "oslo", 1, FIRST),
        ("united", "PER", "ann", 1, FIRST),
    ]


def test_topics_are_counted_with_their_polarity(done):
    assert sorted(tuple(row.values()) for row in done.rows("topic_daily")) == [
        ("(all)", "mock", "food", 2, 0.0, FIRST),
        ("(none)", "mock", "food", 1, -0.7, FIRST),
        ("united", "mock", "food", 1, 0.7, FIRST),
    ]


def test_a_line_without_a_key_is_an_error_that_names_it_and_nothing_is_published(lake):
    lake.land(records(texts_of_two_days()))
    lake.cleanse()
    lake.features()
    score_lines(lake, "run-1", without=frozenset({"emotions", "topic"}))
    with pytest.raises(ScoreLinesError) as raised:
        lake.analyse()
    assert (raised.value.keys, raised.value.lines) == (["emotions", "topic"], 4)
    assert "expected emotions, topic in every line" in str(raised.value)
    assert [lake.versions(name) for name in ANALYTICS] == [{}] * len(ANALYTICS)


def test_every_way_in_which_a_line_is_not_whole_is_told(spark, tmp_path):
    good = score_line({"event_id": "e", "dt": FIRST, "text": "good Ann", "lemmas": []})
    broken = {
        "null": (good | {"sentiment": None}, ["sentiment"]),
        "type": (good | {"polarity": "high"}, ["polarity"]),
        "class": (good | {"sentiment_scores": {"negative": 1.0}}, ["sentiment_scores"]),
        "span": (good | {"entities": [{"text": "Ann", "start": 5, "end": 8}]}, ["entities"]),
        "list": ([good], ["a JSON object"]),
        "error": ({"error": "no text"}, sorted(good)),
    }
    for name, (line, keys) in broken.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / "a.out").write_text(f"{json.dumps(good)}\n\n{json.dumps(line)}\n")
        with pytest.raises(ScoreLinesError) as raised:
            read_scores(spark, folder.as_uri())
        assert (raised.value.keys, raised.value.lines) == (keys, 1), name


def test_a_text_that_was_scored_twice_has_one_score(spark, tmp_path):
    line = score_line({"event_id": "e", "dt": FIRST, "text": "good Ann", "lemmas": ["food"]})
    (tmp_path / "a.out").write_text(f"{json.dumps(line)}\n{json.dumps(line | {'more': 1})}\n")
    (row,) = read_scores(spark, tmp_path.as_uri()).collect()
    assert (row["event_id"], row["_new"]["topic"]) == ("e", "food")
    assert row["_new"]["emotion_scores"] == {"anger": 0.25, "joy": 0.9}


def test_spark_and_python_hide_the_same(spark):
    someone = pseudonym("somebody")
    texts = [
        f"\U0001f600\U0001f600 Ann met @{someone}, Bob and <email>",
        f"see x.com/{someone} by Ann",
        "<card> Card, phone <phone>, e mail",
        "nothing hidden, José in Oslo \U0001f600",
        f"@{someone}@{someone} Ann",
    ]
    rows = []
    for text in texts:
        words = [(at, end) for at in range(len(text)) for end in range(at + 1, at + 30)]
        spans = [
            {"text": text[at:end], "label": "PER", "start": at, "end": end}
            for at, end in words
            if end <= len(text)
        ]
        rows.append({"text": text, "entities": spans})
    schema = "text string, entities array<struct<text:string,label:string,start:int,end:int>>"
    found = spark.createDataFrame(rows, schema).withColumn("entities", shown_entities()).collect()
    for given, row in zip(rows, found, strict=True):
        expected = without_hidden(given["text"], given["entities"])
        assert [one.asDict() for one in row["entities"]] == expected
        assert not any(someone in one["text"] for one in expected)


def forget_new_columns(lake: LakeKit) -> None:
    """Makes texts_scored what a job of before the encoder wrote."""
    for item in lake.versions("texts_scored").values():
        for path in Path(item["location"].removeprefix("file://")).glob("*.parquet"):
            table = pq.ParquetFile(path).read()
            pq.write_table(table.drop_columns(list(NEW_COLUMNS)), path)


def test_old_days_stay_readable_and_are_filled_when_their_texts_are_worked_on(lake, done):
    late = event("a4", at=f"{FIRST}T13:00:00Z", text="good news")
    lake.land(records(texts_of_two_days()))
    whole_run(lake, "run-1")
    forget_new_columns(lake)
    lake.land(records([late], first=100))

    # The day of the late text is scored whole; the other is read, and left as it is.
    assert whole_run(lake, "run-2") == 4
    rows = {row["event_id"]: row for row in lake.rows("texts_scored")}
    assert rows["a2"] == next(r for r in done.rows("texts_scored") if r["event_id"] == "a2")
    assert rows["a4"]["emotions"] == ["joy"]
    assert "in_scope" not in rows["b1"]

    assert whole_run(lake, "run-3") == 0
    assert whole_run(lake, "run-4", rescore=f"{SECOND}/{SECOND}") == 1
    rows = {row["event_id"]: row for row in lake.rows("texts_scored")}
    assert rows["b1"] == next(r for r in done.rows("texts_scored") if r["event_id"] == "b1")
    emotions = [row for row in lake.rows("emotion_daily") if row["dt"] == SECOND]
    assert emotions == [row for row in done.rows("emotion_daily") if row["dt"] == SECOND]
