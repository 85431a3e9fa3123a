"""What the topics are learnt from: the texts of the last weeks."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

from airflow.providers.amazon.aws.operators.athena import AthenaOperator

from lake.defaults import POLL_SECONDS, name
from lake.failures import LeavesError

SET = "recent_texts"
DAYS = 28
MIN_TEXTS = 2_000
_MAX_TEXTS = 200_000

# Ids end at random, so the limit takes of all days alike, and always the same texts.
QUERY = f"""
SELECT text FROM texts_scored
WHERE dt > CAST(date_add('day', -{DAYS}, date '{{{{ ds }}}}') AS varchar)
  AND dt <= '{{{{ ds }}}}' AND in_scope AND text <> ''
ORDER BY reverse(event_id)
LIMIT {_MAX_TEXTS}
"""


class RecentTexts(LeavesError, AthenaOperator):
    """Asks for them; answers the query's id, under which the result lies."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            query=QUERY,
            database=name("AnalyticsDatabase"),
            workgroup=name("AthenaWorkgroup"),
            sleep_time=min(POLL_SECONDS, 5),
            execution_timeout=timedelta(minutes=30),
            **options,
        )


def first_task(day: str) -> str:
    """The task to begin with on a day: topics are learnt on Mondays; a day changes them little."""
    return "recent_texts" if date.fromisoformat(day).weekday() == 0 else "not_today"


def after_gathering(gathered: str) -> str:
    """The task to go on with, by what `gather` answered, a JSON text."""
    texts = json.loads(gathered)["texts"]
    return "prepare_topics" if texts >= MIN_TEXTS else "too_few_texts"
