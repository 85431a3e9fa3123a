"""The rules file: which rules hold for which table, and what happens where one does not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import yaml

from voxlake.quality.dqdl import COMPARISONS, Ago, Expression, parse
from voxlake.quality.errors import RuleError, RulesFileError
from voxlake.quarantine import QuarantineReason
from voxlake.tables import TABLE_OF_EVENT_TYPE, TABLES, Column, Table

HALT, QUARANTINE, WARN = "halt", "quarantine", "warn"
LEVELS = (HALT, QUARANTINE, WARN)
FILE = "rules.yaml"
RESULTS_TABLE = "quality_results"

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_NUMBERS = ("int", "bigint", "double")
_REASONS = frozenset(QuarantineReason)


@dataclass(frozen=True)
class Rule:
    """One rule of one table.

    Attributes:
        name: unique within the table; rows put aside carry it as their reason.
        level: ``halt``: nothing of the job is published; ``quarantine``: a row that breaks it goes
            to quarantine, before the table sees it; ``warn``: told.
    """

    table: str
    name: str
    level: str
    expression: Expression


@dataclass(frozen=True)
class Rules:
    """All rules, in the order of the file."""

    rules: tuple[Rule, ...] = ()

    def checked(self, table: str) -> list[Rule]:
        """Rules to hold a table's written partitions to; those of level quarantine held before."""
        return [rule for rule in self.rules if rule.table == table and rule.level != QUARANTINE]

    def quarantining(self) -> list[Rule]:
        """Rules whose breakers never reach their table."""
        return [rule for rule in self.rules if rule.level == QUARANTINE]


@cache
def default_rules() -> Rules:
    """The rules of ``rules.yaml`` in this package."""
    return load_rules()


def load_rules(path: Path | None = None) -> Rules:
    """Reads a rules file; without a path the package's own.

    Raises:
        RulesFileError: names file, line and field of the first thing that is wrong.
    """
    if path is None:
        return read_rules(resources.files(__package__).joinpath(FILE).read_text("utf-8"), FILE)
    return read_rules(path.read_text("utf-8"), path.name)


def read_rules(text: str, file: str = FILE) -> Rules:
    """The rules of a file's text; see ``load_rules``."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise RulesFileError(file, line, "the file", f"expected YAML: {error.problem}") from None
    return Rules(tuple(_File(file).rules(root)) if root is not None else ())


class _File:
    """Walks the nodes of a YAML document, which know their lines."""

    def __init__(self, name: str) -> None:
        self._name = name

    def rules(self, root: yaml.Node) -> Iterator[Rule]:
        for table_node, levels in self._members(root, "the file", "tables"):
            name = table_node.value
            if name not in TABLES or name == RESULTS_TABLE:
                self._fail(table_node, name, f"expected a table, found {name!r}")
            names: set[str] = set()
            for level_node, rules in self._members(levels, name, "levels"):
                level, where = level_node.value, f"{name}.{level_node.value}"
                if level not in LEVELS:
                    self._fail(level_node, where, f"expected one of {', '.join(LEVELS)}")
                for rule_node, text_node in self._members(rules, where, "rules"):
                    rule = self._rule(TABLES[name], level, rule_node, text_node)
                    if rule.name in names:
                        self._fail(
                            rule_node, f"{where}.{rule.name}", "expected a name once a table"
                        )
                    names.add(rule.name)
                    yield rule

    def _rule(self, table: Table, level: str, name_node: yaml.Node, node: yaml.Node) -> Rule:
        name, where = str(name_node.value), f"{table.name}.{level}.{name_node.value}"
        if not _NAME.fullmatch(name) or name in _REASONS:
            self._fail(
                name_node,
                where,
                "expected a name of lower-case letters, digits and _ that is no quarantine reason",
            )
        if not isinstance(node, yaml.ScalarNode):
            self._fail(node, where, "expected a rule as text")
        try:
            expression = parse(node.value)
            _check(table, level, expression)
        except RuleError as error:
            self._fail(node, where, f"{error}; the rule is: {node.value.strip()}")
        return Rule(table.name, name, level, expression)

    def _members(
        self, node: yaml.Node, where: str, what: str
    ) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode):
            self._fail(node, where, f"expected {what} by name, found a {node.id}")
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value in seen:
                self._fail(key, f"{where}.{key.value}", "expected each name once")
            seen.add(key.value)
            yield key, value

    def _fail(self, node: yaml.Node, where: str, problem: str) -> None:
        raise RulesFileError(self._name, node.start_mark.line + 1, where, problem)


def _check(table: Table, level: str, rule: Expression) -> None:
    """Raises RuleError where a rule does not fit its table or level."""
    columns = {column.name: column for column in table.columns + table.partition_keys}
    for name in rule.columns:
        if name not in columns:
            raise RuleError(f"expected a column of {table.name}, found {name!r}")
    _check_types(rule, columns)
    if rule.reference:
        other, column = rule.reference
        if other not in TABLES or column not in TABLES[other].column_names:
            raise RuleError(f"expected a table and its column, found {other}.{column}")
    if level == QUARANTINE:
        if table.name not in TABLE_OF_EVENT_TYPE.values():
            tables = ", ".join(TABLE_OF_EVENT_TYPE.values())
            raise RuleError(f"expected level quarantine for {tables} only")
        if not rule.is_row_rule:
            raise RuleError(
                "expected level quarantine for a rule that tells of each row (IsComplete, "
                "ColumnValues and ColumnLength without threshold, CustomSql … = 0)"
            )


def _check_types(rule: Expression, columns: Mapping[str, Column]) -> None:
    types = {name: columns[name].type for name in rule.columns}
    for name, kind in types.items():
        if rule.type in ("Mean", "StandardDeviation", "Sum") and kind not in _NUMBERS:
            raise RuleError(f"expected a column of numbers, found {name} of type {kind}")
        if rule.type == "ColumnLength" and kind != "string":
            raise RuleError(f"expected a column of text, found {name} of type {kind}")
        if rule.type != "ColumnValues":
            continue
        condition = rule.condition
        if condition.operator == "matches" and kind != "string":
            raise RuleError(f"expected a column of text to match, found {name} of type {kind}")
        wanted = {"timestamp": Ago, "string": str}.get(kind, float)
        if kind not in ("timestamp", "string", *_NUMBERS):
            raise RuleError(f"expected a column of one value, found {name} of type {kind}")
        if condition.operator in (*COMPARISONS, "between", "in") and any(
            one is not None and not isinstance(one, wanted) for one in condition.operands
        ):
            shown = {Ago: "(now() - 6 hours)", str: "texts in quotes", float: "numbers"}[wanted]
            raise RuleError(f"expected {name} of type {kind} compared with {shown}")
