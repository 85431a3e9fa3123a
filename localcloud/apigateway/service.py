"""Serves deployed HTTP APIs; what they are configured to be stays in moto.

At `/_apigateway/<api id>/<path>`, and by the Host `<api id>.execute-api.<region>.amazonaws.com`.
"""

from __future__ import annotations

import json
import logging
import os
import re
import time
import uuid
from typing import Any

from moto.core.request import EnvironHeaders

from localcloud.apigateway import payload, routing
from localcloud.apigateway.tokens import Issuers, TokenRefused, check
from localcloud.cloudwatch.counters import MinuteCounters
from localcloud.core import Cloud
from localcloud.errors import ServiceError
from localcloud.iam.resource import require
from localcloud.request import Request, Response

log = logging.getLogger(__name__)
PREFIX = re.compile(r"/_apigateway/(?P<api>[a-z0-9]+)(?P<path>/.*|)", re.DOTALL)
HOST = re.compile(r"(?P<api>[a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com(:\d+)?")
STAGE = "$default"
ENFORCE = "LOCALCLOUD_ENFORCE_AUTHORIZERS"
BODY_LIMIT = 10 << 20
PRINCIPAL = "apigateway.amazonaws.com"
# Who calls without a token, unless authorizers are enforced.
NOBODY = {"jwt": {"claims": {"sub": "laptop"}, "scopes": None}}


class ApiGatewayService:
    """A token that comes is checked always; a call without one is refused only when authorizers
    are enforced, by the variable LOCALCLOUD_ENFORCE_AUTHORIZERS of the process."""

    name = "apigatewayv2"

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.enforces = os.environ.get(ENFORCE, "") not in ("", "0", "false")
        self.actions = {"CreateRoute": self.create_route}
        self._issuers = Issuers()
        self._counters = MinuteCounters(cloud, "AWS/ApiGateway")

    def status(self) -> dict[str, Any]:
        return {
            "apis": {
                api.name: f"{self.cloud.endpoint}/_apigateway/{id_}" for id_, api in self._apis()
            },
            "enforces_authorizers": self.enforces,
        }

    def create_route(self, request: Request) -> dict[str, Any]:
        if problem := routing.problem(request.params.get("RouteKey", "")):
            raise ServiceError("BadRequestException", problem)
        return request.forward()

    def serve(self, environ: dict[str, Any], body: bytes) -> Response | None:
        """The answer of an HTTP API; None for a request to none."""
        path = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace")
        if at := PREFIX.fullmatch(path):
            path = at["path"] or "/"
        elif not (at := HOST.fullmatch(environ.get("HTTP_HOST", ""))):
            return None
        started = time.monotonic()
        try:
            response = self._answer(at["api"], path, environ, body)
        except TokenRefused as refused:
            log.info("%s: 401: %s", path, refused)
            response = _message(401, "Unauthorized", ("www-authenticate", "Bearer"))
        except ServiceError as error:
            log.warning("%s: %s", path, error)
            text = error.message if error.status < 500 else "Internal Server Error"
            response = _message(error.status, text)
        except Exception:
            log.exception("%s failed", path)
            response = _message(500, "Internal Server Error")
        api = (("ApiId", at["api"]),)
        self._counters.add("Count", api, 1, "Count")
        for status, name in ((4, "4xx"), (5, "5xx")):
            self._counters.add(name, api, int(response.status // 100 == status), "Count")
        taken_ms = (time.monotonic() - started) * 1000
        self._counters.add("Latency", api, taken_ms, "Milliseconds")
        return response

    def _answer(self, api_id: str, path: str, environ: dict[str, Any], body: bytes) -> Response:
        api = dict(self._apis()).get(api_id)
        if api is None or STAGE not in api.stages:
            raise ServiceError("NotFound", "Not Found", 404)
        if len(body) > BODY_LIMIT:
            raise ServiceError("TooLarge", "Request Entity Too Large", 413)
        method = environ["REQUEST_METHOD"]
        routes = {route.route_key: route for route in api.routes.values()}
        key, parameters = routing.select(routes, method, path)
        if key is None:
            raise ServiceError("NotFound", "Not Found", 404)
        headers = EnvironHeaders(environ)
        domain = f"{api_id}.execute-api.{self.cloud.region}.amazonaws.com"
        context = {
            "accountId": "anonymous",
            "apiId": api_id,
            "domainName": domain,
            "domainPrefix": api_id,
            "requestId": uuid.uuid4().hex,
            "stage": STAGE,
        }
        if caller := self._authorized(api, routes[key], headers):
            context |= {"accountId": self.cloud.account, "authorizer": caller}
        event = payload.event(
            route_key=key,
            method=method,
            path=path,
            query=environ.get("QUERY_STRING", ""),
            headers=headers,
            body=body,
            path_parameters=parameters,
            context=context,
            source_ip=environ.get("REMOTE_ADDR", "127.0.0.1"),
            now=self.cloud.clock.now(),
        )
        integration = api.integrations[routes[key].target.rpartition("/")[2]]
        called = f"{api_id}/{STAGE}/{method}{key.partition(' ')[2] or '/' + STAGE}"
        arn = f"arn:aws:execute-api:{self.cloud.region}:{self.cloud.account}:{called}"
        return self._invoke(integration.integration_uri, arn, event)

    def _invoke(self, function: str, source_arn: str, event: dict[str, Any]) -> Response:
        functions = self.cloud.services["lambda"]
        may = (PRINCIPAL, "lambda:InvokeFunction", function, source_arn)
        try:
            require(self.cloud, functions.policy(function), *may)
            result = functions.invoke(function, json.dumps(event).encode())
        except ServiceError as error:
            raise ServiceError("InternalServerError", str(error), 500) from error
        if result.error:
            raise ServiceError("InternalServerError", result.payload.decode()[:500], 500)
        answer = payload.response(result.payload)
        answer.headers.append(("apigw-requestid", event["requestContext"]["requestId"]))
        return answer

    def _authorized(self, api: Any, route: Any, headers: Any) -> dict[str, Any] | None:
        """Who calls a route with an authorizer; None for one that is open to all."""
        if (route.authorization_type or "NONE") == "NONE":
            return None
        token = headers.get("Authorization", "")
        if not token and not self.enforces:
            return NOBODY
        if not token:
            raise TokenRefused("no token")
        configuration = api.authorizers[route.authorizer_id].jwt_config
        scopes = route.authorization_scopes or ()
        return check(token, configuration, scopes, self._issuers, self.cloud.clock.now())

    def _apis(self) -> list[tuple[str, Any]]:
        from moto.apigatewayv2.models import apigatewayv2_backends

        return list(apigatewayv2_backends[self.cloud.account][self.cloud.region].apis.items())


def _message(status: int, text: str, *headers: tuple[str, str]) -> Response:
    body = json.dumps({"message": text}).encode()
    return Response(status, [("content-type", "application/json"), *headers], body)
