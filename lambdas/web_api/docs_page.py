"""The OpenAPI document as a page: Swagger UI as Powertools ships it, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from lambdas.web_api.problems import ApiError

# The page loads from its own folder only; Swagger UI sets styles of its own.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>voxlake: HTTP API</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<main id="swagger-ui"><p>The document itself: <a href="openapi.json">openapi.json</a></p></main>
<script src="docs/swagger-ui.js"></script>
<script src="docs/start.js"></script>
</html>
"""
_START = 'SwaggerUIBundle({url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true});\n'
_ASSETS: Mapping[str, tuple[str | None, str]] = {
    "swagger-ui.js": ("swagger-ui-bundle.min.js", "text/javascript"),
    "swagger-ui.css": ("swagger-ui.min.css", "text/css"),
    "start.js": (None, "text/javascript"),
}


def docs_router() -> APIRouter:
    """The page and its files; in no OpenAPI document."""
    routes = APIRouter(prefix="/v1/docs", include_in_schema=False)

    @routes.get("")
    def page() -> Response:
        return HTMLResponse(_PAGE, headers={"Content-Security-Policy": POLICY})

    @routes.get("/{name}")
    def asset(name: str) -> Response:
        if name not in _ASSETS:
            raise ApiError(404, f"expected one of {', '.join(_ASSETS)}, found another name")
        file, kind = _ASSETS[name]
        package = files("aws_lambda_powertools.event_handler.openapi.swagger_ui")
        content = package.joinpath(file).read_text("utf-8") if file else _START
        return Response(
            content, media_type=kind, headers={"Cache-Control": "public, max-age=86400"}
        )

    return routes
