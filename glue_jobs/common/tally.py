"""What became of the lines of a run: counts by object for the ledger, by partition for tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from voxlake.errors import TransientError

QUARANTINE_TABLE = "quarantine"

# What a line is among the lines of its run.
REDELIVERED, NEW, REPEATED = "redelivered", "new", "repeated"
# What it is besides an existing row of the same identity.
RECORDED, REPLACES, LATER = "recorded", "replaces", "later"


class Cell(NamedTuple):
    """Lines that share their fate.

    Attributes:
        object: key of the landing object.
        type: event type they count as.
        table, dt: where they belong.
        status: ``redelivered``, ``new`` (first of its identity in the run) or ``repeated``.
        existing: None where the table has no such row; ``recorded``: the row is that very line;
            ``replaces``: the line arrived before the row and takes its place; ``later``.
        lines: how many.
    """

    object: str
    type: str
    table: str
    dt: str
    status: str
    existing: str | None
    lines: int


class DisagreeingTallyError(TransientError):
    """The second count of some lines holds lines that the first did not."""


@dataclass
class Tally:
    """Sums over cells.

    Attributes:
        objects: {object: {event type: {received, redelivered, cleansed, …}}}, as
            ``voxlake.ledger.items.done_update`` takes them.
        tables: {table: {read, valid, redelivered, duplicate, quarantined, written}}; written is
            for the publisher to say.
        net: {(table, dt): rows the partition gains}.
        replaced: {(table, dt): rows whose place an earlier arrival takes}.
        lines: {object: lines read}.
    """

    objects: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)
    tables: dict[str, Counter[str]] = field(default_factory=dict)
    net: Counter[tuple[str, str]] = field(default_factory=Counter)
    replaced: Counter[tuple[str, str]] = field(default_factory=Counter)
    lines: Counter[str] = field(default_factory=Counter)

    def touched(self, table: str) -> list[str]:
        """Partitions of a table that change: they gain rows or rows are replaced."""
        changed = {dt for name, dt in (+self.net).keys() | (+self.replaced).keys() if name == table}
        return sorted(changed)


def tally(cells: Iterable[Cell]) -> Tally:
    """Adds the cells up. Received leaves redelivered lines out, per object and type:
    received = cleansed + duplicate + quarantined (+ erased, which no line is at first).
    """
    sums = Tally()
    for cell in cells:
        if not cell.lines:
            continue
        counts = sums.objects.setdefault(cell.object, {}).setdefault(cell.type, Counter())
        table = sums.tables.setdefault(cell.table, Counter())
        sums.lines[cell.object] += cell.lines
        table["read"] += cell.lines
        outcome = _outcome(cell)
        counts[outcome] += cell.lines
        if outcome != "redelivered":
            counts["received"] += cell.lines
        if outcome == "cleansed":
            table["valid"] += cell.lines
        elif outcome in ("redelivered", "duplicate", "quarantined"):
            table[outcome] += cell.lines
            if outcome == "duplicate":
                table["valid"] += cell.lines
        if cell.status == NEW and cell.existing is None:
            sums.net[cell.table, cell.dt] += cell.lines
        elif cell.existing == REPLACES:
            sums.replaced[cell.table, cell.dt] += cell.lines
    return sums


def _outcome(cell: Cell) -> str:
    if cell.status == REDELIVERED:
        return "redelivered"
    if cell.table == QUARANTINE_TABLE:
        return "quarantined"
    first_of_all = cell.status == NEW and cell.existing is None
    return "cleansed" if first_of_all or cell.existing == RECORDED else "duplicate"


def with_existing(cells: Iterable[Cell], matched: Iterable[Cell]) -> list[Cell]:
    """Takes the lines that have a row already (counted apart) out of the cells they came from.

    Raises:
        DisagreeingTallyError: matched lines that the cells do not hold.
    """
    left = Counter()
    for cell in cells:
        left[cell._replace(lines=0)] += cell.lines
    matched = list(matched)
    for cell in matched:
        left[cell._replace(existing=None, lines=0)] -= cell.lines
    wrong = [cell for cell, lines in left.items() if lines < 0]
    if wrong:
        raise DisagreeingTallyError(
            f"{wrong[0].object}: expected as many {wrong[0].status} lines as were counted before, "
            f"found {-left[wrong[0]]} more; landing changed meanwhile, run again"
        )
    return [cell._replace(lines=lines) for cell, lines in left.items()] + matched
