"""The quality gate: what was written is held to its rules before it is published.

Every verdict becomes a row of quality_results, those that fail a metric too. The run's ledger has
one more item a job, ``QUALITY#<job>``: what the state machine, a DAG or ``voxlake run`` asks for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import boto3
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from glue_jobs.common.checks import Measured
from voxlake.quality.errors import QualityHaltError
from voxlake.quality.rules import Rule
from voxlake.quality.summary import quality_item
from voxlake.quality.verdict import Verdict, judge
from voxlake.tables import TABLES

if TYPE_CHECKING:
    from glue_jobs.common.job import Job
    from glue_jobs.common.publisher import Publisher, Written

RESULTS = TABLES["quality_results"]
METRIC = "QualityRuleFailed"
_RESULT = (
    "run_id STRING, job STRING, table_name STRING, partition_dt STRING, rule STRING, level STRING, "
    "passed BOOLEAN, expected STRING, found STRING, rows_failed BIGINT, checked_at TIMESTAMP"
)
_METRICS_EACH_CALL = 1000


class Gate:
    """The gate of one job's run."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def rules(self, table: str) -> list[Rule]:
        """What a table's written partitions have to meet."""
        return self._job.rules.checked(table)

    def check(
        self,
        publisher: Publisher,
        written: Sequence[Written],
        measured: Mapping[tuple[str, str], Measured],
    ) -> None:
        """Holds written partitions to their rules, notes what was found, lets them pass or not.

        Raises:
            QualityHaltError: a rule of level halt does not hold.
        """
        now = datetime.now(UTC)
        verdicts = self._verdicts(publisher, written, measured, now.date())
        if not verdicts:
            return
        self._record(publisher, verdicts, now)
        failed = [one for one in verdicts if one.passed is False]
        self._count(failed)
        for one in failed:
            print(f"quality: {one.rule.level}: {one}", flush=True)
        halting = [one for one in failed if one.halts]
        if halting:
            raise QualityHaltError(halting)

    def _verdicts(
        self,
        publisher: Publisher,
        written: Sequence[Written],
        measured: Mapping[tuple[str, str], Measured],
        today: date,
    ) -> list[Verdict]:
        rows: dict[str, dict[str, int]] = {}
        for one in written:
            known = rows.setdefault(
                one.table.name,
                {dt: item["rows"] for dt, item in publisher.versions(one.table).items()},
            )
            known[one.dt] = one.rows
        return [
            judge(
                rule,
                one.dt,
                measured.get((one.table.name, one.dt), Measured()).of(rule),
                earlier=_earlier(rows[one.table.name], one.dt),
                day_over=one.dt < today.isoformat(),
            )
            for one in written
            for rule in self.rules(one.table.name)
        ]

    def _record(self, publisher: Publisher, verdicts: Sequence[Verdict], now: datetime) -> None:
        """Adds the verdicts to the day of the check, in place of an earlier attempt's."""
        job, dt = self._job, now.date().isoformat()
        values = [
            (
                job.run_id,
                job.name,
                one.rule.table,
                one.dt,
                one.rule.name,
                one.rule.level,
                one.passed,
                one.expected,
                one.found,
                one.rows_failed,
                now,
            )
            for one in verdicts
        ]
        fresh = publisher.spark.createDataFrame(values, _RESULT).withColumn("dt", F.lit(dt))

        def change(kept: DataFrame) -> DataFrame:
            others = kept.where((F.col("run_id") != job.run_id) | (F.col("job") != job.name))
            return others.unionByName(fresh)

        job.rewrite(publisher.spark, RESULTS, dt, change)
        job.ledger.put_run(quality_item(job.run_id, job.name, verdicts, now))

    def _count(self, failed: Sequence[Verdict]) -> None:
        """One metric a rule that failed: partitions that break it."""
        if not failed or not self._job.metrics_namespace:
            return
        counts = Counter((one.rule.table, one.rule.name, one.rule.level) for one in failed)
        data: list[dict[str, Any]] = [
            {
                "MetricName": METRIC,
                "Dimensions": [
                    {"Name": name, "Value": value}
                    for name, value in zip(("Table", "Rule", "Level"), place, strict=True)
                ],
                "Value": count,
                "Unit": "Count",
            }
            for place, count in counts.items()
        ]
        client = boto3.client("cloudwatch")
        for at in range(0, len(data), _METRICS_EACH_CALL):
            client.put_metric_data(
                Namespace=self._job.metrics_namespace,
                MetricData=data[at : at + _METRICS_EACH_CALL],
            )


def _earlier(rows: Mapping[str, int], dt: str) -> list[int]:
    """Rows of the days before one, newest first."""
    return [rows[one] for one in sorted(rows, reverse=True) if one < dt]
