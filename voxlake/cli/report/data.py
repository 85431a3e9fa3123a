"""What the report says, asked of Athena: plain numbers and masked texts, no formatting."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from voxlake.cli import query, reconcile
from voxlake.cli.report.doubts import Doubt, gather_doubts, metrics_of
from voxlake.cli.report.quality import Quality, gather_quality
from voxlake.cli.report.said import Said, gather_said
from voxlake.cli.report.shares import SENTIMENTS, Shares, Split
from voxlake.cli.report.tickets import Tickets, gather_tickets
from voxlake.cli.target import Target
from voxlake.measures import of_rows
from voxlake.measures.data_sets import events_by_day

HOURLY_SPAN = timedelta(days=4)  # a longer span is drawn by day
STRAY_SHARE = 0.01  # a day with a smaller part of all events is not drawn
CLOUD_WORDS = 60
MASKED_HANDLE = re.compile(r"([A-Za-z0-9]{1,16}_[0-9a-f]{4})[0-9a-f]{20}")


@dataclass(frozen=True)
class EngagedPost:
    """A text with its engagement; the text is the lake's masked one, handles shortened."""

    text: str
    sentiment: str
    likes: int
    shares: int
    day: str


@dataclass
class ReportData:
    """Everything that the page shows."""

    made_at: datetime
    overall: Split
    days: list[Split] = field(default_factory=list)
    over_time: list[Split] = field(default_factory=list)
    by_hour: bool = False
    trackers: list[Split] = field(default_factory=list)
    tracker_days: dict[str, list[Split]] = field(default_factory=dict)
    volumes: dict[str, dict[str, int]] = field(default_factory=dict)
    stray_events: int = 0
    engaged: list[EngagedPost] = field(default_factory=list)
    words: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    quarantine: list[dict] = field(default_factory=list)
    accounts: dict = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    models: list[str] = field(default_factory=list)
    metrics: dict = field(default_factory=dict)
    said: Said = field(default_factory=Said)
    doubts: dict[str, list[Doubt]] = field(default_factory=dict)
    tickets: Tickets = field(default_factory=Tickets)
    quality: Quality = field(default_factory=Quality)

    @property
    def synthetic(self) -> int:
        """Texts that the mock server made up."""
        return self.sources.get("mock", 0)


COUNTS = of_rows((*SENTIMENTS, "polarity"))
SCORED = "voxlake_analytics.texts_scored"
TRACKED = f"{SCORED} CROSS JOIN UNNEST(trackers) AS t (tracker)"


def gather(
    target: Target, *, names: dict[str, str], queues: dict[str, str], models: Path
) -> ReportData:
    """Asks the warehouse.

    Args:
        names, queues: names of trackers and queues by id.
        models: folder of the packaged models.

    Raises QueryError when a table is missing or a query fails.
    """

    def ask(sql: str) -> list[dict]:
        return query.ask(target, sql).dicts()

    def splits(name: str, source: str = SCORED, tail: str = "ORDER BY 1") -> list[Split]:
        rows = ask(f"SELECT {name} AS name, {COUNTS} FROM {source} GROUP BY 1 {tail}")
        return [Split(**row) for row in rows]

    whole = ask(f"SELECT {COUNTS} FROM {SCORED}")[0]
    overall = Split("all", *(whole[s] or 0 for s in SENTIMENTS), whole["polarity"] or 0.0)
    data = ReportData(made_at=datetime.now(UTC), overall=overall)
    data.accounts = reconcile.ask(target, repair=False)
    data.quarantine = ask(
        "SELECT reason, coalesce(field, '') AS field, event_type, count(*) AS records "
        "FROM voxlake_cleansed.quarantine GROUP BY 1, 2, 3 ORDER BY records DESC, reason"
    )
    data.volumes, data.stray_events = without_stray_days(_volumes(ask))
    data.tickets = gather_tickets(ask, names=queues)
    data.quality = gather_quality(ask)
    if not overall.total:
        return data
    data.days = [day for day in splits("dt") if day.name in data.volumes]
    data.by_hour = _span(data.days) <= HOURLY_SPAN
    hour = "date_format(date_trunc('hour', occurred_at), '%Y-%m-%d %H:00')"
    hours = splits(hour) if data.by_hour else []
    data.over_time = [h for h in hours if h.name[:10] in data.volumes] or data.days
    data.trackers = [
        Split(names.get(s.name, s.name), s.negative, s.neutral, s.positive, s.polarity)
        for s in splits("tracker", TRACKED, "ORDER BY count(*) DESC LIMIT 12")
    ]
    for row in ask(f"SELECT tracker, dt AS name, {COUNTS} FROM {TRACKED} GROUP BY 1, 2 ORDER BY 2"):
        tracker = names.get(row.pop("tracker"), "")
        data.tracker_days.setdefault(tracker, []).append(Split(**row))
    data.sources = {
        r["source"]: r["n"]
        for r in ask(
            f"SELECT source, {of_rows(['texts'], 'n')} FROM {SCORED} GROUP BY 1 ORDER BY 1"
        )
    }
    data.models = [r["model"] for r in ask(f"SELECT DISTINCT model FROM {SCORED} ORDER BY 1")]
    data.metrics = metrics_of(models, data.models)
    data.said = gather_said(
        ask,
        moment=hour if data.by_hour else "dt",
        moments=[split.name for split in data.over_time],
        counts=COUNTS,
    )
    data.said.trackers = [
        Shares(names.get(one.name, one.name), one.total, one.texts) for one in data.said.trackers
    ]
    data.doubts = gather_doubts(ask)
    data.engaged = [_engaged(row) for row in ask(_ENGAGED)]
    for row in ask(_WORDS):
        data.words.setdefault(row["sentiment"], []).append((row["word"], row["texts"]))
    return data


_ENGAGED = f"""
    SELECT text, sentiment, coalesce(like_count, 0) AS likes, coalesce(share_count, 0) AS shares, dt
    FROM {SCORED} WHERE coalesce(like_count, 0) + coalesce(share_count, 0) > 0
    ORDER BY coalesce(like_count, 0) + 2 * coalesce(share_count, 0) DESC, event_id LIMIT 8"""

# A word belongs to the sentiment's cloud by how much likelier it is there than elsewhere, so that
# what everybody writes about (the brands' own names) does not fill all three.
_WORDS = f"""
    WITH w AS (SELECT sentiment, word, sum(texts) AS texts
               FROM voxlake_analytics.word_frequencies WHERE tracker = '(all)' GROUP BY 1, 2),
         s AS (SELECT word, sum(texts) AS texts FROM w GROUP BY 1),
         n AS (SELECT sentiment, sum(texts) AS texts FROM w GROUP BY 1),
         a AS (SELECT sum(texts) AS texts FROM w),
         r AS (SELECT w.sentiment, w.word, w.texts,
                      1.0 * w.texts * a.texts / (1.0 * n.texts * s.texts) AS lift
               FROM w JOIN s ON s.word = w.word JOIN n ON n.sentiment = w.sentiment CROSS JOIN a),
         k AS (SELECT sentiment, word, texts, row_number() OVER
                 (PARTITION BY sentiment ORDER BY texts * (lift - 0.9) DESC, word) AS place
               FROM r WHERE lift > 1.05)
    SELECT sentiment, word, texts FROM k WHERE place <= {CLOUD_WORDS} ORDER BY sentiment, place"""


def _volumes(ask) -> dict[str, dict[str, int]]:
    """Day -> event table -> rows."""
    union = events_by_day(("events",), "n").format(cleansed="voxlake_cleansed")
    found: dict[str, dict[str, int]] = {}
    for row in ask(f"SELECT dt, kind, n FROM ({union}) u ORDER BY dt"):
        found.setdefault(row["dt"], {})[row["kind"]] = row["n"]
    return found


def without_stray_days(
    volumes: dict[str, dict[str, int]],
) -> tuple[dict[str, dict[str, int]], int]:
    """The days worth drawing, and the number of events on the others.

    A handful of late events lie days or years before the rest; drawn, they would push everything
    else to one side.
    """
    totals = {day: sum(kinds.values()) for day, kinds in volumes.items()}
    least = STRAY_SHARE * sum(totals.values())
    drawn = {day: kinds for day, kinds in volumes.items() if totals[day] >= least}
    return drawn, sum(totals[day] for day in volumes if day not in drawn)


def _span(days: list[Split]) -> timedelta:
    return date.fromisoformat(days[-1].name) - date.fromisoformat(days[0].name)


def _engaged(row: dict) -> EngagedPost:
    text = shortened(row["text"])
    return EngagedPost(text, row["sentiment"], row["likes"], row["shares"], row["dt"])


def shortened(text: str) -> str:
    """The masked text with pseudonyms short enough to be read past."""
    return MASKED_HANDLE.sub(r"\1…", text)
