"""maintenance: what the lake needs once a day.

The crawler registers landing's new hours. Drift compares how the model's scores are distributed
in the last seven days with the four weeks before; an alarm watches the metric.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG
from lake.defaults import DAG_OPTIONS, POLL_SECONDS, name
from lake.drift import ScoreDrift
from lake.failures import Crawler
from lake.tasks import done, tell_failure

with DAG(
    "maintenance",
    description="Crawler and drift",
    doc_md=__doc__,
    # Beside the batch path's full hours.
    schedule="30 3 * * *",
    **DAG_OPTIONS,
):
    crawl_landing = Crawler(
        task_id="crawl_landing",
        config={"Name": name("LandingCrawler")},
        poll_interval=POLL_SECONDS,
        execution_timeout=timedelta(minutes=60),
    )
    measure_drift = ScoreDrift(task_id="measure_drift", namespace=name("MetricsNamespace"))
    done([crawl_landing, measure_drift], rule="none_failed")
    tell_failure([crawl_landing, measure_drift])
