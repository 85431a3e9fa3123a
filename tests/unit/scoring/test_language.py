"""Which texts are called English, another language, or nothing to read."""

import pytest

from lambdas.mock_server.phrases_languages import LANGUAGES
from voxlake.scoring.language import NOTHING, LanguageOf, language_of

ENGLISH = [
    "ok", "lol", "yes", "no", "omg", "thanks!", "hi", "nice one", "so good", "Go Bills",
    "Monday", "happy birthday @someone", "#throwback", "sooo tired", "gn", "idk why", "Tesla stock",
    "RT @a: can't wait", "this is the worst airline ever", "WHAT A GAME",
]  # fmt: skip


@pytest.mark.parametrize("text", ENGLISH)
def test_short_english_stays_in_scope(text):
    found = language_of(text, {"en"})
    assert (found.in_scope, found.readable) == (True, True)
    assert found.language in ("en", "und")


def test_another_language_is_out_of_scope():
    found = [
        (code, language_of(text.replace("{brand}", "Acme"), {"en"}))
        for code, moods in LANGUAGES.items()
        for texts in moods.values()
        for text in texts
    ]
    right = sum(code == told.language and not told.in_scope for code, told in found)
    assert right / len(found) > 0.9
    assert not [told for _, told in found if told.language == "en" and not told.in_scope]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("no puedo creer que perdimos otra vez", "es"),
        ("今日はとても暑いです", "ja"),
        ("сегодня отличная погода", "ru"),
        ("صباح الخير جميعا", "ar"),
        ("thanks, I love it 😍 https://a.example", "en"),
    ],
)
def test_the_language_is_named(text, language):
    assert language_of(text, {"en"}).language == language


def test_what_a_model_was_trained_on_decides_its_scope():
    text = "ich habe heute wirklich keine Lust zu arbeiten"
    assert language_of(text, {"en"}) == LanguageOf("de", False, True)
    assert language_of(text, {"en", "de"}) == LanguageOf("de", True, True)
    assert language_of("this is fine", {"de"}) == LanguageOf("en", False, True)


@pytest.mark.parametrize("text", ["", ":D", "123", "@someone", "www.a.example", "\ud800"])
def test_nothing_to_read_is_undetermined(text):
    assert language_of(text, {"en"}) == NOTHING


@pytest.mark.parametrize("text", ["😍", "@someone ❤️❤️❤️ https://a.example", "😂 123"])
def test_emoji_are_of_no_language_and_can_be_read(text):
    assert language_of(text, {"en"}) == LanguageOf("und", True, True)
