"""The language of quality rules: a part of AWS Glue's Data Quality Definition Language (DQDL).

https://docs.aws.amazon.com/glue/latest/dg/dqdl.html; docs/quality.md says which part.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from voxlake.quality.errors import RuleError

UNIT_SECONDS = {"minutes": 60, "hours": 3600, "days": 86_400}
AGGREGATES: dict[str, Callable[[Sequence[float]], float]] = {
    "avg": fmean,
    "median": median,
    "min": min,
    "max": max,
    "sum": sum,
}
COMPARISONS = ("=", "!=", ">", ">=", "<", "<=")
MAX_LAST = 31

_NOTHING, _NUMBER, _ANY = "no expression", "a comparison with numbers", "an expression"
_NO_COLUMN, _ONE_COLUMN, _COLUMNS = (0, 0), (1, 1), (1, 9)
# Rule type -> how many texts in quotes follow it, and what comes after them.
_SHAPES = {
    "RowCount": (_NO_COLUMN, _NUMBER),
    "IsComplete": (_ONE_COLUMN, _NOTHING),
    "Completeness": (_ONE_COLUMN, _NUMBER),
    "IsUnique": (_ONE_COLUMN, _NOTHING),
    "IsPrimaryKey": (_COLUMNS, _NOTHING),
    "ColumnValues": (_ONE_COLUMN, _ANY),
    "ColumnLength": (_ONE_COLUMN, _NUMBER),
    "Mean": (_ONE_COLUMN, _NUMBER),
    "StandardDeviation": (_ONE_COLUMN, _NUMBER),
    "Sum": (_ONE_COLUMN, _NUMBER),
    "ReferentialIntegrity": ((2, 2), _NUMBER),
    "CustomSql": (_ONE_COLUMN, _NUMBER),
}
_WITH_THRESHOLD = ("ColumnValues", "ColumnLength")
_WITHOUT_WHERE = ("CustomSql",)
_COUNTING = re.compile(
    r"\s*select\s+count\(\s*\*\s*\)\s+from\s+primary\s+where\s+(.+)", re.I | re.S
)
_REFERENCE = re.compile(r"([a-z_]+)\.([a-z_]+)")
_TOKEN = re.compile(
    r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<number>\d+(?:\.\d+)?)|(?P<word>[A-Za-z_]+)'
    r"|(?P<sign>>=|<=|!=|[=<>\[\](),*-]))"
)


@dataclass(frozen=True)
class Ago:
    """A moment: so many seconds before the check."""

    seconds: float


@dataclass(frozen=True)
class Last:
    """``<aggregate>(last(<days>)) * <factor>``: of the days before that have the table."""

    aggregate: str
    days: int
    factor: float = 1.0

    def of(self, earlier: Sequence[float]) -> float:
        """The number, of the values of the earlier days (at least one), newest first."""
        return AGGREGATES[self.aggregate](earlier[: self.days]) * self.factor


Operand = float | str | None | Ago | Last
"""A number, a text, NULL, a moment, or a number made of earlier days."""


@dataclass(frozen=True)
class Condition:
    """What a value has to be.

    Attributes:
        operator: one of ``COMPARISONS``, ``between`` (both ends without), ``in`` or ``matches``
            (the whole value).
        operands: one; two of ``between``; any number of ``in``.
        negated: ``not`` stands before ``in``, ``between`` or ``matches``.
    """

    operator: str
    operands: tuple[Operand, ...]
    negated: bool = False

    def holds(self, value: float, earlier: Sequence[float] = ()) -> bool:
        """Whether a number meets it; ``earlier`` is for operands made of earlier days."""
        bounds = [one.of(earlier) if isinstance(one, Last) else one for one in self.operands]
        first = bounds[0] if bounds else None
        met = {
            "=": lambda: value == first,
            "!=": lambda: value != first,
            ">": lambda: value > first,
            ">=": lambda: value >= first,
            "<": lambda: value < first,
            "<=": lambda: value <= first,
            "between": lambda: first < value < bounds[1],
            "in": lambda: value in bounds,
        }[self.operator]()
        return met is not self.negated

    @property
    def last_days(self) -> int:
        """How many earlier days it asks for; 0: none."""
        return max((one.days for one in self.operands if isinstance(one, Last)), default=0)


@dataclass(frozen=True)
class Expression:
    """One rule as it was parsed.

    Attributes:
        type: rule type, such as ``ColumnValues``.
        columns: those it looks at.
        condition: on the value or number; None where the type says it all.
        where: SQL condition of the rows it looks at; None: all.
        threshold: on the share of rows that meet the condition; None: every row has to.
        reference: (table, column) of ReferentialIntegrity.
        sql: condition of the rows that CustomSql counts.
        text: the rule as it was written.
    """

    type: str
    columns: tuple[str, ...]
    condition: Condition | None
    where: str | None
    threshold: Condition | None
    reference: tuple[str, str] | None
    sql: str | None
    text: str

    @property
    def is_row_rule(self) -> bool:
        """Whether it tells of each single row if it breaks the rule."""
        if self.type == "CustomSql":
            return self.condition == Condition("=", (0.0,))
        return self.type in ("IsComplete", *_WITH_THRESHOLD) and self.threshold is None


def parse(text: str) -> Expression:
    """Parses one rule.

    Raises:
        RuleError: says what was expected, and what was found where.
    """
    return _Parser(text).rule()


class _Parser:
    """Recursive descent over the tokens of one rule."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, str, int]] = []
        self._at = 0
        at, end = 0, len(text.rstrip())
        while at < end:
            found = _TOKEN.match(text, at)
            if not found:
                raise RuleError(
                    f"expected a word, number, text in quotes or sign, found {text[at:]!r}"
                )
            kind = found.lastgroup
            self._tokens.append((kind, found[kind], found.start(kind)))
            at = found.end()

    def rule(self) -> Expression:
        kind, name, _ = self._peek()
        if kind != "word" or name not in _SHAPES:
            self._fail(f"a rule type ({', '.join(_SHAPES)})")
        self._at += 1
        (least, most), wanted = _SHAPES[name]
        texts = []
        while len(texts) < most and self._peek()[0] == "text":
            texts.append(self._string())
        if len(texts) < least:
            self._fail("a column's name in quotes" if name != "CustomSql" else "SQL in quotes")
        condition = None if wanted == _NOTHING else self._condition(wanted)
        where = threshold = None
        while self._peek()[0] != "end":
            if where is None and name not in _WITHOUT_WHERE and self._takes("where"):
                where = self._string()
            elif threshold is None and name in _WITH_THRESHOLD and self._takes("with"):
                self._expect("threshold")
                threshold = self._condition(_NUMBER)
            else:
                self._fail("the end of the rule")
        if name != "RowCount":
            for one in (condition, threshold):
                if one and one.last_days:
                    raise RuleError(f"expected last() with RowCount only, found it with {name}")
        if where and condition and condition.last_days:
            raise RuleError("expected last() without where: only whole days are remembered")
        reference = sql = None
        if name == "ReferentialIntegrity":
            found = _REFERENCE.fullmatch(texts.pop())
            if not found:
                raise RuleError('expected the reference as "table.column"')
            reference = (found[1], found[2])
        elif name == "CustomSql":
            found = _COUNTING.fullmatch(texts.pop())
            if not found:
                raise RuleError('expected "select count(*) from primary where …" as SQL')
            sql = found[1]
        return Expression(
            name, tuple(texts), condition, where, threshold, reference, sql, self._text.strip()
        )

    def _condition(self, wanted: str) -> Condition:
        negated = self._takes("not")
        kind, value, _ = self._peek()
        if kind == "sign" and value in COMPARISONS and not negated:
            self._at += 1
            operands: tuple[Operand, ...] = (self._operand(),)
        elif value == "between":
            self._at += 1
            low = self._operand()
            self._expect("and")
            operands = (low, self._operand())
        elif value == "in":
            self._at += 1
            operands = self._list()
        elif value == "matches" and wanted == _ANY:
            self._at += 1
            operands = (self._string(),)
        else:
            self._fail(wanted)
        if wanted == _NUMBER and not all(isinstance(one, float | Last) for one in operands):
            self._fail(wanted)
        if (value in (">", ">=", "<", "<=") or value == "between") and None in operands:
            self._fail("a value that NULL can be compared with")
        return Condition(value, operands, negated)

    def _list(self) -> tuple[Operand, ...]:
        self._expect("[")
        found = [self._operand()]
        while self._takes(","):
            found.append(self._operand())
        self._expect("]")
        return tuple(found)

    def _operand(self) -> Operand:
        kind, value, _ = self._peek()
        if kind == "text":
            return self._string()
        if self._takes("NULL"):
            return None
        if self._takes("("):
            inner = self._operand()
            self._expect(")")
            return inner
        if self._takes("now"):
            for sign in ("(", ")", "-"):
                self._expect(sign)
            count, unit = self._number(), self._peek()[1]
            if unit not in UNIT_SECONDS:
                self._fail(f"one of {', '.join(UNIT_SECONDS)}")
            self._at += 1
            return Ago(count * UNIT_SECONDS[unit])
        if value in AGGREGATES:
            return self._last()
        return self._number()

    def _last(self) -> Last:
        aggregate = self._peek()[1]
        self._at += 1
        for part in ("(", "last", "("):
            self._expect(part)
        days = self._number()
        if not (days.is_integer() and 1 <= days <= MAX_LAST):
            raise RuleError(f"expected last() of 1 to {MAX_LAST} days, found {days:g}")
        for part in (")", ")"):
            self._expect(part)
        return Last(aggregate, int(days), self._number() if self._takes("*") else 1.0)

    def _number(self) -> float:
        negative = self._takes("-")
        kind, value, _ = self._peek()
        if kind != "number":
            self._fail("a number")
        self._at += 1
        return -float(value) if negative else float(value)

    def _string(self) -> str:
        kind, value, _ = self._peek()
        if kind != "text":
            self._fail("a text in quotes")
        self._at += 1
        return value[1:-1].replace('\\"', '"')

    def _peek(self) -> tuple[str, str, int]:
        if self._at < len(self._tokens):
            return self._tokens[self._at]
        return ("end", "", len(self._text))

    def _takes(self, value: str) -> bool:
        taken = self._peek()[0] != "text" and self._peek()[1] == value
        self._at += taken
        return taken

    def _expect(self, value: str) -> None:
        if not self._takes(value):
            self._fail(value)

    def _fail(self, expected: str) -> None:
        _, value, at = self._peek()
        raise RuleError(f"expected {expected}, found {value or 'its end'} at character {at + 1}")
