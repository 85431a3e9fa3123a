"""Rules of Choice states."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

from localcloud.stepfunctions.errors import PathError
from localcloud.stepfunctions.paths import select

NUMBER = (int, float)
# operator: (types it compares, comparison); other types never hold
COMPARISONS = {
    "StringEquals": (str, operator.eq),
    "BooleanEquals": (bool, operator.eq),
    "NumericEquals": (NUMBER, operator.eq),
    "NumericLessThan": (NUMBER, operator.lt),
    "NumericLessThanEquals": (NUMBER, operator.le),
    "NumericGreaterThan": (NUMBER, operator.gt),
    "NumericGreaterThanEquals": (NUMBER, operator.ge),
}


def operator_of(rule: Mapping[str, Any]) -> str:
    """The comparison a rule holds. Raises `PathError` for none or one that is not emulated."""
    names = [n for n in rule if n not in ("Variable", "Next", "Comment")]
    if len(names) != 1 or "Variable" not in rule or names[0] not in (*COMPARISONS, "IsPresent"):
        raise PathError(
            f"expected Variable and one of {', '.join(COMPARISONS)} and IsPresent, found"
            f" {', '.join(rule)}: other comparisons are not emulated"
        )
    return names[0]


def holds(rule: Mapping[str, Any], data: Any, context: Any) -> bool:
    """Whether a rule holds. Raises `PathError` when its variable is absent (except IsPresent)."""
    if "And" in rule:
        return all(holds(r, data, context) for r in rule["And"])
    if "Or" in rule:
        return any(holds(r, data, context) for r in rule["Or"])
    if "Not" in rule:
        return not holds(rule["Not"], data, context)
    name = operator_of(rule)
    try:
        value = select(rule["Variable"], data, context)
    except PathError:
        if name == "IsPresent":
            return not rule[name]
        raise
    if name == "IsPresent":
        return rule[name]
    kind, compare = COMPARISONS[name]
    if not isinstance(value, kind) or (kind is NUMBER and isinstance(value, bool)):
        return False
    return compare(value, rule[name])
