"""What stream_consumer reads from its environment."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from lambdas.common.settings import FunctionSettings


class Settings(FunctionSettings):
    """Typed environment of the function.

    Attributes:
        landing_bucket: name of the bucket that takes landing and quarantine objects.
        ledger_table: name of the DynamoDB table that records them.
        max_event_future_hours: how far, in hours, occurred_at may lie after the arrival.
        max_write_threads: objects written at once.
    """

    landing_bucket: str = Field(alias="LANDING_BUCKET", min_length=3)
    ledger_table: str = Field(alias="LEDGER_TABLE", min_length=3)
    max_event_future_hours: int = Field(24, alias="MAX_EVENT_FUTURE_HOURS", ge=0)
    max_write_threads: int = Field(8, alias="MAX_WRITE_THREADS", ge=1, le=64)

    @property
    def max_future(self) -> timedelta:
        return timedelta(hours=self.max_event_future_hours)
