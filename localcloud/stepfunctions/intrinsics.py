"""Paths and intrinsic functions, as the fields whose name ends in `.$` hold them.

https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from localcloud.stepfunctions import paths
from localcloud.stepfunctions.errors import PathError

TOKEN = re.compile(
    r"\s*(?:'(?P<text>(?:[^'\\]|\\.)*)'|(?P<word>true|false|null)\b"
    r"|(?P<call>States\.\w+)\s*\(|(?P<path>\$[^,()'\s]*))\s*"
)
PLACES = re.compile(r"\\.|\{\}")


def check(expression: str) -> None:
    """Raises `PathError` for a path or function that is not emulated."""
    _read(expression)


def evaluate(expression: str, data: Any, context: Any) -> Any:
    """The value of a path or a call. Raises `PathError`."""
    try:
        return _value(_read(expression), data, context)
    except (TypeError, ValueError) as error:
        raise PathError(f"{expression} failed: {error}") from error


def _read(expression: str) -> tuple[str, Any]:
    """The syntax tree: (text, word or path, its content) or (function, its arguments)."""
    if not isinstance(expression, str) or expression[:1] not in ("$", "S"):
        raise PathError(f"expected a path or an intrinsic function, found {expression!r}")
    node, end = _term(expression, 0)
    if end != len(expression):
        raise PathError(f"{expression[end:]!r} of {expression!r} is not emulated")
    return node


def _term(text: str, start: int) -> tuple[tuple[str, Any], int]:
    match = TOKEN.match(text, start)
    if not match:
        raise PathError(f"{text[start:]!r} of {text!r} is not emulated")
    if match["path"]:
        paths.parse(match["path"])
    if not match["call"]:
        return (match.lastgroup, match[match.lastgroup]), match.end()
    if match["call"] not in FUNCTIONS:
        raise PathError(f"the intrinsic function {match['call']} is not emulated")
    arguments, end = [], match.end()
    while True:
        argument, end = _term(text, end)
        arguments.append(argument)
        end += 1
        if text[end - 1 : end] == ")":
            break
        if text[end - 1 : end] != ",":
            raise PathError(f"expected , or ) at {text[end - 1 :]!r} of {text!r}")
    return (match["call"], arguments), end + len(text[end:]) - len(text[end:].lstrip())


def _value(node: tuple[str, Any], data: Any, context: Any) -> Any:
    kind, content = node
    if kind == "path":
        return paths.select(content, data, context)
    if kind == "word":
        return json.loads(content)
    if kind == "text":
        return re.sub(r"\\(.)", r"\1", content)
    if kind == "States.Format" and content[0][0] == "text":
        # an escaped brace is text, so the template is taken before escapes are resolved
        return _format(content[0][1], *(_value(a, data, context) for a in content[1:]))
    return FUNCTIONS[kind](*(_value(a, data, context) for a in content))


def _format(template: str, *values: Any) -> str:
    wanted = PLACES.findall(template).count("{}")
    if wanted != len(values):
        raise PathError(f"States.Format has {wanted} places and {len(values)} values")
    rest = iter(values)

    def piece(match: re.Match[str]) -> str:
        if match[0] != "{}":
            return match[0][1:]
        value = next(rest)
        return value if isinstance(value, str) else json.dumps(value)

    return PLACES.sub(piece, template)


def _merge(first: dict, second: dict, deep: bool) -> dict:
    if deep:
        raise PathError("States.JsonMerge merges shallowly only: expected false")
    return {**first, **second}


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "States.Format": _format,
    "States.JsonMerge": _merge,
    "States.StringToJson": json.loads,
}
