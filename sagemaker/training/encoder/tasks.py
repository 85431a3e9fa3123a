"""Labelled files of every task, told apart by what their rows hold, as one kind of example."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from voxlake.scoring.errors import LabelledDataError
from voxlake.scoring.gold import (
    EMOTIONS,
    MAIN_EMOTION,
    SENTIMENT,
    aligned,
    entity_spans,
    text_key,
)
from voxlake.scoring.metrics import ENTITIES

LABELS: dict[str, tuple[str, ...]] = {
    "sentiment": SENTIMENT,
    "emotions": EMOTIONS,
    "main_emotion": MAIN_EMOTION,
    "entities": ("O", *(f"{place}-{kind}" for kind in ENTITIES for place in "BI")),
}
"""Labels of the heads that are exported."""

FINE_EMOTIONS = (
    "admiration", "amusement", "anger", "annoyance", "approval", "caring", "confusion",
    "curiosity", "desire", "disappointment", "disapproval", "disgust", "embarrassment",
    "excitement", "fear", "gratitude", "grief", "joy", "love", "nervousness", "optimism", "pride",
    "realization", "relief", "remorse", "sadness", "surprise", "neutral",
)  # fmt: skip
"""GoEmotions: an auxiliary task that shapes the encoder; its head is not exported."""

TRAINED = {**LABELS, "fine_emotions": FINE_EMOTIONS}
MULTI_LABEL = frozenset({"emotions", "fine_emotions"})


@dataclass
class Example:
    """One text of one task. ``label`` of a single-label task; ``labels`` of a multi-label one;
    ``spans`` (start, end, type) of entities, ``unsure`` spans whose labels say nothing."""

    task: str
    text: str
    label: str = ""
    labels: tuple[str, ...] = ()
    spans: tuple[tuple[int, int, str], ...] = ()
    unsure: tuple[tuple[int, int], ...] = ()
    source: str = field(default="", compare=False)


def files(channel: Path, name: str) -> Iterator[tuple[str, Path]]:
    """(name of the set, file): of a channel's own files the one given, else their folder's."""
    if channel.is_file():
        yield name, channel
        return
    for path in sorted(channel.rglob("*.jsonl*")):
        if path.name.endswith((".jsonl", ".jsonl.gz")):
            inner = path.relative_to(channel).parts
            yield (inner[0] if len(inner) > 1 else name), path


def read_examples(name: str, path: Path) -> list[Example]:
    """The examples of a file. Raises LabelledDataError naming the line that fits no task."""
    opened = gzip.open if path.name.endswith(".gz") else open
    examples: list[Example] = []
    with opened(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                examples.append(example(row, name))
            except (ValueError, KeyError, TypeError) as error:
                raise LabelledDataError(path, number, "a row of a known task", str(error)) from None
    return examples


def example(row: dict, source: str) -> Example:
    """What a row teaches. Raises ValueError when it fits no task."""
    if "tokens" in row:
        return _entities(row, source)
    text = _unquoted(row["text"])
    if "labels" in row:
        found = set(row["labels"])
        emotions = found <= set(LABELS["emotions"]) and "ekman" not in row
        task = "emotions" if emotions else "fine_emotions"
        if not found <= set(TRAINED[task]):
            raise ValueError(f"labels {sorted(found)}")
        return Example(task, text, labels=tuple(sorted(found)), source=source)
    for task in ("sentiment", "main_emotion"):
        if row["label"] in LABELS[task]:
            return Example(task, text, label=row["label"], source=source)
    raise ValueError(f"label {row['label']!r}")


def _unquoted(text: str) -> str:
    """Without the quotes that a CSV file put round a text, doubling or escaping those within."""
    inner = text[1:-1]
    if len(text) > 2 and text[0] == text[-1] == '"':
        plain = inner.replace('""', "").replace('\\"', "")
        if '"' not in plain:
            return inner.replace('""', '"').replace('\\"', '"')
    return text


def _entities(row: dict, source: str) -> Example:
    text, spans = entity_spans(row["text"], row["tokens"], row["tags"])
    _, places = aligned(row["text"], row["tokens"])
    # Within one corpus some handles are tagged and others not: silence is no label.
    handles = [
        (start + (text[start] == "@"), end)
        for (start, end), tag in zip(places, row["tags"], strict=True)
        if tag == "O" and "@" in (text[start], text[start - 1 : start])
    ]
    unsure = tuple((start, end) for start, end in handles if start < end)
    return Example("entities", text, spans=tuple(sorted(spans)), unsure=unsure, source=source)


def without(examples: Iterable[Example], held_out: Iterable[Example]) -> list[Example]:
    """The examples whose text, in any spelling, is not among the held-out ones."""
    taken = {text_key(one.text) for one in held_out}
    return [one for one in examples if text_key(one.text) not in taken]
