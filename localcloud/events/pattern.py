"""Event patterns: exact values and prefixes; other operators are refused when a rule is made.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from localcloud.errors import ServiceError


def parse(text: str) -> dict[str, Any]:
    """A pattern, checked. Raises `ServiceError` InvalidEventPatternException."""
    try:
        pattern = json.loads(text)
    except ValueError as error:
        raise invalid(f"not JSON: {error}") from None
    _check(pattern, "")
    return pattern


def _check(pattern: Any, place: str) -> None:
    if not isinstance(pattern, Mapping) or not pattern:
        raise invalid(f"expected an object that is not empty at {place or '/'}")
    for name, value in pattern.items():
        where = f"{place}/{name}"
        if name.startswith("$"):
            raise invalid(f"the operator {name} at {place or '/'} is not emulated")
        if not isinstance(value, list):
            _check(value, where)
        elif not value:
            raise invalid(f"expected values at {where}, found an empty list")
        for entry in value if isinstance(value, list) else []:
            if isinstance(entry, Mapping) and not (
                list(entry) == ["prefix"] and isinstance(entry["prefix"], str)
            ):
                raise invalid(
                    f"the operator {json.dumps(entry)} at {where} is not emulated: expected"
                    " values or prefix"
                )


def matches(pattern: Mapping[str, Any], event: Any) -> bool:
    """Whether an event matches; in an array of the event one matching element is enough."""
    for name, wanted in pattern.items():
        if not isinstance(event, Mapping) or name not in event:
            return False
        values = event[name] if isinstance(event[name], list) else [event[name]]
        if isinstance(wanted, Mapping):
            if not any(matches(wanted, value) for value in values):
                return False
        elif not any(_one(entry, value) for entry in wanted for value in values):
            return False
    return True


def _one(entry: Any, value: Any) -> bool:
    if isinstance(entry, Mapping):
        return isinstance(value, str) and value.startswith(entry["prefix"])
    return type(entry) is type(value) and entry == value


def invalid(message: str) -> ServiceError:
    return ServiceError("InvalidEventPatternException", f"Event pattern is not valid. {message}")
