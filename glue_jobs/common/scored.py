"""What is counted over scored texts: pure frames in, the analytics tables' rows out.

Sums of polarity are added as decimals: doubles would depend on the order of the rows, and
repeating a run would give other last digits.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from voxlake.tables import ALL_TRACKERS, NO_TRACKER

WORDS_EACH = 200
ENTITIES_EACH = 200
MIN_WORD_LENGTH = 3
INTERACTIONS = ("like", "share", "follow", "view", "click")
INTERACTION_TYPE = "interaction"

_EXACT = "decimal(20,12)"


def each_tracker(rows: DataFrame, *, untracked: bool) -> DataFrame:
    """Each row once as tracker ``(all)`` and once for each of its trackers.

    Args:
        untracked: whether rows without tracker also appear as ``(none)``.
    """
    trackers = F.coalesce("trackers", F.array().cast("array<string>"))
    if untracked:
        none = F.array(F.lit(NO_TRACKER))
        trackers = F.when(F.size(trackers) == 0, none).otherwise(trackers)
    return rows.withColumn(
        "tracker", F.explode(F.concat(F.array(F.lit(ALL_TRACKERS)), trackers))
    ).drop("trackers")


def sentiment_hourly(scored: DataFrame) -> DataFrame:
    """Rows of sentiment_hourly with dt."""

    def texts_of(sentiment: str) -> Column:
        return F.count_if(F.col("sentiment") == sentiment).alias(sentiment)

    total = F.sum(F.col("polarity").cast(_EXACT))
    return (
        each_tracker(scored.withColumn("hour", F.date_trunc("hour", "occurred_at")), untracked=True)
        .groupBy("dt", "hour", "tracker", "source", "event_type")
        .agg(
            F.count("*").alias("texts"),
            *map(texts_of, ("negative", "neutral", "positive")),
            total.cast("double").alias("polarity_sum"),
            (total.cast("double") / F.count("*")).alias("polarity_mean"),
        )
    )


def emotion_daily(scored: DataFrame) -> DataFrame:
    """Rows of emotion_daily with dt: every emotion of the model, also those no text shows."""
    emotions = scored.where("in_scope").select(
        "dt",
        "source",
        "trackers",
        "emotions",
        F.explode("emotion_scores").alias("emotion", "score"),
    )
    shown = F.array_contains("emotions", F.col("emotion"))
    return (
        each_tracker(emotions, untracked=True)
        .groupBy("dt", "tracker", "source", "emotion")
        .agg(
            F.count_if(shown).alias("texts"),
            F.sum(F.col("score").cast(_EXACT)).cast("double").alias("score_sum"),
        )
    )


def entities_daily(scored: DataFrame) -> DataFrame:
    """Rows of entities_daily with dt."""
    named = F.array_distinct(
        F.transform(
            "entities",
            lambda one: F.struct(
                one["label"].alias("label"),
                # "#nyc" and "NYC" are one place.
                F.regexp_replace(F.lower(one["text"]), "^[#@]+", "").alias("entity"),
            ),
        )
    )
    counted = (
        each_tracker(
            scored.where("in_scope").select("dt", "trackers", F.explode(named).alias("named")),
            untracked=False,
        )
        .select("dt", "tracker", "named.*")
        .where("entity <> ''")
        .groupBy("dt", "tracker", "label", "entity")
        .agg(F.count("*").alias("texts"))
    )
    return _most(counted, ENTITIES_EACH, ("dt", "tracker"), ("label", "entity"))


def topic_daily(scored: DataFrame) -> DataFrame:
    """Rows of topic_daily with dt."""
    with_topic = scored.where("in_scope AND topic IS NOT NULL")
    return (
        each_tracker(with_topic, untracked=True)
        .groupBy("dt", "tracker", "source", "topic")
        .agg(F.count("*").alias("texts"), _mean("polarity").alias("polarity_mean"))
    )


def authors_daily(scored: DataFrame) -> DataFrame:
    """Rows of authors_daily with dt."""
    return scored.groupBy("dt", "author_id", "source").agg(
        F.count("*").alias("texts"),
        _total("like_count", "likes"),
        _total("share_count", "shares"),
        _mean("polarity").alias("polarity_mean"),
    )


def word_frequencies(scored: DataFrame) -> DataFrame:
    """Rows of word_frequencies with dt; ``scored`` has ``lemmas`` too."""
    letters = r"\p{L}"
    words = F.array_distinct(
        F.filter("lemmas", lambda word: (F.length(word) >= MIN_WORD_LENGTH) & word.rlike(letters))
    )
    counted = (
        each_tracker(
            scored.select("dt", "sentiment", "trackers", words.alias("words")), untracked=False
        )
        .withColumn("word", F.explode("words"))
        .groupBy("dt", "sentiment", "tracker", "word")
        .agg(F.count("*").alias("texts"))
    )
    return _most(counted, WORDS_EACH, ("dt", "sentiment", "tracker"), ("word",))


def engagement_daily(scored: DataFrame, interactions: DataFrame) -> DataFrame:
    """Rows of engagement_daily with dt.

    Args:
        scored: rows of texts_scored of the days.
        interactions: rows of interactions of the same days.
    """
    of_texts = (
        each_tracker(scored, untracked=True)
        .groupBy("dt", "tracker", "source", "event_type")
        .agg(
            F.count("*").alias("texts"),
            _total("like_count", "likes"),
            _total("share_count", "shares"),
            *[F.lit(0).cast("bigint").alias(f"interactions_{kind}") for kind in INTERACTIONS],
        )
    )
    nothing = [F.lit(0).cast("bigint").alias(name) for name in ("texts", "likes", "shares")]
    of_interactions = interactions.groupBy("dt", "source").agg(
        *[F.count_if(F.col("kind") == kind).alias(f"interactions_{kind}") for kind in INTERACTIONS]
    )
    return of_texts.unionByName(
        of_interactions.select(
            "dt",
            "source",
            F.lit(ALL_TRACKERS).alias("tracker"),
            F.lit(INTERACTION_TYPE).alias("event_type"),
            *nothing,
            *[f"interactions_{kind}" for kind in INTERACTIONS],
        )
    )


def conversations(messages: DataFrame) -> DataFrame:
    """Rows of conversations with dt.

    Args:
        messages: all messages of each conversation, over all its days: conversation_id, source,
            event_id, turn, speaker, occurred_at, polarity.
    """
    order = F.struct("occurred_at", "turn", "event_id")
    return (
        messages.groupBy("conversation_id", "source")
        .agg(
            F.count("*").alias("turns"),
            F.countDistinct("speaker").alias("speakers"),
            F.min("occurred_at").alias("started_at"),
            F.max("occurred_at").alias("ended_at"),
            F.min_by("polarity", order).alias("polarity_first"),
            F.max_by("polarity", order).alias("polarity_last"),
            _mean("polarity").alias("polarity_mean"),
        )
        .withColumn("dt", F.col("started_at").cast("date").cast("string"))
    )


def _most(rows: DataFrame, count: int, each: Sequence[str], tied: Sequence[str]) -> DataFrame:
    """The ``count`` rows with most texts of each group; ties by the given columns."""
    best = Window.partitionBy(*each).orderBy(F.desc("texts"), *tied)
    ranked = rows.withColumn("_rank", F.row_number().over(best))
    return ranked.where(F.col("_rank") <= count).drop("_rank")


def _total(name: str, alias: str) -> Column:
    return F.coalesce(F.sum(name), F.lit(0)).alias(alias)


def _mean(name: str) -> Column:
    return F.sum(F.col(name).cast(_EXACT)).cast("double") / F.count("*")
