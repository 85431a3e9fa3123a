"""`score`: the packaged model on JSON lines from standard input."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO, TextIO

import typer

# Read at most this much before scoring what has come, so that a slow pipe gets its answers early.
READ_BYTES = 1 << 18


def score(
    model: Annotated[
        Path | None,
        typer.Option(help="A model's folder or file; the packaged sentiment model if unsaid."),
    ] = None,
) -> None:
    """Scores {"id", "text"} lines from standard input; one JSON line each, in the same order.

    Output: {"id", "sentiment", "polarity", "sentiment_scores", "model"}, polarity being
    P(positive) - P(negative). A line that cannot be read gives {"line", "error"} in its place, and
    exit status 1 at the end. Empty lines are skipped; a text that says nothing to the model (an
    empty one) is neutral with polarity 0.

    Example: voxlake score < texts.jsonl > scores.jsonl
    """
    from voxlake.scoring import load_model

    scorer = load_model(model or packaged_model())
    progress = Progress(sys.stderr)
    bad = 0
    try:
        for rows in batches(sys.stdin.buffer):
            lines, failed = score_rows(scorer, rows)
            bad += failed
            sys.stdout.buffer.write(b"".join(lines))
            sys.stdout.buffer.flush()
            progress.add(len(lines))
    except BrokenPipeError:
        # The reader (`| head`) has what it wanted. Python would fail again flushing at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    progress.end()
    if bad:
        typer.echo(f"voxlake: {bad:,} of the lines could not be read", err=True)
        raise typer.Exit(1)


def packaged_model() -> Path:
    """The sentiment model that this checkout brings. Raises ModelFileError where there is none."""
    from voxlake.scoring import ModelFileError

    folder = Path(__file__).resolve().parents[2] / "sagemaker" / "models" / "sentiment"
    if not folder.is_dir():
        raise ModelFileError(folder, "the packaged model", "no such folder (name one by --model)")
    return folder


def batches(stream: BinaryIO) -> Iterator[list[tuple[int, bytes]]]:
    """The (line number from 1, line) pairs of a stream, as many at a time as have come."""
    number, rest = 0, [b""]
    while chunk := stream.read1(READ_BYTES):
        if b"\n" not in chunk:
            rest.append(chunk)
            continue
        *lines, last = b"".join([*rest, chunk]).split(b"\n")
        rest = [last]
        yield list(enumerate(lines, start=number + 1))
        number += len(lines)
    if last := b"".join(rest):
        yield [(number + 1, last)]


def score_rows(scorer, rows: list[tuple[int, bytes]]) -> tuple[list[bytes], int]:
    """(an output line for each row that is not empty, how many of them say an error)."""
    parsed = [read_row(number, line) for number, line in rows if line.strip()]
    good = [row for row in parsed if "error" not in row]
    scores = iter(scorer.score_texts([row["text"] for row in good]))
    answers = [row if "error" in row else {"id": row["id"], **next(scores)} for row in parsed]
    lines = [json.dumps(answer, separators=(",", ":")).encode() + b"\n" for answer in answers]
    return lines, len(parsed) - len(good)


def read_row(number: int, line: bytes) -> dict:
    """{"id", "text"} of a line, or {"line", "error"} saying what was expected and found."""
    try:
        row = json.loads(line)
    except UnicodeDecodeError as error:
        problem = f"expected UTF-8, found another byte at position {error.start}"
    except json.JSONDecodeError as error:
        problem = f"expected JSON, found something else at character {error.pos + 1}: {error.msg}"
    except (ValueError, RecursionError):
        problem = "expected JSON, found a number or a nesting too long to read"
    else:
        problem = _problem(row)
        if not problem:
            return {"id": row["id"], "text": row["text"]}
    return {"line": number, "error": problem}


def _problem(row: object) -> str:
    if not isinstance(row, dict):
        return f'expected an object with "id" and "text", found {_kind(row)}'
    for field, kinds in (("id", (str, int)), ("text", (str,))):
        if field not in row:
            return f'expected "{field}", found none'
        if not isinstance(row[field], kinds) or isinstance(row[field], bool):
            expected = " or ".join({str: "a string", int: "an integer"}[kind] for kind in kinds)
            return f'expected {expected} in "{field}", found {_kind(row[field])}'
    return ""


def _kind(value: object) -> str:
    names = {dict: "an object", list: "an array", str: "a string", type(None): "null"}
    return names.get(type(value), "true or false" if isinstance(value, bool) else "a number")


class Progress:
    """How many lines so far, on a terminal only, at most five times a second."""

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.shown = stream, stream.isatty()
        self.start = self.last = time.monotonic()
        self.count = 0

    def add(self, count: int) -> None:
        """Counts lines and shows the sum when it is time."""
        self.count += count
        if self.shown and time.monotonic() - self.last > 0.2:
            self._show()

    def end(self) -> None:
        """Shows the last sum."""
        if self.shown:
            self._show()
            self.stream.write("\n")

    def _show(self) -> None:
        self.last = time.monotonic()
        rate = self.count / max(self.last - self.start, 1e-9)
        self.stream.write(f"\rscored {self.count:,} texts, {rate:,.0f} a second")
        self.stream.flush()
