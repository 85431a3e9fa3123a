"""A local HTTP server that speaks a platform's API, with faults where a test wants them."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Answer:
    """What the server sends back; a body that is not bytes goes as JSON."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """What happens to a request instead of, or after, what should.

    Attributes:
        answer: sent in place of the right one; None with ``hangs`` or ``drops``.
        hangs: no answer comes before the client gives up.
        drops: the connection ends without an answer.
        acts: the request takes effect all the same: the client cannot know.
    """

    answer: Answer | None = None
    hangs: bool = False
    drops: bool = False
    acts: bool = False


@dataclass(frozen=True)
class Request:
    """A request as it came."""

    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class ApiServer:
    """Serves ``respond`` on a free port of 127.0.0.1; a context manager.

    Attributes:
        log: every request with the status of its answer (0 for none), in order of arrival.
        faults: {number of a request, from 1: Fault}.
    """

    def __init__(self) -> None:
        self.log: list[tuple[Request, int]] = []
        self.faults: dict[int, Fault] = {}
        self._lock = threading.RLock()
        self._stopped = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def respond(self, request: Request) -> Answer:
        """The right answer to a request; subclasses say."""
        raise NotImplementedError

    def next_fault(self, fault: Fault, *, after: int = 0) -> None:
        """The request after so many more gets a fault."""
        self.faults[len(self.log) + 1 + after] = fault

    def handle(self, request: Request) -> Answer | None:
        """The answer to send, None for none."""
        with self._lock:
            fault = self.faults.get(len(self.log) + 1)
            answer = self.respond(request) if fault is None or fault.acts else None
            if fault is not None:
                answer = fault.answer
            self.log.append((request, answer.status if answer else 0))
        if fault is not None and fault.hangs:
            self._stopped.wait(30)
        return answer


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_arguments: object) -> None:
        """A client that gave up is part of the tests."""


def _handler(api: ApiServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            url = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            answer = api.handle(
                Request(
                    self.command,
                    url.path,
                    dict(parse_qsl(url.query)),
                    {name.lower(): value for name, value in self.headers.items()},
                    self.rfile.read(length),
                )
            )
            if answer is None:
                self.close_connection = True
                return
            body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body)
            data = body if isinstance(body, bytes) else body.encode()
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = _answer

        def log_message(self, *_arguments: object) -> None:
            pass

    return Handler
