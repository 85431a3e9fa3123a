"""What a model sees of a text."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxlake.ids import Pseudonymiser
from voxlake.scoring.features import FeatureSettings, features
from voxlake.scoring.prepare import anonymous, tokens
from voxlake.text.clean import clean_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("I love it!!", ["i", "love", "it", "!!"]),
        ("Not a good day, sadly", ["not", "not_a", "not_good", "not_day", ",", "sadly"]),
        ("I don’t like this at all", ["i", "don't", "not_like", "not_this", "not_at", "all"]),
        ("no. good", ["no", ".", "good"]),
        ("sooooo good", ["<long>", "soo", "good"]),
        ("WORST flight", ["worst", "flight", "<caps>"]),
        ("ALL SHOUTED", ["all", "shouted"]),
        ("#WorstDayEver", ["#worstdayever", "worst", "day", "ever"]),
        ("fine :-))) or :-( ?!", ["fine", ":)", "or", ":(", "?!"]),
        ("XD <3 ^_^", ["xd", "<3", "^_^"]),
        ("😍👍🏽 ok", ["😍", "👍", "ok"]),
        ("from 10:30 to 11", ["from", "<number>", "to", "<number>"]),
        ("see https://a.example/b?c=1 now", ["see", "<link>", "now"]),
        ("mail me: jo@example.com", ["mail", "me", ":", "<email>"]),
        ("@united @someone_else thanks", ["<user>", "<user>", "thanks"]),
        ("fish &amp;amp; chips &lt;3", ["fish", "chips", "<3"]),
        ("wait....", ["wait", "..."]),
        ("@ 5 or @930 am", ["<number>", "or", "<number>", "am"]),
    ],
)
def test_a_text_becomes_these_tokens(text, expected):
    assert tokens(text) == expected


def test_features_are_tokens_pairs_and_character_ngrams_of_words():
    found = features(["not", "not_ok", "<user>"], FeatureSettings(char_min=4, char_max=4))
    assert sorted(found) == sorted(
        ["not", "~ not", "~not ", "not_ok", "~ ok ", "<user>", "not not_ok", "not_ok <user>"]
    )


@pytest.mark.parametrize("settings", [{"word_ngrams": 3}, {"char_min": 0}, {"char_max": 99}])
def test_impossible_feature_settings_are_refused(settings):
    with pytest.raises(ValueError, match="expected word_ngrams"):
        FeatureSettings(**settings)


PIECES = st.sampled_from(
    [
        "@JohnSmith", "@john_smith2", "a@b_c", "@united", "@UNITED!", "jo@example.com", ".", " ",
        "https://x.com/JohnSmith/status/1", "x.com/JohnSmith", "(twitter.com/J_S)", "..x.com/js",
        "https://medium.com/@john/post",
        "call 917 703 1472 ok", "card 4111 1111 1111 1111 ok", "great", "#Ab",
        "&amp;", "&lt;3", "don't", ":-)", "😍", "\n", "-", "@930", "@_", "café", "x", "\u200d",
    ]
)  # fmt: skip
KEYS = [Pseudonymiser("k1", b"a" * 64), Pseudonymiser("second", b"b" * 64)]
KEPT = frozenset({"united"})


@settings(deadline=None, max_examples=200)
@given(pieces=st.lists(PIECES, max_size=8), source=st.sampled_from(["file", "x", "youtube"]))
def test_a_text_is_prepared_alike_under_any_pseudonym_key(pieces, source):
    first, second = (clean_text("".join(pieces), source, key, KEPT) for key in KEYS)
    assert anonymous(first) == anonymous(second)


@settings(deadline=None, max_examples=200)
@given(pieces=st.lists(PIECES, max_size=8))
def test_a_text_as_written_is_prepared_like_its_cleansed_form(pieces):
    text = " ".join(pieces)
    assert tokens(text) == tokens(clean_text(text, "file", KEYS[0], KEPT))


REPEATED = (
    "a",
    "(",
    ":",
    "@",
    "#",
    "-_",
    "a.",
    "a'",
    "<3",
    "!?",
    "&amp;",
    "0",
    "x.com/",
    "a-",
    "\0",
)


@pytest.mark.parametrize("piece", REPEATED)
def test_the_cost_of_a_text_grows_with_its_length_only(piece):
    def seconds(characters):
        text = piece * (characters // len(piece))
        start = time.process_time()
        tokens(text)
        return time.process_time() - start

    seconds(10_000)
    # Linear work takes 10 times as long; quadratic work 100 times. Short times are noise.
    assert seconds(200_000) < max(40 * seconds(20_000), 0.5)
