"""Views of the catalog: the newest row of each thing, and what people ask first.

Redshift's `marts` has the latter too. Free of the CDK, so that tests read them without it.
"""

from dataclasses import dataclass

from infra.config import StageConfig
from voxlake.tables import TABLES


@dataclass(frozen=True)
class CurrentView:
    """A view of the newest event of every native object (an edited post is a new event)."""

    name: str
    table: str
    identity: tuple[str, ...]

    def sql(self, database: str) -> str:
        columns = ", ".join([*TABLES[self.table].column_names, "dt"])
        identity = ", ".join(self.identity)
        # occurred_at alone may tie; event_id makes the choice the same every time.
        return (
            f"SELECT {columns} FROM (SELECT {columns}, row_number() OVER ("
            f"PARTITION BY {identity} ORDER BY occurred_at DESC, event_id DESC) AS newest "
            f"FROM {database}.{self.table}) WHERE newest = 1"
        )


VIEWS = (
    CurrentView("posts_current", "posts", ("source", "post_id")),
    CurrentView("comments_current", "comments", ("source", "comment_id")),
    CurrentView("profiles_current", "profiles", ("source", "author_id")),
    CurrentView("texts_current", "texts_scored", ("source", "event_type", "native_id")),
)


@dataclass(frozen=True)
class AnalystView:
    """A view in the analytics database.

    Attributes:
        query: its SQL, with `{analytics}` and `{cleansed}` where databases stand.
        columns: (name, the catalog's type) in order, as the query gives them.
        tables: what it reads, by name.
    """

    name: str
    description: str
    query: str
    columns: tuple[tuple[str, str], ...]
    tables: tuple[str, ...]

    def sql(self, config: StageConfig) -> str:
        """The view's SQL in a stage."""
        return self.query.format(
            analytics=config.database("analytics"), cleansed=config.database("cleansed")
        )


ANALYST_VIEWS = (
    AnalystView(
        "sentiment_by_topic",
        "Sentiment of one hour by tracker and topic, of texts in scope; a text counts as (all) and "
        "for each of its trackers",
        """\
SELECT date_trunc('hour', s.occurred_at) AS hour, t.tracker, s.topic, count(*) AS texts,
    count_if(s.sentiment = 'negative') AS negative,
    count_if(s.sentiment = 'neutral') AS neutral,
    count_if(s.sentiment = 'positive') AS positive,
    CAST(sum(CAST(s.polarity AS DECIMAL(20, 12))) AS DOUBLE) AS polarity_sum, s.dt
FROM {analytics}.texts_scored s
CROSS JOIN UNNEST(
    ARRAY['(all)'] || IF(cardinality(s.trackers) > 0, s.trackers, ARRAY['(none)'])
) AS t (tracker)
WHERE s.in_scope AND s.topic IS NOT NULL
GROUP BY date_trunc('hour', s.occurred_at), t.tracker, s.topic, s.dt""",
        (
            ("hour", "timestamp"),
            ("tracker", "string"),
            ("topic", "string"),
            ("texts", "bigint"),
            ("negative", "bigint"),
            ("neutral", "bigint"),
            ("positive", "bigint"),
            ("polarity_sum", "double"),
            ("dt", "string"),
        ),
        ("texts_scored",),
    ),
    AnalystView(
        "movers_daily",
        "Each tracker's day beside its day before: texts, share of negative ones, its change",
        """\
WITH days AS (
    SELECT tracker, dt, sum(texts) AS texts, sum(negative) AS negative
    FROM {analytics}.sentiment_hourly
    GROUP BY tracker, dt
)
SELECT d.tracker, d.texts, coalesce(b.texts, 0) AS texts_before,
    CAST(d.negative AS DOUBLE) / d.texts AS negative_share,
    CAST(b.negative AS DOUBLE) / b.texts AS negative_share_before,
    CAST(d.negative AS DOUBLE) / d.texts - CAST(b.negative AS DOUBLE) / b.texts
        AS negative_share_change,
    d.dt
FROM days d
LEFT JOIN days b ON b.tracker = d.tracker
    AND b.dt = date_format(date_add('day', -1, CAST(d.dt AS DATE)), '%Y-%m-%d')""",
        (
            ("tracker", "string"),
            ("texts", "bigint"),
            ("texts_before", "bigint"),
            ("negative_share", "double"),
            ("negative_share_before", "double"),
            ("negative_share_change", "double"),
            ("dt", "string"),
        ),
        ("sentiment_hourly",),
    ),
    AnalystView(
        "freshness",
        "The newest record of each kind, and how many there are",
        """\
SELECT 'texts' AS what, max(occurred_at) AS newest, count(*) AS records
FROM {analytics}.texts_scored
UNION ALL
SELECT 'interactions', max(occurred_at), count(*) FROM {cleansed}.interactions
UNION ALL
SELECT 'tickets', max(updated_at), count(*) FROM {analytics}.tickets""",
        (("what", "string"), ("newest", "timestamp"), ("records", "bigint")),
        ("texts_scored", "interactions", "tickets"),
    ),
)
