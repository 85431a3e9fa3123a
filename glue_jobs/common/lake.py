"""Where the zones lie: the one place that turns tables and versions into URIs."""

from __future__ import annotations

from dataclasses import dataclass

from glue_jobs.common.arguments import JobArguments
from voxlake.tables import Table


@dataclass(frozen=True)
class Lake:
    """Root URI of each zone, ending in ``/`` (``s3://bucket/``; tests use folders).

    Attributes:
        database_prefix: databases are ``<prefix>_<zone>``.
    """

    landing: str
    cleansed: str
    analytics: str
    artifacts: str
    database_prefix: str = "voxlake"

    @classmethod
    def from_arguments(cls, arguments: JobArguments) -> Lake:
        """The lake in the buckets that the arguments name."""
        return cls(
            landing=f"s3://{arguments.landing_bucket}/",
            cleansed=f"s3://{arguments.cleansed_bucket}/",
            analytics=f"s3://{arguments.analytics_bucket}/",
            artifacts=f"s3://{arguments.artifacts_bucket}/",
            database_prefix=arguments.database_prefix,
        )

    def root(self, table: Table) -> str:
        """Folder of a table, ending in ``/``; below it ``dt=…/v=…/``."""
        return f"{self.cleansed if table.zone == 'cleansed' else self.analytics}{table.name}/"

    def location(self, table: Table, dt: str, version: str) -> str:
        """Folder of a partition's version, ending in ``/``."""
        return f"{self.root(table)}dt={dt}/v={version}/"

    def database(self, table: Table) -> str:
        """Glue database of a table."""
        return table.database(self.database_prefix)

    def table_id(self, table: Table) -> str:
        """``<database>.<table>``, as the ledger names it."""
        return table.full_name(self.database_prefix)

    def scoring(self, run_id: str) -> str:
        """Folder of a run's model input and output, ending in ``/``."""
        return f"{self.artifacts}scoring/run={run_id}/"
