"""Between HTTP and what a function gets and gives, in payload format 2.0.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from localcloud.errors import ServiceError
from localcloud.request import Response

TEXT = ("text/", "application/json", "application/xml", "application/javascript")


def event(
    *,
    route_key: str,
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    body: bytes,
    path_parameters: Mapping[str, str],
    context: Mapping[str, Any],
    source_ip: str,
    now: datetime,
) -> dict[str, Any]:
    """The event of a request; `context` adds members of requestContext."""
    lower = {name.lower(): value for name, value in headers.items()}
    cookies = [c for c in lower.pop("cookie", "").split("; ") if c]
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    found: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": lower,
        "requestContext": {
            **context,
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": source_ip,
                "userAgent": lower.get("user-agent", ""),
            },
            "routeKey": route_key,
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now.timestamp() * 1000),
        },
        "isBase64Encoded": False,
    }
    for name, members in (
        ("cookies", cookies),
        ("queryStringParameters", parameters),
        ("pathParameters", dict(path_parameters)),
    ):
        if members:
            found[name] = members
    if body:
        found |= _body(body, lower.get("content-type", ""))
    return found


def _body(body: bytes, content_type: str) -> dict[str, Any]:
    if content_type.lower().startswith(TEXT):
        try:
            return {"body": body.decode()}
        except UnicodeDecodeError:
            pass
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def response(payload: bytes) -> Response:
    """The response that a function's answer stands for.

    An answer without a statusCode is the body of a 200. Raises `ServiceError` for what is no
    answer in the format.
    """
    try:
        answer = json.loads(payload)
        if not isinstance(answer, dict) or "statusCode" not in answer:
            body = answer if isinstance(answer, str) else json.dumps(answer)
            return Response(200, [("content-type", "application/json")], body.encode())
        headers = {str(n).lower(): str(v) for n, v in (answer.get("headers") or {}).items()}
        headers.setdefault("content-type", "text/plain;charset=utf-8")
        content = answer.get("body") or ""
        if answer.get("isBase64Encoded"):
            body = base64.b64decode(content, validate=True)
        else:
            body = (content if isinstance(content, str) else json.dumps(content)).encode()
        cookies = [("set-cookie", str(c)) for c in answer.get("cookies") or ()]
        return Response(int(answer["statusCode"]), [*headers.items(), *cookies], body)
    except (ValueError, TypeError, AttributeError, binascii.Error) as error:
        raise ServiceError("InternalServerError", f"malformed answer: {error}", 500) from error
