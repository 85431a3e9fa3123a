"""Converters of texts with named entities, token by token (CoNLL)."""

from __future__ import annotations

from voxlake.datasets.errors import OriginalFormatError
from voxlake.datasets.originals.reading import lines_of

Files = dict[str, bytes]
Splits = dict[str, list[dict]]

WNUT_TYPES = ("person", "location", "group", "creative-work", "corporation", "product")
BTC_TYPES = ("PER", "LOC", "ORG")
WNUT_FILES = {
    "train": "wnut17train.conll",
    "dev": "emerging.dev.conll",
    "test": "emerging.test.annotated",
}


def sentences(
    file: str, content: bytes, types: tuple[str, ...]
) -> list[tuple[list[str], list[str]]]:
    """The (tokens, tags) of each sentence of a CoNLL file: token, tab, tag; blank lines between.

    A line without a visible token is dropped, a sentence of such lines alone too.
    """
    known = {"O", *(f"{mark}-{kind}" for kind in types for mark in "BI")}
    found, tokens, tags = [], [], []
    for number, line in enumerate([*lines_of(file, content), ""], start=1):
        if not line.strip():
            if tokens:
                found.append((tokens, tags))
            tokens, tags = [], []
            continue
        token, tab, tag = line.rpartition("\t")
        if not tab or tag.strip() not in known:
            raise OriginalFormatError(
                file, number, f"a token, a tab and a tag of {', '.join(types)}", "something else"
            )
        if token.strip():
            tokens.append(token.strip())
            tags.append(tag.strip())
    return found


def _row(identity: str, tokens: list[str], tags: list[str], **more: str) -> dict:
    return {"id": identity, "text": " ".join(tokens), "tokens": tokens, "tags": tags, **more}


def wnut17(files: Files) -> Splits:
    """WNUT 2017. Rows: id, text (the tokens joined by spaces), tokens, tags (BIO, six types)."""
    return {
        split: [
            _row(f"wnut17-{split}-{number:04}", *sentence)
            for number, sentence in enumerate(sentences(file, files[file], WNUT_TYPES), start=1)
        ]
        for split, file in WNUT_FILES.items()
    }


def btc(files: Files) -> Splits:
    """Broad Twitter Corpus, parted as its README recommends: test is section F, dev the second
    half of section H.

    Rows: id, text (the tokens joined by spaces), tokens, tags (BIO; PER, LOC, ORG), section.
    """
    rows = {
        section: [
            _row(f"btc-{section}-{number:04}", *sentence, section=section)
            for number, sentence in enumerate(
                sentences(f"{section}.conll", files[f"{section}.conll"], BTC_TYPES), start=1
            )
        ]
        for section in "abefgh"
    }
    half = len(rows["h"]) // 2
    train = [row for section in "abeg" for row in rows[section]] + rows["h"][:half]
    return {"train": train, "dev": rows["h"][half:], "test": rows["f"]}
