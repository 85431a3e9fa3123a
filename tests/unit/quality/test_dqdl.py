"""The language of quality rules: what is understood, and what is said of the rest."""

from __future__ import annotations

import pytest

from voxlake.quality.dqdl import Ago, Condition, Expression, Last, parse
from voxlake.quality.errors import RuleError


def expression(text: str, type: str, *columns: str, **members) -> Expression:
    nothing = dict.fromkeys(("condition", "where", "threshold", "reference", "sql"))
    return Expression(type, columns, **nothing | members, text=text)


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("RowCount > 0", {"condition": Condition(">", (0.0,))}),
        (
            "RowCount between median(last(7)) * 0.2 and (max(last(3)))",
            {"condition": Condition("between", (Last("median", 7, 0.2), Last("max", 3)))},
        ),
        ('IsComplete "a"', {}),
        ('Completeness "a" > 0.5', {"condition": Condition(">", (0.5,))}),
        ('IsPrimaryKey "a" "b"', {}),
        (
            'ColumnValues "a" not in ["x", "y, z", NULL] where "b = \'c\'" with threshold >= 0.9',
            {
                "condition": Condition("in", ("x", "y, z", None), negated=True),
                "where": "b = 'c'",
                "threshold": Condition(">=", (0.9,)),
            },
        ),
        (
            'ColumnValues "a" matches "[a-z]+\\d"',
            {"condition": Condition("matches", ("[a-z]+\\d",))},
        ),
        ('ColumnValues "a" between -1 and 1.5', {"condition": Condition("between", (-1.0, 1.5))}),
        (
            'ColumnValues "a" > (now() - 36 hours)',
            {"condition": Condition(">", (Ago(36 * 3600),))},
        ),
        ('ColumnLength "a" <= 10', {"condition": Condition("<=", (10.0,))}),
        (
            'ReferentialIntegrity "a" "posts.post_id" > 0.9',
            {"condition": Condition(">", (0.9,)), "reference": ("posts", "post_id")},
        ),
        (
            'CustomSql "select count(*) from primary where a > b" = 0',
            {"condition": Condition("=", (0.0,)), "sql": "a > b"},
        ),
    ],
)
def test_a_rule_is_understood(text, members):
    named = {'"a" "b"': ("a", "b"), '"a"': ("a",)}
    columns = next((names for quoted, names in named.items() if quoted in text), ())
    assert parse(f" {text}\n") == expression(text, text.split()[0], *columns, **members)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Rowcount > 0", "expected a rule type (RowCount, IsComplete,"),
        ("RowCount", "expected a comparison with numbers, found its end at character 9"),
        ('RowCount > "3"', "expected a comparison with numbers"),
        ("IsComplete a", "expected a column's name in quotes, found a at character 12"),
        ('ColumnValues "a" in ["x"', "expected ], found its end"),
        ('ColumnValues "a" > NULL', "expected a value that NULL can be compared with"),
        (
            'ColumnValues "a" > (now() - 3 weeks)',
            "expected one of minutes, hours, days, found weeks",
        ),
        ('IsComplete "a" with threshold > 0.9', "expected the end of the rule, found with"),
        ('Mean "a" > avg(last(3))', "expected last() with RowCount only, found it with Mean"),
        ('RowCount > avg(last(3)) where "a > 1"', "expected last() without where"),
        ("RowCount > avg(last(400))", "expected last() of 1 to 31 days, found 400"),
        ('ReferentialIntegrity "a" "posts" > 1', 'expected the reference as "table.column"'),
        ('CustomSql "select sum(a) from primary" = 0', "select count(*) from primary where"),
        (
            'IsComplete "a" ; drop',
            "expected a word, number, text in quotes or sign, found ' ; drop'",
        ),
    ],
)
def test_what_is_no_rule_is_refused_with_what_was_expected(text, said):
    with pytest.raises(RuleError) as raised:
        parse(text)
    assert said in str(raised.value)


def test_only_rules_that_tell_of_single_rows_are_row_rules():
    of_rows = [
        'IsComplete "a"',
        'ColumnValues "a" > 1 where "b"',
        'ColumnLength "a" > 1',
        'CustomSql "select count(*) from primary where a" = 0',
    ]
    of_tables = [
        "RowCount > 1",
        'Completeness "a" > 0.5',
        'ColumnValues "a" > 1 with threshold > 0.5',
        'CustomSql "select count(*) from primary where a" < 5',
        'IsUnique "a"',
    ]
    assert [parse(text).is_row_rule for text in (*of_rows, *of_tables)] == [True] * 4 + [False] * 5
