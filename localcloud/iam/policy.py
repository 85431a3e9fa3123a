"""Evaluation of policy documents, with the elements and operators that the template uses.

An explicit Deny wins over any Allow; nothing allowed is an implicit deny. What is not evaluated
here (another operator, NotAction, ...) refuses the request with an error that names it: it could
otherwise allow what AWS denies.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import enum
import functools
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from localcloud.errors import AccessDeniedError

ELEMENTS = {"Sid", "Effect", "Action", "Resource", "Principal", "Condition"}


class Decision(enum.Enum):
    ALLOW = "allow"
    DENY = "explicit deny"
    NEUTRAL = "implicit deny"


def evaluate(
    documents: Iterable[Mapping[str, Any]],
    action: str,
    resource: str,
    context: Mapping[str, Any],
    principal: Mapping[str, list[str]] | None = None,
) -> Decision:
    """What the documents together say of `action` (`s3:GetObject`) on `resource` (an ARN).

    `context` maps condition keys in lower case to a value. With `principal` ({"Service" or "AWS":
    names}) the documents are resource policies, and a statement counts only for who it names.
    Raises `AccessDeniedError` for a statement that is not evaluated here.
    """
    decision = Decision.NEUTRAL
    for document in documents:
        for statement in as_list(document.get("Statement")):
            if not _applies(statement, action, resource, context, principal):
                continue
            if statement["Effect"] == "Deny":
                return Decision.DENY
            decision = Decision.ALLOW
    return decision


def as_list(value: Any) -> list[Any]:
    """Policies write one element where a list of one is meant."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _applies(
    statement: Mapping[str, Any],
    action: str,
    resource: str,
    context: Mapping[str, Any],
    principal: Mapping[str, list[str]] | None,
) -> bool:
    if unknown := set(statement) - ELEMENTS:
        raise _not_evaluated(f"element {', '.join(sorted(unknown))}")
    if not any(_like(p.lower(), action.lower()) for p in as_list(statement.get("Action"))):
        return False
    # Trust policies speak of the role they hang on and have no resource.
    patterns = as_list(statement.get("Resource"))
    if any("${" in p for p in patterns):
        raise _not_evaluated(f"policy variable in {patterns}")
    if patterns and not any(_like(p, resource) for p in patterns):
        return False
    if principal is not None and not _names(statement.get("Principal"), principal):
        return False
    return all(
        _holds(operator, key.lower(), as_list(wanted), context)
        for operator, tests in statement.get("Condition", {}).items()
        for key, wanted in tests.items()
    )


def _names(element: Any, principal: Mapping[str, list[str]]) -> bool:
    if element == "*":
        return True
    return any(
        name == "*" or name in principal[kind]
        for kind, names in (element or {}).items()
        if principal.get(kind)
        for name in as_list(names)
    )


def _holds(operator: str, key: str, wanted: list[Any], context: Mapping[str, Any]) -> bool:
    if operator not in OPERATORS:
        raise _not_evaluated(f"condition operator {operator}")
    compare = OPERATORS[operator]
    return key in context and any(compare(str(w), str(context[key])) for w in wanted)


def _not_evaluated(what: str) -> AccessDeniedError:
    return AccessDeniedError(
        f"the {what} of a policy is not evaluated by the laptop cloud, so what it guards is refused"
    )


@functools.lru_cache(maxsize=8192)
def _wildcard(pattern: str) -> re.Pattern[str]:
    expression = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.compile(expression, re.DOTALL)


def _like(pattern: str, value: str) -> bool:
    """Whether the value matches a pattern in which `*` is any text and `?` one character."""
    return _wildcard(pattern).fullmatch(value) is not None


def _arn_like(pattern: str, value: str) -> bool:
    """Wildcards within each of the six parts of an ARN, none across a colon."""
    patterns, values = pattern.split(":", 5), value.split(":", 5)
    return len(patterns) == len(values) and all(map(_like, patterns, values))


OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda wanted, value: wanted == value,
    "StringLike": _like,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": lambda wanted, value: wanted.lower() == value.lower(),
}
