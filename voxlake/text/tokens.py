"""Words of a text: tokens, stems, lemmas. Nothing is downloaded; the language is English.

A pattern of our own, since nltk's tweet tokeniser takes about four times as long for the same words
and this runs over every text of the lake; stems are nltk's Snowball, lemmas simplemma's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

import simplemma
from nltk.stem.snowball import SnowballStemmer

from voxlake.text.stop_words import STOP_WORDS

__all__ = ["STOP_WORDS", "lemma", "remove_stop_words", "stem", "tokenise", "word_count"]

# One sign with its variation selector and skin tone; joined ones make one emoji.
_EMOJI = (
    "[\u203c\u2049\u2139\u2190-\u21ff\u2300-\u27bf\u2b00-\u2bff\U0001f300-\U0001faff]"
    "[\ufe0f\U0001f3fb-\U0001f3ff]*"
)
# The commonest alternative that can decide by its first character comes first: the scan tries them
# in order at every position.
_TOKEN = re.compile(
    rf"""
    (?P<dropped>
        https?://\S+ | www\.\S+ | \bt\.co/\S+             # links
      | \d[\w.,:/%-]*                                     # numbers, times
      | @\w+ | <(?:email|phone|card)>                     # handles and masks
    )
  | (?P<word>[^\W\d_](?:\w|['-](?=[^\W\d_]))*)
  | (?P<hashtag>\#\w*[^\W\d_]\w*)
  | (?P<emoticon>
        </?3
      | [:;=][-o'^]?[()\[\]DPpOo/\\|*]{{1,3}}(?![\w/])
      | \([-^]?[:;=](?!\w)
    )
  | (?P<emoji>[\U0001f1e6-\U0001f1ff]{{2}}|{_EMOJI}(?:\u200d{_EMOJI})*)
    """,
    re.VERBOSE,
)
_DIGIT = re.compile(r"\d")
_APOSTROPHES = {0x2018: "'", 0x2019: "'"}
_REPEATED = re.compile(r"(\w)\1{2,}")
_LANGUAGE = "en"
# What simplemma's dictionary lacks or gets wrong among the commonest words of complaints.
_LEMMAS = {
    "cancelled": "cancel",
    "cancelling": "cancel",
    "rebooked": "rebook",
    "texted": "text",
    "hrs": "hour",
    "hr": "hour",
    "mins": "minute",
    "min": "minute",
    "flt": "flight",
    "united": "united",
}
_stemmer = SnowballStemmer("english")


def tokenise(text: str) -> list[str]:
    """Lower-case words, hashtags with #, emoticons and emoji, in order.

    Links, handles, masks, numbers and codes with digits, and punctuation are left out. Letters
    written three or more times ("sooooo") are written twice.
    """
    if not text.isascii():
        text = text.translate(_APOSTROPHES)
    stretched = _REPEATED.search(text)
    tokens = []
    for found in _TOKEN.finditer(text):
        kind, token = found.lastgroup, found[0]
        if kind in ("word", "hashtag"):
            token = token.lower()
            if kind == "word" and _DIGIT.search(token):
                continue
            tokens.append(_REPEATED.sub(r"\1\1", token) if stretched else token)
        elif kind != "dropped":
            tokens.append(token)
    return tokens


def word_count(tokens: Iterable[str]) -> int:
    """How many tokens are words or hashtags (not emoticons or emoji)."""
    return sum(1 for token in tokens if token[-1].isalnum() and token[0] not in ":;=<(")


def remove_stop_words(tokens: Iterable[str]) -> list[str]:
    """The tokens that are no stop word and, unless an emoji, longer than one character."""
    return [
        token
        for token in tokens
        if token not in STOP_WORDS and (len(token) > 1 or not token.isalnum())
    ]


@lru_cache(maxsize=65_536)
def stem(token: str) -> str:
    """Snowball stem (``flights`` -> ``flight``, ``flying`` -> ``fli``); hashtags keep their #."""
    if token.startswith("#"):
        return "#" + _stemmer.stem(token[1:])
    return _stemmer.stem(token) if token[:1].isalpha() else token


@lru_cache(maxsize=65_536)
def lemma(token: str) -> str:
    """Dictionary form (``mice`` -> ``mouse``), lower case; hashtags and emoji as they are."""
    if not token[:1].isalpha():
        return token
    return _LEMMAS.get(token) or simplemma.lemmatize(token, lang=_LANGUAGE).lower()
