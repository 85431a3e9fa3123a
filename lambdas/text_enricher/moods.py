"""How people speak of each tracker now: the metric that its alarms watch.

One value a text and tracker it matches: 1 for a negative text, 0 for another. So its average is the
share of negative texts and its count of samples the number of texts, for the price of one metric a
tracker. A text that is older than a day when it arrives says nothing of now (a video's old
comments, a file that is loaded) and is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from voxlake.tickets.texts import StreamText
from voxlake.times import parse_rfc3339

METRIC = "NegativeTexts"
FRESH = timedelta(days=1)


def negatives(scored: Iterable[tuple[StreamText, Mapping[str, Any]]]) -> dict[str, list[int]]:
    """Of each tracker's id, a value for every recent text that matches it."""
    found: dict[str, list[int]] = {}
    for text, score in scored:
        if text.trackers and not _old(text):
            for tracker in text.trackers:
                found.setdefault(tracker, []).append(int(score["sentiment"] == "negative"))
    return found


def tell(namespace: str, found: Mapping[str, list[int]]) -> None:
    """Writes the values as embedded metrics, with the dimensions service and tracker."""
    for tracker, values in found.items():
        metrics = EphemeralMetrics(namespace=namespace)
        metrics.add_dimension("tracker", tracker)
        for value in values:
            metrics.add_metric(METRIC, MetricUnit.Count, value)
        if metrics.metric_set:  # a hundred values are written at once
            metrics.flush_metrics()


def _old(text: StreamText) -> bool:
    return parse_rfc3339(text.arrived_at) - parse_rfc3339(text.occurred_at) > FRESH
