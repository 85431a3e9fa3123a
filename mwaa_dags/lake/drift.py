"""Whether the model's scores are distributed as they were: the population stability index."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

from airflow.exceptions import AirflowSkipException
from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.amazon.aws.operators.athena import AthenaOperator

from lake.defaults import POLL_SECONDS, name
from lake.failures import LeavesError

BINS = 10
RECENT_DAYS, REFERENCE_DAYS = 7, 28
MIN_TEXTS = 200
METRIC = "ScoreStabilityIndex"

# Only texts that the newest model scored: another model's scores may well lie otherwise.
QUERY = """
WITH scored AS (
  SELECT dt, model, least(CAST(floor((polarity + 1) * {half_bins}) AS integer), {last_bin}) AS bin
  FROM texts_scored
  WHERE dt > CAST(date_add('day', -{days}, date '{{{{ ds }}}}') AS varchar)
    AND dt <= '{{{{ ds }}}}' AND in_scope AND polarity IS NOT NULL
)
SELECT bin,
       sum(CASE WHEN dt > {since} THEN 1 ELSE 0 END) AS recent,
       sum(CASE WHEN dt > {since} THEN 0 ELSE 1 END) AS reference
FROM scored
WHERE model = (SELECT max_by(model, dt) FROM scored)
GROUP BY bin
""".format(
    half_bins=BINS // 2,
    last_bin=BINS - 1,
    days=RECENT_DAYS + REFERENCE_DAYS,
    since="CAST(date_add('day', -%d, date '{{ ds }}') AS varchar)" % RECENT_DAYS,  # noqa: UP031
)


def stability_index(recent: list[int], reference: list[int]) -> float:
    """Population stability index of two histograms over the same bins.

    Below 0.1 they are alike, above 0.25 they are not. Half a text is added to each bin, so that
    an empty one does not make it infinite.
    """
    total, before = sum(recent) + len(recent) / 2, sum(reference) + len(reference) / 2
    shares = [
        ((now + 0.5) / total, (then + 0.5) / before)
        for now, then in zip(recent, reference, strict=True)
    ]
    return sum((now - then) * math.log(now / then) for now, then in shares)


class _Measure(AthenaOperator):
    def __init__(self, *, namespace: str, **options: Any) -> None:
        super().__init__(
            query=QUERY,
            database=name("AnalyticsDatabase"),
            workgroup=name("AthenaWorkgroup"),
            sleep_time=min(POLL_SECONDS, 5),
            execution_timeout=timedelta(minutes=30),
            **options,
        )
        self.namespace = namespace

    template_fields = (*AthenaOperator.template_fields, "namespace")

    def execute(self, context: Any) -> float:
        query_id = super().execute(context)
        recent, reference = [0] * BINS, [0] * BINS
        for row in self.hook.get_query_results(query_id)["ResultSet"]["Rows"][1:]:
            at, now, then = (int(cell["VarCharValue"]) for cell in row["Data"])
            recent[at], reference[at] = now, then
        if min(sum(recent), sum(reference)) < MIN_TEXTS:
            raise AirflowSkipException(
                f"{sum(recent)} texts in {RECENT_DAYS} days against {sum(reference)} in the "
                f"{REFERENCE_DAYS} before: {MIN_TEXTS} of each are needed to compare them"
            )
        index = stability_index(recent, reference)
        metrics = AwsBaseHook(aws_conn_id=self.aws_conn_id, client_type="cloudwatch").conn
        metrics.put_metric_data(
            Namespace=self.namespace,
            MetricData=[
                {
                    "MetricName": METRIC,
                    "Dimensions": [{"Name": "service", "Value": "maintenance"}],
                    "Value": index,
                }
            ],
        )
        self.log.info("%s is %.3f", METRIC, index)
        return index


class ScoreDrift(LeavesError, _Measure):
    """Compares the last days' polarities with those of the days before, by the same model.

    Answers the index and emits it as a metric; skipped where there are too few texts.
    """
