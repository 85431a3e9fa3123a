"""The ASGI application: routes, headers, problems, and the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lambdas.web_api import problems
from lambdas.web_api.docs_page import docs_router
from lambdas.web_api.openapi import document
from lambdas.web_api.routes_live import live_router
from lambdas.web_api.routes_tickets import tickets_router
from lambdas.web_api.services import Services

logger = Logger()
# Stored texts are data, in whatever a browser takes an answer for.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Guard:
    """Puts headers on every answer, and makes one of every error."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, with_headers)
        except Exception as error:
            answer = problems.from_error(error) or _unexpected(scope)
            await answer(scope, receive, with_headers)


def _unexpected(scope: Scope) -> JSONResponse:
    """Says nothing of what went wrong but the id under which the log does."""
    context = scope.get("aws.event", {}).get("requestContext", {})
    request_id = context.get("requestId", "unknown")
    logger.exception(
        "unexpected",
        extra={"request_id": request_id, "method": scope["method"], "path": scope["path"]},
    )
    return problems.problem(500, f"something went wrong; the log tells under {request_id}")


def make_app(services: Callable[[], Services]) -> FastAPI:
    """The application.

    Args:
        services: called by each request that needs something; expected to give the same.
    """
    app = FastAPI(
        title="voxlake", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    app.add_middleware(Guard)
    problems.install(app)
    app.include_router(live_router(services))
    app.include_router(tickets_router(services))
    app.include_router(docs_router())

    @app.get("/v1/openapi.json", include_in_schema=False)
    def openapi(_: Request) -> JSONResponse:
        return JSONResponse(app.openapi(), headers={"Cache-Control": "public, max-age=300"})

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = document(app)
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]
    return app
