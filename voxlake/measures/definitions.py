"""The measures. Each can be taken of records (texts, tickets, events) and of counts added up.

The report asks the records, the dashboard the counts; a test holds the two to the same figures.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from voxlake.errors import VoxlakeError

SENTIMENTS = ("negative", "neutral", "positive")
STATES = ("open", "replied", "suppressed", "closed")
PERCENTILES = {"median": 0.5, "p90": 0.9}
"""By nearest rank: the least value that so many of all values do not exceed."""


_FUNCTIONS = {"mean": "avg"}


class MeasureError(VoxlakeError):
    """A measure, or a way to take one, that there is not."""


@dataclass(frozen=True)
class Measure:
    """One figure.

    Attributes:
        name: in SQL.
        title: on the page and on the dashboard.
        unit: of its values; `share` is 0 to 1, `UTC` a moment.
        says: what it is, in words.
        rows: SQL over records; empty where there are counts only.
        column: of a data set, from which it is taken.
        how: sum, mean, max, or a percentile's name.
        per: column of the same data set whose sum divides the sum.
    """

    name: str
    title: str
    unit: str
    says: str
    rows: str
    column: str
    how: str = "sum"
    per: str = ""

    def of_counts(self) -> str:
        """Athena's SQL over a data set's rows."""
        if self.per:
            return f"CAST(sum({self.column}) AS DOUBLE) / sum({self.per})"
        if self.how in PERCENTILES:
            return _nearest_rank(self.column, self.how)
        return f"{_FUNCTIONS.get(self.how, self.how)}({self.column})"

    def expression(self) -> str:
        """QuickSight's expression over a data set's rows.

        https://docs.aws.amazon.com/quicksight/latest/user/functions-by-category.html
        """
        column = f"{{{self.column}}}"
        if self.how in PERCENTILES:
            return f"percentileDisc({column}, {PERCENTILES[self.how] * 100:g})"
        function = _FUNCTIONS.get(self.how, self.how)
        return f"{function}({column})" + (f" / sum({{{self.per}}})" if self.per else "")


def _nearest_rank(column: str, which: str) -> str:
    """Athena's own percentiles are approximate."""
    values = f"array_sort(array_agg({column}) FILTER (WHERE {column} IS NOT NULL))"
    return f"element_at({values}, CAST(ceil({PERCENTILES[which]} * count({column})) AS INTEGER))"


def _counted(name: str, title: str, says: str, when: str = "", unit: str = "texts") -> Measure:
    """The records that fulfil a condition."""
    return Measure(name, title, unit, says, f"count_if({when})" if when else "count(*)", name)


_ALL = (
    _counted("texts", "Number of texts", "Posts, comments and messages"),
    *(
        _counted(s, f"{s.title()} texts", f"Texts whose most probable class is {s}",
                 f"sentiment = '{s}'")
        for s in SENTIMENTS
    ),
    Measure(
        "negative_share", "Share of negative texts", "share", "Negative texts of all texts",
        "CAST(count_if(sentiment = 'negative') AS DOUBLE) / count(*)", "negative", per="texts",
    ),
    Measure(
        "positive_share", "Share of positive texts", "share", "Positive texts of all texts",
        "CAST(count_if(sentiment = 'positive') AS DOUBLE) / count(*)", "positive", per="texts",
    ),
    Measure(
        "polarity", "Mean polarity", "-1 to 1",
        "Mean of what is probable as positive less what is probable as negative",
        "avg(polarity)", "polarity_sum", per="texts",
    ),
    Measure(
        "emotion_texts", "Texts with the emotion", "texts",
        "Texts in scope that show an emotion; a text shows any number of them",
        "count(*)", "emotion_texts",
    ),
    Measure(
        "emotion_share", "Share of texts with the emotion", "share",
        "Texts that show an emotion of all texts in scope; by emotion only",
        "", "emotion_texts", per="texts_in_scope",
    ),
    Measure("likes", "Number of likes", "likes", "Likes of the texts when they were taken",
            "sum(like_count)", "likes"),
    Measure("shares", "Number of shares", "shares", "Shares of the texts when they were taken",
            "sum(share_count)", "shares"),
    Measure("interactions", "Number of interactions", "interactions",
            "Likes, shares, follows, views and clicks that came as events of their own",
            "", "interactions"),
    _counted("tickets", "Number of tickets", "Tickets of the days' texts", unit="tickets"),
    *(
        _counted(f"{s}_tickets", f"{s.title()} tickets", f"Tickets that are {s} now",
                 f"state = '{s}'", "tickets")
        for s in STATES
    ),
    Measure(
        "median_seconds", "Median time to first reply", "s",
        "From a text's arrival on the stream to our first reply; tickets with a reply only",
        _nearest_rank("seconds_to_first_reply", "median"), "seconds_to_first_reply", "median",
    ),
    Measure(
        "p90_seconds", "Time to first reply, 9 of 10", "s",
        "The time within which nine of ten tickets with a reply got it",
        _nearest_rank("seconds_to_first_reply", "p90"), "seconds_to_first_reply", "p90",
    ),
    Measure("texts_before", "Texts the day before", "texts", "Texts of the day before the newest",
            "", "texts_before"),
    Measure("newest_negative_share", "Share of negative texts on the newest day", "share",
            "Negative texts of all texts of the newest day", "", "negative_share", "mean"),
    Measure("negative_share_change", "Change of the share of negative texts", "share",
            "The newest day's share less that of the day before", "",
            "negative_share_change", "mean"),
    _counted("events", "Number of events", "Rows of the cleansed tables", unit="events"),
    Measure("newest_arrival", "Newest arrival", "UTC", "When the newest event came to the stream",
            "max(arrival)", "newest_arrival", "max"),
    Measure("newest", "Newest record", "UTC",
            "The newest text's or interaction's time; the last change of a ticket",
            "", "newest", "max"),
    Measure("records", "Number of records", "records", "Records of a kind", "", "records"),
)  # fmt: skip

MEASURES = {measure.name: measure for measure in _ALL}


def of_rows(names: Iterable[str], called: str = "") -> str:
    """`SQL AS name, …` of measures over records, to select them by; `called` renames a single one.

    Raises MeasureError for a measure that is unknown or can be taken of counts only.
    """
    found = []
    for name in names:
        if name not in MEASURES or not MEASURES[name].rows:
            known = ", ".join(m.name for m in _ALL if m.rows)
            raise MeasureError(f"expected measures of records ({known}), found {name!r}")
        found.append(f"{MEASURES[name].rows} AS {called or name}")
    return ", ".join(found)
