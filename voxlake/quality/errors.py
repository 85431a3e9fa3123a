"""What can be wrong with quality rules, and with the data they judge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from voxlake.errors import TerminalError

if TYPE_CHECKING:
    from voxlake.quality.verdict import Verdict


class RuleError(TerminalError):
    """A rule is not written in the rules' language; the message says what was expected."""


class RulesFileError(TerminalError):
    """The rules file is not one; the message names file, line and field."""

    def __init__(self, file: str, line: int, where: str, problem: str) -> None:
        self.file, self.line, self.where = file, line, where
        super().__init__(f"{file}, line {line}, {where}: {problem}")


class QualityHaltError(TerminalError):
    """Rules of level halt do not hold for what was written; it was not published."""

    def __init__(self, halting: Sequence[Verdict]) -> None:
        self.halting = list(halting)
        more = f" (and {len(self.halting) - 1} more)" if len(self.halting) > 1 else ""
        super().__init__(
            f"halted by quality rule {self.halting[0]}{more}; nothing was published, what was "
            "pending stays so: repair the data or the rule, then run again"
        )
