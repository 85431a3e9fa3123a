"""The model server's entry points, as SageMaker's prebuilt images call them.

Content type application/jsonlines both ways: lines {event_id, dt, text} in, and for each, in the
same order, {event_id, dt, sentiment, polarity, sentiment_scores, model} out. The project's own
batch path writes the input, so a line that cannot be read is a defect there: the request fails,
and with it the transform job, naming the line. A skipped line would be a text without a score.
"""

from __future__ import annotations

import json

from voxlake.scoring import SentimentModel, load_model
from voxlake.scoring.errors import UnreadableLineError

CONTENT_TYPE = "application/jsonlines"
FIELDS = ("event_id", "dt", "text")


class UnsupportedContentTypeError(ValueError):
    """A request is, or asks for, something other than JSON lines."""


def model_fn(model_dir: str) -> SentimentModel:
    """Reads the model from the unpacked archive's root. Raises ModelFileError."""
    return load_model(model_dir)


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


def predict_fn(input_data: list[dict], model: SentimentModel) -> list[dict]:
    """One score a row, its event_id and dt first."""
    scores = model.score_texts([row["text"] for row in input_data])
    return [
        {"event_id": row["event_id"], "dt": row["dt"], **score}
        for row, score in zip(input_data, scores, strict=True)
    ]


def output_fn(prediction: list[dict], accept: str) -> str:
    """JSON lines without a final line break: `AssembleWith: Line` puts one after each response."""
    _check_content_type(accept)
    return "\n".join(json.dumps(row, separators=(",", ":")) for row in prediction)


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
    return row
