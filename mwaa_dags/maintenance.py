"""maintenance: what the lake needs once a day.

The crawler registers landing's new hours. Drift compares how the model's scores are distributed
in the last seven days with the four weeks before; an alarm watches the metric. On Mondays topics
are learnt anew from the texts of four weeks and registered, for a person to name and to put into
use (docs/models.md).
"""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.python import BranchPythonOperator
from airflow.sdk import DAG
from lake import topics
from lake.defaults import DAG_OPTIONS, POLL_SECONDS, answer, name
from lake.drift import ScoreDrift
from lake.failures import Crawler
from lake.tasks import artifact, done, invoke, tell_failure, train

TOPICS_JOB = answer("prepare_topics", "job")

with DAG(
    "maintenance",
    description="Crawler, drift, topics",
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

    topics_due = BranchPythonOperator(
        task_id="topics_due", python_callable=topics.first_task, op_args=["{{ ds }}"]
    )
    not_today = EmptyOperator(task_id="not_today")
    recent_texts = topics.RecentTexts(task_id="recent_texts")
    gather_texts = invoke(
        "gather_texts",
        "ModelGateFunction",
        {
            "step": "gather",
            "query": "{{ ti.xcom_pull(task_ids='recent_texts') }}",
            "set": topics.SET,
        },
    )
    enough_texts = BranchPythonOperator(
        task_id="enough_texts",
        python_callable=topics.after_gathering,
        op_args=[gather_texts.output],
    )
    too_few_texts = EmptyOperator(task_id="too_few_texts")
    prepare_topics = invoke(
        "prepare_topics",
        "ModelGateFunction",
        {"step": "prepare", "model": "lda", "data": [topics.SET]},
    )
    train_topics = train("train_topics", prepared_by="prepare_topics")
    register_topics = invoke(
        "register_topics",
        "ModelGateFunction",
        {
            "step": "register",
            "model": "lda",
            "job": TOPICS_JOB,
            "artifact": artifact(trained_by="train_topics"),
        },
    )
    topics_due >> [not_today, recent_texts]
    recent_texts >> gather_texts >> enough_texts >> [too_few_texts, prepare_topics]
    prepare_topics >> train_topics >> register_topics

    work = [crawl_landing, measure_drift, topics_due, recent_texts, gather_texts, enough_texts]
    work += [prepare_topics, train_topics, register_topics]
    done([*work, not_today, too_few_texts], rule="none_failed")
    tell_failure(work)
