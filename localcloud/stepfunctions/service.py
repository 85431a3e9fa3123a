"""Step Functions' actions. State machines and executions are kept here, not in moto."""

from __future__ import annotations

import json
import logging
import threading
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.core.utils import get_service_model

from localcloud.cloudwatch.counters import MinuteCounters
from localcloud.core import Cloud
from localcloud.errors import ServiceError
from localcloud.lambda_.role_clients import RoleClients
from localcloud.request import Request
from localcloud.stepfunctions.definition import parse
from localcloud.stepfunctions.execution import Execution
from localcloud.stepfunctions.interpreter import Interpreter

log = logging.getLogger(__name__)
INPUT_LIMIT = 256 * 1024
METRICS = {
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}
LISTED = ("executionArn", "stateMachineArn", "name", "status", "startDate", "stopDate")


@dataclass
class StateMachine:
    arn: str
    name: str
    role_arn: str
    text: str
    definition: dict[str, Any]
    created: datetime
    logging: dict[str, Any] = field(default_factory=lambda: {"level": "OFF"})

    def describe(self) -> dict[str, Any]:
        return {
            "stateMachineArn": self.arn,
            "name": self.name,
            "status": "ACTIVE",
            "definition": self.text,
            "roleArn": self.role_arn,
            "type": "STANDARD",
            "creationDate": self.created,
            "loggingConfiguration": self.logging,
        }


class StepFunctionsService:
    """Standard state machines; each execution runs in a thread of its own."""

    name = "stepfunctions"

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.roles = RoleClients(cloud, "states.amazonaws.com")
        self._lock = threading.Lock()
        self._machines: dict[str, StateMachine] = {}
        self._executions: dict[str, Execution] = {}
        self._counters = MinuteCounters(cloud, "AWS/States")
        # moto knows none of the state machines, so nothing is left to it
        refused = get_service_model("stepfunctions").operation_names
        self.actions = {
            **dict.fromkeys(refused, _refuse),
            "CreateStateMachine": self.create,
            "UpdateStateMachine": self.update,
            "DeleteStateMachine": self.delete,
            "DescribeStateMachine": lambda r: self._machine(r).describe(),
            "ListStateMachines": self.list,
            "StartExecution": self.start_execution,
            "StopExecution": self.stop_execution,
            "DescribeExecution": lambda r: self._execution(r).describe(),
            "ListExecutions": self.list_executions,
            "GetExecutionHistory": self.history,
        }

    def stop(self) -> None:
        for execution in list(self._executions.values()):
            if execution.status == "RUNNING":
                execution.done.wait(timeout=1.0)

    def status(self) -> dict[str, Any]:
        return {
            "state_machines": [m.name for m in list(self._machines.values())],
            "executions": [
                {"arn": e.arn, "status": e.status, "started": e.started.isoformat()}
                for e in list(self._executions.values())[-20:]
            ],
        }

    # ----- state machines

    def create(self, request: Request) -> dict[str, Any]:
        params = request.params
        if params.get("type", "STANDARD") != "STANDARD":
            raise ServiceError("ValidationException", f"the type {params['type']} is not emulated")
        name, text = params["name"], params["definition"]
        arn = f"arn:aws:states:{self.cloud.region}:{self.cloud.account}:stateMachine:{name}"
        machine = StateMachine(
            arn, name, params["roleArn"], text, parse(text), self.cloud.clock.now()
        )
        machine.logging = params.get("loggingConfiguration") or machine.logging
        with self._lock:
            existing = self._machines.setdefault(arn, machine)
        if (existing.text, existing.role_arn) != (machine.text, machine.role_arn):
            raise ServiceError(
                "StateMachineAlreadyExists", f"State Machine Already Exists: '{arn}'"
            )
        return {"stateMachineArn": arn, "creationDate": existing.created}

    def update(self, request: Request) -> dict[str, Any]:
        params, machine = request.params, self._machine(request)
        if text := params.get("definition"):
            machine.text, machine.definition = text, parse(text)
        machine.role_arn = params.get("roleArn") or machine.role_arn
        machine.logging = params.get("loggingConfiguration") or machine.logging
        return {"updateDate": self.cloud.clock.now()}

    def delete(self, request: Request) -> dict[str, Any]:
        self._machines.pop(request.params["stateMachineArn"], None)
        return {}

    def list(self, request: Request) -> dict[str, Any]:
        keep = ("stateMachineArn", "name", "type", "creationDate")
        machines = [m.describe() for m in self._machines.values()]
        return {"stateMachines": [{k: m[k] for k in keep} for m in machines]}

    def _machine(self, request: Request) -> StateMachine:
        arn = request.params["stateMachineArn"]
        if arn not in self._machines:
            raise ServiceError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
        return self._machines[arn]

    # ----- executions

    def start_execution(self, request: Request) -> dict[str, Any]:
        params, machine = request.params, self._machine(request)
        text = params.get("input") or "{}"
        if len(text.encode()) > INPUT_LIMIT:
            raise ServiceError("InvalidExecutionInput", f"the input exceeds {INPUT_LIMIT} bytes")
        try:
            json.loads(text)
        except ValueError as error:
            raise ServiceError(
                "InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'"
            ) from None
        name = params.get("name") or str(uuid.uuid4())
        execution = Execution(
            arn=machine.arn.replace(":stateMachine:", ":execution:") + f":{name}",
            name=name,
            machine_arn=machine.arn,
            role_arn=machine.role_arn,
            definition=machine.definition,
            input=text,
            now=self.cloud.clock.now,
        )
        with self._lock:
            existing = self._executions.setdefault(execution.arn, execution)
        if existing is not execution:
            if existing.status == "RUNNING" and existing.input == text:
                return {"executionArn": existing.arn, "startDate": existing.started}
            raise ServiceError(
                "ExecutionAlreadyExists", f"Execution Already Exists: '{existing.arn}'"
            )
        self._tell(execution, "ExecutionsStarted")
        threading.Thread(
            target=self._run, args=(execution,), name=f"execution-{name[:8]}", daemon=True
        ).start()
        return {"executionArn": execution.arn, "startDate": execution.started}

    def _run(self, execution: Execution) -> None:
        def client(service: str) -> Any:
            return self.roles.client(execution.role_arn, service)

        try:
            Interpreter(self.cloud, execution, client).run()
        except Exception:
            log.exception("execution %s", execution.arn)
        if not self.cloud.stop_event.is_set():
            self._tell(execution, METRICS[execution.status])

    def _tell(self, execution: Execution, metric: str) -> None:
        """Counts a start or an end, and puts its event on the bus."""
        dimensions = (("StateMachineArn", execution.machine_arn),)
        self._counters.add(metric, dimensions, 1, "Count")
        if execution.stopped:
            milliseconds = (execution.stopped - execution.started).total_seconds() * 1000
            self._counters.add("ExecutionTime", dimensions, milliseconds, "Milliseconds")
        keys = ("input", "output", "error", "cause")
        detail = {**dict.fromkeys((*keys, "stopDate")), **execution.describe()}
        for name in ("startDate", "stopDate"):
            detail[name] = detail[name] and int(detail[name].timestamp() * 1000)
        try:
            self.cloud.emit_event("aws.states", "Step Functions Execution Status Change", detail)
        except Exception:
            log.exception("event of %s", execution.arn)

    def stop_execution(self, request: Request) -> dict[str, Any]:
        execution = self._execution(request)
        if execution.status == "RUNNING":
            execution.error = request.params.get("error")
            execution.cause = request.params.get("cause")
            execution.abort.set()
            execution.done.wait(timeout=5.0)
        return {"stopDate": execution.stopped or self.cloud.clock.now()}

    def list_executions(self, request: Request) -> dict[str, Any]:
        params, machine = request.params, self._machine(request)
        found = [
            {k: v for k, v in execution.describe().items() if k in LISTED}
            for execution in reversed(list(self._executions.values()))
            if execution.machine_arn == machine.arn
            and params.get("statusFilter") in (None, execution.status)
        ]
        return {"executions": found[: params.get("maxResults") or 1000]}

    def history(self, request: Request) -> dict[str, Any]:
        params = request.params
        events = list(self._execution(request).events)
        if params.get("reverseOrder"):
            events.reverse()
        first = int(params.get("nextToken") or 0)
        last = first + int(params.get("maxResults") or 1000)
        page: dict[str, Any] = {"events": events[first:last]}
        if last < len(events):
            page["nextToken"] = str(last)
        return page

    def _execution(self, request: Request) -> Execution:
        arn = request.params["executionArn"]
        if arn not in self._executions:
            raise ServiceError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
        return self._executions[arn]


def _refuse(request: Request) -> None:
    raise ServiceError("ValidationException", f"{request.action} is not emulated")
