"""The metric of how people speak of each tracker."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from lambdas.text_enricher.moods import negatives, tell
from tests.unit.tickets.kit import stream_text
from voxlake.times import format_rfc3339, parse_rfc3339


def said(text: str, sentiment: str | None, *, days_old=0.0, trackers=("aurora_air",)):
    found = stream_text(text)
    occurred = parse_rfc3339(found.arrived_at) - timedelta(days=days_old)
    found = replace(found, occurred_at=format_rfc3339(occurred), trackers=trackers)
    return found, {"sentiment": sentiment}


def test_recent_texts_count_once_for_each_tracker_they_match():
    scored = [
        said("@auroraair bad", "negative"),
        said("@auroraair and @brightbank", "positive", trackers=("aurora_air", "brightbank")),
        said("@auroraair hm", "neutral"),
        said("of nobody", "negative", trackers=()),
        said("@auroraair bad, years ago", "negative", days_old=1.5),
        said("@brightbank ¿?", None, trackers=("brightbank",)),
    ]
    assert negatives(scored) == {"aurora_air": [1, 0, 0], "brightbank": [0, 0]}


def test_values_are_written_by_tracker_and_at_most_a_hundred_in_a_line(capsys, monkeypatch):
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "text_enricher")
    tell("voxlake", {"aurora_air": [1] * 250, "brightbank": [0]})
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["tracker"], line["service"], len(line["NegativeTexts"])) for line in lines] == [
        ("aurora_air", "text_enricher", 100),
        ("aurora_air", "text_enricher", 100),
        ("aurora_air", "text_enricher", 50),
        ("brightbank", "text_enricher", 1),
    ]
    (directive,) = lines[0]["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], sorted(directive["Dimensions"][0])) == (
        "voxlake",
        ["service", "tracker"],
    )
