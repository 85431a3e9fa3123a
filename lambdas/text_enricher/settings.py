"""What text_enricher reads from its environment."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pydantic import Field

from lambdas.common.settings import FunctionSettings


class Settings(FunctionSettings):
    """Typed environment of the function.

    Attributes:
        scores_table, tickets_table: names of the DynamoDB tables.
        pseudonym_secret_arn: the secret whose key the batch path cleans with too.
        models: folder of the models `encoder` and `complaint_reason`; relative to the function's
            package.
        queues_file: a queues.yaml in place of the packaged one; relative likewise.
        score_days: how long a provisional score is kept.
        max_event_future_hours: how far, in hours, occurred_at may lie after the arrival.
        threads: cores that scoring a batch may take.
        outbox_url: queue of the replies asked for; empty where replies are off.
        replies_table: name of the table where authors' wishes to get none are kept.
        x_account_id: id of our own account on X, whose posts get no ticket.
    """

    scores_table: str = Field(alias="SCORES_TABLE", min_length=3)
    tickets_table: str = Field(alias="TICKETS_TABLE", min_length=3)
    pseudonym_secret_arn: str = Field(alias="PSEUDONYM_SECRET_ARN", min_length=1)
    models: Path = Field(Path("models"), alias="MODELS_FOLDER")
    queues_file: Path | None = Field(None, alias="QUEUES_FILE")
    score_days: int = Field(7, alias="SCORE_DAYS", ge=1, le=365)
    max_event_future_hours: int = Field(24, alias="MAX_EVENT_FUTURE_HOURS", ge=0)
    threads: int = Field(1, alias="SCORING_THREADS", ge=1, le=16)
    outbox_url: str = Field("", alias="OUTBOX_URL")
    replies_table: str = Field("", alias="REPLIES_TABLE")
    x_account_id: str = Field("", alias="X_ACCOUNT_ID")

    @property
    def max_future(self) -> timedelta:
        return timedelta(hours=self.max_event_future_hours)
