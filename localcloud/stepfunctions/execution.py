"""An execution: its state, and its history as GetExecutionHistory tells it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass
class Execution:
    """One run of a state machine. `status` is RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED.

    Only the execution's own thread writes its history and ends it.
    """

    arn: str
    name: str
    machine_arn: str
    role_arn: str
    definition: dict[str, Any]
    input: str
    now: Callable[[], datetime]
    status: str = "RUNNING"
    stopped: datetime | None = None
    output: str | None = None
    error: str | None = None
    cause: str | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    abort: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.started = self.now()
        limit = self.definition.get("TimeoutSeconds")
        self.deadline = time.monotonic() + limit if limit else float("inf")

    def record(self, kind: str, details: dict[str, Any]) -> None:
        """Adds a history event, such as TaskStateEntered or TaskFailed."""
        number = len(self.events) + 1
        what = kind[kind.index("State") :] if kind.endswith(("Entered", "Exited")) else kind
        self.events.append(
            {
                "timestamp": self.now(),
                "type": kind,
                "id": number,
                "previousEventId": number - 1,
                f"{what[0].lower()}{what[1:]}EventDetails": details,
            }
        )

    def finish(
        self, status: str, output: Any = None, error: str | None = None, cause: str | None = None
    ) -> None:
        """Ends the execution; output is JSON data."""
        self.stopped = self.now()
        self.error, self.cause = error, cause
        if status == "SUCCEEDED":
            self.output = json.dumps(output)
        told = {"output": self.output, "error": error, "cause": cause}
        kind = "Execution" + status.title().replace("_", "")
        self.record(kind, {k: v for k, v in told.items() if v is not None})
        self.status = status
        self.done.set()

    def describe(self) -> dict[str, Any]:
        """The shape of boto3's DescribeExecution."""
        result = {
            "executionArn": self.arn,
            "stateMachineArn": self.machine_arn,
            "name": self.name,
            "status": self.status,
            "startDate": self.started,
            "stopDate": self.stopped,
            "input": self.input,
            "output": self.output,
            "error": self.error,
            "cause": self.cause,
        }
        return {k: v for k, v in result.items() if v is not None}
