"""Between dicts in the shape of boto3 and what goes over the wire, for every AWS protocol."""

from __future__ import annotations

import json
import uuid
from typing import Any
from xml.sax.saxutils import escape

from botocore.parsers import create_parser
from moto.core.request import determine_request_protocol
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model

from localcloud.errors import ServiceError
from localcloud.request import Request, Response


def serialise(request: Request, result: dict[str, Any] | None) -> Response:
    """The response of the request's protocol that holds `result`."""
    operation = get_service_model(request.service).operation_model(request.action)
    serializer = get_serializer_class(request.service, _protocol(request))
    response = serializer(operation_model=operation).serialize(result or {})
    body = response["body"]
    headers = [(k, str(v)) for k, v in response["headers"].items()]
    return Response(
        int(response["status_code"]),
        [*headers, ("x-amzn-RequestId", str(uuid.uuid4()))],
        body.encode() if isinstance(body, str) else body,
    )


def _protocol(request: Request) -> str:
    model = get_service_model(request.service)
    try:
        return determine_request_protocol(model, request.headers.get("Content-Type", ""))
    except NotImplementedError:
        return str(model.protocol)


def serialise_error(request: Request, error: ServiceError) -> Response:
    """The error response of the request's protocol; XML for a request to no known service."""
    request_id = str(uuid.uuid4())
    try:
        protocol = _protocol(request)
    except Exception:
        protocol = "rest-xml"
    content = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
    end = f"<RequestId>{request_id}</RequestId>"
    headers = [("x-amzn-RequestId", request_id), ("Content-Type", "text/xml")]
    if protocol in ("json", "rest-json"):
        document = json.dumps({"__type": error.code, "message": error.message})
        headers[1] = ("Content-Type", "application/x-amz-json-1.1")
        headers.append(("x-amzn-errortype", error.code))
    elif protocol == "rest-xml":
        document = f"<Error>{content}{end}</Error>"
    else:
        content = f"<Error><Type>Sender</Type>{content}</Error>"
        document = f"<ErrorResponse>{content}{end}</ErrorResponse>"
    body = b"" if request.method == "HEAD" else document.encode()
    return Response(error.status, headers, body)


def parse_response(request: Request, response: Response) -> dict[str, Any]:
    """The boto3 shape of a response; raises `ServiceError` when it is an error."""
    operation = get_service_model(request.service).operation_model(request.action)
    parsed = create_parser(_protocol(request)).parse(
        {
            "headers": {k.lower(): v for k, v in response.headers},
            "body": response.body,
            "status_code": response.status,
        },
        operation.output_shape,
    )
    if response.status >= 300:
        error = parsed.get("Error", {})
        code = error.get("Code") or "InternalFailure"
        raise ServiceError(code, error.get("Message", ""), response.status)
    parsed.pop("ResponseMetadata", None)
    return parsed
