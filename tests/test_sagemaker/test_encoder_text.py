"""What the encoder reads of a text, and where each character came from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxlake.scoring.encoder_text import CASE_CLASSES, case_id, case_ids, prepare

PSEUDONYM = "k1_" + "0a" * 12


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("plain text", "plain text"),
        ("see https://example.org/a?b=1 now", "see http now"),
        (f"@{PSEUDONYM} and {PSEUDONYM}", "@user and @user"),
        ("@united <user> <link>", "@united @user http"),
        ("I &amp;lt;3 it &#39;so&#39;", "I <3 it 'so'"),
        ("a\t\tb\r\nc\x00d", "a b c d"),
        ("‘so’ “good” — …", "'so' \"good\" - ..."),
        ("😂😂😂😂😂", " 😂  😂  😂 "),
        ("👍🏽🤷‍♀️", " 👍  🤷 "),
        ("🦕", " sauropod "),
        ("🇺🇸", "us"),
        ("𝗕𝗢𝗟𝗗 ﬁne", "BOLD fine"),
        ("\ud83d lone", " lone"),
        ("", ""),
    ],
)
def test_a_text_as_the_encoder_reads_it(text, read):
    assert prepare(text).text == read


def test_every_prepared_character_says_where_it_came_from():
    text = "&amp; 😂 https://x.y @me"
    prepared = prepare(text)
    origin = [text[a:b] for a, b in zip(prepared.starts, prepared.ends, strict=True)]
    assert list(zip(prepared.text, origin, strict=True)) == [
        ("&", "&amp;"), (" ", " "), (" ", "😂"), ("😂", "😂"), (" ", "😂"), (" ", " "),
        *[(char, "https://x.y") for char in "http"],
        *[(char, char) for char in " @me"],
    ]  # fmt: skip


@given(st.text(st.characters(exclude_categories=[]), max_size=200))
def test_any_text_is_read_and_its_origins_lie_in_order_within_it(text):
    prepared = prepare(text)
    assert len(prepared.text) == len(prepared.starts) == len(prepared.ends)
    assert list(prepared.starts) == sorted(prepared.starts)
    assert all(0 <= a < b <= len(text) for a, b in zip(prepared.starts, prepared.ends, strict=True))
    prepared.text.encode()  # no lone surrogate reaches the tokenizer


def test_the_end_of_an_endless_text_is_not_read():
    assert len(prepare("so " * 100_000).text) == 4_000


@pytest.mark.parametrize(
    ("piece", "case"),
    [("", 0), ("12!", 0), ("good", 1), ("Good", 2), ("GOOD", 3), ("McD", 4), ("I", 5), ("日本", 1)],
)
def test_the_case_of_a_piece(piece, case):
    assert case_id(piece) == case < CASE_CLASSES


def test_special_tokens_have_no_case():
    assert case_ids([(0, 0), (0, 4), (5, 7), (0, 0)], "Good DAY") == [0, 2, 3, 0]
