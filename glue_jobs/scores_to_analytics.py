"""Glue job: the model's scores and the texts become the analytics tables.

Works on exactly the versions that cleansed_to_features chose for this run. A day with a text
that has no score is not published, and the run fails with the number.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from glue_jobs.common import scored as counting
from glue_jobs.common.arguments import JobArguments
from glue_jobs.common.errors import MissingRunError, MissingScoresError
from glue_jobs.common.frames import table_columns
from glue_jobs.common.job import Job, now_text, repeated
from glue_jobs.common.publisher import SMALL_ROWS, Publisher, TableWrite
from glue_jobs.common.score_lines import SCORE, read_scores, shown_entities
from glue_jobs.common.session import shuffle_partitions
from glue_jobs.common.texts import TEXT_KEY, Chosen, read_chosen, texts
from voxlake.ledger import items, rules
from voxlake.ledger.items import Item
from voxlake.tables import ANALYTICS, TABLES

JOB = "scores_to_analytics"
FEATURES_JOB = "cleansed_to_features"
SCORED, CONVERSATIONS = TABLES["texts_scored"], TABLES["conversations"]
ENGAGEMENT, INTERACTIONS = TABLES["engagement_daily"], TABLES["interactions"]
MESSAGES, FEATURES = TABLES["messages"], TABLES["text_features"]

_CONVERSATION = ("conversation_id", "source")


def scored_texts(
    all_texts: DataFrame, features: DataFrame, old: DataFrame | None, new: DataFrame | None
) -> DataFrame:
    """Texts with features and score.

    Args:
        all_texts: see ``texts.texts``.
        features: rows of text_features of the same days.
        old: rows of texts_scored; a score holds while the text is the same. None: there are none.
        new: see ``read_scores``; None: there are none.

    Returns:
        Rows of texts_scored with dt, and ``lemmas``; the score's columns are null without score.
    """
    rows = all_texts.join(features.select(*TEXT_KEY, "trackers", "lemmas"), list(TEXT_KEY), "left")
    found: list[Column] = []
    if new is not None:
        rows = rows.join(new, ["dt", "event_id"], "left")
        found.append(F.col("_new"))
    if old is not None:
        rows = rows.join(
            old.select(
                *TEXT_KEY,
                F.col("text").alias("_text"),
                F.struct(*SCORE).alias("_old"),
            ),
            list(TEXT_KEY),
            "left",
        )
        found.append(F.when(F.col("_text") == F.col("text"), F.col("_old")))
    if not found:
        return rows.select("*", *[F.lit(None).alias(name) for name in SCORE])
    return (
        rows.withColumn("_score", F.coalesce(*found))
        .select("*", "_score.*")
        .drop("_new", "_old", "_text", "_score")
        .withColumn("entities", shown_entities())
    )


@dataclass(frozen=True)
class Work:
    """The days of a run.

    Attributes:
        texts: versions of the text tables by day.
        features: version of text_features by day.
        to_score: texts that the model was given.
    """

    texts: Chosen
    features: Mapping[str, str]
    to_score: int


def work_of(item: Item, current: Mapping[str, Item]) -> Work:
    """The days of a run that are still as it found them.

    Another run that published a day meanwhile started from the same or newer texts; where those
    were newer than it knew, the day is stale again and the next run's.

    Args:
        item: what cleansed_to_features left in the ledger.
        current: {dt: version item} of texts_scored.
    """
    chosen = item.get("texts") or {}
    kept = {
        dt: versions
        for dt, versions in chosen.items()
        if (current[dt]["version"] if dt in current else None) == item["scored"].get(dt)
    }
    for dt in sorted(chosen.keys() - kept.keys()):
        print(f"dt={dt} was published by another run meanwhile, left as it is")
    return Work(kept, {dt: item["features"][dt] for dt in kept}, int(item["to_score"]))


def check_scored(scored: DataFrame) -> dict[str, int]:
    """{dt: texts}.

    Raises:
        MissingScoresError: some have no score.
    """
    counted = scored.groupBy("dt").agg(
        F.count("*").alias("texts"), F.count_if(F.col("sentiment").isNull()).alias("missing")
    )
    days = counted.collect()
    missing = {row["dt"]: row["missing"] for row in days if row["missing"]}
    if missing:
        raise MissingScoresError(missing)
    return {row["dt"]: row["texts"] for row in days}


class Analytics:
    """The writes of one attempt.

    Args:
        scored: see ``scored_texts``, of the run's days; None where it has none.
        rows: {dt: texts} of these days.
    """

    def __init__(
        self,
        publisher: Publisher,
        work: Work,
        scored: DataFrame | None,
        rows: Mapping[str, int],
        interactions: Mapping[str, Item],
    ) -> None:
        self._publisher = publisher
        self._spark = publisher.spark
        self._lake = publisher.lake
        self._work = work
        self._scored = scored
        self._rows = rows
        self._interactions = interactions
        self._dts = tuple(sorted(work.texts))
        published = publisher.versions(SCORED)
        # texts_scored as it will be: this run's version on its days, elsewhere the current one.
        self._versions = {dt: item["version"] for dt, item in published.items()}
        self._versions |= dict.fromkeys(self._dts, publisher.version)

    def writes(self) -> list[TableWrite]:
        """Everything to publish, texts_scored last: until it is published the days count as to
        be done, so a run that dies half-way is repeated whole."""
        engagement = self._engagement()
        if self._scored is None:
            return [engagement] if engagement.dts else []
        made = {dt: {SCORED.name: self._versions[dt]} for dt in self._dts}
        with_words = {dt: {**made[dt], FEATURES.name: self._work.features[dt]} for dt in self._dts}
        of_scored = {
            "sentiment_hourly": counting.sentiment_hourly,
            "emotion_daily": counting.emotion_daily,
            "entities_daily": counting.entities_daily,
            "topic_daily": counting.topic_daily,
            "authors_daily": counting.authors_daily,
        }
        small = sum(self._rows.values()) <= SMALL_ROWS
        words = counting.word_frequencies(self._scored)
        return [
            *[
                TableWrite(TABLES[name], count(self._scored), self._dts, sources=made, small=small)
                for name, count in of_scored.items()
            ],
            TableWrite(
                TABLES["word_frequencies"], words, self._dts, sources=with_words, small=small
            ),
            engagement,
            *self._conversations(),
            TableWrite(SCORED, self._scored, self._dts, self._rows, self._work.texts, small=small),
        ]

    def _texts_scored(self, dts: Iterable[str]) -> DataFrame:
        """Rows of texts_scored as they will be."""
        dts = set(dts)
        parts = [self._publisher.read(SCORED, dts - set(self._dts))]
        if self._scored is not None:
            here = self._scored.where(F.col("dt").isin(sorted(dts & set(self._dts))))
            parts.append(here.select(*table_columns(SCORED), "dt"))
        return reduce(DataFrame.unionByName, parts)

    def _engagement(self) -> TableWrite:
        """Days whose texts or interactions changed."""
        sources = {
            INTERACTIONS.name: self._interactions,
            SCORED.name: {dt: {"version": version} for dt, version in self._versions.items()},
        }
        dts = rules.stale_dts(self._publisher.versions(ENGAGEMENT), sources)
        made = {
            dt: {name: by_dt[dt]["version"] for name, by_dt in sources.items() if dt in by_dt}
            for dt in dts
        }
        frame = counting.engagement_daily(
            self._texts_scored(dts), read_chosen(self._spark, self._lake, INTERACTIONS, made)
        )
        return TableWrite(ENGAGEMENT, frame, tuple(dts), sources=made)

    def _conversations(self) -> list[TableWrite]:
        """Conversations with a message on the run's days, whole: over all the days they span."""
        messages = {dt: of_dt for dt, of_dt in self._work.texts.items() if MESSAGES.name in of_dt}
        if not messages:
            return []
        touched = (
            read_chosen(self._spark, self._lake, MESSAGES, messages)
            .select(*_CONVERSATION)
            .distinct()
            .persist(StorageLevel.MEMORY_AND_DISK)
        )
        published = self._publisher.versions(CONVERSATIONS)
        known = self._publisher.read(CONVERSATIONS, published)
        spans = (
            known.join(touched, list(_CONVERSATION), "left_semi")
            .groupBy("dt")
            .agg(F.max(F.col("ended_at").cast("date").cast("string")).alias("until"))
            .collect()
        )
        days = set(messages)
        for span in spans:
            days.update(_days(span["dt"], span["until"]))
        # Of each day the messages that its scores were made from.
        versions = {
            dt: {MESSAGES.name: item["sources"][MESSAGES.name]}
            for dt, item in self._publisher.versions(SCORED).items()
            if dt in days and MESSAGES.name in item["sources"]
        } | {dt: {MESSAGES.name: of_dt[MESSAGES.name]} for dt, of_dt in messages.items()}
        polarity = (
            self._texts_scored(versions)
            .where("event_type = 'message'")
            .select("dt", "event_id", "polarity")
        )
        whole = (
            read_chosen(self._spark, self._lake, MESSAGES, versions)
            .join(touched, list(_CONVERSATION), "left_semi")
            .join(polarity, ["dt", "event_id"])
        )
        fresh = counting.conversations(whole).persist(StorageLevel.MEMORY_AND_DISK)
        dts = {row["dt"] for row in fresh.select("dt").distinct().collect()}
        # A conversation whose first message came late moves: its old day changes as well.
        dts |= {span["dt"] for span in spans}
        kept = self._publisher.read(CONVERSATIONS, dts).join(
            touched, list(_CONVERSATION), "left_anti"
        )
        made = {dt: {SCORED.name: self._versions[dt]} for dt in dts if dt in self._versions}
        columns = [*table_columns(CONVERSATIONS), "dt"]
        frame = fresh.select(*columns).unionByName(kept.select(*columns))
        return [TableWrite(CONVERSATIONS, frame, tuple(sorted(dts)), sources=made)]


def _days(first: str, last: str) -> list[str]:
    """All days from first to last, both within."""
    begin = date.fromisoformat(first)
    count = (date.fromisoformat(last) - begin).days + 1
    return [(begin + timedelta(days=day)).isoformat() for day in range(count)]


def run(job: Job) -> Item:
    """One run of the job; returns its ledger item.

    Raises:
        MissingRunError: cleansed_to_features has not done its part of the run.
        MissingScoresError, ScoreLinesError: the scores are not whole; nothing was published.
    """
    started_at = now_text()
    item = job.ledger.run(job.run_id, FEATURES_JOB)
    if item is None or item["state"] != items.STATE_DONE or "texts" not in item:
        raise MissingRunError(job.run_id, FEATURES_JOB)
    return repeated(lambda: _attempt(job, item, started_at))


def _attempt(job: Job, features_run: Item, started_at: str) -> Item:
    with job.leases(ANALYTICS) as leases:

        def versions(table):
            return job.ledger.versions(job.lake.database(table), table.name)

        work = work_of(features_run, versions(SCORED))
        interactions = versions(INTERACTIONS)
        sources = {INTERACTIONS.name: interactions, SCORED.name: versions(SCORED)}
        if not work.texts and not rules.stale_dts(versions(ENGAGEMENT), sources):
            print("no text and no interaction changed, nothing done")
            return job.finish(started_at, [])
        spark = job.spark()
        publisher = job.publisher(spark, leases)
        scored, rows = None, {}
        if work.texts:
            scored = _scored(publisher, work).persist(StorageLevel.MEMORY_AND_DISK)
            rows = check_scored(scored)
        written = publisher.write(Analytics(publisher, work, scored, rows, interactions).writes())
        publisher.publish(written)
        spark.catalog.clearCache()
        return job.finish(started_at, written, f"{sum(rows.values()):,} texts")


def _scored(publisher: Publisher, work: Work) -> DataFrame:
    spark, lake = publisher.spark, publisher.lake
    current = publisher.versions(SCORED)
    shuffle_partitions(
        spark, work.to_score + sum(current[dt]["rows"] for dt in work.texts if dt in current)
    )
    features = {dt: {FEATURES.name: version} for dt, version in work.features.items()}
    return scored_texts(
        texts(spark, lake, work.texts),
        read_chosen(spark, lake, FEATURES, features),
        publisher.read(SCORED, work.texts) if work.texts.keys() & current.keys() else None,
        read_scores(spark, f"{lake.scoring(publisher.run_id)}output/") if work.to_score else None,
    )


def main(argv: Sequence[str]) -> None:
    """Runs the job as Glue starts it."""
    run(Job.from_arguments(JOB, JobArguments.parse(argv)))


if __name__ == "__main__":
    main(sys.argv[1:])
