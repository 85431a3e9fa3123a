"""A request to an AWS service, as every part of the laptop cloud sees it."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from botocore.exceptions import DataNotFoundError
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request as MotoRequest
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import HTTPException

# The name in a signature's scope -> boto3's name of the service, where they differ.
SIGNING_NAMES = {"monitoring": "cloudwatch", "states": "stepfunctions", "airflow": "mwaa"}
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Principal:
    """Who calls. `kind` is root, role or anonymous; `arn` is that of the session for a role."""

    kind: str
    arn: str
    account: str
    role_name: str = ""
    access_key_id: str = ""


@dataclass
class Response:
    """An HTTP response: header names as sent, body in bytes."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass
class Request:
    """One call of `action` of `service` (boto3's names) by `principal`.

    `params` holds the input in the shape of the boto3 call: the JSON body for JSON protocols
    (blobs still in base64), the parsed form for the query protocol, path, query and header
    parameters and the JSON body for REST services. `body` is the body as sent.
    """

    service: str
    action: str
    principal: Principal
    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes
    environ: dict[str, Any]
    _params: dict[str, Any] | None = None
    to_moto: Callable[[Request], Response] | None = field(default=None, repr=False)

    @property
    def params(self) -> dict[str, Any]:
        if self._params is None:
            self._params = parse_params(self)
        return self._params

    def forward(self) -> dict[str, Any]:
        """What moto answers to this request, in the shape of the boto3 response.

        Changes made to `params` of a JSON service are sent. Raises `ServiceError` when moto
        answers with an error.
        """
        from localcloud.protocol import parse_response

        if self._params is not None and get_service_model(self.service).protocol == "json":
            self.body = json.dumps(self._params).encode()
        return parse_response(self, self.to_moto(self))


def environ_with_body(environ: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    """A copy of a WSGI environment from which `body` is read."""
    copy = dict(environ)
    copy["wsgi.input"] = io.BytesIO(body)
    copy["CONTENT_LENGTH"] = str(len(body))
    copy.pop("HTTP_TRANSFER_ENCODING", None)
    copy.pop("wsgi.input_terminated", None)
    return copy


def credential_scope(environ: Mapping[str, Any], query: Mapping[str, str]) -> tuple[str, str]:
    """Access key id and signing name of a request; empty strings when unsigned."""
    if "AWSAccessKeyId" in query:
        return query["AWSAccessKeyId"], "s3"
    authorization = environ.get("HTTP_AUTHORIZATION", "")
    credential = query.get("X-Amz-Credential", "")
    if "Credential=" in authorization:
        credential = authorization.split("Credential=", 1)[1].split(",", 1)[0].split(" ", 1)[0]
    parts = credential.split("/")  # key / date / region / service / aws4_request
    return (parts[0], parts[-2].lower()) if len(parts) >= 5 else ("", "")


def service_and_action(
    signing_name: str, environ: dict[str, Any], body: bytes, query: Mapping[str, str]
) -> tuple[str, str]:
    """boto3's names of the service and the action; the action is empty when none matches."""
    service = SIGNING_NAMES.get(signing_name, signing_name)
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    path = environ.get("PATH_INFO", "")
    if service == "apigateway" and path.startswith("/v2/"):
        service = "apigatewayv2"
    if target:
        return service, target.rsplit(".", 1)[-1]
    if "/operation/" in path and path.startswith("/service/"):
        return service, path.rsplit("/", 1)[-1]  # Smithy's RPC over CBOR
    if environ.get("CONTENT_TYPE", "").startswith(FORM):
        form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        if "Action" in form:
            return service, form["Action"]
    return service, rest_action(service, environ, body)[0]


def rest_action(service: str, environ: dict[str, Any], body: bytes) -> tuple[str, dict[str, Any]]:
    """The action that a REST service's paths give, and the parameters in the path."""
    try:
        router = get_service_router(service)
        operation, uri_params = router.match(MotoRequest(environ_with_body(environ, body)))
    except (HTTPException, NotImplementedError, LookupError, ValueError, DataNotFoundError):
        return "", {}
    return operation.name, uri_params


def parse_params(request: Request) -> dict[str, Any]:
    """The input of a request in the shape of the boto3 call."""
    model = get_service_model(request.service)
    content_type = request.headers.get("Content-Type", "")
    if model.protocol == "json" or content_type.startswith("application/x-amz-json"):
        packed = request.headers.get("Content-Encoding") == "gzip"
        body = gzip.decompress(request.body) if packed else request.body
        return json.loads(body) if body else {}
    moto_request = MotoRequest(environ_with_body(request.environ, request.body))
    rest = model.protocol.startswith("rest")
    uri_params = rest_action(request.service, request.environ, request.body)[1] if rest else {}
    parser = PROTOCOL_PARSERS[model.protocol if rest else "query"]
    parsed = parser(model.operation_model(request.action)).parse(
        {
            "method": request.method,
            "values": moto_request.values,
            "headers": moto_request.headers,
            "body": request.body,
            "url_path": request.path,
            "url_params": {k: unquote(v) for k, v in uri_params.items()},
        }
    )
    return dict(parsed)
