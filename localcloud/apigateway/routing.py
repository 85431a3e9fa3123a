"""Which route of an HTTP API answers a request.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache

DEFAULT = "$default"
METHODS = {"ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
_VARIABLE = re.compile(r"\{([^{}/]+?)(\+?)\}")


def problem(route_key: str) -> str | None:
    """What is wrong with a route key; None for `$default` and for `METHOD /path`."""
    if route_key == DEFAULT:
        return None
    method, _, path = route_key.partition(" ")
    if method not in METHODS or not path.startswith("/"):
        return f"expected $default or a method and a path, found the route key {route_key!r}"
    if "+}" in path[:-2]:
        return f"expected a greedy variable only at the end, found the route key {route_key!r}"
    return None


def select(
    route_keys: Collection[str], method: str, path: str
) -> tuple[str, dict[str, str]] | tuple[None, None]:
    """The key of the most specific route, with its path parameters; (None, None) without one.

    A full match goes before a greedy one, and that before `$default`; of two, the one that is
    literal where they first differ; a method goes before ANY.
    """
    found = []
    for key in route_keys:
        wanted, _, template = key.partition(" ")
        if key == DEFAULT or wanted not in ("ANY", method):
            continue
        if match := _pattern(template).fullmatch(path):
            names = [name for name, _ in _VARIABLE.findall(template)]
            values = dict(zip(names, match.groups(), strict=True))
            found.append((_rank(template), wanted == "ANY", key, values))
    if found:
        return min(found, key=lambda one: one[:3])[2:]
    return (DEFAULT, {}) if DEFAULT in route_keys else (None, None)


def _rank(template: str) -> tuple[bool, list[int]]:
    kinds = [2 if s.endswith("+}") else int("{" in s) for s in template.split("/")]
    return 2 in kinds, kinds


@cache
def _pattern(template: str) -> re.Pattern[str]:
    parts = _VARIABLE.split(template)  # literal, name, plus, literal, ...
    pattern = re.escape(parts[0])
    for plus, literal in zip(parts[2::3], parts[3::3], strict=True):
        pattern += ("(.+)" if plus else "([^/]+)") + re.escape(literal)
    return re.compile(pattern, re.DOTALL)
