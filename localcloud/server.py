"""The HTTP server of the laptop cloud, and the cloud as a whole in one process."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import ThreadedWSGIServer

from localcloud import moto_app, registry
from localcloud.core import Cloud
from localcloud.errors import StateError
from localcloud.front import Front
from localcloud.s3.objects import install, uninstall

log = logging.getLogger(__name__)


class RequestHandler(MotoRequestHandler):
    """Reads a whole request, answers it, and keeps the connection.

    werkzeug's own loop closes each connection after waiting 10 ms for unread bytes, which bounds
    every client to a few dozen calls a second; nothing is unread here.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 600

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        try:
            if environ.get("wsgi.input_terminated"):
                body = environ["wsgi.input"].read()
            else:
                body = self.rfile.read(int(environ.get("CONTENT_LENGTH") or 0))
        except (OSError, ValueError):
            self.close_connection = True
            return
        environ["wsgi.input"] = io.BytesIO(body)
        response = self.server.app.answer(environ, body)
        head = [f"HTTP/1.1 {response.status} {self.responses.get(response.status, ('-',))[0]}"]
        names = {name.lower() for name, _ in response.headers}
        head += [
            f"{name}: {value}"
            for name, value in response.headers
            if name.lower() not in ("connection", "transfer-encoding")
        ]
        if "content-length" not in names and response.status not in (204, 304):
            head.append(f"Content-Length: {len(response.body)}")
        head.append(f"Date: {self.date_time_string()}")
        payload = ("\r\n".join(head) + "\r\n\r\n").encode("latin-1", "replace")
        if self.command != "HEAD" and response.status not in (204, 304):
            payload += response.body
        self.wfile.write(payload)

    def log(self, type: str, message: str, *args: Any) -> None:
        log.debug(message, *args)


class Server(ThreadedWSGIServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.debug("connection of %s ended", client_address, exc_info=True)


class RunningCloud:
    """A cloud that listens, until `stop()` or the end of its context."""

    def __init__(self, cloud: Cloud, server: Server, thread: threading.Thread) -> None:
        self.cloud = cloud
        self._server = server
        self._thread = thread

    def __enter__(self) -> Cloud:
        return self.cloud

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stops the services, then the server."""
        self.cloud.stop()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)
        uninstall()


def start(
    state_dir: Path,
    port: int = 0,
    services: Iterable[str] = registry.SERVICES,
    **cloud_options: Any,
) -> RunningCloud:
    """A cloud listening on 127.0.0.1 (port 0: a free one), with its services started.

    moto keeps its state per process, so the last cloud started in a process is the only one.
    Raises `StateError` when the port is taken.
    """
    moto_app.reset()
    cloud = Cloud(state_dir, **cloud_options)
    # Whatever services there are: moto's S3 is one per process, and so is where it keeps objects.
    install(cloud.s3_root, cloud.state_dir / "objects")
    front = Front(cloud)
    cloud.application = front
    for reference in services:
        service = registry.load(reference)(cloud)
        cloud.services[service.name] = service
        front.add(service)
    try:
        server = Server("127.0.0.1", port, front, handler=RequestHandler)
    except (OSError, SystemExit) as error:  # werkzeug exits the process when a port is taken
        raise StateError(
            f"expected port {port} of 127.0.0.1 to be free, found it in use:"
            " choose another with --port, or 0 for a free one"
        ) from error
    cloud.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="http", daemon=True)
    thread.start()
    for service in cloud.services.values():
        if hasattr(service, "start"):
            service.start()
    return RunningCloud(cloud, server, thread)
