"""`score`: the packaged model on JSON lines from standard input."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, BinaryIO, TextIO

import typer

# Read at most this much before scoring what has come, so that a slow pipe gets its answers early.
READ_BYTES = 1 << 18


def score(
    model: Annotated[
        Path | None,
        typer.Option(help="A model's folder or file; the packaged one if unsaid."),
    ] = None,
    heads: Annotated[
        str | None,
        typer.Option(
            help="What to tell, comma-separated: sentiment, emotions, main_emotion, entities. "
            "Unsaid: sentiment, or what a model without it tells.",
        ),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="How many cores the encoder may take.")] = 1,
) -> None:
    """Scores {"id", "text"} lines from standard input; one JSON line each, in the same order.

    Output by head. sentiment: sentiment, polarity (P(positive) - P(negative)), sentiment_scores.
    emotions: emotions (the likely ones, most probable first), emotion_scores. main_emotion: the
    most probable of four. entities: [{text, label, start, end}], characters of the text given.
    Then language (ISO 639-1 or und), in_scope (false where the model was not trained on such a
    text: another language, nothing to read), model.

    A line that cannot be read gives {"line", "error"} in its place, and exit status 1 at the end.
    Empty lines are skipped. A text with nothing to read (empty, only links or handles) is
    neutral with polarity 0.

    Example: voxlake score --heads sentiment,emotions,entities < texts.jsonl > scores.jsonl
    """
    from voxlake.scoring import ModelFileError, load_model
    from voxlake.scoring.errors import check_heads

    folder = model or packaged_model()
    scorer = load_model(folder, threads=threads)
    if not hasattr(scorer, "score_texts"):
        raise ModelFileError(folder, "a model that scores texts", type(scorer).__name__)
    asked = chosen_heads(heads, scorer.heads)
    check_heads(scorer.id, scorer.heads, asked)
    progress = Progress(sys.stderr)
    bad = 0
    try:
        for rows in batches(sys.stdin.buffer):
            lines, failed = score_rows(scorer, rows, asked)
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


def chosen_heads(asked: str | None, heads: Sequence[str]) -> tuple[str, ...]:
    """The heads of `--heads`, or by default sentiment where the model has it, else all it has."""
    if asked is None:
        return ("sentiment",) if "sentiment" in heads else tuple(heads)
    return tuple(dict.fromkeys(head.strip() for head in asked.split(",") if head.strip()))


def packaged_model() -> Path:
    """The model that this checkout brings: the encoder where there is one, else sentiment's.

    Raises ModelFileError where there is none.
    """
    from voxlake.scoring import ModelFileError

    models = Path(__file__).resolve().parents[2] / "sagemaker" / "models"
    for name, file in (("encoder", "encoder.json"), ("sentiment", "model.json.gz")):
        if (models / name / file).is_file():
            return models / name
    raise ModelFileError(models, "a packaged model", "none (name a folder by --model)")


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


def score_rows(
    scorer, rows: list[tuple[int, bytes]], heads: Sequence[str] = ("sentiment",)
) -> tuple[list[bytes], int]:
    """(an output line for each row that is not empty, how many of them say an error)."""
    parsed = [read_row(number, line) for number, line in rows if line.strip()]
    good = [row for row in parsed if "error" not in row]
    scores = iter(scorer.score_texts([row["text"] for row in good], heads))
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
