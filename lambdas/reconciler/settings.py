"""What reconciler reads from its environment."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from lambdas.common.settings import FunctionSettings


class Settings(FunctionSettings):
    """Typed environment of the function.

    Attributes:
        ledger_table: name of the DynamoDB table.
        landing_bucket: name of the landing bucket.
        event_stream: name of the Kinesis stream.
        cleansed_database, analytics_database: names in the Glue catalog.
        athena_workgroup: that counts rows.
        schedule_minutes: between two scheduled batch runs.
        landing_retention_days: after which landing objects expire; without it every object the
            ledger knows has to be there.
    """

    ledger_table: str = Field(alias="LEDGER_TABLE", min_length=3)
    landing_bucket: str = Field(alias="LANDING_BUCKET", min_length=3)
    event_stream: str = Field(alias="EVENT_STREAM", min_length=1)
    cleansed_database: str = Field(alias="CLEANSED_DATABASE", min_length=1)
    analytics_database: str = Field(alias="ANALYTICS_DATABASE", min_length=1)
    athena_workgroup: str = Field(alias="ATHENA_WORKGROUP", min_length=1)
    schedule_minutes: int = Field(alias="SCHEDULE_MINUTES", ge=1)
    landing_retention_days: int | None = Field(None, alias="LANDING_RETENTION_DAYS", ge=1)

    @property
    def landing_retention(self) -> timedelta | None:
        days = self.landing_retention_days
        return None if days is None else timedelta(days=days)
