"""The questions people ask, in SQL that both engines take: tables differ by their schema only.

They are Athena's saved queries, the examples of docs/queries.md, and what the tests ask of both
engines.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """One question. `sql` has `{marts}` where a table's schema stands.

    Attributes:
        name: of Athena's saved query.
        asks: the question in words.
        engines: who answers it.
    """

    name: str
    asks: str
    sql: str
    engines: tuple[str, ...] = ("athena", "redshift")

    def of(self, engine: str, analytics: str = "voxlake_analytics") -> str:
        """The SQL for an engine; `analytics` is the catalog's database."""
        return self.sql.format(marts="marts" if engine == "redshift" else analytics)


QUESTIONS = (
    Question(
        "SentimentByDay",
        "How do people feel about each tracker, day by day?",
        """\
SELECT dt, tracker, CAST(SUM(texts) AS BIGINT) AS texts,
       SUM(polarity_sum) / SUM(texts) AS polarity
FROM {marts}.sentiment_hourly
GROUP BY dt, tracker
ORDER BY dt, texts DESC, tracker""",
    ),
    Question(
        "SentimentByHour",
        "At which hours of the day are texts most negative?",
        """\
SELECT EXTRACT(HOUR FROM hour) AS hour_of_day, CAST(SUM(texts) AS BIGINT) AS texts,
       CAST(SUM(negative) AS DOUBLE PRECISION) / SUM(texts) AS negative_share
FROM {marts}.sentiment_hourly
WHERE tracker = '(all)'
GROUP BY EXTRACT(HOUR FROM hour)
ORDER BY negative_share DESC, hour_of_day""",
    ),
    Question(
        "SentimentByTopic",
        "Which topics make people angry with which tracker?",
        """\
SELECT tracker, topic, CAST(SUM(texts) AS BIGINT) AS texts,
       CAST(SUM(negative) AS DOUBLE PRECISION) / SUM(texts) AS negative_share
FROM {marts}.sentiment_by_topic
WHERE tracker <> '(none)'
GROUP BY tracker, topic
ORDER BY texts DESC, negative_share DESC, tracker, topic
LIMIT 50""",
    ),
    Question(
        "Movers",
        "What changed since the day before? The trackers whose share of negative texts moved most",
        """\
SELECT dt, tracker, texts, texts_before, negative_share, negative_share_change
FROM {marts}.movers_daily
WHERE dt = (SELECT MAX(dt) FROM {marts}.movers_daily) AND negative_share_change IS NOT NULL
ORDER BY ABS(negative_share_change) DESC, tracker""",
    ),
    Question(
        "TopAuthors",
        "Who writes most, and what comes back? Authors are pseudonyms",
        """\
SELECT author_id, CAST(SUM(texts) AS BIGINT) AS texts, CAST(SUM(likes) AS BIGINT) AS likes,
       CAST(SUM(shares) AS BIGINT) AS shares,
       SUM(polarity_mean * texts) / SUM(texts) AS polarity
FROM {marts}.authors_daily
GROUP BY author_id
ORDER BY texts DESC, likes DESC, author_id
LIMIT 20""",
    ),
    Question(
        "Engagement",
        "What do people react to?",
        """\
SELECT dt, tracker, event_type, CAST(SUM(texts) AS BIGINT) AS texts,
       CAST(SUM(likes + shares) AS BIGINT) AS reactions,
       CAST(SUM(interactions_like + interactions_share + interactions_follow
                + interactions_view + interactions_click) AS BIGINT) AS interactions
FROM {marts}.engagement_daily
GROUP BY dt, tracker, event_type
ORDER BY dt, tracker, event_type""",
    ),
    Question(
        "EmotionsBySource",
        "Which emotions do texts of each source show?",
        """\
SELECT source, emotion, CAST(SUM(texts) AS BIGINT) AS texts
FROM {marts}.emotion_daily
WHERE tracker = '(all)' AND texts > 0
GROUP BY source, emotion
ORDER BY source, texts DESC, emotion""",
    ),
    Question(
        "EmotionsByTracker",
        "Which emotions does each tracker bring out?",
        """\
SELECT tracker, emotion, CAST(SUM(texts) AS BIGINT) AS texts
FROM {marts}.emotion_daily
WHERE texts > 0
GROUP BY tracker, emotion
ORDER BY tracker, texts DESC, emotion""",
    ),
    Question(
        "Tickets",
        "How many tickets wait in each queue, and how soon are they answered?",
        """\
SELECT queue, COUNT(*) AS tickets,
       COUNT(CASE WHEN state = 'open' THEN 1 END) AS waiting,
       AVG(seconds_to_first_reply) AS mean_seconds_to_first_reply
FROM {marts}.tickets
GROUP BY queue
ORDER BY tickets DESC, queue""",
    ),
    Question(
        "Freshness",
        "Is the data fresh?",
        """\
SELECT what, newest, records
FROM {marts}.freshness
ORDER BY what""",
    ),
    Question(
        "NamedInTexts",
        "Who and what do texts name?",
        """\
SELECT n.label, n.text AS named, s.sentiment, s.text
FROM {marts}.texts_current s
CROSS JOIN UNNEST(s.entities) AS n (text, label, first, last)
WHERE s.in_scope
ORDER BY named, s.event_id
LIMIT 100""",
        ("athena",),
    ),
    Question(
        "MostEngagedTexts",
        "Which texts did people react to most?",
        """\
SELECT dt, source, text, sentiment,
       COALESCE(like_count, 0) + COALESCE(share_count, 0) AS reactions
FROM {marts}.texts_current
ORDER BY reactions DESC, event_id
LIMIT 20""",
        ("athena",),
    ),
    Question(
        "WordsBySentiment",
        "What do positive and negative texts speak of?",
        """\
SELECT sentiment, word, CAST(SUM(texts) AS BIGINT) AS texts
FROM {marts}.word_frequencies
WHERE tracker = '(all)'
GROUP BY sentiment, word
ORDER BY sentiment, texts DESC, word""",
        ("athena",),
    ),
)
"""The first ten are for both engines."""

QUARANTINE_REASONS = """\
SELECT dt, event_type, reason, field, COUNT(*) AS records
FROM {cleansed}.quarantine
GROUP BY dt, event_type, reason, field
ORDER BY dt DESC, records DESC"""
