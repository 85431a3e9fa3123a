"""One worker process of a function, seen from the cloud: started, asked, timed out, killed."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

RUNTIME = Path(__file__).with_name("runtime.py")
LENGTHS = struct.Struct(">II")
INIT_TIMEOUT_S = 60.0  # AWS gives ten seconds; imports on a busy laptop take longer
MEMORY_HEADROOM_MB = 256


class WorkerGoneError(Exception):
    """The process ended or was killed; `document` is the error payload AWS would answer."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.document = {"errorType": error_type, "errorMessage": message}


class Worker:
    """A process that has a function's code loaded and serves one call at a time.

    `memory_mb` bounds the process's writable memory (RLIMIT_DATA, `MEMORY_HEADROOM_MB` on top:
    AWS counts resident pages, the limit counts what is reserved). Linux enforces it; macOS does
    not. `on_log` takes each line the process prints.
    """

    def __init__(
        self,
        *,
        code_dir: Path,
        environment: Mapping[str, str],
        memory_mb: int,
        on_log: Callable[[str], None],
        should_stop: Callable[[], bool],
    ) -> None:
        self.started = time.monotonic()
        self._on_log = on_log
        self._should_stop = should_stop
        self._log_tail = b""
        self._mark = ""
        response_read, response_write = os.pipe()
        log_read, log_write = os.pipe()
        limit = (memory_mb + MEMORY_HEADROOM_MB) * 1024 * 1024
        try:
            # -P keeps the runtime's own folder off the module path; a session of its own lets
            # a kill take along what the handler started
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-u", str(RUNTIME), str(response_write), str(limit)],
                cwd=code_dir,
                env={**environment, "PYTHONPATH": str(code_dir), "PYTHONDONTWRITEBYTECODE": "1"},
                stdin=subprocess.PIPE,
                stdout=log_write,
                stderr=log_write,
                pass_fds=(response_write,),
                start_new_session=True,
            )
        finally:
            os.close(response_write)
            os.close(log_write)
        self._response, self._log = response_read, log_read
        os.set_blocking(log_read, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(response_read, selectors.EVENT_READ)
        self._selector.register(log_read, selectors.EVENT_READ)

    def initialise(self) -> None:
        """Waits until the handler is imported. Raises `WorkerGoneError` when it cannot be."""
        header, payload = self._receive(INIT_TIMEOUT_S, "init")
        if not header["ready"]:
            document = json.loads(payload)
            self._drain()
            raise WorkerGoneError(document["errorType"], document["errorMessage"])

    def call(self, header: dict[str, Any], payload: bytes, timeout_s: float) -> tuple[bytes, bool]:
        """The answer, or the error as AWS words it, and whether it is one.

        Raises `WorkerGoneError` on time-out, crash and stop: the process is dead then.
        """
        request_id = header["request_id"]
        mark = f"\x00END {request_id}"
        head = json.dumps({**header, "timeout_s": timeout_s, "end_mark": mark}).encode()
        try:
            self.process.stdin.write(LENGTHS.pack(len(head), len(payload)) + head + payload)
            self.process.stdin.flush()
        except OSError:
            raise self._gone(request_id) from None
        answer, body = self._receive(timeout_s, request_id)
        deadline = time.monotonic() + 1.0  # the mark was written before the response
        while self._drain() and self._mark != mark and time.monotonic() < deadline:
            time.sleep(0.001)
        return body, answer["failed"]

    def alive(self) -> bool:
        return self._response >= 0 and self.process.poll() is None

    def kill(self) -> None:
        """Ends the process and everything it started, and frees its descriptors."""
        if self._response < 0:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self.process.kill()
        self.process.wait()
        self._drain()
        self._selector.close()
        os.close(self._response)
        os.close(self._log)
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        self._response = self._log = -1

    def _receive(self, timeout_s: float, request_id: str) -> tuple[dict[str, Any], bytes]:
        deadline = time.monotonic() + timeout_s
        buffer = bytearray()
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                self.kill()
                message = f"Error: Task timed out after {timeout_s:.2f} seconds"
                raise WorkerGoneError("Sandbox.Timedout", f"RequestId: {request_id} {message}")
            if self._should_stop():
                self.kill()
                raise WorkerGoneError("Sandbox.Stopped", "the cloud stops")
            # wakes twice a second only to notice that the cloud stops
            for key, _ in self._selector.select(min(left, 0.5)):
                if key.fd == self._log:
                    if not self._drain():
                        self._selector.unregister(self._log)
                    continue
                data = os.read(self._response, 1 << 20)
                if not data:
                    raise self._gone(request_id)
                buffer += data
                if len(buffer) >= LENGTHS.size:
                    header_length, body_length = LENGTHS.unpack_from(buffer)
                    split = LENGTHS.size + header_length
                    if len(buffer) >= split + body_length:
                        return json.loads(buffer[LENGTHS.size : split]), bytes(buffer[split:])

    def _gone(self, request_id: str) -> WorkerGoneError:
        code = self.process.wait()
        self.kill()
        how = f"signal: {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        message = f"RequestId: {request_id} Error: Runtime exited with error: {how}"
        return WorkerGoneError("Runtime.ExitError", message)

    def _drain(self) -> bool:
        """Takes what the log pipe holds; False at its end."""
        while True:
            try:
                data = os.read(self._log, 1 << 16)
            except BlockingIOError:
                return True
            *lines, self._log_tail = (self._log_tail + (data or b"\n")).split(b"\n")
            for line in lines:
                text = line.decode("utf-8", "replace")
                if text.startswith("\x00END "):
                    self._mark = text
                elif text:
                    self._on_log(text)
            if not data:
                return False
