"""What warehouse_loader reads from its environment."""

from __future__ import annotations

from pydantic import Field

from lambdas.common.settings import FunctionSettings


class Settings(FunctionSettings):
    """Typed environment of the function.

    Attributes:
        ledger_table: name of the DynamoDB table.
        artifacts_bucket: takes COPY's manifests.
        cleansed_database, analytics_database: as the ledger names them.
        workgroup, namespace, database: of Redshift Serverless.
        copy_role_arn: the role that COPY reads the lake with.
        daily_rpu_hours: the workgroup's usage limit.
    """

    ledger_table: str = Field(alias="LEDGER_TABLE", min_length=3)
    artifacts_bucket: str = Field(alias="ARTIFACTS_BUCKET", min_length=3)
    cleansed_database: str = Field(alias="CLEANSED_DATABASE", min_length=1)
    analytics_database: str = Field(alias="ANALYTICS_DATABASE", min_length=1)
    workgroup: str = Field(alias="REDSHIFT_WORKGROUP", min_length=3)
    namespace: str = Field(alias="REDSHIFT_NAMESPACE", min_length=3)
    database: str = Field(alias="REDSHIFT_DATABASE", min_length=1)
    copy_role_arn: str = Field(alias="COPY_ROLE_ARN", min_length=20)
    daily_rpu_hours: int = Field(alias="DAILY_RPU_HOURS", ge=1)

    def lake_database(self, zone: str) -> str:
        """The catalog's database of a zone."""
        return {"cleansed": self.cleansed_database, "analytics": self.analytics_database}[zone]
