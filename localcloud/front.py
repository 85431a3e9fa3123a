"""In front of moto: who calls what, may they, and who answers."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from moto.core.request import EnvironHeaders

from localcloud.clock import move_clock
from localcloud.core import Cloud
from localcloud.errors import LocalCloudError, ServiceError
from localcloud.iam.enforcer import Enforcer
from localcloud.iam.roles import principal
from localcloud.moto_app import MotoApplication
from localcloud.protocol import serialise, serialise_error
from localcloud.request import Request, Response, credential_scope, service_and_action

log = logging.getLogger(__name__)


class Front:
    """Answers requests. `actions` maps (boto3 service name, action) to what answers it."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.moto = MotoApplication()
        self.enforcer = Enforcer(cloud)
        self.actions: dict[tuple[str, str], Callable[[Request], Any]] = {}
        # What answers the requests to no AWS API: deployed HTTP APIs, distributions.
        self.sites: list[Callable[[dict[str, Any], bytes], Response | None]] = []

    def add(self, service: Any) -> None:
        """Takes a service's actions; a clash with another service's is an error."""
        for name, action in service.actions.items():
            owner, _, bare = name.rpartition(":")
            key = (owner or service.name, bare)
            if key in self.actions:
                raise LocalCloudError(f"action {key} is offered by two services")
            self.actions[key] = action
        if hasattr(service, "serve"):
            self.sites.append(service.serve)

    def answer(self, environ: dict[str, Any], body: bytes) -> Response:
        """The response to a request whose body has been read."""
        path = environ.get("PATH_INFO", "")
        if path.startswith("/_localcloud/"):
            return self._admin(path, body)
        for serve in self.sites:
            if (response := serve(environ, body)) is not None:
                return response
        query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        access_key_id, signing_name = credential_scope(environ, query)
        service, action = service_and_action(signing_name, environ, body, query)
        request = Request(
            service=service,
            action=action,
            principal=principal(self.cloud, access_key_id),
            method=environ["REQUEST_METHOD"],
            path=path,
            query=query,
            headers=EnvironHeaders(environ),
            body=body,
            environ=environ,
            to_moto=self.moto,
        )
        return self.dispatch(request)

    def dispatch(self, request: Request) -> Response:
        """Checks the caller's policies, then answers. Never raises."""
        try:
            self.enforcer.check(request)
            action = self.actions.get((request.service, request.action))
            if action is None:
                return self.moto(request)
            result = action(request)
            return result if isinstance(result, Response) else serialise(request, result)
        except ServiceError as error:
            return serialise_error(request, error)
        except Exception as error:
            log.exception("%s %s failed", request.service, request.action)
            message = f"{type(error).__name__}: {error} (see the log of the laptop cloud)"
            return serialise_error(request, ServiceError("InternalFailure", message, 500))

    def _admin(self, path: str, body: bytes) -> Response:
        status = 200
        try:
            if path == "/_localcloud/health":
                document = {"status": "ok", "pid": os.getpid()}
            elif path == "/_localcloud/status":
                document = self.cloud.status()
            elif path == "/_localcloud/clock":
                document = move_clock(self.cloud, **json.loads(body or b"{}"))
            elif path == "/_localcloud/deploy":
                assembly = json.loads(body)["assembly"]
                document = self.cloud.services["cloudformation"].deploy(assembly)
            else:
                status, document = 404, {"error": f"no such route: {path}"}
        except LocalCloudError as error:
            status, document = 400, {"error": str(error)}
        except Exception as error:
            log.exception("%s failed", path)
            status, document = 500, {"error": f"{type(error).__name__}: {error}"}
        headers = [("Content-Type", "application/json")]
        return Response(status, headers, json.dumps(document, default=str).encode())
