"""Ten thousand real tweets end to end: exact counts, same scores without labels, nobody's name."""

from __future__ import annotations

import gzip
import json
import os
import re
from pathlib import Path

import pytest

from tests.e2e.lake import ROOT
from voxlake.text.normalise import normalise
from voxlake.trackers import load_trackers

FILE = (
    Path(os.environ.get("VOXLAKE_DATA", ROOT.parent / "shared" / "data")) / "airline/train.jsonl.gz"
)
LABELS = (
    "label",
    "airline_sentiment",
    "airline_sentiment_confidence",
    "airline_sentiment_gold",
    "negativereason",
    "negativereason_confidence",
    "negativereason_gold",
    "topic",
    "topic_no",
    "topic_prob",
)
TICKET = ("ticket_id", "dt", "queue", "state", "event_id", "native_id", "model", "revision")
SCORES = "SELECT event_id, dt, sentiment, polarity FROM voxlake_analytics.texts_scored ORDER BY 1"

pytestmark = [
    pytest.mark.skipif(not FILE.exists(), reason=f"real data is not at {FILE}"),
    # Ten thousand texts take two minutes on the stream path and two on the batch path.
    pytest.mark.timeout(900),
]


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    with gzip.open(FILE, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def airline(lake, tmp_path_factory, rows):
    """The file, its label fields stripped, sent and run once."""
    stripped = tmp_path_factory.mktemp("data") / "train.jsonl"
    with stripped.open("w", encoding="utf-8") as out:
        for row in rows:
            kept = {k: v for k, v in row.items() if k not in LABELS}
            out.write(json.dumps(kept, ensure_ascii=False) + "\n")
    lake.hold_replies()
    lake.voxlake("send", str(stripped), "--wait")
    lake.enriched()
    lake.opened = lake.tickets()
    lake.json("run")
    lake.scores = lake.sql(SCORES)
    return lake


def test_a_text_has_one_ticket_and_praise_has_none(airline):
    texts = [(ticket["source"], ticket["native_id"]) for ticket in airline.opened]
    assert len(texts) == len(set(texts)) > 4_000
    assert {ticket["sentiment"] for ticket in airline.opened} == {"negative", "neutral"}
    assert {ticket["state"] for ticket in airline.opened} == {"open"}


def test_the_lake_has_exactly_the_tickets_that_the_stream_path_opened(airline):
    assert ticket_rows(airline) == as_rows(airline.opened)


def ticket_rows(lake) -> list[tuple]:
    return as_rows(lake.sql(f"SELECT {', '.join(TICKET)} FROM voxlake_analytics.tickets"))


def as_rows(tickets: list[dict]) -> list[tuple]:
    return sorted(tuple(ticket[name] for name in TICKET) for ticket in tickets)


def test_stream_and_batch_path_say_the_same_of_every_text(airline):
    # A text with nothing to read ("@united <email>") has no main emotion on either path.
    same = """s.sentiment = b.sentiment AND s.main_emotion IS NOT DISTINCT FROM b.main_emotion
        AND s.model = b.model"""
    (counted,) = airline.sql(f"""SELECT count(*) AS texts, count_if({same}) AS same,
        count_if(array_sort(s.emotions) = array_sort(b.emotions)) AS same_emotions
        FROM voxlake_analytics.stream_scores s JOIN voxlake_analytics.texts_scored b
        ON b.event_id = s.event_id AND b.dt = s.dt""")
    assert (counted["texts"], counted["same"]) == (10_102, 10_102)
    # An emotion whose probability lies on its threshold may fall either way: the last places of
    # a probability depend on which texts are scored together.
    assert counted["same_emotions"] >= 10_097


def test_every_distinct_tweet_is_scored_once_and_the_rest_are_duplicates(airline, rows):
    distinct = {row["id"] for row in rows}
    assert {s["event_id"] for s in airline.scores} == {f"file-{id_}" for id_ in distinct}
    assert len(airline.scores) == 10_102
    post = airline.json("reconcile")["event_types"]["post"]
    assert (post["received"], post["cleansed"], post["duplicate"]) == (10_185, 10_102, 83)
    assert post["unaccounted"] == 0
    days = airline.sql("SELECT count(DISTINCT dt) AS days FROM voxlake_analytics.texts_scored")
    assert days == [{"days": 8}]


def test_nobodys_name_place_or_coordinates_is_in_cleansed_or_analytics(airline, rows):
    """Nothing but the texts is taken from the file, and in the texts handles are pseudonyms."""
    texts = " ".join(normalise(row["text"]) for row in rows).lower()
    plain_words = set(re.findall(r"(?<!@)\b\w+", re.sub(r"@\w+", " ", texts)))
    handles = {row["author"].lower() for row in rows}
    handles -= set(load_trackers().kept_handles) | plain_words
    places = {(row["tweet_location"] or "").lower() for row in rows}
    places = {place for place in places if len(place) > 3 and place not in texts}
    coordinates = {str(c) for row in rows for c in (row["tweet_coord"] or []) if c}
    values: set[str] = set()
    for table in ("voxlake_cleansed.posts", "voxlake_cleansed.text_features"):
        values |= stored_values(airline, table)
    for table in ("texts_scored", "authors_daily", "word_frequencies", "entities_daily"):
        values |= stored_values(airline, f"voxlake_analytics.{table}")
    found = re.sub(r"k1_[0-9a-f]{24}", "", "\n".join(values))
    assert len(handles) > 5000
    assert set(re.findall(r"\w+", found)) & handles == set()
    assert [place for place in places if place in found] == []
    assert [c for c in coordinates if c in found] == []


def stored_values(lake, table: str) -> set[str]:
    """Every distinct value but numbers and ids, in lower case; lists by their items."""
    # A probability's digits are no zip code: emotion_scores holds labels and numbers only.
    ids = {"event_id", "post_id", "native_id", "shard", "sequence", "arrival", "emotion_scores"}
    values: set[str] = set()
    for row in lake.sql(f"SELECT * FROM {table}"):
        for name, value in row.items():
            if isinstance(value, str) and name not in ids:
                listed = value.startswith("[") and value.endswith("]")
                values.update(value.lower()[1:-1].split(", ") if listed else [value.lower()])
    return values


def test_nobodys_pseudonym_is_an_entity(airline):
    named = airline.sql("""SELECT DISTINCT e.text FROM voxlake_analytics.texts_scored
        CROSS JOIN UNNEST(entities) AS e (text, label, start, "end")""")
    assert len(named) > 500
    assert [row["text"] for row in named if re.search(r"[0-9a-f]{24}|<|@", row["text"])] == []
    total = "SELECT count(*) AS n FROM voxlake_analytics.entities_daily WHERE tracker = '(all)'"
    assert airline.sql(total)[0]["n"] > 500


def test_emotions_are_told_of_every_text_in_scope(airline):
    counted = airline.sql("""SELECT count(*) AS texts, count_if(cardinality(emotion_scores) = 11)
        AS told, count_if(in_scope) AS in_scope FROM voxlake_analytics.texts_scored""")[0]
    assert counted["texts"] == counted["told"] == 10_102
    assert counted["in_scope"] > 9_800
    sums = airline.sql("""SELECT sum(texts) AS texts FROM voxlake_analytics.emotion_daily
        WHERE tracker = '(all)' AND emotion = 'anger'""")[0]
    listed = airline.sql("""SELECT count(*) AS texts FROM voxlake_analytics.texts_scored
        WHERE in_scope AND contains(emotions, 'anger')""")[0]
    assert sums == listed


def test_sent_again_with_its_labels_nothing_is_added_and_scores_and_tickets_stay(airline):
    newest = airline.json("tickets", "list", "--limit", "3")[0]
    airline.voxlake("tickets", "close", newest["ticket_id"], "--note", "done", "--by", "kim")
    airline.voxlake("send", str(FILE), "--wait")
    airline.enriched()
    airline.json("run")
    tickets = airline.tickets()
    assert ticket_rows(airline) == as_rows(tickets)
    states = {ticket["ticket_id"]: ticket["state"] for ticket in airline.opened}
    assert {ticket["ticket_id"]: ticket["state"] for ticket in tickets} == states | {
        newest["ticket_id"]: "closed"
    }
    post = airline.json("reconcile")["event_types"]["post"]
    assert (post["received"], post["cleansed"], post["duplicate"]) == (20_370, 10_102, 10_268)
    assert airline.sql(SCORES) == airline.scores


def test_the_report_says_what_the_tables_say(airline):
    page = Path(airline.json("report")["report"]).read_text()
    assert "10,102" in page
    assert "Synthetic data." not in page
    assert "United" in page
    assert "anger: share of texts over time" in page
    assert f"{len(airline.opened):,} complaints and questions to our accounts" in page
    assert page.count('<td class="num">100%</td>') >= 2
    assert re.search(r"k1_[0-9a-f]{5}", page) is None
    assert "<script" not in page
