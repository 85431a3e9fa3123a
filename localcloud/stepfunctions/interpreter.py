"""Runs the states of an execution, one after the other.

https://states-language.net and
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from localcloud.core import Cloud
from localcloud.stepfunctions import choice
from localcloud.stepfunctions.errors import Aborted, PathError, StatesError, TimedOut
from localcloud.stepfunctions.execution import Execution
from localcloud.stepfunctions.integrations import INTEGRATIONS, Call, integration, stamp
from localcloud.stepfunctions.paths import fill, place, select

# Retry intervals are written for services that need minutes to recover; a laptop's do not.
LONGEST_RETRY_PAUSE_S = 3.0
TICK_S = 0.2
NEVER = float("inf")


class Interpreter:
    """Runs one execution to its end. `client(service)` acts under the state machine's role."""

    def __init__(self, cloud: Cloud, execution: Execution, client: Callable[[str], Any]) -> None:
        self.cloud = cloud
        self.execution = execution
        self.client = client

    def run(self) -> None:
        """Runs the execution and finishes it, whatever happens."""
        execution = self.execution
        details = {"input": execution.input, "roleArn": execution.role_arn}
        execution.record("ExecutionStarted", details)
        try:
            execution.finish("SUCCEEDED", self._machine(json.loads(execution.input)))
        except Aborted:
            execution.finish("ABORTED", error=execution.error, cause=execution.cause)
        except TimedOut:
            execution.finish("TIMED_OUT", error="States.Timeout")
        except StatesError as error:
            execution.finish("FAILED", error=error.error, cause=error.cause)
        except Exception as error:
            cause = f"{type(error).__name__}: {error}"
            execution.finish("FAILED", error="States.Runtime", cause=cause)
            raise

    # ----- time

    def _check(self, deadline: float) -> None:
        now = time.monotonic()
        if self.execution.abort.is_set() or self.cloud.stop_event.is_set():
            raise Aborted(self.execution.arn)
        if now > self.execution.deadline:
            raise TimedOut(self.execution.arn)
        if now > deadline:
            raise StatesError("States.Timeout", "the state ran longer than its TimeoutSeconds")

    def _pause(self, seconds: float, deadline: float = NEVER) -> None:
        """Real time, ended early by a stop, an abort or the deadline."""
        until = time.monotonic() + seconds
        self._check(deadline)
        while (left := until - time.monotonic()) > 0:
            self.execution.abort.wait(min(left, TICK_S))
            self._check(deadline)

    def _bounded(self, call: Callable[[], Any], deadline: float) -> Any:
        """A blocking call that a stop, an abort or the deadline ends for the execution."""
        box: dict[str, Any] = {}

        def target() -> None:
            try:
                box["value"] = call()
            except Exception as error:
                box["error"] = error

        thread = threading.Thread(target=target, daemon=True, name="task")
        thread.start()
        while thread.join(TICK_S) or thread.is_alive():
            self._check(deadline)
        if "error" in box:
            raise box["error"]
        return box["value"]

    # ----- states

    def _machine(self, data: Any) -> Any:
        execution = self.execution
        about = {
            "Id": execution.arn,
            "Input": data,
            "Name": execution.name,
            "RoleArn": execution.role_arn,
            "StartTime": stamp(execution.started),
        }
        name = execution.definition["StartAt"]
        while name is not None:
            self._check(NEVER)
            state = execution.definition["States"][name]
            kind = state["Type"]
            execution.record(f"{kind}StateEntered", {"name": name, "input": json.dumps(data)})
            entered = stamp(self.cloud.clock.now())
            here = {"Name": name, "EnteredTime": entered, "RetryCount": 0}
            data, following = self._retried(state, data, {"Execution": about, "State": here})
            execution.record(f"{kind}StateExited", {"name": name, "output": json.dumps(data)})
            name = following
        return data

    def _retried(
        self, state: Mapping[str, Any], data: Any, context: dict[str, Any]
    ) -> tuple[Any, str | None]:
        """The state's output and the next state, after the retries that it asks for."""
        used = [0] * len(state.get("Retry", []))
        while True:
            try:
                return self._once(state, data, context)
            except PathError as error:
                failure = StatesError("States.Runtime", str(error))
            except StatesError as error:
                failure = error
            pause = retry_pause(state, failure, used)
            if pause is None:
                break
            context["State"]["RetryCount"] += 1
            self._pause(min(pause, LONGEST_RETRY_PAUSE_S))
        for catch in state.get("Catch", []):
            if any(matches(name, failure.error) for name in catch["ErrorEquals"]):
                output = {"Error": failure.error, "Cause": failure.cause}
                path = catch.get("ResultPath", "$")
                return (data if path is None else place(path, data, output)), catch["Next"]
        raise failure

    def _once(
        self, state: Mapping[str, Any], data: Any, context: dict[str, Any]
    ) -> tuple[Any, str | None]:
        path = state.get("InputPath", "$")
        result = given = {} if path is None else select(path, data, context)
        following = state.get("Next")
        kind = state["Type"]
        if kind == "Fail":
            raise StatesError(state.get("Error", ""), state.get("Cause", ""))
        if kind == "Choice":
            following = self._choose(state, given, context)
        elif kind in ("Task", "Pass"):
            if "Parameters" in state:
                given = fill(state["Parameters"], given, context)
            result = self._task(state, given) if kind == "Task" else state.get("Result", given)
            if "ResultSelector" in state:
                result = fill(state["ResultSelector"], result, context)
            path = state.get("ResultPath", "$")
            result = data if path is None else place(path, data, result)
        path = state.get("OutputPath", "$")
        return ({} if path is None else select(path, result, context)), following

    def _choose(self, state: Mapping[str, Any], given: Any, context: dict[str, Any]) -> str:
        for rule in state["Choices"]:
            if choice.holds(rule, given, context):
                return rule["Next"]
        if "Default" in state:
            return state["Default"]
        raise StatesError("States.NoChoiceMatched", "no rule of the Choice state holds")

    def _task(self, state: Mapping[str, Any], arguments: Any) -> Any:
        deadline = time.monotonic() + state.get("TimeoutSeconds", NEVER)
        name = integration(state["Resource"])
        service, _, action = name.partition(":")
        what = {"resourceType": service, "resource": action}
        record = self.execution.record
        parameters = json.dumps(arguments)
        record("TaskScheduled", {**what, "region": self.cloud.region, "parameters": parameters})
        record("TaskStarted", what)
        call = Call(
            client=self.client,
            arguments=arguments,
            wait=lambda seconds: self._pause(seconds, deadline),
            bounded=lambda request: self._bounded(request, deadline),
            submitted=lambda out: record("TaskSubmitted", {**what, "output": json.dumps(out)}),
        )
        try:
            result = INTEGRATIONS[name](call)
        except StatesError as error:
            kind = "TaskTimedOut" if error.error == "States.Timeout" else "TaskFailed"
            record(kind, {**what, "error": error.error, "cause": error.cause})
            raise
        record("TaskSucceeded", {**what, "output": json.dumps(result)})
        return result


def matches(name: str, error: str) -> bool:
    """Whether a name of ErrorEquals covers an error."""
    if name == error:
        return True
    if error == "States.Runtime":  # can only be named, not swept up
        return False
    return name == "States.ALL" or (name == "States.TaskFailed" and error != "States.Timeout")


def retry_pause(state: Mapping[str, Any], failure: StatesError, used: list[int]) -> float | None:
    """Seconds to wait before the next attempt; None when no retrier covers the error any more.

    `used` counts the attempts of each retrier and is updated.
    """
    for index, retry in enumerate(state.get("Retry", [])):
        if any(matches(name, failure.error) for name in retry["ErrorEquals"]):
            if used[index] >= retry.get("MaxAttempts", 3):
                return None
            used[index] += 1
            return retry.get("IntervalSeconds", 1) * retry.get("BackoffRate", 2.0) ** (
                used[index] - 1
            )
    return None
