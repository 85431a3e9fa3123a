"""The numbers that quality rules are judged by, taken from written partitions in one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import reduce

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from voxlake.quality.dqdl import Expression
from voxlake.quality.errors import RuleError
from voxlake.quality.expressions import PER_KEY, breaks, considers, measures
from voxlake.quality.rules import Rule
from voxlake.tables import TABLES, Table

REFERENCE_DAYS = 7
"""Values are looked up in the written days of the other table and so many days before each."""

_ALL_ROWS = ""


@dataclass(frozen=True)
class Measured:
    """A partition's rows, and by rule the numbers it is judged by (see ``verdict.judge``)."""

    rows: int = 0
    numbers: Mapping[str, Sequence[float | None]] = field(default_factory=dict)

    def of(self, rule: Rule) -> Sequence[float | None]:
        """The rule's numbers; a partition without rows has zeros."""
        width = len(measures(rule.expression)) or 2
        return self.numbers.get(rule.name, [0.0] * width)


def measure(
    written: Sequence[tuple[Table, DataFrame]],
    rules: Callable[[str], Sequence[Rule]],
    reference: Callable[[Table, str], DataFrame],
) -> dict[tuple[str, str], Measured]:
    """Looks through written rows once: counts them and takes what their rules ask for.

    Args:
        written: tables and their written rows, with dt, as read back from storage.
        rules: by a table's name.
        reference: rows of another table to look values up in, by it and the table that does.

    Returns:
        {(table, dt): its numbers}; partitions without rows are left out.

    Raises:
        RuleError: Spark does not take a rule's SQL.
    """
    frames = []
    for table, rows in written:
        own = rules(table.name)
        frames.append(_sums(table, rows, own))
        for rule in own:
            if rule.expression.type in PER_KEY:
                frames.append(_per_key(rule, rows, reference))
    if not frames:
        return {}
    found: dict[tuple[str, str], Measured] = {}
    by_table = {table.name: rules(table.name) for table, _ in written}
    # What counts all rows comes first: the others add to it.
    for row in sorted(reduce(DataFrame.unionByName, frames).collect(), key=lambda one: one["rule"]):
        place = (row["table"], row["dt"])
        if row["rule"] == _ALL_ROWS:
            found[place] = Measured(row["rows"], _split(by_table[row["table"]], row["numbers"]))
        else:
            found[place].numbers[row["rule"]] = row["numbers"]
    return found


def reference_days(dts: Iterable[str]) -> list[str]:
    """The days to look values up in, for written days."""
    before = range(REFERENCE_DAYS + 1)
    return sorted(
        {
            (date.fromisoformat(dt) - timedelta(days=days)).isoformat()
            for dt in dts
            for days in before
        }
    )


def broken_rule(rules: Sequence[Rule], rows: DataFrame) -> Column:
    """Name of the first rule that a row breaks, null where it breaks none.

    Args:
        rows: has the tables' columns, and ``_table``.

    Raises:
        RuleError: Spark does not take a rule's SQL.
    """
    _check_sql(rules, rows)
    names = [
        F.when((F.col("_table") == rule.table) & F.expr(breaks(rule.expression)), F.lit(rule.name))
        for rule in rules
    ]
    return F.coalesce(*names)


def _sums(table: Table, rows: DataFrame, rules: Sequence[Rule]) -> DataFrame:
    _check_sql(rules, rows)
    numbers = [F.expr(one).cast("double") for rule in rules for one in measures(rule.expression)]
    return (
        rows.groupBy("dt")
        .agg(F.count("*").alias("rows"), F.array(*numbers).cast("array<double>").alias("numbers"))
        .select(
            F.lit(table.name).alias("table"),
            "dt",
            F.lit(_ALL_ROWS).alias("rule"),
            "rows",
            "numbers",
        )
    )


def _split(
    rules: Sequence[Rule], numbers: Sequence[float | None]
) -> dict[str, Sequence[float | None]]:
    """The numbers of each rule, in the order in which they were asked for."""
    split, at = {}, 0
    for rule in rules:
        width = len(measures(rule.expression))
        if width:
            split[rule.name] = numbers[at : at + width]
            at += width
    return split


def _per_key(
    rule: Rule, rows: DataFrame, reference: Callable[[Table, str], DataFrame]
) -> DataFrame:
    """Rows that break a rule about keys, and rows it looks at."""
    expression = rule.expression
    looked_at = rows.where(considers(expression))
    counted = (
        _unknown(expression, looked_at, reference(TABLES[expression.reference[0]], rule.table))
        if expression.reference
        else _shared(expression, looked_at)
    )
    sums = [F.sum(name).cast("double") for name in ("broken", "rows")]
    return (
        counted.groupBy("dt")
        .agg(F.array(*sums).alias("numbers"))
        .select(
            F.lit(rule.table).alias("table"),
            "dt",
            F.lit(rule.name).alias("rule"),
            F.lit(0).cast("bigint").alias("rows"),
            "numbers",
        )
    )


def _shared(expression: Expression, rows: DataFrame) -> DataFrame:
    """By value: rows that share it with another (or, of a key, have none), and all its rows."""
    columns = [F.col(name) for name in expression.columns]
    absent = reduce(lambda one, other: one | other, [column.isNull() for column in columns])
    if expression.type == "IsUnique":
        rows, absent = rows.where(~absent), F.lit(False)
    return (
        rows.groupBy("dt", *columns)
        .agg(F.count("*").alias("rows"))
        .withColumn("broken", F.when((F.col("rows") > 1) | absent, F.col("rows")).otherwise(0))
    )


def _unknown(expression: Expression, rows: DataFrame, reference: DataFrame) -> DataFrame:
    """By row that has a value: whether the other table does not have it."""
    known = reference.select(F.col(expression.reference[1]).alias("_key")).distinct()
    values = rows.select("dt", F.col(expression.columns[0]).alias("_key")).where("_key IS NOT NULL")
    return (
        values.join(known.withColumn("_known", F.lit(1)), "_key", "left")
        .withColumn("broken", F.col("_known").isNull().cast("bigint"))
        .withColumn("rows", F.lit(1))
    )


def _check_sql(rules: Iterable[Rule], rows: DataFrame) -> None:
    """Raises RuleError where Spark does not take a rule's SQL; only looks, runs nothing."""
    for rule in rules:
        expression = rule.expression
        if not (expression.where or expression.sql):
            continue
        try:
            rows.where(expression.sql or expression.where)
        except AnalysisException as error:  # ParseException is one
            told = str(error).strip().splitlines()[0]
            raise RuleError(
                f"rule {rule.table}.{rule.name}: expected SQL that Spark takes, found {told}; the "
                f"rule is: {expression.text}"
            ) from None
