"""The OpenAPI document, with the problems that each route may answer."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from lambdas.web_api.problems import MEDIA_TYPE, FieldError, Problem
from voxlake import __version__

_DESCRIPTION = (
    "What people say in public, and who needs an answer. Texts are masked; of authors nothing is "
    "shown. Every answer that is no success is a problem document (RFC 9457)."
)
_REF = "#/components/schemas/{model}"
_ANSWERS = {
    "401": "No token, or one that the gateway does not accept.",
    "404": "There is nothing of that id.",
    "409": "The state forbids it.",
    "422": "Wrong input; each field is named.",
    "500": "Something went wrong; the log tells under the request's id.",
    "503": "Ask again later.",
}


def document(app: FastAPI) -> dict[str, Any]:
    """The document of an application."""
    found = get_openapi(
        title=app.title, version=__version__, description=_DESCRIPTION, routes=app.routes
    )
    # Relative to the document's own address, so it holds under every prefix.
    found["servers"] = [{"url": ".."}]
    schemas = found["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for model in (FieldError, Problem):
        schema = model.model_json_schema(ref_template=_REF)
        schema.pop("$defs", None)
        schemas[model.__name__] = schema
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            for status in _may_answer(path, method, operation):
                operation["responses"][status] = _problem(status)
    return found


def _may_answer(path: str, method: str, operation: dict[str, Any]) -> list[str]:
    statuses = ["500", "503"]
    if "security" in operation:
        statuses.append("401")
    if "{" in path or path == "/v1/replies":
        statuses.append("404")
    if path in ("/v1/replies", "/v1/tickets/{ticket_id}/actions"):
        statuses.append("409")
    if operation.get("parameters") or method == "post":
        statuses.append("422")
    return statuses


def _problem(status: str) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": _ANSWERS[status],
        "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}},
    }
    if status == "503":
        seconds = {"type": "integer"}
        answer["headers"] = {"Retry-After": {"description": "Seconds.", "schema": seconds}}
    return answer
