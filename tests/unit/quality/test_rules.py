"""The rules file: what it may say, and how it is refused."""

from __future__ import annotations

import re

import pytest

from voxlake.quality.__main__ import main
from voxlake.quality.errors import RulesFileError
from voxlake.quality.rules import default_rules, read_rules

GOOD = """\
posts:
  halt:
    some_rows: RowCount > 0
  quarantine:
    liked_possibly: ColumnValues "like_count" < 100 where "like_count is not null"
  warn:
    told: Completeness "lang" > 0.5
"""


def test_rules_are_read_in_order_with_table_level_and_name():
    rules = read_rules(GOOD)
    assert [(one.table, one.level, one.name, one.expression.text) for one in rules.rules] == [
        ("posts", "halt", "some_rows", "RowCount > 0"),
        (
            "posts",
            "quarantine",
            "liked_possibly",
            'ColumnValues "like_count" < 100 where "like_count is not null"',
        ),
        ("posts", "warn", "told", 'Completeness "lang" > 0.5'),
    ]
    assert [one.name for one in rules.checked("posts")] == ["some_rows", "told"]
    assert [one.name for one in rules.quarantining()] == ["liked_possibly"]
    assert read_rules("# nothing\n").rules == ()


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (("posts:", "post:"), 1, "post: expected a table, found 'post'"),
        (("posts:", "quality_results:"), 1, "expected a table"),
        (("  halt:", "  stop:"), 2, "posts.stop: expected one of halt, quarantine, warn"),
        (("some_rows", "Some rows"), 3, "posts.halt.Some rows: expected a name of lower-case"),
        (("liked_possibly", "wrong_type"), 5, "that is no quarantine reason"),
        (("told", "some_rows"), 7, "posts.warn.some_rows: expected a name once a table"),
        (('"lang"', '"language"'), 7, "expected a column of posts, found 'language'"),
        (('"like_count" <', '"text" <'), 5, "expected text of type string compared with texts"),
        (("RowCount > 0", "RowCount >"), 3, "posts.halt.some_rows: expected a number"),
        (("Completeness", "Mean"), 7, "expected a column of numbers, found lang of type string"),
        (
            ('ColumnValues "like_count" < 100 where "like_count is not null"', "RowCount > 0"),
            5,
            "expected level quarantine for a rule that tells of each row",
        ),
        (("RowCount > 0", "[RowCount > 0]"), 3, "expected a rule as text"),
        (("  warn:\n", "  warn: nothing\n"), 6, "posts.warn: expected rules by name"),
    ],
)
def test_a_bad_file_gives_one_line_with_line_and_field(change, line, said):
    text = GOOD.replace(*change).replace(
        '  warn: nothing\n    told: Completeness "lang" > 0.5\n', "  warn: nothing\n"
    )
    with pytest.raises(RulesFileError) as raised:
        read_rules(text)
    told = str(raised.value)
    assert told.startswith(f"rules.yaml, line {line}, "), told
    assert said in told
    assert "\n" not in told


def test_level_quarantine_is_for_tables_that_landing_fills():
    with pytest.raises(RulesFileError) as raised:
        read_rules('texts_scored:\n  quarantine:\n    a: IsComplete "model"\n')
    assert "line 3" in str(raised.value)
    assert "expected level quarantine for posts, comments, profiles" in str(raised.value)


def test_what_is_no_yaml_is_refused_by_its_line():
    with pytest.raises(
        RulesFileError, match=re.escape("rules.yaml, line 2, the file: expected YAML")
    ):
        read_rules("posts:\n\thalt: x\n")


def test_the_command_checks_a_file(tmp_path, capsys):
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(GOOD)
    bad.write_text("posts: 1\n")
    assert (main([str(good)]), main([str(bad)])) == (0, 1)
    shown = capsys.readouterr()
    assert shown.out == "posts: 1 halt, 1 quarantine, 1 warn\n"
    assert shown.err == "bad.yaml, line 1, posts: expected levels by name, found a scalar\n"


def test_the_project_s_own_rules_are_read():
    assert {rule.level for rule in default_rules().rules} == {"halt", "quarantine", "warn"}
