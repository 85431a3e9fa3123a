"""Metric filters: log events that match a pattern, counted as a metric.

Patterns are JSON ones, `{ ($.level = "ERROR") || ($.level = "FATAL") }`: comparisons of a member
with a string (`*` for anything) or a number, joined by && and ||; and "" for every event. Others
are refused when the filter is put.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import fnmatch
import json
import operator
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from localcloud.cloudwatch.store import Bucket, minute_of
from localcloud.core import Cloud
from localcloud.errors import ServiceError

_ONE = re.compile(r'\(?\s*\$\.([\w.]+)\s*(=|!=|>=|<=|>|<)\s*("[^"]*"|-?[\d.]+)\s*\)?')
_COMPARED = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_KNOWN = {"metricName", "metricNamespace", "metricValue", "unit"}


def check(params: Mapping[str, Any]) -> None:
    """Raises `ServiceError` for a filter that would not be counted rightly."""
    _parse(params["filterPattern"])
    for transformation in params["metricTransformations"]:
        unknown = sorted(k for k, v in transformation.items() if k not in _KNOWN and v is not None)
        value = transformation["metricValue"]
        if unknown or not re.fullmatch(r"-?\d+(\.\d+)?", value):
            what = ", ".join(unknown) or f"metricValue {value}"
            raise ServiceError("InvalidParameterException", f"{what} is not emulated")


def count(cloud: Cloud, group: str, messages: Iterable[str]) -> None:
    """Counts the events of a log group that match its filters, at the cloud's time."""
    from moto.logs.models import logs_backends

    every = logs_backends[cloud.account][cloud.region].filters.metric_filters
    filters = [one for one in every if one["logGroupName"] == group]
    for one in filters:
        pattern = _parse(one["filterPattern"])
        matching = sum(_matches(pattern, message) for message in messages)
        for to in one["metricTransformations"] if matching else ():
            value = float(to["metricValue"])
            key = (to["metricNamespace"], to["metricName"], ())
            minute, bucket = minute_of(cloud.clock.now()), Bucket.of([value], [matching])
            cloud.metric_store.add(key, minute, bucket, to.get("unit") or "None")


@lru_cache(maxsize=128)
def _parse(text: str) -> tuple[tuple[tuple[str, str, str | float], ...], ...]:
    """The alternatives of a pattern, each the comparisons (path, operator, value) it wants."""
    if not text.strip():
        return ((),)
    alternatives = []
    inner = re.fullmatch(r"\s*\{(.*)\}\s*", text, re.DOTALL)
    for alternative in inner[1].split("||") if inner else ():
        found = [_ONE.fullmatch(part.strip()) for part in alternative.split("&&")]
        if not all(found):
            break
        alternatives.append(tuple((m[1], m[2], json.loads(m[3])) for m in found))
    else:
        if alternatives:
            return tuple(alternatives)
    raise ServiceError("InvalidParameterException", f"the pattern {text} is not emulated")


def _matches(pattern: Any, message: str) -> bool:
    if pattern == ((),):
        return True
    if not message.startswith("{"):
        return False
    try:
        document = json.loads(message)
    except ValueError:
        return False
    return any(all(_holds(document, *one) for one in every) for every in pattern)


def _holds(document: Any, path: str, sign: str, wanted: str | float) -> bool:
    for name in path.split("."):
        if not isinstance(document, dict) or name not in document:
            return False
        document = document[name]
    if isinstance(wanted, str):
        same = isinstance(document, str) and fnmatch.fnmatchcase(document, wanted)
        return same if sign == "=" else sign == "!=" and not same
    if isinstance(document, bool) or not isinstance(document, int | float):
        return False
    if sign in _COMPARED:
        return _COMPARED[sign](document, wanted)
    return (document == wanted) == (sign == "=")
