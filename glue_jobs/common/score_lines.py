"""The model's output: lines of scores, read by an explicit schema that every line must meet."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from glue_jobs.common.errors import ScoreLinesError
from voxlake.tables.model import NAMED_SPANS
from voxlake.text.hidden import FILLER, HIDDEN

SENTIMENTS = ("negative", "neutral", "positive")
LINE = {
    "event_id": "string",
    "dt": "string",
    "sentiment": "string",
    "polarity": "double",
    "sentiment_scores": f"struct<{','.join(f'{name}:double' for name in SENTIMENTS)}>",
    "emotions": "array<string>",
    "emotion_scores": "map<string,double>",
    "main_emotion": "string",
    "entities": NAMED_SPANS,
    "topic": "string",
    "topic_score": "double",
    "language": "string",
    "in_scope": "boolean",
    "model": "string",
}
"""Keys of a line and their types; other keys are passed over."""

NULLABLE = ("main_emotion", "topic", "topic_score")
"""May be null: a text may have nothing to read, or no topic."""

SCORE = (
    "sentiment",
    "polarity",
    *(f"p_{name}" for name in SENTIMENTS),
    "emotions",
    "emotion_scores",
    "main_emotion",
    "entities",
    "topic",
    "language",
    "in_scope",
    "model",
)
"""What a line says of its text, as the columns of texts_scored."""


def read_scores(spark: SparkSession, folder: str) -> DataFrame:
    """Scores of a batch transform, a text once: dt, event_id, and a struct ``_new`` of ``SCORE``.

    Raises:
        ScoreLinesError: a line is no JSON object, lacks a key, or holds null or another type where
            a value must be; names the keys.
    """
    schema = ", ".join(f"{name}: {kind}" for name, kind in LINE.items())
    lines = (
        spark.read.text(folder)
        .where(F.trim("value") != "")
        .select("value", F.from_json("value", f"struct<{schema}>").alias("line"))
    )
    _check(lines)
    parsed = lines.select("value", "line.*")
    score = parsed.select(
        "dt",
        "event_id",
        "value",
        F.struct(
            *[
                F.col(f"sentiment_scores.{name[2:]}" if name.startswith("p_") else name).alias(name)
                for name in SCORE
            ]
        ).alias("score"),
    )
    # A payload that SageMaker sent twice leaves two lines of a text; maps have no order, lines do.
    return score.groupBy("dt", "event_id").agg(F.min_by("score", "value").alias("_new"))


def _check(lines: DataFrame) -> None:
    wrong = F.array_compact(
        F.array(*[F.when(_absent(name), F.lit(name)) for name in (*LINE, "a JSON object")])
    )
    bad = (
        lines.select(wrong.alias("wrong"), F.col("line.event_id").alias("event_id"))
        .where(F.size("wrong") > 0)
        .agg(
            F.count("*").alias("lines"),
            F.array_distinct(F.flatten(F.collect_set("wrong"))).alias("wrong"),
            F.min("event_id").alias("event_id"),
        )
        .first()
    )
    if bad["lines"]:
        raise ScoreLinesError(sorted(bad["wrong"]), bad["lines"], bad["event_id"])


def _absent(name: str) -> Column:
    """Whether a line lacks a key, or its value where it must have one."""
    keys = F.expr("json_object_keys(value)")
    if name not in LINE:
        return keys.isNull()
    value = F.col(f"line.{name}")
    if name in NULLABLE:
        return ~F.array_contains(keys, name)
    absent = value.isNull()
    if name == "sentiment_scores":
        for sentiment in SENTIMENTS:
            absent |= value[sentiment].isNull()
    elif name == "entities":
        absent |= F.exists(
            value,
            lambda one: (
                one.isNull()
                | one["text"].isNull()
                | one["label"].isNull()
                | one["start"].isNull()
                | one["end"].isNull()
            ),
        )
    return absent & keys.isNotNull()


def shown_entities() -> Column:
    """``entities`` without those that touch a pseudonym or a mask in ``text``.

    The twin of ``voxlake.text.hidden.without_hidden``: whatever the model's server let through,
    nobody's pseudonym becomes a name here.
    """
    return F.expr(
        f"""filter(entities, one -> one.text = substring(
            aggregate(
                regexp_extract_all(text, r'{HIDDEN}', 0), text,
                (shown, hidden) -> replace(shown, hidden, repeat('{FILLER}', length(hidden)))
            ),
            one.start + 1, one.`end` - one.start))"""
    )
