"""What must hold of landing_to_cleansed, as checks that the tests and the mutants share."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tests.unit.glue.kit import LakeKit, event, records, rejected

TABLES = ("posts", "comments", "quarantine")
DAYS = ("2026-02-27", "2026-02-28", "2026-03-01")


class Killed(BaseException):
    """Stands for the end of the process where a test stays in its own."""


def first_batch(lake: LakeKit) -> None:
    """Some events a day, each post twice."""
    events = [
        event(f"{kind}{day}-{n}", kind, at=f"{day}T10:00:00Z")
        for day in DAYS
        for kind in ("post", "comment")
        for n in range(3)
    ]
    lake.land(
        records([*events, *[one for one in events if one["event_type"] == "post"], rejected("bad")])
    )


def second_batch(lake: LakeKit) -> None:
    """New events on the days of the first batch, and some of those again."""
    events = [event(f"post{day}-{n}", at=f"{day}T10:00:00Z") for day in DAYS for n in range(2, 6)]
    lake.land(records(events, first=1000))


def check_each_event_once(lake: LakeKit) -> None:
    """Every event ends in its table once, whatever came how often."""
    for run_id, land, count in (("run-1", first_batch, 3), ("run-2", second_batch, 6)):
        land(lake)
        lake.cleanse(run_id)
        found = [(row["dt"], row["event_id"]) for row in lake.rows("posts")]
        assert sorted(found) == sorted(
            (day, f"post{day}-{n}") for day in DAYS for n in range(count)
        )
    assert lake.totals()["post"] == {
        "received": 31,
        "cleansed": 18,
        "duplicate": 12,
        "quarantined": 1,
    }


def check_repeat_after_death(lake: LakeKit, whole: LakeKit, phase: str) -> None:
    """A run that ends at a phase and is repeated gives what a run without that gives."""

    def die(reached: str) -> None:
        if reached == phase:
            raise Killed(phase)

    first_batch(lake)
    try:
        lake.cleanse("run-1", die)
    except Killed:
        lake.cleanse("run-2")
    check_same(lake, whole)


def check_same(lake: LakeKit, whole: LakeKit) -> None:
    """Both lakes hold the same rows, counted the same."""
    assert lake.tables(TABLES) == whole.tables(TABLES)
    assert lake.totals() == whole.totals()


def check_readers_see_whole_partitions(lake: LakeKit) -> None:
    """Whoever asks the catalog, at any moment of a run, sees each day as before or as after."""
    first_batch(lake)
    lake.cleanse("run-1")
    second_batch(lake)
    states = {
        day: {frozenset(f"post{day}-{n}" for n in range(count)) for count in (3, 6)} for day in DAYS
    }

    def look(_: str = "") -> None:
        seen: dict[str, list[str]] = {day: [] for day in DAYS}
        for row in lake.rows("posts"):
            seen[row["dt"]].append(row["event_id"])
        for day, found in seen.items():
            assert len(found) == len(set(found))
            assert frozenset(found) in states[day], f"dt={day} seen with {sorted(found)}"

    with polling(look):
        lake.cleanse("run-2", look)
    look()


class polling:
    """Calls a check again and again in a thread; its first failure is raised on leaving."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._stop = threading.Event()
        self._failure: Exception | AssertionError | None = None
        self.times = 0
        self._thread = threading.Thread(target=self._poll, daemon=True)

    def _poll(self) -> None:
        while not self._stop.wait(0.02):
            try:
                self._check()
            except (Exception, AssertionError) as failure:
                self._failure = failure
                return
            self.times += 1

    def __enter__(self) -> polling:
        self._thread.start()
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        if self._failure and kind is None:
            raise self._failure
        assert self.times or self._failure or kind, "the reader never came to read"
