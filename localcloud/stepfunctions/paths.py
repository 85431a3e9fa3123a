"""Paths of the states language and payload templates.

A path is `$` (the input) or `$$` (the context object) with `.name`s behind it; other JSONPath is
refused.
"""

from __future__ import annotations

import re
from typing import Any

from localcloud.stepfunctions.errors import PathError

PATH = re.compile(r"(\$\$?)((?:\.[A-Za-z_][\w-]*)*)")


def parse(path: str) -> tuple[bool, list[str]]:
    """Whether the path starts at the context object, and its names. Raises `PathError`."""
    match = PATH.fullmatch(path)
    if not match:
        raise PathError(f"the path {path!r} is not emulated: expected $ or $$ and .names")
    return match[1] == "$$", match[2].split(".")[1:]


def select(path: str, data: Any, context: Any = None) -> Any:
    """The value a path selects. Raises `PathError` when there is none."""
    in_context, names = parse(path)
    value = context if in_context else data
    for name in names:
        if not isinstance(value, dict) or name not in value:
            raise PathError(f"the path {path!r} could not be found in the input")
        value = value[name]
    return value


def place(path: str, data: Any, value: Any) -> Any:
    """`data` with `value` at a path; objects on the way are made. Raises `PathError`."""
    in_context, names = parse(path)
    if in_context:
        raise PathError(f"expected a path into the input, found {path!r}")
    if not names:
        return value
    if not isinstance(data, dict):
        raise PathError(f"{path!r} cannot be placed in an input that is no object")
    inner = data.get(names[0])
    rest = ".".join(["$", *names[1:]])
    inner = inner if isinstance(inner, dict) else {}
    return {**data, names[0]: place(rest, inner, value)}


def fill(template: Any, data: Any, context: Any) -> Any:
    """A payload template with every field whose name ends in `.$` evaluated."""
    from localcloud.stepfunctions.intrinsics import evaluate

    if isinstance(template, list):
        return [fill(item, data, context) for item in template]
    if not isinstance(template, dict):
        return template
    result = {}
    for name, value in template.items():
        if name.endswith(".$"):
            result[name[:-2]] = evaluate(value, data, context)
        else:
            result[name] = fill(value, data, context)
    return result
