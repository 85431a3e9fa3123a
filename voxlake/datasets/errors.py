"""What can be wrong with a data set."""

from __future__ import annotations

from voxlake.errors import TerminalError


class DatasetError(TerminalError):
    """A data set cannot be used as it is."""


class UnknownDatasetError(DatasetError):
    """No data set of that name is in the catalog."""

    def __init__(self, name: str, known: list[str]) -> None:
        self.name = name
        super().__init__(f"expected a data set of {', '.join(known)}; found {name!r}")


class OriginalFormatError(DatasetError):
    """A source's file is not of the format that its converter knows.

    Attributes: file (its name), line (from 1, or None for the whole file).
    """

    def __init__(self, file: str, line: int | None, expected: str, found: str) -> None:
        self.file, self.line = file, line
        where = file if line is None else f"{file}, line {line}"
        super().__init__(
            f"{where}: expected {expected}, found {found}; the source changed its format, or what "
            "came is not the file"
        )


class RowError(DatasetError):
    """A row is not of the form. Attributes: file, line (from 1); the text is never in it."""

    def __init__(self, file: str, line: int, expected: str, found: str, hint: str = "") -> None:
        self.file, self.line = file, line
        tail = f" ({hint})" if hint else ""
        super().__init__(f"{file}, line {line}: expected {expected}, found {found}{tail}")


class NoRowsError(DatasetError):
    """No row of one's own file is usable. Attributes: file, first (the first row's problem)."""

    def __init__(self, file: str, first: RowError | None) -> None:
        self.file, self.first = file, first
        tail = f"; the first: {first}" if first else ""
        super().__init__(f"{file}: expected at least one usable row, found none{tail}")
