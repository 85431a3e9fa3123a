"""The native twin of cleaning against the domain's Python, row by row."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import functions as F

from glue_jobs.common.cleaning import (
    SUSPECT_CHARACTERS,
    SUSPECT_PATTERNS,
    CleaningRules,
    cleaned_natively,
    cleansed,
    cleansed_by_python,
    must_go_by_python,
    with_cleaning,
)
from glue_jobs.common.frames import table_schema
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
    # Lines of every type have the columns of all types.
    for column in ("bio", "context", "speaker", "handle", "text", "target_id", "target_type"):
        if column not in frame.columns:
            frame = frame.withColumn(column, F.lit(None).cast("string"))
    if "mentions" not in frame.columns:
        frame = frame.withColumn("mentions", F.lit(None).cast("array<string>"))
    return table, frame.withColumn("_by_python", must_go_by_python(CLEANING))


def collected(frame) -> list:
    columns = [
        F.col(name).cast("string") if kind == "timestamp" else F.col(name)
        for name, kind in frame.dtypes
    ]
    return sorted(map(tuple, frame.select(columns).collect()), key=lambda row: row[0])


@pytest.mark.parametrize("name", ["posts", "comments", "profiles", "interactions", "messages"])
def test_both_twins_make_the_same_rows(spark, name):
    table, frame = rows(spark, name)
    names = [*table.column_names, "dt"]
    native = frame.where(~F.col("_by_python"))
    assert collected(cleaned_natively(native, CLEANING).select(*names)) == collected(
        cleansed_by_python(native.select(*names), table, CLEANING)
    )
    assert 0 < native.count() < frame.count()
    lines = with_cleaning(frame.drop("_by_python"), CLEANING)
    assert collected(cleansed(lines, table, CLEANING)) == collected(
        cleansed_by_python(frame.select(*names), table, CLEANING)
    )


@pytest.mark.parametrize("key", KEYS, ids=["block", "shorter", "longer"])
def test_native_pseudonyms_are_the_domains_for_every_length_of_key(spark, key):
    rules = CleaningRules("k7", key, frozenset())
    _, frame = rows(spark, "comments")
    plain = frame.where(~must_go_by_python(rules)).withColumn("_by_python", F.lit(False))
    people = rules.pseudonymiser()
    expected = {
        row["event_id"]: people.pseudonym(row["source"], row["author_id"])
        for row in plain.collect()
    }
    found = cleaned_natively(plain, rules).collect()
    assert {row["event_id"]: row["author_id"] for row in found} == expected


@given(st.text(st.characters(max_codepoint=0x2FF), max_size=40))
def test_an_unsuspected_text_never_needs_python(text):
    pattern = needs_python(CLEANING.kept_handles)
    suspect = any(character in text for character in SUSPECT_CHARACTERS) or any(
        re.search(one, text) for one in SUSPECT_PATTERNS
    )
    assert suspect or not re.search(pattern, text)


def test_every_text_comes_out_as_the_domain_cleans_it(spark):
    table, frame = rows(spark, "comments")
    people = CLEANING.pseudonymiser()
    expected = {
        row["event_id"]: clean_text(row["text"], row["source"], people, CLEANING.kept_handles)
        for row in frame.collect()
    }
    found = {
        row["event_id"]: row["text"]
        for row in cleansed(with_cleaning(frame, CLEANING), table, CLEANING).collect()
    }
    assert found == expected


def test_the_key_stands_in_no_plan(spark, capsys):
    table, frame = rows(spark, "posts")
    cleansed(with_cleaning(frame, CLEANING), table, CLEANING).explain("extended")
    plan = capsys.readouterr().out
    pads = [bytes(byte ^ pad for byte in CLEANING.key) for pad in (0, 0x36, 0x5C)]
    for secret in pads:
        assert secret.hex().upper() not in plan.upper()
        assert secret.decode("latin-1") not in plan
    assert CLEANING.key.decode() not in repr(CLEANING)
