"""The model server's entry points, as SageMaker's prebuilt images call them.

Content type application/jsonlines both ways: lines {event_id, dt, text, lemmas?} in, and for each,
in the same order, {event_id, dt, what every head of the model says, topic, topic_score, language,
in_scope, model} out; `voxlake.scoring` describes the heads. The topic comes from the lemmas and the
topic model in `topics/`; without either, topic and topic_score are null.

The project's own batch path writes the input, so a line that cannot be read is a defect there: the
request fails, and with it the transform job, naming the line. A skipped line would be a text
without a score.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

# The packages that the image lacks, where they were packed; network isolation forbids pip. They go
# first, so that what runs is what the lock file says. Without them the host's packages serve.
if (packages := Path(__file__).resolve().parent / "packages").is_dir():
    sys.path.insert(0, str(packages))

from voxlake.scoring import load_model
from voxlake.scoring.errors import UnreadableLineError
from voxlake.scoring.topics import load_topic_model
from voxlake.text.hidden import without_hidden

CONTENT_TYPE = "application/jsonlines"
FIELDS = ("event_id", "dt", "text")
TOPICS = "topics"


class UnsupportedContentTypeError(ValueError):
    """A request is, or asks for, something other than JSON lines."""


class Models(NamedTuple):
    """What one worker has loaded. `topics` is None where no topic model is packed."""

    texts: Any
    topics: Any


def model_fn(model_dir: str) -> Models:
    """Reads the models from the unpacked archive, once a worker. Raises ModelFileError."""
    topics = Path(model_dir) / TOPICS
    return Models(load_model(model_dir), load_topic_model(topics) if topics.is_dir() else None)


def input_fn(request_body: bytes | str, content_type: str) -> list[dict]:
    """The request's lines, parsed. Empty lines are skipped.

    Raises UnsupportedContentTypeError; UnreadableLineError with the line's number in the request.
    """
    _check_content_type(content_type)
    if isinstance(request_body, str):
        request_body = request_body.encode("utf-8", "surrogatepass")
    return [
        _row(number, line)
        for number, line in enumerate(bytes(request_body).split(b"\n"), start=1)
        if line.strip()
    ]


def predict_fn(input_data: list[dict], model: Models) -> list[dict]:
    """One score a row, its event_id and dt first."""
    texts = [row["text"] for row in input_data]
    scores = model.texts.score_texts(texts, model.texts.heads)
    answers = []
    for row, score, topic in zip(input_data, scores, _topics(input_data, model), strict=True):
        told = {name: score.pop(name) for name in ("language", "in_scope", "model")}
        if "entities" in score:  # the lake's texts are masked: nobody's pseudonym is a name
            score["entities"] = without_hidden(row["text"], score["entities"])
        answers.append({"event_id": row["event_id"], "dt": row["dt"], **score, **topic, **told})
    return answers


def output_fn(prediction: list[dict], accept: str) -> str:
    """JSON lines without a final line break: `AssembleWith: Line` puts one after each response."""
    _check_content_type(accept)
    return "\n".join(json.dumps(row, separators=(",", ":")) for row in prediction)


def _topics(rows: list[dict], model: Models) -> list[dict]:
    """{topic, topic_score} of each row."""
    found: list[dict] = [{"topic": None, "topic_score": None} for _ in rows]
    if model.topics is not None:
        told = [at for at, row in enumerate(rows) if row.get("lemmas")]
        assigned = model.topics.assign([rows[at]["lemmas"] for at in told])
        for at, assignment in zip(told, assigned, strict=True):
            found[at] = {"topic": assignment.topic, "topic_score": assignment.score}
    return found


def _check_content_type(value: str | None) -> None:
    # A client that names nothing gets what there is.
    if value and value.split(";")[0].strip().lower() not in (CONTENT_TYPE, "*/*"):
        raise UnsupportedContentTypeError(f"expected {CONTENT_TYPE}, found {value}")


def _row(number: int, line: bytes) -> dict:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise UnreadableLineError(number, "expected JSON in UTF-8, found something else") from None
    if not isinstance(row, dict):
        raise UnreadableLineError(number, f"expected an object, found {type(row).__name__}")
    for field in FIELDS:
        if not isinstance(row.get(field), str):
            found = type(row[field]).__name__ if field in row else "nothing"
            raise UnreadableLineError(number, f"expected a string in {field}, found {found}")
    lemmas = row.get("lemmas")
    if lemmas is not None and not (
        isinstance(lemmas, list) and all(isinstance(lemma, str) for lemma in lemmas)
    ):
        raise UnreadableLineError(number, "expected a list of strings in lemmas, found another")
    return row
