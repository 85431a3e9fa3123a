"""Checks a definition when a state machine is made: what is not emulated is refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from localcloud.stepfunctions import choice, intrinsics, paths
from localcloud.stepfunctions.errors import InvalidDefinitionError, PathError
from localcloud.stepfunctions.integrations import INTEGRATIONS, integration

MACHINE = {"Comment", "StartAt", "States", "TimeoutSeconds"}
COMMON = {"Type", "Comment", "InputPath", "OutputPath"}
SHAPED = COMMON | {"Next", "End", "Parameters", "ResultPath"}
FIELDS = {
    "Task": SHAPED | {"Resource", "ResultSelector", "TimeoutSeconds", "Retry", "Catch"},
    "Pass": SHAPED | {"Result"},
    "Choice": COMMON | {"Choices", "Default"},
    "Succeed": COMMON,
    "Fail": {"Type", "Comment", "Error", "Cause"},
}
RETRY = {"ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate", "Comment"}
CATCH = {"ErrorEquals", "ResultPath", "Next", "Comment"}


def parse(text: str) -> dict[str, Any]:
    """The definition as a dict. Raises `InvalidDefinitionError` naming place and fault."""
    try:
        machine = json.loads(text)
    except ValueError as error:
        raise InvalidDefinitionError("/", f"not JSON: {error}") from None
    if not isinstance(machine, dict) or not isinstance(machine.get("States"), dict):
        raise InvalidDefinitionError("/", "expected an object with StartAt and States")
    _only(machine, MACHINE, "/")
    states = machine["States"]
    _next(machine.get("StartAt"), states, "/StartAt")
    for name, state in states.items():
        _state(state, states, f"/States/{name}")
    return machine


def _state(state: Mapping[str, Any], states: Mapping[str, Any], place: str) -> None:
    kind = state.get("Type")
    if kind not in FIELDS:
        raise InvalidDefinitionError(f"{place}/Type", f"the state type {kind!r} is not emulated")
    _only(state, FIELDS[kind], place)
    for field in ("InputPath", "OutputPath", "ResultPath"):
        if state.get(field) is not None:
            _readable(paths.parse, state[field], f"{place}/{field}")
    for field in ("Parameters", "ResultSelector"):
        _template(state.get(field), f"{place}/{field}")
    if "Next" in FIELDS[kind] and state.get("End") is not True:
        _next(state.get("Next"), states, f"{place}/Next")
    for field, known in (("Retry", RETRY), ("Catch", CATCH)):
        for index, entry in enumerate(state.get(field, [])):
            where = f"{place}/{field}[{index}]"
            _only(entry, known, where)
            if not entry.get("ErrorEquals"):
                raise InvalidDefinitionError(where, "expected ErrorEquals with at least one name")
            if field == "Catch":
                _next(entry.get("Next"), states, f"{where}/Next")
    if kind == "Task" and integration(state.get("Resource", "")) is None:
        raise InvalidDefinitionError(
            f"{place}/Resource",
            f"the resource {state.get('Resource')!r} is not emulated: expected"
            f" {', '.join(INTEGRATIONS)}",
        )
    if kind == "Choice":
        if not state.get("Choices"):
            raise InvalidDefinitionError(place, "expected at least one rule in Choices")
        for index, rule in enumerate(state["Choices"]):
            _next(rule.get("Next"), states, f"{place}/Choices[{index}]/Next")
            _rule(rule, f"{place}/Choices[{index}]")
        if "Default" in state:
            _next(state["Default"], states, f"{place}/Default")


def _rule(rule: Mapping[str, Any], place: str) -> None:
    for combination in {"And", "Or", "Not"} & rule.keys():
        inner = rule[combination]
        for part in inner if isinstance(inner, list) else [inner]:
            _rule(part, f"{place}/{combination}")
        return
    _readable(choice.operator_of, rule, place)
    _readable(paths.parse, rule["Variable"], f"{place}/Variable")


def _template(template: Any, place: str) -> None:
    if isinstance(template, list):
        for index, item in enumerate(template):
            _template(item, f"{place}[{index}]")
    elif isinstance(template, Mapping):
        for name, value in template.items():
            if name.endswith(".$"):
                _readable(intrinsics.check, value, f"{place}/{name}")
            else:
                _template(value, f"{place}/{name}")


def _only(entry: Mapping[str, Any], known: set[str], place: str) -> None:
    if unknown := sorted(set(entry) - known):
        raise InvalidDefinitionError(place, f"the fields {unknown} are not emulated")


def _next(name: Any, states: Mapping[str, Any], place: str) -> None:
    if name not in states:
        raise InvalidDefinitionError(place, f"expected the name of a state, found {name!r}")


def _readable(read: Callable[[Any], Any], value: Any, place: str) -> None:
    try:
        read(value)
    except PathError as error:
        raise InvalidDefinitionError(place, str(error)) from None
