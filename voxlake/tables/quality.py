"""The table of what the quality rules said."""

from __future__ import annotations

from voxlake.tables.model import Column, Table

QUALITY_RESULTS = Table(
    zone="analytics",
    name="quality_results",
    row="One quality rule held to one partition that a run wrote; dt is the day of the check. The "
    "rows of level quarantine are in quarantine, with the rule's name as reason.",
    key=("run_id", "table_name", "partition_dt", "rule", "dt"),
    columns=(
        Column("run_id", "string", "The batch run", nullable=False),
        Column("job", "string", "The job that wrote the partition", nullable=False),
        Column("table_name", "string", "Table of the partition", nullable=False),
        Column("partition_dt", "string", "dt of the partition", nullable=False),
        Column("rule", "string", "Name of the rule", nullable=False),
        Column("level", "string", "halt or warn", nullable=False),
        Column("passed", "boolean", "Whether it holds; null: it could not be judged"),
        Column("expected", "string", "The rule, with its bounds where earlier days make them"),
        Column(
            "found", "string", "What was found, in words and numbers; why, where passed is null"
        ),
        Column("rows_failed", "bigint", "Rows that break it; null: it counts no rows", "rows"),
        Column("checked_at", "timestamp", "When it was checked", "UTC", nullable=False),
    ),
)
