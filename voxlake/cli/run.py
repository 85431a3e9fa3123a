"""`run`: the batch path once, followed state by state: by Airflow, or by Step Functions."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from voxlake.cli.options import Json, Stage, err, out, print_json
from voxlake.cli.target import Target
from voxlake.errors import VoxlakeError

JOBS = (
    "landing_to_cleansed",
    "cleansed_to_features",
    "scores_to_analytics",
    "tickets_to_analytics",
)


class RunError(VoxlakeError):
    """The run failed, timed out or was stopped; the message names the state and the cause."""


class Orchestrator(StrEnum):
    """What runs the batch path. `auto`: Airflow on the laptop where `make airflow` was run."""

    AUTO = "auto"
    AIRFLOW = "airflow"
    STEPFUNCTIONS = "stepfunctions"


@dataclass
class StateTime:
    """One state of the execution, or task of the run, as far as its history tells.

    `outcome` is Airflow's state of the task; Step Functions has one for the execution only.
    """

    name: str
    entered: datetime
    left: datetime | None = None
    outcome: str | None = None

    def seconds(self, now: datetime) -> float:
        return ((self.left or now) - self.entered).total_seconds()


@dataclass
class Run:
    """One execution: how it ended, its states in order, its output (the reconciliation).

    `arn` is the execution's, or names Airflow's DAG and logical date; `log` is Airflow's.
    """

    arn: str
    status: str = "RUNNING"
    states: list[StateTime] = field(default_factory=list)
    output: dict = field(default_factory=dict)
    jobs: dict[str, dict] = field(default_factory=dict)
    started: datetime | None = None
    stopped: datetime | None = None
    nothing_pending: bool = False
    log: str | None = None

    @property
    def seconds(self) -> float:
        if not self.started or not self.stopped:
            return 0.0
        return (self.stopped - self.started).total_seconds()

    def to_dict(self) -> dict:
        return {
            "execution": self.arn,
            "status": self.status,
            "seconds": round(self.seconds, 1),
            "states": [
                {"name": s.name, "seconds": round(s.seconds(s.left or s.entered), 1)}
                | ({"state": s.outcome} if s.outcome else {})
                for s in self.states
            ],
            "jobs": self.jobs,
            "reconciliation": self.output,
        }


def run(
    rescore: Annotated[
        str | None,
        typer.Option(help="Also score these days again: 2026-01-01/2026-01-31, both within."),
    ] = None,
    orchestrator: Annotated[
        Orchestrator,
        typer.Option(
            envvar="VOXLAKE_ORCHESTRATOR",
            help="What runs it; auto: Airflow on the laptop where `make airflow` was run.",
        ),
    ] = Orchestrator.AUTO,
    stage: Stage = "local",
    json_: Json = False,
) -> None:
    """Runs the batch path once: landing to cleansed, features, scores, analytics, reconciliation.

    Example: voxlake run
    """
    target = Target(stage)
    done = follow(
        target, show=None if json_ else Progress(), rescore=rescore, orchestrator=orchestrator
    )
    if json_:
        print_json(done.to_dict())
    else:
        summary(done)


def follow(
    target: Target,
    *,
    show: Callable[[Run], None] | None = None,
    rescore: str | None = None,
    orchestrator: Orchestrator = Orchestrator.AUTO,
) -> Run:
    """Runs the batch path by the orchestrator and waits for its end.

    `rescore` names days to score again, as `2026-01-01/2026-01-31`.

    Raises RunError with the failing state, the error and its cause.
    """
    from voxlake.cli import airflow

    if orchestrator is Orchestrator.AUTO:
        by_airflow = target.is_local and airflow.installed() is not None
    else:
        by_airflow = orchestrator is Orchestrator.AIRFLOW
    if show:
        err.print(f"{'Airflow' if by_airflow else 'Step Functions'} runs the batch path")
    return (airflow.follow if by_airflow else follow_execution)(target, show=show, rescore=rescore)


def follow_execution(
    target: Target, *, show: Callable[[Run], None] | None = None, rescore: str | None = None
) -> Run:
    """Starts the state machine and waits for its end; see `follow`."""
    states = target.client("stepfunctions")
    machine = target.output("BatchStateMachineArn")
    given = json.dumps({"rescore": rescore} if rescore else {})
    arn = states.start_execution(stateMachineArn=machine, input=given)["executionArn"]
    done = Run(arn)
    while True:
        execution = states.describe_execution(executionArn=arn)
        history = _history(states, arn)
        done.states = state_times(history)
        done.status = execution["status"]
        done.started, done.stopped = execution["startDate"], execution.get("stopDate")
        if show:
            show(done)
        if done.status != "RUNNING":
            break
        time.sleep(0.4 if target.is_local else 5)
    if done.status != "SUCCEEDED":
        raise RunError(failure(done, execution, history))
    done.output = json.loads(execution.get("output") or "{}")
    done.nothing_pending = any(state.name == "NothingPending" for state in done.states)
    run_id = planned_run_id(history)
    if run_id:
        done.jobs = job_items(target, run_id)
    return done


def _history(states, arn: str) -> list[dict]:
    pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
    return [event for page in pages for event in page["events"]]


def state_times(history: list[dict]) -> list[StateTime]:
    """When each state was entered and left, in order of entry."""
    found: list[StateTime] = []
    for event in history:
        if "stateEnteredEventDetails" in event:
            name = event["stateEnteredEventDetails"]["name"]
            found.append(StateTime(name, event["timestamp"]))
        elif "stateExitedEventDetails" in event:
            name = event["stateExitedEventDetails"]["name"]
            for state in reversed(found):
                if state.name == name and state.left is None:
                    state.left = event["timestamp"]
                    break
    return found


def planned_run_id(history: list[dict]) -> str | None:
    """The run id that the Plan state gave, read from the history."""
    for event in history:
        details = event.get("stateExitedEventDetails", {})
        if details.get("name") == "Plan":
            return _find(json.loads(details.get("output", "{}")), "run_id")
    return None


def _find(value, key: str):
    if isinstance(value, dict):
        if isinstance(value.get(key), str):
            return value[key]
        for inner in value.values():
            found = _find(inner, key)
            if found:
                return found
    return None


def failure(done: Run, execution: dict, history: list[dict]) -> str:
    """One line: the state that failed, the error and its cause."""
    state = done.states[-1].name if done.states else "start"
    error, cause = execution.get("error", ""), execution.get("cause", "")
    for event in reversed(history):
        for key, details in event.items():
            if key.endswith(("FailedEventDetails", "TimedOutEventDetails")):
                error, cause = error or details.get("error", ""), cause or details.get("cause", "")
    try:  # a service's own description, of which only the message helps
        parsed = json.loads(cause)
        for key in ("ErrorMessage", "FailureReason", "errorMessage"):
            cause = parsed.get(key) or cause
    except (ValueError, AttributeError):
        pass
    return f"the run {done.status.lower()} in {state}: {error} {cause}".strip()


def job_items(target: Target, run_id: str) -> dict[str, dict]:
    """The run's ledger items by job: rows in and out, write amplification."""
    from boto3.dynamodb.types import TypeDeserializer

    answer = target.client("dynamodb").query(
        TableName=target.output("LedgerTable"),
        KeyConditionExpression="pk = :run",
        ExpressionAttributeValues={":run": {"S": f"RUN#{run_id}"}},
    )
    read = TypeDeserializer().deserialize
    items = [{k: read(v) for k, v in item.items()} for item in answer["Items"]]
    return {item["sk"]: _plain(item) for item in items}


def _plain(value):
    from decimal import Decimal

    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list) else value


class Progress:
    """Prints a line when a state ends, for a terminal or a log alike."""

    def __init__(self) -> None:
        self.printed: set[tuple[str, datetime]] = set()
        self.status = err.status("Starting") if err.is_terminal else None
        if self.status:
            self.status.start()

    def __call__(self, run: Run) -> None:
        for state in run.states:
            key = (state.name, state.entered)
            if state.left and key not in self.printed:
                self.printed.add(key)
                took = f"  {state.name:<20} {state.seconds(state.left):6.1f} s"
                err.print(f"{took}  {state.outcome or ''}".rstrip())
        if self.status and run.status == "RUNNING" and run.states:
            self.status.update(f"{run.states[-1].name} …")
        elif self.status:
            self.status.stop()


def summary(done: Run) -> None:
    """Prints what each job read and wrote."""
    from rich.table import Table

    if done.nothing_pending:
        out.print("Nothing is pending: no job was started.")
        return
    columns = ("read", "valid", "redelivered", "duplicate", "quarantined", "written")
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("table")
    for column in columns:
        table.add_column(column, justify="right")
    for job in JOBS:
        item = done.jobs.get(job, {})
        if not item.get("counts"):
            continue
        table.add_row(f"[bold]{job}[/bold]")
        for name, counts in sorted(item["counts"].items()):
            cells = (f"{counts[c]:,}" if c in counts else "" for c in columns)
            table.add_row(f"  {name.rpartition('.')[2]}", *cells)
    out.print(table)
    for line in quality_lines(done.jobs):
        out.print(line, soft_wrap=True, highlight=False)
    out.print(f"The run took {done.seconds:.1f} s.")


def quality_lines(jobs: dict[str, dict]) -> list[str]:
    """What the quality rules said in a run: one line in all, and one a warning.

    `jobs` are the run's ledger items.
    """
    from voxlake.quality.summary import is_quality_key

    items = [item for key, item in jobs.items() if is_quality_key(key)]
    if not items:
        return []
    checked, warned = (sum(item[name] for item in items) for name in ("checked", "warned"))
    lines = [f"Quality: {checked:,} checks, {warned:,} warnings"]
    told = [f"  warn: {warning}" for item in items for warning in item["warnings"]]
    if warned > len(told):
        told.append(f"  and {warned - len(told):,} more: see quality_results")
    return lines + told
