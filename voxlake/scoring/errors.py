"""What can be wrong with a model or with what it is given."""

from __future__ import annotations

from collections.abc import Sequence

from voxlake.errors import TerminalError


class ModelFileError(TerminalError):
    """A model file is missing, unreadable, or not of a known format."""

    def __init__(self, path: object, expected: str, found: str) -> None:
        self.path, self.expected, self.found = str(path), expected, found
        super().__init__(
            f"{path}: expected {expected}, found {found}; train a model with `voxlake train` "
            "or name the folder of a packaged one"
        )


class UnknownHeadError(TerminalError):
    """A score was asked for that a model cannot give."""

    def __init__(self, model: str, heads: Sequence[str], found: Sequence[str]) -> None:
        self.model, self.heads, self.found = model, tuple(heads), tuple(found)
        super().__init__(
            f"{model}: expected heads of {', '.join(heads)}, found {', '.join(found) or 'none'}; "
            "ask for one of these or name another model"
        )


def check_heads(model: str, heads: Sequence[str], asked: Sequence[str]) -> None:
    """Raises UnknownHeadError when a head asked for is not one of the model's, or none is."""
    unknown = [head for head in asked if head not in heads]
    if unknown or not asked:
        raise UnknownHeadError(model, heads, unknown)


class LabelledDataError(TerminalError):
    """Labelled texts cannot be read: `line` is counted from 1, None where the file as a whole."""

    def __init__(self, path: object, line: int | None, expected: str, found: str) -> None:
        self.path, self.line, self.expected, self.found = str(path), line, expected, found
        where = f"{path}, line {line}" if line else str(path)
        super().__init__(
            f"{where}: expected {expected}, found {found}; each line is a JSON object with "
            '"text" and what the task needs (docs/data.md)'
        )


class UnreadableLineError(TerminalError):
    """A line to be scored is not what it must be: `line` is counted from 1."""

    def __init__(self, line: int, problem: str) -> None:
        self.line, self.problem = line, problem
        super().__init__(f"line {line}: {problem}")
