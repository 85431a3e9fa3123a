"""Problem documents (RFC 9457): every answer that is no success is one.

https://www.rfc-editor.org/rfc/rfc9457
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from voxlake.errors import VoxlakeError
from voxlake.replies.errors import ReplyRequestError
from voxlake.scoring.errors import UnknownHeadError
from voxlake.tickets.errors import (
    NoTicketError,
    QueuesError,
    TicketChangedError,
    TicketIdError,
    TicketStateError,
)

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 1
_SHOWN = 80
_TITLES = {
    401: "Not signed in",
    404: "Not found",
    405: "Method not allowed",
    409: "Not possible in this state",
    422: "Wrong input",
    500: "Internal error",
    503: "Temporarily not available",
}
# What AWS answers when asked too often, or while something of it is not there.
_BUSY = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}


class FieldError(BaseModel):
    """What is wrong with one field."""

    field: str = Field(description="Where: `query.limit`, `path.video_id`, `body.texts.0`.")
    expected: str
    found: str


class Problem(BaseModel):
    """A problem document."""

    type: str = Field(description="A name of the kind of problem.", examples=["about:blank"])
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []


class ApiError(VoxlakeError):
    """A problem that an answer tells: its status, and the fields it is about."""

    def __init__(self, status: int, detail: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors = status, detail, list(errors)


def wrong(field: str, expected: str, found: Any) -> ApiError:
    """The problem of one wrong field."""
    error = FieldError(field=field, expected=expected, found=shown(found))
    return ApiError(422, f"{field}: expected {expected}, found {error.found}", [error])


def shown(value: Any) -> str:
    """A value as a problem repeats it: short, ASCII."""
    try:
        text = json.dumps(value)
    except (TypeError, ValueError):
        text = ascii(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"


def problem(
    status: int,
    detail: str,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The answer of a problem."""
    document = Problem(
        type="about:blank",
        title=_TITLES.get(status, "Problem"),
        status=status,
        detail=detail,
        errors=list(errors),
    )
    return JSONResponse(
        document.model_dump(), status_code=status, headers=headers, media_type=MEDIA_TYPE
    )


def from_error(error: Exception) -> JSONResponse | None:
    """The answer of an error that says what is wrong; None for one that nobody expected."""
    match error:
        case ApiError():
            return problem(error.status, error.detail, error.errors)
        case TicketIdError() | NoTicketError():
            return problem(404, str(error))
        case TicketStateError() | TicketChangedError():
            return problem(409, str(error))
        case QueuesError():
            return _told(wrong("query.queue", "the id of a queue", str(error)))
        case UnknownHeadError():
            return _told(
                wrong("body.heads", f"heads of {', '.join(error.heads)}", list(error.found))
            )
        case ReplyRequestError():
            return _told(wrong("body.text", "words to send", str(error)))
        case ClientError() if error.response["Error"]["Code"] in _BUSY:
            return _busy()
        case BotoCoreError():
            return _busy()
        case _:
            return None


def _told(error: ApiError) -> JSONResponse:
    return problem(error.status, error.detail, error.errors)


def _busy() -> JSONResponse:
    return problem(
        503,
        "AWS is asked too often, or does not answer: ask again",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


def install(app: FastAPI) -> None:
    """Makes the app answer its own errors, and those of the framework, with problems."""

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        errors = [_field(one) for one in error.errors()]
        named = "; ".join(f"{e.field}: expected {e.expected}, found {e.found}" for e in errors)
        return problem(422, named, errors)

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == 405:
            # The framework names the methods of the first route of the path only.
            allowed = ", ".join(_methods(app, request.url.path)) or error.headers["Allow"]
            return problem(405, f"expected {allowed}", headers={"Allow": allowed})
        if error.status_code == 400:  # what the framework says of a body that is not UTF-8
            return _told(wrong("body", "JSON in UTF-8", "other bytes"))
        return problem(error.status_code, str(error.detail), headers=error.headers)


def _methods(app: FastAPI, path: str) -> list[str]:
    """The methods that the document has for a path."""
    return sorted(
        method.upper()
        for template, operations in app.openapi()["paths"].items()
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template.replace(".", r"\.")), path)
        for method in operations
    )


def _field(error: Mapping[str, Any]) -> FieldError:
    place = ".".join(str(part) for part in error["loc"])
    if error["type"] == "json_invalid":
        return FieldError(
            field="body", expected="JSON", found=f"something else at character {error['loc'][-1]}"
        )
    if error["type"] == "missing":
        return FieldError(field=place, expected="a value", found="none")
    return FieldError(field=place, expected=_wanted(error["msg"]), found=shown(error["input"]))


def _wanted(message: str) -> str:
    """Pydantic's `Input should be ...` without its beginning."""
    for beginning in ("Input should be ", "Value error, expected ", "String should "):
        message = message.removeprefix(beginning)
    return message
