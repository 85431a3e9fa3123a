"""Rules as SQL of Spark: which rows break one, and which numbers it is judged by."""

from __future__ import annotations

from voxlake.quality.dqdl import Ago, Condition, Expression, Operand

PER_KEY = ("IsUnique", "IsPrimaryKey", "ReferentialIntegrity")
"""Rule types judged by more than sums over rows: by values that rows share, or another table's."""

_OF_COLUMN = {"Mean": "avg", "StandardDeviation": "stddev_pop", "Sum": "sum"}


def breaks(rule: Expression) -> str:
    """Condition that is true of a row that breaks the rule and false of any other, never null.

    Args:
        rule: one that counts rows (IsComplete, Completeness, ColumnValues, ColumnLength,
            CustomSql); a threshold is not looked at.
    """
    if rule.type == "CustomSql":
        return f"coalesce({rule.sql}, false)"
    column = _name(rule.columns[0])
    if rule.type in ("IsComplete", "Completeness"):
        broken = f"{column} IS NULL"
    else:
        value = f"length({column})" if rule.type == "ColumnLength" else column
        # As in DQDL a null fails, but for a condition that says what a value must not be.
        passes_null = rule.condition.negated or rule.condition.operator == "!="
        broken = f"NOT coalesce({_holds(value, rule.condition)}, {str(passes_null).lower()})"
    return f"({broken}) AND {considers(rule)}"


def considers(rule: Expression) -> str:
    """Condition of the rows that a rule looks at, never null."""
    return f"coalesce({rule.where}, false)" if rule.where else "true"


def measures(rule: Expression) -> list[str]:
    """The aggregates that the rule is judged by (see ``verdict.judge``), none of ``PER_KEY``.

    Two for rules that count rows (breaking, looked at), one for the others.
    """
    if rule.type in PER_KEY:
        return []
    if rule.type == "RowCount":
        return [f"count_if({considers(rule)})"]
    if rule.type in _OF_COLUMN:
        value = f"CASE WHEN {considers(rule)} THEN {_name(rule.columns[0])} END"
        return [f"{_OF_COLUMN[rule.type]}({value})"]
    return [f"count_if({breaks(rule)})", f"count_if({considers(rule)})"]


def _holds(value: str, condition: Condition) -> str:
    """The condition on a value; null where it cannot be told."""
    texts = [_literal(one) for one in condition.operands]
    if condition.operator == "between":
        holds = f"{value} > {texts[0]} AND {value} < {texts[1]}"
    elif condition.operator == "matches":
        holds = f"{value} RLIKE {_literal(f'^(?:{condition.operands[0]})$')}"
    elif condition.operator == "in":
        options = [f"{value} <=> {text}" for text in texts]
        holds = (
            " OR ".join(options)
            if None in condition.operands
            else f"{value} IN ({', '.join(texts)})"
        )
    elif condition.operands == (None,):
        holds = f"{value} IS {'NOT ' if condition.operator == '!=' else ''}NULL"
    else:
        holds = f"{value} {condition.operator} {texts[0]}"
    return f"NOT ({holds})" if condition.negated else f"({holds})"


def _literal(operand: Operand) -> str:
    if operand is None:
        return "NULL"
    if isinstance(operand, str):
        escaped = operand.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{escaped}'"
    if isinstance(operand, Ago):
        return f"(current_timestamp() - make_dt_interval(0, 0, 0, {operand.seconds:.0f}))"
    return repr(operand).removesuffix(".0")


def _name(column: str) -> str:
    return f"`{column}`"
