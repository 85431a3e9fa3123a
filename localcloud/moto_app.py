"""moto's own WSGI applications, one per service, in this process."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

# moto reads these when it is first imported, so this module is imported before any of moto.
os.environ.update(
    MOTO_ACCOUNT_ID="123456789012",
    MOTO_DISABLE_GLOBAL_CORS="true",
    S3_IGNORE_SUBDOMAIN_BUCKETNAME="true",
    MOTO_MAX_FORM_MEMORY_SIZE=str(64 * 1024 * 1024),
)

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from localcloud.request import Request, Response, environ_with_body


class MotoApplication:
    """Answers a request as moto does."""

    def __init__(self) -> None:
        self._dispatcher = DomainDispatcherApplication(create_backend_app)
        self._applications: dict[tuple[str, ...], Callable[..., Any]] = {}
        self._lock = threading.Lock()
        self._locks: dict[str, threading.RLock] = defaultdict(threading.RLock)

    def __call__(self, request: Request) -> Response:
        # moto checks a condition and writes in two steps, so two clients at once could both win.
        # Reading S3 has nothing to guard.
        if request.service == "s3" and request.method in ("GET", "HEAD"):
            return self._answer(request)
        with self._locks[request.service]:
            return self._answer(request)

    def _answer(self, request: Request) -> Response:
        environ = environ_with_body(request.environ, request.body)
        head: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
            head[:] = [int(status.split(" ", 1)[0]), headers]

        body = b"".join(self._application(request, environ)(environ, start_response))
        return Response(head[0], list(head[1]), body)

    def _application(self, request: Request, environ: dict[str, Any]) -> Callable[..., Any]:
        # moto matches some hundred patterns for each request; these two decide the outcome.
        key = (request.service, environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[0])
        with self._lock:
            if key not in self._applications:
                self._applications[key] = self._dispatcher.get_application(environ)
            return self._applications[key]


def reset() -> None:
    """Forgets what moto holds from an earlier cloud in this process."""
    from moto.moto_api._internal.models import moto_api_backend

    moto_api_backend.reset()
