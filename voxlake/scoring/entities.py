"""From labels of word pieces to named entities of the text given.

A word's label is that of its first piece, BIO; an I- without a span of its kind before it opens
one. A handle is one word without its `@`, a hashtag one word with its `#`: what it names is one
entity.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from voxlake.scoring.encoder_text import Prepared

OUTSIDE = "O"
_HANDLE_OR_HASHTAG = re.compile(r"(?<!\w)([@#])(\w+)")
# What the preparation makes of a pseudonym, and what public sets put for a handle: it names nobody.
_NOBODY = "user"


class Word(NamedTuple):
    """A word's place in the prepared text and its label."""

    start: int
    end: int
    label: str


def decode(
    given: str,
    prepared: Prepared,
    offsets: Sequence[tuple[int, int]],
    word_ids: Sequence[int | None],
    labels: Sequence[str],
) -> list[dict]:
    """The entities of a text, in order and without overlap.

    offsets, word_ids and labels have one item a token: its place in `prepared.text`, its word
    (None for a special token), its label. Returns dicts of text, label, start and end, characters
    of `given`: text == given[start:end].
    """
    if all(label == OUTSIDE for label in labels):
        return []
    words = list(_words(offsets, word_ids, labels))
    entities = []
    taken = 0
    for start, end, label in _spans(_with_whole_names(words, prepared.text)):
        # One character given may be read as several words (a ligature): the first has it.
        first, last = max(prepared.starts[start], taken), prepared.ends[end - 1]
        text = given[first:last]
        # An emoji is read by its name; it is not one.
        if any(map(str.isalnum, text)):
            entities.append({"text": text, "label": label, "start": first, "end": last})
            taken = last
    return entities


def _words(
    offsets: Sequence[tuple[int, int]],
    word_ids: Sequence[int | None],
    labels: Sequence[str],
) -> Iterator[Word]:
    word: Word | None = None
    of = None
    for (start, end), number, label in zip(offsets, word_ids, labels, strict=True):
        if number is None or start == end:
            continue
        if word is not None and number == of:
            word = word._replace(end=end)
            continue
        if word is not None:
            yield word
        word, of = Word(start, end, label), number
    if word is not None:
        yield word


def _with_whole_names(words: list[Word], text: str) -> Iterator[Word]:
    """The words with those of a handle or hashtag as one, labelled as the first of them that has a
    label; a handle's `@` is outside."""
    names = _HANDLE_OR_HASHTAG.finditer(text)
    name = next(names, None)
    at = 0
    while at < len(words):
        word = words[at]
        while name and name.end() <= word.start:
            name = next(names, None)
        if not name or word.end <= name.start():
            yield word
            at += 1
            continue
        if name[1] == "@" and word.end <= name.start(2):
            yield word._replace(label=OUTSIDE)
            at += 1
            continue
        within = []
        while at < len(words) and words[at].start < name.end():
            within.append(words[at])
            at += 1
        # Further words of a handle say nothing: it was learnt by its first.
        told = within[:1] if name[1] == "@" else within
        label = next((each.label for each in told if each.label != OUTSIDE), OUTSIDE)
        nobody = name[1] == "@" and name[2].lower() == _NOBODY
        yield Word(word.start, max(name.end(), within[-1].end), OUTSIDE if nobody else label)


def _spans(words: Iterator[Word]) -> Iterator[tuple[int, int, str]]:
    start = end = 0
    kind = ""
    for word in words:
        begins, _, its_kind = word.label.partition("-")
        if kind and not (begins == "I" and its_kind == kind):
            yield start, end, kind
            kind = ""
        if its_kind:
            if not kind:
                start, kind = word.start, its_kind
            end = word.end
    if kind:
        yield start, end, kind
