"""The dashboard's sheets: which measures are shown, by what, in which form."""

from __future__ import annotations

from dataclasses import dataclass

FORMS = ("figure", "line", "columns", "bars", "table")
"""figure: one number. line, columns: over time. bars: by name. table: names and numbers."""


@dataclass(frozen=True)
class Visual:
    """One picture.

    Attributes:
        id: the same on every deployment.
        data_set, measures: what it shows.
        by: columns: the axis of a chart, the names of a table's rows; none of a figure.
        colour: column that splits lines and columns.
        compares_trackers: shows trackers side by side, so it leaves out (all), and the choice of a
            tracker does not apply.
    """

    id: str
    title: str
    form: str
    data_set: str
    measures: tuple[str, ...]
    by: tuple[str, ...] = ()
    colour: str = ""
    compares_trackers: bool = False


@dataclass(frozen=True)
class Sheet:
    id: str
    title: str
    visuals: tuple[Visual, ...]


_SPLIT = ("negative", "neutral", "positive")

SHEETS = (
    Sheet(
        "overview",
        "Overview",
        (
            Visual("texts", "Texts", "figure", "sentiment", ("texts",)),
            Visual("negative-share", "Share of negative texts", "figure", "sentiment",
                   ("negative_share",)),
            Visual("polarity", "Mean polarity", "figure", "sentiment", ("polarity",)),
            Visual("open-tickets", "Open tickets", "figure", "tickets", ("open_tickets",)),
            Visual("median-reply", "Median time to first reply (s)", "figure", "tickets",
                   ("median_seconds",)),
            Visual("newest-arrival", "Newest arrival (UTC)", "figure", "events",
                   ("newest_arrival",)),
            Visual("mood-by-day", "Shares of negative and positive texts by day", "line",
                   "sentiment", ("negative_share", "positive_share"), ("day",)),
            Visual("movers", "Newest day against the day before", "table", "movers",
                   ("texts", "texts_before", "newest_negative_share", "negative_share_change"),
                   ("tracker", "day")),
        ),
    ),
    Sheet(
        "sentiment",
        "Sentiment over time",
        (
            Visual("texts-by-day", "Texts by sentiment and day", "columns", "sentiment", _SPLIT,
                   ("day",)),
            Visual("polarity-by-hour", "Mean polarity by hour", "line", "sentiment", ("polarity",),
                   ("hour",)),
            Visual("texts-by-source", "Texts by sentiment and source", "bars", "sentiment", _SPLIT,
                   ("source",)),
        ),
    ),
    Sheet(
        "trackers",
        "Trackers",
        (
            Visual("texts-by-tracker", "Texts by sentiment and tracker", "bars", "sentiment",
                   _SPLIT, ("tracker",), compares_trackers=True),
            Visual("share-by-tracker", "Share of negative texts by tracker", "bars", "sentiment",
                   ("negative_share",), ("tracker",), compares_trackers=True),
            Visual("tracker-by-day", "Share of negative texts by tracker and day", "line",
                   "sentiment", ("negative_share",), ("day",), "tracker", compares_trackers=True),
        ),
    ),
    Sheet(
        "emotions",
        "Emotions",
        (
            Visual("emotion-share", "Share of texts that show an emotion", "bars", "emotions",
                   ("emotion_share",), ("emotion",)),
            Visual("emotion-by-day", "Share of texts that show an emotion by day", "line",
                   "emotions", ("emotion_share",), ("day",), "emotion"),
        ),
    ),
    Sheet(
        "topics",
        "Topics",
        (
            Visual("texts-by-topic", "Texts by topic and sentiment", "bars", "topics", _SPLIT,
                   ("topic",)),
            Visual("topic-moods", "Topics", "table", "topics",
                   ("texts", "negative_share", "polarity"), ("topic",)),
        ),
    ),
    Sheet(
        "engagement",
        "Engagement",
        (
            Visual("reactions-by-day", "Likes, shares and interactions by day", "columns",
                   "engagement", ("likes", "shares", "interactions"), ("day",)),
            Visual("reactions-by-tracker", "Likes and shares by tracker", "bars", "engagement",
                   ("likes", "shares"), ("tracker",), compares_trackers=True),
        ),
    ),
    Sheet(
        "tickets",
        "Tickets",
        (
            Visual("open-by-queue", "Open tickets by queue", "bars", "tickets", ("open_tickets",),
                   ("queue",)),
            Visual("states-by-day", "Tickets by state and day of the text", "columns", "tickets",
                   ("tickets",), ("day",), "state"),
            Visual("reply-by-queue", "Time to first reply by queue (s)", "table", "tickets",
                   ("tickets", "open_tickets", "replied_tickets", "median_seconds", "p90_seconds"),
                   ("queue",)),
        ),
    ),
    Sheet(
        "freshness",
        "Freshness",
        (
            Visual("newest", "Newest records (UTC)", "table", "freshness", ("newest", "records"),
                   ("what",)),
            Visual("events-by-day", "Events by kind and day", "columns", "events", ("events",),
                   ("day",), "kind"),
            Visual("arrivals", "Newest arrival by kind (UTC)", "table", "events",
                   ("events", "newest_arrival"), ("kind",)),
        ),
    ),
)  # fmt: skip
