"""The one form of a labelled data set: JSON lines, told apart by task. docs/data.md shows it.

A data set is a folder of `train.jsonl.gz`, `dev.jsonl.gz` and, where there is one,
`test.jsonl.gz`; no text is in two of them.
"""

from __future__ import annotations

import gzip
import hashlib
import html
import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import NamedTuple

SPLITS = ("train", "dev", "test")


class Task(StrEnum):
    """What a data set's rows are labelled with."""

    sentiment = "sentiment"
    emotions = "emotions"
    main_emotion = "main_emotion"
    entities = "entities"
    complaint_reason = "complaint_reason"
    text = "text"


LABELS: dict[Task, tuple[str, ...]] = {
    Task.sentiment: ("negative", "neutral", "positive"),
    Task.emotions: (
        "anger",
        "anticipation",
        "disgust",
        "fear",
        "joy",
        "love",
        "optimism",
        "pessimism",
        "sadness",
        "surprise",
        "trust",
    ),
    Task.main_emotion: ("anger", "joy", "optimism", "sadness"),
}
"""The labels of the tasks whose labels are fixed."""

ENTITY_TYPES = ("PER", "LOC", "ORG")
LABEL_KEY = {
    Task.sentiment: "label",
    Task.emotions: "labels",
    Task.main_emotion: "label",
    Task.entities: "tags",
    Task.complaint_reason: "negativereason",
}
"""Where each task's label is in a row. A row may carry the labels of several tasks."""

_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_HANDLE = re.compile(r"@\w+")


class _Kept(dict):
    """Character -> itself, or None for punctuation and white space; worked out when first met."""

    def __missing__(self, code: int) -> int | None:
        letter = chr(code)
        dropped = letter.isspace() or unicodedata.category(letter).startswith("P")
        return self.setdefault(code, None if dropped else code)


_KEPT = _Kept()


def text_key(text: str) -> str:
    """What makes two texts the same: equal after decoding HTML entities, NFKC and folding case,
    without links, @handles, punctuation and white space. A text of nothing else is only itself."""
    given, text = text, unicodedata.normalize("NFKC", html.unescape(text)).casefold()
    text = _HANDLE.sub("", _LINK.sub("", text))
    return text.translate(_KEPT) or given


def row_text(row: dict) -> str:
    """The text of a row: its own, or the turns of a dialogue."""
    return row["text"] if "text" in row else "\n".join(turn["text"] for turn in row["turns"])


class Separated(NamedTuple):
    """Splits of which no two hold the same text, and the rows taken out: {split: count}."""

    splits: dict[str, list[dict]]
    taken_out: dict[str, int]


def separate(splits: dict[str, list[dict]]) -> Separated:
    """Takes out of train what is in dev or test, and out of dev what is in test.

    Repeats inside one split stay.
    """
    taken: set[str] = set()
    kept, taken_out = {}, {}
    for name in reversed([name for name in SPLITS if name in splits]):
        rows = [(text_key(row_text(row)), row) for row in splits[name]]
        kept[name] = [row for key, row in rows if key not in taken]
        taken_out[name] = len(rows) - len(kept[name])
        taken |= {key for key, _ in rows}
    return Separated({name: kept[name] for name in SPLITS if name in kept}, taken_out)


def split_rows(
    rows: Iterable[dict], shares: dict[str, float], stratum: Callable[[dict], object]
) -> dict[str, list[dict]]:
    """Splits rows that came without splits, by a hash of their text: the same rows always part in
    the same way, whatever their order. Each stratum is parted by itself; equal texts stay together.

    shares: {"dev": 0.1, "test": 0.2}; what they leave is train.
    """
    strata: dict[object, dict[str, list[dict]]] = defaultdict(dict)
    of_key: dict[str, object] = {}
    rows = list(rows)
    for row in rows:
        key = text_key(row_text(row))
        strata[of_key.setdefault(key, stratum(row))].setdefault(key, []).append(row)
    part_of: dict[str, str] = {}
    for groups in strata.values():
        total = sum(map(len, groups.values()))
        names, limits, limit = list(shares), [], 0.0
        for share in shares.values():
            limit += share * total
            limits.append(limit)
        done = 0
        for key in sorted(groups, key=lambda key: hashlib.sha256(key.encode()).digest()):
            middle = done + len(groups[key]) / 2
            part_of[key] = next(
                (name for name, end in zip(names, limits, strict=True) if middle < end), "train"
            )
            done += len(groups[key])
    parts: dict[str, list[dict]] = {"train": [], **{name: [] for name in shares}}
    for row in rows:
        parts[part_of[text_key(row_text(row))]].append(row)
    return parts


def to_jsonl_gz(rows: Iterable[dict]) -> bytes:
    """The rows as a file's bytes; equal rows give equal bytes."""
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    # Lone surrogates, which JSON escapes can bring in, have no UTF-8.
    return gzip.compress(lines.encode("utf-8", "replace"), mtime=0)
