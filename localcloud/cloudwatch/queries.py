"""The queries of GetMetricData and of alarms: metrics, math over them, and a band around them."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from localcloud.cloudwatch import metric_math
from localcloud.cloudwatch.band import Bands
from localcloud.cloudwatch.store import STATISTICS, Key, MetricStore, dimensions_of
from localcloud.errors import ServiceError

_BAND = "ANOMALY_DETECTION_BAND"
_KNOWN = {"Id", "MetricStat", "Expression", "Label", "ReturnData", "Period"}
_KNOWN_STAT = {"Metric", "Period", "Stat"}


@dataclass
class Query:
    """One of a list's: a metric (`key`, `stat`), an expression (`tree`) or a band of `of`.

    `period` is in minutes.
    """

    id: str
    label: str
    returned: bool
    period: int
    key: Key | None = None
    stat: str = ""
    tree: ast.expr | None = None
    of: str = ""
    width: float = 0.0
    bands: Bands | None = field(default=None, repr=False)


class Queries:
    """A checked list of MetricDataQuery, answered from the store.

    Raises `ServiceError` ValidationError for what is wrong or not emulated.
    """

    def __init__(self, store: MetricStore, members: Sequence[Mapping[str, Any]]) -> None:
        self._store = store
        self.by_id: dict[str, Query] = {}
        for member in members:
            if unknown := sorted(set(member) - _KNOWN):
                raise invalid(f"{', '.join(unknown)} of MetricDataQuery is not emulated")
            query = _metric(member) if "MetricStat" in member else _expression(member)
            self.by_id[query.id] = query
        for query in self.by_id.values():
            read = metric_math.names(query.tree) if query.tree else {query.of} - {""}
            if missing := sorted(read - self.by_id.keys()):
                raise invalid(f"expected a query named {missing[0]}, found none")
        for query in self.by_id.values():
            query.period = query.period or self._period(query, [])
        for query in self.by_id.values():
            if query.of:
                query.bands = Bands(lambda start, id=query.of: self.value(id, start), query.period)

    @property
    def metrics(self) -> list[Query]:
        return [query for query in self.by_id.values() if query.key]

    def value(self, id: str, start: int) -> float | None:
        """The data point of the period that starts at a minute since 1970."""
        query = self.by_id[id]
        if query.key is not None:
            bucket = self._store.window(
                query.key, start, start + query.period, spread=query.stat not in STATISTICS
            )
            return None if bucket is None else bucket.statistic(query.stat)
        return metric_math.evaluate(query.tree, lambda name: self.value(name, start))

    def band(self, id: str, start: int) -> tuple[float, float] | None:
        """(lower, upper) of a band's query at that period."""
        query = self.by_id[id]
        return query.bands.band(start, query.width)

    def _period(self, query: Query, seen: list[str]) -> int:
        """An expression's period: the longest of what it reads."""
        if query.id in seen:
            raise invalid(f"{query.id} reads itself")
        if query.period:
            return query.period
        read = metric_math.names(query.tree) if query.tree else {query.of}
        periods = [self._period(self.by_id[name], [*seen, query.id]) for name in read]
        return max(periods, default=1)


def _metric(member: Mapping[str, Any]) -> Query:
    stat = member["MetricStat"]
    if unknown := sorted(set(stat) - _KNOWN_STAT):
        raise invalid(f"{', '.join(unknown)} of MetricStat is not emulated")
    metric = stat["Metric"]
    key = (
        metric["Namespace"],
        metric["MetricName"],
        dimensions_of(metric.get("Dimensions") or ()),
    )
    return Query(
        member["Id"],
        member.get("Label") or metric["MetricName"],
        member.get("ReturnData", True),
        minutes(stat["Period"]),
        key=key,
        stat=statistic(stat["Stat"]),
    )


def _expression(member: Mapping[str, Any]) -> Query:
    if not member.get("Expression"):
        raise invalid(f"{member.get('Id')} needs a MetricStat or an Expression")
    text = member["Expression"]
    query = Query(
        member["Id"],
        member.get("Label") or text,
        member.get("ReturnData", True),
        minutes(member["Period"]) if member.get("Period") else 0,
    )
    if not text.strip().startswith(_BAND):
        query.tree = metric_math.parse(text)
        return query
    found = re.fullmatch(rf"\s*{_BAND}\(\s*(\w+)\s*(?:,\s*([\d.]+)\s*)?\)\s*", text)
    if not found:
        raise invalid(f"expected {_BAND}(id, number), found {text}")
    query.of, query.width = found[1], float(found[2] or 2)
    return query


def minutes(seconds: Any) -> int:
    """A period. Raises `ServiceError` for one below a minute: nothing is kept by the second."""
    if int(seconds) < 60 or int(seconds) % 60:
        raise invalid(f"expected a Period in whole minutes, found {seconds} seconds")
    return int(seconds) // 60


def statistic(name: str) -> str:
    """Raises `ServiceError` for a statistic that is not emulated, such as a trimmed mean."""
    if name not in STATISTICS and not re.fullmatch(r"p(100|\d{1,2}(\.\d+)?)", name):
        raise invalid(f"the statistic {name} is not emulated: expected {', '.join(STATISTICS)}, pN")
    return name


def invalid(message: str) -> ServiceError:
    return ServiceError("ValidationError", message)
