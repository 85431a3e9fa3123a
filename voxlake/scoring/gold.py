"""Labelled rows of every task, as models are judged on them.

A row is told apart by what it holds: `tokens` and `tags` (entities), `labels` (emotions), `label`
(sentiment or main_emotion). `complaint_reason` (`negativereason` of the airline set), `next_word`
and `topics` (any text) are read when they are asked for.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from voxlake.scoring.errors import LabelledDataError
from voxlake.text.normalise import normalise

SENTIMENT = ("negative", "neutral", "positive")
MAIN_EMOTION = ("anger", "joy", "optimism", "sadness")
EMOTIONS = (
    "anger", "anticipation", "disgust", "fear", "joy", "love", "optimism", "pessimism", "sadness",
    "surprise", "trust",
)  # fmt: skip
TASKS = (
    "sentiment", "emotions", "main_emotion", "entities", "complaint_reason", "next_word", "topics",
)  # fmt: skip
_ENTITY_TYPES = {
    "PER": "PER", "LOC": "LOC", "ORG": "ORG", "person": "PER", "location": "LOC",
    "corporation": "ORG", "group": "ORG",
}  # fmt: skip
_SUFFIXES = (".jsonl", ".jsonl.gz")
# A token is looked for this far behind the one before; further off it is another token's text.
_REACH = 12


class Gold(NamedTuple):
    """One text and what people said of it.

    truth: a label; for emotions a frozenset of labels; for entities a frozenset of
    (start, end, label), offsets in `text`; None for next_word and topics. gate: whether the row is
    in the gate's half of its set.
    """

    text: str
    truth: Any
    gate: bool


class GoldSet(NamedTuple):
    """The rows of one file and their task."""

    task: str
    rows: list[Gold]


def read_gold(path: str | Path, task: str | None = None) -> GoldSet:
    """The rows of a file (or of the files of a folder), of the task given or found in them.

    Rows that say nothing of the task asked for are left out. Raises LabelledDataError, naming file
    and line but never the text, for a row that cannot be read and for a file without any.
    """
    rows: list[Gold] = []
    for file, number, row in _objects(Path(path)):
        task = task or _task_of(row, file, number)
        text, truth = _read(row, task, file, number)
        if truth is not None or task in ("next_word", "topics"):
            rows.append(Gold(text, truth, in_gate(row["text"])))
    if not rows:
        raise LabelledDataError(path, None, f"rows of the task {task or 'of a model'}", "none")
    return GoldSet(task, rows)


def in_gate(text: str) -> bool:
    """Whether a text is in the half of a data set that judges promotions.

    Decided by a hash of the text without case, links, handles and punctuation, so equal texts are
    on one side and a file's order and name do not matter.
    """
    return hashlib.sha256(b"gate\0" + text_key(text).encode()).digest()[0] < 128


def fingerprint(path: str | Path) -> dict:
    """What tells a file (or a folder's files) again, however it is named, ordered or compressed.

    Returns {"rows": all, "sha256": digest of the texts, "gate_sha256": digest of those in the
    gate's half, "" for none}. Only texts count. Raises LabelledDataError.
    """
    texts = [row["text"] for _, _, row in _objects(Path(path))]
    gate = [text for text in texts if in_gate(text)]
    return {"rows": len(texts), "sha256": _digest(texts), "gate_sha256": _digest(gate)}


def tune_lines(path: str | Path) -> list[bytes]:
    """The lines of a file's other half: what thresholds and epochs may be chosen on."""
    lines = []
    for line in _lines(Path(path)):
        if line.strip() and not in_gate(_object(Path(path), len(lines) + 1, line)["text"]):
            lines.append(line)
    return lines


def _digest(texts: list[str]) -> str:
    found = sorted(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts)
    return hashlib.sha256(b"".join(found)).hexdigest() if found else ""


def text_key(text: str) -> str:
    """What equal texts share: without case, links, handles and punctuation."""
    text = re.sub(r"https?://\S+|@\w+", "", normalise(normalise(text)).casefold())
    return re.sub(r"[\W_]+", "", text) or text


def _objects(path: Path) -> Iterator[tuple[Path, int, dict]]:
    """(file, line from 1, row) for each line that is not empty."""
    files = [path]
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.name.endswith(_SUFFIXES))
    for file in files:
        for number, line in enumerate(_lines(file), start=1):
            if line.strip():
                yield file, number, _object(file, number, line)


def _lines(file: Path) -> list[bytes]:
    try:
        content = file.read_bytes()
        if file.name.endswith(".gz"):
            content = gzip.decompress(content)
    except FileNotFoundError:
        raise LabelledDataError(file, None, "a file", "no such file") from None
    except (OSError, EOFError, zlib.error) as error:
        raise LabelledDataError(file, None, "a readable file", str(error)) from error
    return content.split(b"\n")


def _object(file: Path, number: int, line: bytes) -> dict:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise LabelledDataError(file, number, "JSON in UTF-8", "something else") from None
    if not isinstance(row, dict):
        raise LabelledDataError(file, number, "a JSON object", type(row).__name__)
    if not isinstance(row.get("text"), str):
        raise LabelledDataError(file, number, "a string in text", type(row.get("text")).__name__)
    return row


def _task_of(row: dict, file: Path, number: int) -> str:
    if "tokens" in row:
        return "entities"
    if isinstance(row.get("labels"), list) and set(row["labels"]) <= set(EMOTIONS):
        return "emotions"
    for task, labels in (("sentiment", SENTIMENT), ("main_emotion", MAIN_EMOTION)):
        if row.get("label") in labels:
            return task
    found = repr(row.get("label", row.get("labels")))[:40]
    raise LabelledDataError(file, number, "a row of a known task (or name it by --task)", found)


def _read(row: dict, task: str, file: Path, number: int) -> tuple[str, Any]:
    text = row["text"]
    if task == "entities":
        if not all(isinstance(row.get(name), list) for name in ("tokens", "tags")):
            raise LabelledDataError(file, number, "lists in tokens and tags", "something else")
        if len(row["tokens"]) != len(row["tags"]):
            raise LabelledDataError(file, number, "as many tags as tokens", str(len(row["tags"])))
        return entity_spans(text, row["tokens"], row["tags"])
    if task == "emotions":
        labels = row.get("labels")
        if not isinstance(labels, list) or not set(labels) <= set(EMOTIONS):
            raise LabelledDataError(file, number, f"labels of {list(EMOTIONS)}", repr(labels)[:40])
        return text, frozenset(labels)
    if task == "complaint_reason":
        return text, row.get("negativereason") or row.get("complaint_reason")
    if task in ("next_word", "topics"):
        return text, None
    known = SENTIMENT if task == "sentiment" else MAIN_EMOTION
    if row.get("label") not in known:
        raise LabelledDataError(
            file, number, f"a label of {list(known)}", repr(row.get("label"))[:40]
        )
    return text, row["label"]


def entity_spans(
    text: str, tokens: list[str], tags: list[str]
) -> tuple[str, frozenset[tuple[int, int, str]]]:
    """(text, {(start, end, PER, LOC or ORG)}) of a row in BIO.

    `@` and the handle behind it are one name, which leaves the `@` out. Types beyond the three
    are no entities. A text that does not hold its tokens is replaced by them, joined by spaces.
    """
    text, places = aligned(text, tokens)
    spans: list[list] = []
    open_span = None
    for (start, end), tag in zip(places, tags, strict=True):
        kind = _ENTITY_TYPES.get(tag[2:]) if tag != "O" else None
        if kind is None:
            open_span = None
            continue
        if text[start:end] == "@":
            # Its handle says what it is; a span that began before may go on behind it.
            continue
        handle = text[start - 1 : start] == "@"
        start += text[start] == "@"
        goes_on = open_span is not None and open_span[2] == kind and tag[0] == "I" and not handle
        if goes_on:
            open_span[1] = end
        else:
            open_span = [start, end, kind]
            spans.append(open_span)
    return text, frozenset((start, end, kind) for start, end, kind in spans)


def aligned(text: str, tokens: list[str]) -> tuple[str, list[tuple[int, int]]]:
    """The text and where each token stands in it; the tokens joined where they are not in it."""
    places, at = [], 0
    for token in tokens:
        start = text.find(token, at)
        if start < 0 or start - at > _REACH:
            break
        places.append((start, start + len(token)))
        at = start + len(token)
    else:
        return text, places
    joined, places = "", []
    for token in tokens:
        glue = "" if not joined or re.search(r"(?:^| )@$", joined) else " "
        start = len(joined) + len(glue)
        joined += glue + token
        places.append((start, len(joined)))
    return joined, places
