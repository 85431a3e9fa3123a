"""A registered function: its settings, its warm workers, its log."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.core import Cloud
from localcloud.lambda_.telemetry import Telemetry
from localcloud.lambda_.worker import Worker, WorkerGoneError

MAX_WORKERS = 4
# A session lives for an hour; a worker is replaced well before, between two calls.
MAX_AGE_S = 2700.0


@dataclass(frozen=True)
class Settings:
    """What a worker is started with. Two equal settings can share workers."""

    name: str
    arn: str
    handler: str
    role: str
    code_dir: Path
    timeout_s: float
    memory_mb: int
    variables: tuple[tuple[str, str], ...]
    log_group: str
    runtime: str

    @classmethod
    def from_config(cls, config: Mapping[str, Any], code_dir: Path) -> Settings:
        """From the shape of boto3's response to CreateFunction."""
        name = config["FunctionName"]
        variables = (config.get("Environment") or {}).get("Variables") or {}
        group = (config.get("LoggingConfig") or {}).get("LogGroup")
        return cls(
            name=name,
            arn=config["FunctionArn"],
            handler=config["Handler"],
            role=config["Role"],
            code_dir=code_dir,
            timeout_s=float(config.get("Timeout") or 3),
            memory_mb=int(config.get("MemorySize") or 128),
            variables=tuple(sorted((k, str(v)) for k, v in variables.items())),
            log_group=group or f"/aws/lambda/{name}",
            runtime=config.get("Runtime") or "python3.12",
        )


@dataclass
class InvokeResult:
    """The answer to a synchronous call. `error` is None or Unhandled."""

    payload: bytes
    error: str | None
    request_id: str


class Function:
    """Warm workers of one function; every call takes one that is free or starts another.

    At most `MAX_WORKERS` run at once; further calls wait.
    """

    def __init__(self, settings: Settings, cloud: Cloud, telemetry: Telemetry) -> None:
        self.settings = settings
        self.cloud = cloud
        self.telemetry = telemetry
        self.invocations = self.errors = self.cold_starts = 0
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._lock = threading.RLock()  # a killed worker may still have lines to log
        self._slots = threading.Semaphore(MAX_WORKERS)
        self._closed = False
        self.log_path = cloud.log_dir / "lambda" / f"{settings.name}.log"
        self.log_path.parent.mkdir(parents=True, exist_ok=True)

    def invoke(self, payload: bytes, request_id: str) -> InvokeResult:
        """Runs the handler once. Handler errors, time-outs and crashes are answers, not raises."""
        self.write_log(f"START RequestId: {request_id} Version: $LATEST")
        with self._slots:
            started = time.monotonic()
            answer, failed = self._run(payload, request_id)
            duration_ms = (time.monotonic() - started) * 1000
        self.write_log(f"END RequestId: {request_id}")
        self.write_log(
            f"REPORT RequestId: {request_id}\tDuration: {duration_ms:.2f} ms"
            f"\tMemory Size: {self.settings.memory_mb} MB"
        )
        self.invocations += 1
        self.errors += failed
        name = self.settings.name
        self.telemetry.metric("Invocations", 1, FunctionName=name)
        self.telemetry.metric("Errors", int(failed), FunctionName=name)
        self.telemetry.metric("Duration", duration_ms, "Milliseconds", FunctionName=name)
        return InvokeResult(answer, "Unhandled" if failed else None, request_id)

    def _run(self, payload: bytes, request_id: str) -> tuple[bytes, bool]:
        """The payload of the answer, and whether it is an error."""
        worker = None
        try:
            worker = self._take()
            header = {
                "request_id": request_id,
                "function_arn": self.settings.arn,
                "trace_id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0",
            }
            return worker.call(header, payload, self.settings.timeout_s)
        except WorkerGoneError as error:
            self.write_log(f"{request_id} {error.document['errorMessage']}")
            return json.dumps(error.document).encode(), True
        finally:
            if worker is not None:
                self._give_back(worker)

    def _take(self) -> Worker:
        """A warm worker, or a new one whose handler is imported."""
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.alive() and time.monotonic() - worker.started < MAX_AGE_S:
                    self._busy.add(worker)
                    return worker
                worker.kill()
        self.cold_starts += 1
        worker = Worker(
            code_dir=self.settings.code_dir,
            environment=self._environment(),
            memory_mb=self.settings.memory_mb,
            on_log=self._output,
            should_stop=self.cloud.stop_event.is_set,
        )
        with self._lock:
            self._busy.add(worker)
        try:
            worker.initialise()
        except WorkerGoneError:
            worker.kill()
            self._give_back(worker)
            raise
        return worker

    def _give_back(self, worker: Worker) -> None:
        with self._lock:
            self._busy.discard(worker)
            if worker.alive() and not self._closed:
                self._idle.append(worker)
                return
        worker.kill()

    def _environment(self) -> dict[str, str]:
        settings = self.settings
        environment = self.cloud.environment(
            settings.role, session_name=settings.name, service="lambda.amazonaws.com"
        )
        environment.update(settings.variables)
        environment.update(
            _HANDLER=settings.handler,
            AWS_EXECUTION_ENV=f"AWS_Lambda_{settings.runtime}",
            AWS_LAMBDA_FUNCTION_NAME=settings.name,
            AWS_LAMBDA_FUNCTION_VERSION="$LATEST",
            AWS_LAMBDA_FUNCTION_MEMORY_SIZE=str(settings.memory_mb),
            AWS_LAMBDA_LOG_GROUP_NAME=settings.log_group,
            AWS_LAMBDA_LOG_STREAM_NAME=self._log_stream(),
            AWS_LAMBDA_INITIALIZATION_TYPE="on-demand",
            LAMBDA_TASK_ROOT=str(settings.code_dir),
            TZ=":UTC",
        )
        return environment

    def _log_stream(self) -> str:
        """The name of a day's log stream, in the form AWS gives it."""
        return f"{self.cloud.clock.now():%Y/%m/%d}/[$LATEST]localcloud"

    def write_log(self, line: str) -> None:
        """One line to the function's file and to CloudWatch Logs."""
        with self._lock, self.log_path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        self.telemetry.event(self.settings.log_group, self._log_stream(), line)

    def _output(self, line: str) -> None:
        """A line the function printed: its metrics are put when it carries any."""
        self.write_log(line)
        if line.startswith("{") and '"_aws"' in line:
            self.cloud.metrics(line)

    def close(self) -> None:
        """Kills the workers that wait; on the cloud's stop also those that run, whose calls
        answer with an error."""
        with self._lock:
            self._closed = True
            workers, self._idle = self._idle, []
            busy = list(self._busy) if self.cloud.stop_event.is_set() else []
        for worker in workers:
            worker.kill()
        for worker in busy:  # its caller notices that the process ended
            worker.process.kill()

    def status(self) -> dict[str, Any]:
        return {
            "invocations": self.invocations,
            "errors": self.errors,
            "cold_starts": self.cold_starts,
            "workers": len(self._idle) + len(self._busy),
            "log": str(self.log_path),
        }
