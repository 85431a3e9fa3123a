"""The native twin of cleaning against the domain's Python, row by row."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import functions as F

from glue_jobs.common import cleaning
from glue_jobs.common.cleaning import (
    BEYOND_PLAIN,
    EVENT,
    SUSPECT,
    cleansed,
    must_go_by_python,
    with_cleaning,
)
from glue_jobs.common.cleaning_by_python import CleaningRules
from glue_jobs.common.frames import table_schema
from glue_jobs.common.landing import body_fields, instant
from tests.unit.glue.kit import CLEANING
from voxlake.tables import TABLES
from voxlake.text.clean import clean_text, needs_python

TEXTS = [
    "plain",
    "  spaces\t and\nlines ",
    "",
    " ",
    "thanks @united!",
    "@United and @JetBlue, hi",
    "@someone hi",
    "mail me: ann@example.com",
    "5 &amp; 6",
    "AT&T 5 & 6",
    "call 917 703 1472",
    "4111 1111 1111 1111",
    "caf\u00e9",
    "\uff46\uff55\uff4c\uff4c",
    "emoji \U0001f600",
    "x @ 5",
    "see twitter.com/ann",
    "@united.com",
    "a\u200db",
    "bell\x07",
    "flight 1234567 is late",
    "@unitedx",
    "#fail @delta @americanair",
    "it's 100% <b>",
    "back\\slash $1 \\1",
]
AUTHORS = ["ann", "@Ann", "@@ANN", "\u00c4nn", "an n", "0", "x" * 256, "\u0130", "@"]
MENTIONS = [None, [], ["united"], ["@United", "bob"], ["\u00e9ve"], ["@", "b b"]]
KEYS = [b"0123456789abcdef" * 4, b"0123456789abcdef", b"k" * 100]


def rows(spark, name: str):
    """One row for each odd value, the other columns taken in turn."""
    table = TABLES[name]
    schema = table_schema(table)
    made = []
    for at in range(max(len(TEXTS), len(AUTHORS))):
        values = {
            "event_id": f"e{at}",
            "schema_version": 1,
            "source": ("mock", "youtube")[at % 2],
            "author_id": AUTHORS[at % len(AUTHORS)],
            "dt": "2026-03-01",
            "sequence": str(at),
            "text": TEXTS[at % len(TEXTS)],
            "bio": TEXTS[-at % len(TEXTS)] or None,
            "context": TEXTS[(at * 7) % len(TEXTS)] if at % 3 else None,
            "turn": at,
            "speaker": AUTHORS[at % len(AUTHORS)],
            "handle": AUTHORS[-at % len(AUTHORS)],
            "mentions": MENTIONS[at % len(MENTIONS)],
            "hashtags": ["A", "\u00e9"],
            "like_count": (None, 2**63 - 1, 0)[at % 3],
            "verified": (None, True, False)[at % 3],
            "followers": 2**53 + 1,
            "target_type": ("post", "profile")[at % 2],
            "target_id": AUTHORS[at % len(AUTHORS)],
            "kind": "like",
        }
        made.append(tuple(values.get(field.name) for field in schema))
    frame = spark.createDataFrame(made, schema)
    # Years that pandas' nanoseconds cannot hold.
    for column in ("joined_at", "occurred_at", "arrival"):
        if column in frame.columns:
            frame = frame.withColumn(
                column,
                F.to_timestamp(
                    F.concat(
                        F.lpad((F.col("sequence").cast("int") * 400 + 5).cast("string"), 4, "0"),
                        F.lit("-02-03 04:05:06.000007"),
                    )
                ),
            )
    # Lines of every type have the columns of all types; some hold what their table does not take.
    stray = {"handle": "stray", "speaker": "Stray", "target_id": "t"}
    for field in body_fields():
        if field.name not in frame.columns:
            value = F.lit(stray.get(field.name)).cast(field.dataType)
            frame = frame.withColumn(field.name, value)
    return table, frame.withColumn("_table", F.lit(name))


def collected(frame) -> list:
    columns = [
        F.col(name).cast("string") if kind == "timestamp" else F.col(name)
        for name, kind in frame.dtypes
    ]
    return sorted(map(tuple, frame.select(columns).collect()), key=lambda row: row[0])


@pytest.mark.parametrize("name", ["posts", "comments", "profiles", "interactions", "messages"])
def test_both_twins_make_the_same_rows(spark, monkeypatch, name):
    table, frame = rows(spark, name)
    assert 0 < frame.where(~must_go_by_python(CLEANING)).count() < frame.count()
    found = collected(cleansed(with_cleaning(frame, CLEANING), table))
    monkeypatch.setattr(cleaning, "must_go_by_python", lambda rules: F.lit(True))
    assert found == collected(cleansed(with_cleaning(frame, CLEANING), table))


def test_a_line_that_is_no_event_keeps_nothing_of_one(spark):
    _, frame = rows(spark, "posts")
    lines = with_cleaning(frame.withColumn("_table", F.lit("quarantine")), CLEANING)
    assert {row[EVENT] for row in lines.collect()} == {None}
    assert not set(lines.columns) & {"text", "author_id", "mentions"}


@pytest.mark.parametrize("key", KEYS, ids=["block", "shorter", "longer"])
def test_native_pseudonyms_are_the_domains_for_every_length_of_key(spark, key):
    rules = CleaningRules("k7", key, frozenset())
    table, frame = rows(spark, "comments")
    plain = frame.where(~must_go_by_python(rules))
    people = rules.pseudonymiser()
    expected = {
        row["event_id"]: people.pseudonym(row["source"], row["author_id"])
        for row in plain.collect()
    }
    assert expected
    found = cleansed(with_cleaning(plain, rules), table).collect()
    assert {row["event_id"]: row["author_id"] for row in found} == expected


@given(st.text(st.characters(max_codepoint=0x2FF), max_size=40))
def test_an_unsuspected_text_never_needs_python(text):
    pattern = needs_python(CLEANING.kept_handles)
    needed = "&" in text or re.search(BEYOND_PLAIN, text) or re.search(pattern, text)
    assert re.search(SUSPECT, text) or not needed


def test_every_text_comes_out_as_the_domain_cleans_it(spark):
    table, frame = rows(spark, "comments")
    people = CLEANING.pseudonymiser()
    expected = {
        row["event_id"]: clean_text(row["text"], row["source"], people, CLEANING.kept_handles)
        for row in frame.collect()
    }
    found = {
        row["event_id"]: row["text"]
        for row in cleansed(with_cleaning(frame, CLEANING), table).collect()
    }
    assert found == expected


def test_the_key_stands_in_no_plan(spark, capsys):
    table, frame = rows(spark, "posts")
    cleansed(with_cleaning(frame, CLEANING), table).explain("extended")
    plan = capsys.readouterr().out
    pads = [bytes(byte ^ pad for byte in CLEANING.key) for pad in (0, 0x36, 0x5C)]
    for secret in pads:
        assert secret.hex().upper() not in plan.upper()
        assert secret.decode("latin-1") not in plan
    assert CLEANING.key.decode() not in repr(CLEANING)


def test_times_are_read_as_spark_reads_them(spark):
    texts = [
        "2026-01-16T00:02:00Z",
        "2026-01-16T00:02:00.001000Z",
        "2026-01-16T00:02:00.5Z",
        "2015-02-24T11:35:52+05:30",
        "2026-01-16T00:02:00+05:00Z",
        "2026-1-6T10:00-5:00Z",
        "2026-02-30T00:00:00Z",
        "2026-01-16T24:00:00Z",
        "2026-01-16T00:02:00ZZ",
        "2026-01-16T00:02:00Z\n",
        "2026-01-16Z",
        "Z",
        "",
        None,
    ]
    frame = spark.createDataFrame([(text,) for text in texts], "text STRING")
    text = F.col("text")
    rows = frame.select(text, text.cast("timestamp").alias("cast"), instant(text).alias("read"))
    found = {row["text"]: (row["cast"], row["read"]) for row in rows.collect()}
    assert sum(cast is not None for cast, _ in found.values()) >= 4
    assert {text for text, (cast, read) in found.items() if cast != read} == set()
