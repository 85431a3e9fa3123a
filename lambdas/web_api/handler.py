"""Entry point of web_api: an HTTP API's event (payload format 2.0) in, its answer out."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from mangum import Mangum

from lambdas.web_api.app import logger, make_app
from lambdas.web_api.services import Services


@cache
def _services() -> Services:
    return Services(os.environ)


_adapter = Mangum(
    make_app(_services),
    lifespan="off",
    text_mime_types=["text/", "application/json", "application/problem+json"],
)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    answer = _adapter(event, context)
    http = event["requestContext"]["http"]
    logger.info(
        "answered",
        extra={
            "request_id": event["requestContext"].get("requestId"),
            "route": event.get("routeKey"),
            "method": http["method"],
            "status": answer["statusCode"],
        },
    )
    return answer
