"""Pages of list answers."""

from __future__ import annotations

from typing import Any

from localcloud.errors import ServiceError

_DEFAULT = 10


def page(rows: list[dict[str, Any]], params: dict[str, Any], name: str) -> dict[str, Any]:
    """Return one page of rows under `name`, with NextToken where there are more.

    A token is the number of rows already given. Raises ValidationException for any other.
    """
    token, size = params.get("NextToken") or "0", params.get("MaxResults") or _DEFAULT
    if not token.isdecimal():
        raise ServiceError("ValidationException", f"Invalid NextToken: {token!r}")
    start = int(token)
    answer: dict[str, Any] = {name: rows[start : start + size]}
    if start + size < len(rows):
        answer["NextToken"] = str(start + size)
    return answer
