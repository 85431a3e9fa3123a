"""What a job prints: a table of numbers, the same that its run item holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def number_table(title: str, columns: Sequence[str], rows: Mapping[str, Mapping[str, int]]) -> str:
    """Rows of numbers under right-aligned columns, with a total where there are several."""
    shown = {
        name: [int(of_row.get(column, 0)) for column in columns] for name, of_row in rows.items()
    }
    if len(shown) > 1:
        shown["total"] = [sum(numbers) for numbers in zip(*shown.values(), strict=True)]
    cells = [[title, *columns]]
    cells += [[name, *(f"{number:,}" for number in numbers)] for name, numbers in shown.items()]
    widths = [max(len(row[at]) for row in cells) for at in range(len(columns) + 1)]
    return "\n".join(
        row[0].ljust(widths[0])
        + "".join(f"  {cell.rjust(width)}" for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in cells
    )
