"""What batch_planner reads from its environment."""

from __future__ import annotations

from pydantic import Field

from lambdas.common.settings import FunctionSettings


class Settings(FunctionSettings):
    """Typed environment of the function.

    Attributes:
        ledger_table: name of the DynamoDB table.
        artifacts_bucket: name of the bucket of model input and output.
        cleansed_database, analytics_database: names in the Glue catalog.
        tickets_table: name of the stream path's table; None where a stage has no such path.
    """

    ledger_table: str = Field(alias="LEDGER_TABLE", min_length=3)
    artifacts_bucket: str = Field(alias="ARTIFACTS_BUCKET", min_length=3)
    cleansed_database: str = Field(alias="CLEANSED_DATABASE", min_length=1)
    analytics_database: str = Field(alias="ANALYTICS_DATABASE", min_length=1)
    tickets_table: str | None = Field(None, alias="TICKETS_TABLE", min_length=3)
