"""Migrations are applied once and in order; a load that outlives its invocation is waited for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lambdas.warehouse_loader.adapters import Warehouse
from lambdas.warehouse_loader.errors import LostRaceError, StillRunningError
from voxlake.warehouse import migrations
from voxlake.warehouse.migrations import MigrationError


def test_statements_end_at_the_end_of_a_line_and_comments_are_dropped():
    sql = "-- a comment; with more\nCREATE TABLE a (b INT);\n\nINSERT INTO a\nVALUES (';');\n"
    assert migrations.split(sql) == ["CREATE TABLE a (b INT)", "INSERT INTO a\nVALUES (';')"]


def test_what_was_applied_is_not_applied_again(tmp_path: Path):
    for number in (1, 2):
        (tmp_path / f"000{number}_step.sql").write_text(f"SELECT {number};\n")
    first, second = migrations.read(tmp_path)
    assert migrations.pending([first, second], {1: first.checksum}) == [second]
    assert second.to_apply()[0] == "SELECT 2"


def test_a_changed_migration_and_an_unknown_one_are_refused(tmp_path: Path):
    (tmp_path / "0001_step.sql").write_text("SELECT 1;\n")
    found = migrations.read(tmp_path)
    with pytest.raises(MigrationError, match="was changed after it was applied"):
        migrations.pending(found, {1: "another"})
    with pytest.raises(MigrationError, match="0002, which this version does not know"):
        migrations.pending(found, {1: found[0].checksum, 2: "x"})


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("0002_gap.sql", "SELECT 1;", "expected 0001_<name>.sql"),
        ("0001_none.sql", "-- nothing\n", "found 0"),
        ("0001_many.sql", "SELECT 1;\n" * 39, "found 39"),
    ],
)
def test_a_file_that_cannot_be_one_migration_is_refused(tmp_path: Path, name, text, words):
    (tmp_path / name).write_text(text)
    with pytest.raises(MigrationError, match=words):
        migrations.read(tmp_path)


class FakeData:
    """A Data API whose statements end as they are told; `running` is there from before."""

    def __init__(self, *ends: dict[str, Any], running: str | None = None) -> None:
        self._ends, self._running, self.started = list(ends), running, 0

    def get_paginator(self, _: str) -> FakeData:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        listed = [{"Id": self._running, "Status": "STARTED"}] if self._running else []
        return [{"Statements": listed}]

    def batch_execute_statement(self, **_: Any) -> dict[str, str]:
        self.started += 1
        return {"Id": f"new-{self.started}"}

    def describe_statement(self, Id: str) -> dict[str, Any]:
        return self._ends.pop(0) if len(self._ends) > 1 else self._ends[0]


def warehouse(data: FakeData, remaining: float = 10) -> Warehouse:
    return Warehouse(
        data,
        workgroup="w",
        database="d",
        secret_arn="s",
        remaining=lambda: remaining,
        sleep=lambda _: None,
    )


RACE = {"Status": "FAILED", "Error": "ERROR: 1023 Serializable isolation violation"}


def test_a_load_that_lost_a_race_is_run_again():
    data = FakeData(RACE, {"Status": "FINISHED"})
    assert warehouse(data).run(["SELECT 1"], "load") == "new-2"


def test_a_load_that_loses_every_race_says_so():
    with pytest.raises(LostRaceError, match="run the load again"):
        warehouse(FakeData(RACE)).run(["SELECT 1"], "load")


def test_what_an_earlier_invocation_started_is_waited_for_and_not_started_twice():
    data = FakeData({"Status": "STARTED"}, {"Status": "FINISHED"}, running="old")
    assert warehouse(data).run(["SELECT 1"], "load") == "old"
    assert data.started == 0


def test_an_invocation_ends_before_its_time_does():
    with pytest.raises(StillRunningError):
        warehouse(FakeData({"Status": "STARTED"}), remaining=0).run(["SELECT 1"], "load")
