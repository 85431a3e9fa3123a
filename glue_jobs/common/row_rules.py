"""Quality rules of level quarantine: events that break one never reach their table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from glue_jobs.common.checks import broken_rule
from glue_jobs.common.cleaning import EVENT
from glue_jobs.common.landing import quarantine_id
from voxlake.quality.rules import Rule

_QUARANTINE_TABLE = "quarantine"


def put_aside(lines: DataFrame, rules: Sequence[Rule]) -> DataFrame:
    """Turns events that break a rule into quarantined records; their bytes stay in landing.

    Before lines are told apart: what is put aside is counted as every quarantined record is, and
    is nobody's first arrival.

    Args:
        lines: see ``with_cleaning``.
        rules: of level quarantine.

    Returns:
        The lines; those put aside have the rule's name as ``reason``.

    Raises:
        RuleError: Spark does not take a rule's SQL.
    """
    if not rules:
        return lines
    place = F.lit(None).cast("string").alias("place")  # as ``cleansed`` has it
    flat = lines.select("*", f"{EVENT}.*", place)
    broken = F.col("_broken")

    def of_rule(text: Callable[[Rule], str]) -> Column:
        pairs = [
            F.lit(part) for rule in rules for part in (f"{rule.table}.{rule.name}", text(rule))
        ]
        return F.create_map(*pairs)[F.concat_ws(".", "_table", broken)]

    becomes = {
        "reason": broken,
        "field": of_rule(lambda rule: (*rule.expression.columns, "")[0]),
        "event_type": F.col("_type"),
        "detail": F.concat(
            F.lit("expected "), of_rule(lambda rule: rule.expression.text), F.lit(" of the event")
        ),
        "dt": F.col("arrival").cast("date").cast("string"),
        "_id": quarantine_id(),
        "_table": F.lit(_QUARANTINE_TABLE),
    }
    return flat.withColumn("_broken", broken_rule(rules, flat)).select(
        *[
            F.when(broken.isNotNull(), becomes[name]).otherwise(F.col(name)).alias(name)
            if name in becomes
            else F.col(name)
            for name in lines.columns
        ]
    )
