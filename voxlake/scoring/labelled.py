"""Labelled texts: what models are trained and measured on."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from voxlake.scoring.errors import LabelledDataError
from voxlake.scoring.model_file import LABELS

SUFFIXES = (".jsonl", ".jsonl.gz")


class LabelledText(NamedTuple):
    """One text and its sentiment as people judged it: negative, neutral or positive."""

    text: str
    label: str


def read_labelled(path: str | Path) -> list[LabelledText]:
    """The rows of a file, or of every `.jsonl` and `.jsonl.gz` file of a folder, by file name.

    Other keys of a row are not read; empty lines are skipped. Raises LabelledDataError, naming
    file and line but never the text, when a row is not usable or there is none.
    """
    path = Path(path)
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.name.endswith(SUFFIXES))
    else:
        files = [path]
    rows = [row for file in files for row in _rows(file)]
    if not rows:
        raise LabelledDataError(path, None, f"at least one row in {' or '.join(SUFFIXES)}", "none")
    return rows


def _rows(file: Path) -> Iterator[LabelledText]:
    opener = gzip.open if file.name.endswith(".gz") else open
    try:
        with opener(file, "rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _row(file, number, line)
    except FileNotFoundError:
        raise LabelledDataError(file, None, "a file", "no such file") from None
    except (OSError, EOFError, zlib.error) as error:
        raise LabelledDataError(file, None, "a readable file", str(error)) from error


def _row(file: Path, number: int, line: bytes) -> LabelledText:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise LabelledDataError(file, number, "JSON in UTF-8", "something else") from None
    if not isinstance(row, dict):
        raise LabelledDataError(file, number, "a JSON object", type(row).__name__)
    if not isinstance(row.get("text"), str):
        raise LabelledDataError(file, number, "a string in text", type(row.get("text")).__name__)
    if row.get("label") not in LABELS:
        raise LabelledDataError(
            file, number, f"a label of {list(LABELS)}", repr(row.get("label"))[:40]
        )
    return LabelledText(row["text"], row["label"])
