"""Glue job: cleansed texts become words (features), and lines for the model to score.

Works on the days whose texts changed since they were scored. Only texts without features or
score are computed; published features are kept.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from glue_jobs.common.arguments import JobArguments
from glue_jobs.common.files import LakeFiles
from glue_jobs.common.frames import read_versions, table_columns
from glue_jobs.common.job import Job, now_text, repeated
from glue_jobs.common.publisher import TableWrite, Written
from glue_jobs.common.report import number_table
from glue_jobs.common.session import shuffle_partitions
from glue_jobs.common.texts import TEXT_KEY, TEXT_TABLES, Chosen, chosen_versions, texts
from voxlake.ledger import items, rules
from voxlake.ledger.items import Item
from voxlake.tables import TABLES
from voxlake.trackers import Trackers, load_trackers

if TYPE_CHECKING:
    import pandas

JOB = "cleansed_to_features"
FEATURES = TABLES["text_features"]
SCORED = TABLES["texts_scored"]

# A run's item names every day it works on; DynamoDB's items hold at most 400 KB.
MAX_DAYS = 1000
_TEXTS_EACH_INPUT_FILE = 50_000
_WORDS = (
    "tokens ARRAY<STRING>, stems ARRAY<STRING>, lemmas ARRAY<STRING>, word_count INT, "
    "trackers ARRAY<STRING>, event_id STRING, event_type STRING, dt STRING"
)


def with_trackers(rows: DataFrame, trackers: Trackers) -> DataFrame:
    """Adds ``trackers``, the sorted ids of the trackers that ``text`` matches."""
    matches = [
        F.when(F.col("text").rlike(pattern), F.lit(tracker))
        for tracker, pattern in trackers.spark_patterns().items()
    ]
    return rows.withColumn(
        "trackers", F.array_sort(F.filter(F.array(*matches), lambda one: one.isNotNull()))
    )


def features(rows: DataFrame, trackers: Trackers) -> DataFrame:
    """Features of texts.

    Args:
        rows: dt, event_id, event_type, text.

    Returns:
        Rows of text_features with dt.
    """

    def words(batches: Iterator[pandas.DataFrame]) -> Iterator[pandas.DataFrame]:
        from voxlake.text import tokens

        for batch in batches:
            found = [tokens.tokenise(text) for text in batch.pop("text")]
            kept = [tokens.remove_stop_words(of_text) for of_text in found]
            batch["tokens"] = kept
            batch["stems"] = [[tokens.stem(one) for one in of_text] for of_text in kept]
            batch["lemmas"] = [[tokens.lemma(one) for one in of_text] for of_text in kept]
            batch["word_count"] = [tokens.word_count(of_text) for of_text in found]
            yield batch

    needed = with_trackers(rows, trackers).select(
        "text", "trackers", "event_id", "event_type", "dt"
    )
    return needed.mapInPandas(words, _WORDS).select(*table_columns(FEATURES), "dt")


def with_work(all_texts: DataFrame, scored: DataFrame | None, known: DataFrame | None) -> DataFrame:
    """Says of each text what is to be done: ``_score`` and ``_compute``.

    A text is scored again when its text changed (an earlier arrival took the row's place), or its
    score is one of before the model told emotions and scope.

    Args:
        all_texts: see ``texts``.
        scored: rows of texts_scored whose score may stay; None where there are none.
        known: rows of text_features; None where there are none.
    """
    work = all_texts.select(*TEXT_KEY, "text")
    if scored is None:
        work = work.withColumn("_score", F.lit(True))
    else:
        whole = scored.where(F.col("in_scope").isNotNull())
        same = whole.select(*TEXT_KEY, "text", F.lit(True).alias("_scored"))
        work = (
            work.join(same, [*TEXT_KEY, "text"], "left")
            .withColumn("_score", F.col("_scored").isNull())
            .drop("_scored")
        )
    if known is None:
        return work.withColumn("_compute", F.lit(True))
    have = known.select(*TEXT_KEY, F.lit(True).alias("_known"))
    return (
        work.join(have, list(TEXT_KEY), "left")
        .withColumn("_compute", F.col("_score") | F.col("_known").isNull())
        .drop("_known")
    )


def model_input(work: DataFrame, words: DataFrame) -> DataFrame:
    """The texts to score, as the model takes them: event_id, dt, text, lemmas.

    Args:
        work: see ``with_work``.
        words: rows of text_features of these texts.
    """
    lemmas = words.select(*TEXT_KEY, "lemmas")
    return (
        work.where("_score").join(lemmas, list(TEXT_KEY)).select("event_id", "dt", "text", "lemmas")
    )


def write_model_input(rows: DataFrame, files: LakeFiles, folder: str, count: int) -> int:
    """Writes JSON lines as ``part-00000.jsonl`` … into a folder that holds nothing else.

    Spark can name its files only itself and leaves marks of its own beside them, all of which
    the batch transform would take for input; hence the detour.

    Returns:
        the number of files.
    """
    files.delete(folder)
    if not count:
        return 0
    staging = folder.rstrip("/") + "_staging/"
    tasks = -(-count // _TEXTS_EACH_INPUT_FILE)
    rows.coalesce(tasks).write.mode("overwrite").json(staging)
    names = [name for name, size in sorted(files.sizes(staging).items()) if size]
    for number, name in enumerate(names):
        files.move(staging + name, f"{folder}part-{number:05}.jsonl")
    files.delete(staging)
    return len(names)


def run(job: Job, trackers: Trackers, rescore: str = rules.NO_RESCORE) -> Item:
    """One run of the job; returns its ledger item (``to_score``, ``texts``, …).

    Args:
        rescore: days to score again, see ``rules.dts_to_score_again``.
    """
    started_at = now_text()
    return repeated(lambda: _attempt(job, trackers, rescore, started_at))


def _attempt(job: Job, trackers: Trackers, rescore: str, started_at: str) -> Item:
    with job.leases([FEATURES]) as leases:
        versions = {
            table.name: job.ledger.versions(job.lake.database(table), table.name)
            for table in (*TEXT_TABLES.values(), SCORED)
        }
        scored = versions.pop(SCORED.name)
        again = rules.dts_to_score_again(rescore, scored)
        dts = rules.choose_dts_to_rescore(scored, versions)
        chosen = chosen_versions(versions, sorted({*again, *dts[: MAX_DAYS - len(again)]}))
        basis = {dt: scored[dt]["version"] for dt in chosen if dt in scored}
        if not chosen:
            print("no text changed since it was scored, nothing done")
            return _finish(job, started_at, {}, {}, {}, [], 0)
        if left := len(set(dts) - chosen.keys()):
            print(f"{len(chosen)} days to work on in this run, {left} are left to the next")
        spark = job.spark()
        publisher = job.publisher(spark, leases)
        shuffle_partitions(
            spark,
            sum(versions[table][dt]["rows"] for dt, of_dt in chosen.items() for table in of_dt),
        )
        current = publisher.versions(FEATURES)
        known = publisher.read(FEATURES, chosen) if chosen.keys() & current.keys() else None
        keep = basis.keys() - set(again)
        work = with_work(
            texts(spark, job.lake, chosen),
            publisher.read(SCORED, keep) if keep else None,
            known,
        ).persist(StorageLevel.MEMORY_AND_DISK)
        counts = {
            row["dt"]: row
            for row in work.groupBy("dt")
            .agg(
                F.count("*").alias("texts"),
                F.count_if("_score").alias("score"),
                F.count_if("_compute").alias("compute"),
            )
            .collect()
        }

        written = publisher.write([_features_write(work, known, counts, chosen, trackers)])
        to_score = sum(row["score"] for row in counts.values())
        folder = f"{job.lake.scoring(job.run_id)}input/"
        words = read_versions(spark, job.lake, FEATURES, [vars(one) for one in written])
        files = write_model_input(model_input(work, words), publisher.files, folder, to_score)
        print(f"{to_score:,} texts to score in {files} files under {folder}")
        publisher.publish(written)
        made = {one.dt: one.version for one in written}
        used = {dt: made.get(dt) or current[dt]["version"] for dt in chosen}
        item = _finish(
            job,
            started_at,
            chosen,
            used,
            basis,
            written,
            to_score,
            {
                FEATURES.name: {
                    "read": sum(row["texts"] for row in counts.values()),
                    "computed": sum(row["compute"] for row in counts.values()),
                    "written": sum(one.rows for one in written),
                }
            },
        )
        spark.catalog.clearCache()
        return item


def _features_write(
    work: DataFrame,
    known: DataFrame | None,
    counts: Mapping[str, Mapping[str, int]],
    chosen: Chosen,
    trackers: Trackers,
) -> TableWrite:
    """New contents of the days that have a text to compute."""
    dts = sorted(dt for dt, row in counts.items() if row["compute"])
    changed = work.where(F.col("dt").isin(dts))
    frame = features(changed.where("_compute"), trackers)
    if known is not None:
        kept = known.join(
            changed.where(~F.col("_compute")).select(*TEXT_KEY), list(TEXT_KEY), "left_semi"
        )
        frame = kept.unionByName(frame)
    return TableWrite(FEATURES, frame, tuple(dts), {dt: counts[dt]["texts"] for dt in dts}, chosen)


def _finish(
    job: Job,
    started_at: str,
    chosen: Chosen,
    used: Mapping[str, str],
    basis: Mapping[str, str],
    written: Sequence[Written],
    to_score: int,
    counts: Mapping[str, Mapping[str, int]] | None = None,
) -> Item:
    """Writes the run's item: what the next steps work on is fixed here, by version."""
    item = items.run_item(
        run_id=job.run_id,
        job=JOB,
        state=items.STATE_DONE,
        started_at=started_at,
        finished_at=now_text(),
        counts=counts,
        partitions={FEATURES.name: {one.dt: one.rows for one in written}},
        bytes_out=sum(one.size_bytes for one in written),
    )
    item |= {"to_score": to_score, "texts": chosen, "features": used, "scored": basis}
    job.ledger.put_run(item)
    if counts:
        print(number_table(JOB, ("read", "computed", "written"), counts))
    return item


def main(argv: Sequence[str]) -> None:
    """Runs the job as Glue starts it."""
    arguments = JobArguments.parse(argv)
    run(Job.from_arguments(JOB, arguments), load_trackers(), arguments.rescore)


if __name__ == "__main__":
    main(sys.argv[1:])
