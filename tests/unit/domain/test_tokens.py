from __future__ import annotations

import pytest

from voxlake.text.tokens import STOP_WORDS, lemma, remove_stop_words, stem, tokenise, word_count


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The CREW wasn\u2019t rude; well-known!", ["the", "crew", "wasn't", "rude", "well-known"]),
        ("@united #Fail see https://t.co/Ab1 www.x.com/a", ["#fail", "see"]),
        ("flight 1523, UA1523, 10:45am, 3.50 b4", ["flight"]),
        ("call <phone> or <email> or <card>", ["call", "or", "or"]),
        ("sooooo good :-) <3 :( ;P", ["soo", "good", ":-)", "<3", ":(", ";P"]),
        (
            "\u2764\ufe0f \U0001f468\u200d\U0001f469 \U0001f1fa\U0001f1f8 \U0001f44d\U0001f3fd",
            [
                "\u2764\ufe0f",
                "\U0001f468\u200d\U0001f469",
                "\U0001f1fa\U0001f1f8",
                "\U0001f44d\U0001f3fd",
            ],
        ),
        ("\u00dcber caf\u00e9 \u65e5\u672c", ["\u00fcber", "caf\u00e9", "\u65e5\u672c"]),
        ("... !!! ?", []),
        ("", []),
    ],
)
def test_tokenise(text, expected):
    assert tokenise(text) == expected


def test_word_count_leaves_emoji_and_emoticons_out():
    assert word_count(["good", "#fail", ":-)", ":P", "<3", "\U0001f600"]) == 2


def test_stop_words_and_single_letters_go_emoji_stay():
    tokens = ["the", "crew", "wasn't", "x", "rude", "\U0001f600", "<3"]
    assert remove_stop_words(tokens) == ["crew", "rude", "\U0001f600", "<3"]


def test_stop_words_are_tokens_as_tokenise_writes_them():
    assert all(tokenise(word) in ([word], []) for word in STOP_WORDS)
    assert not STOP_WORDS & {"good", "bad", "flight", "thanks", "sorry", "love"}


def test_stems_and_lemmas():
    words = ["flights", "flying", "mice", "cancelled", "delayed", "#fails", "\U0001f600", ":)"]
    assert [stem(word) for word in words] == [
        "flight",
        "fli",
        "mice",
        "cancel",
        "delay",
        "#fail",
        "\U0001f600",
        ":)",
    ]
    assert [lemma(word) for word in words] == [
        "flight",
        "fly",
        "mouse",
        "cancel",
        "delay",
        "#fails",
        "\U0001f600",
        ":)",
    ]
