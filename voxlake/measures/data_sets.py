"""The data sets that QuickSight keeps: counts and tickets, without texts and without authors.

A data set that is refreshed by its day takes the last days anew; rows of a day stay on that day.
Others, whose rows change whenever they like, are taken whole.
"""

from __future__ import annotations

from dataclasses import dataclass

from voxlake.measures.definitions import STATES, of_rows

EVENT_KINDS = ("posts", "comments", "messages", "interactions", "profiles")
"""Cleansed tables of events."""

ALL = "(all)"
"""The tracker under which every text counts once."""

# A text counts as (all), and for each of its trackers, or else as (none).
_BY_TRACKER = (
    "CROSS JOIN UNNEST(ARRAY['(all)'] || "
    "IF(cardinality({0}.trackers) > 0, {0}.trackers, ARRAY['(none)'])) AS t (tracker)"
)

_WHEN = {"day": "date", "hour": "timestamp"}


@dataclass(frozen=True)
class DataSet:
    """One data set.

    Attributes:
        name: in the dashboard and, with the stage's prefix, its id.
        asks: the question it answers.
        query: Athena's SQL, with `{analytics}` and `{cleansed}` where databases stand.
        columns: (name, Athena's type) in the order of the query.
        by_day: whether it is refreshed by `day`; else it is taken whole every time.
    """

    name: str
    asks: str
    query: str
    columns: tuple[tuple[str, str], ...]
    by_day: bool = True

    def sql(self, analytics: str, cleansed: str) -> str:
        """Its SQL over the databases of a stage."""
        return self.query.format(analytics=analytics, cleansed=cleansed)

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.columns)


def events_by_day(measures: tuple[str, ...], called: str = "") -> str:
    """SQL with a row for each day and kind of event: dt, kind, the measures."""
    return " UNION ALL ".join(
        f"SELECT dt, '{kind}' AS kind, {of_rows(measures, called)} FROM {{cleansed}}.{kind} "
        "GROUP BY dt"
        for kind in EVENT_KINDS
    )


def _columns(text: str = "", counts: str = "", **others: str) -> tuple[tuple[str, str], ...]:
    """`text` and `counts` name columns, days and hours among the former."""
    named = [(name, _WHEN.get(name, "varchar")) for name in text.split()]
    return (*named, *((name, "bigint") for name in counts.split()), *others.items())


_ALL = (
    DataSet(
        "sentiment",
        "How do people feel, when, about which tracker?",
        "SELECT CAST(dt AS DATE) AS day, hour, tracker, source, event_type, texts, negative, "
        "neutral, positive, polarity_sum FROM {analytics}.sentiment_hourly",
        _columns(
            "day hour tracker source event_type", "texts negative neutral positive",
            polarity_sum="double",
        ),
    ),
    DataSet(
        "topics",
        "Which topics make people angry with which tracker?",
        "SELECT CAST(dt AS DATE) AS day, hour, tracker, topic, texts, negative, neutral, positive, "
        "polarity_sum FROM {analytics}.sentiment_by_topic",
        _columns(
            "day hour tracker topic", "texts negative neutral positive", polarity_sum="double"
        ),
    ),
    DataSet(
        "emotions",
        "Which emotions does each tracker bring out?",
        # A row for each emotion even where no text has any: the shares' denominators add up.
        "SELECT CAST(s.dt AS DATE) AS day, s.tracker, s.source, n.emotion, "
        "coalesce(e.texts, 0) AS emotion_texts, s.texts_in_scope "
        "FROM (SELECT c.dt, t.tracker, c.source, count(*) AS texts_in_scope "
        "FROM {analytics}.texts_scored c " + _BY_TRACKER.format("c") + " "
        "WHERE c.in_scope GROUP BY c.dt, t.tracker, c.source) s "
        "CROSS JOIN (SELECT DISTINCT emotion FROM {analytics}.emotion_daily) n "
        "LEFT JOIN {analytics}.emotion_daily e ON e.dt = s.dt AND e.tracker = s.tracker "
        "AND e.source = s.source AND e.emotion = n.emotion",
        _columns("day tracker source emotion", "emotion_texts texts_in_scope"),
    ),
    DataSet(
        "engagement",
        "What do people react to?",
        "SELECT CAST(dt AS DATE) AS day, tracker, source, event_type, texts, likes, shares, "
        "interactions_like + interactions_share + interactions_follow + interactions_view "
        "+ interactions_click AS interactions FROM {analytics}.engagement_daily",
        _columns("day tracker source event_type", "texts likes shares interactions"),
    ),
    DataSet(
        "tickets",
        "Who waits for an answer, in which queue, and for how long?",
        "SELECT CAST(k.dt AS DATE) AS day, t.tracker, k.queue, k.state, k.kind, k.source, "
        "CAST(1 AS BIGINT) AS tickets, "
        + ", ".join(
            f"CAST(IF(k.state = '{s}', 1, 0) AS BIGINT) AS {s}_tickets" for s in STATES
        )
        + ", k.seconds_to_first_reply FROM {analytics}.tickets k " + _BY_TRACKER.format("k"),
        _columns(
            "day tracker queue state kind source",
            " ".join(["tickets", *(f"{s}_tickets" for s in STATES)]),
            seconds_to_first_reply="double",
        ),
        by_day=False,
    ),
    DataSet(
        "movers",
        "What changed since the day before, by tracker?",
        "SELECT CAST(dt AS DATE) AS day, tracker, texts, texts_before, negative_share, "
        "negative_share_change FROM {analytics}.movers_daily "
        "WHERE dt = (SELECT max(dt) FROM {analytics}.movers_daily)",
        _columns(
            "day tracker", "texts texts_before", negative_share="double",
            negative_share_change="double",
        ),
        by_day=False,
    ),
    DataSet(
        "freshness",
        "Is the data fresh?",
        "SELECT what, newest, records FROM {analytics}.freshness",
        _columns("what", newest="timestamp", records="bigint"),
        by_day=False,
    ),
    DataSet(
        "events",
        "How much came in, of which kind, and when last?",
        "SELECT CAST(dt AS DATE) AS day, kind, events, newest_arrival FROM ("
        + events_by_day(("events", "newest_arrival")) + ") e",
        _columns("day kind", "events", newest_arrival="timestamp"),
    ),
)  # fmt: skip

DATA_SETS = {data_set.name: data_set for data_set in _ALL}
