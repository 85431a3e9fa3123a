"""Migrations: numbered SQL files, each applied once, in order, in one transaction."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from voxlake.errors import TerminalError

FOLDER = "warehouse/migrations"
MAX_STATEMENTS = 38
"""The Data API takes 40 statements at once; two are the runner's."""

BOOKKEEPING = (
    "CREATE SCHEMA IF NOT EXISTS loading",
    "CREATE TABLE IF NOT EXISTS loading.migrations (version SMALLINT NOT NULL, "
    "name VARCHAR(128) NOT NULL, checksum CHAR(64) NOT NULL, applied_at TIMESTAMP NOT NULL, "
    "PRIMARY KEY (version)) DISTSTYLE ALL SORTKEY (version)",
)
APPLIED = "SELECT version, checksum FROM loading.migrations ORDER BY version"
_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")


class MigrationError(TerminalError):
    """The files do not follow from what the warehouse says was applied."""


@dataclass(frozen=True)
class Migration:
    """One file. `checksum`: SHA-256 (hex) of its bytes."""

    version: int
    name: str
    checksum: str
    statements: tuple[str, ...]

    def to_apply(self) -> list[str]:
        """The statements of the one transaction that applies and notes it."""
        return [
            *self.statements,
            "INSERT INTO loading.migrations VALUES "
            f"({self.version}, '{self.name}', '{self.checksum}', GETDATE())",
        ]


def read(folder: Path) -> list[Migration]:
    """The migrations of a folder, in order.

    Raises:
        MigrationError: a file's name or number is not as it should be, or it holds too much.
    """
    found = []
    for number, path in enumerate(sorted(folder.glob("*.sql")), start=1):
        match = _NAME.fullmatch(path.name)
        if not match or int(match[1]) != number:
            raise MigrationError(
                f"expected {number:04}_<name>.sql in {folder.name}, found {path.name}"
            )
        statements = split(path.read_text())
        if not 0 < len(statements) <= MAX_STATEMENTS:
            raise MigrationError(
                f"{path.name}: expected 1 to {MAX_STATEMENTS} statements, found "
                f"{len(statements)}; one transaction of the Data API takes no more"
            )
        checksum = hashlib.sha256(path.read_bytes()).hexdigest()
        found.append(Migration(number, match[2], checksum, tuple(statements)))
    if not found:
        raise MigrationError(f"expected SQL files in {folder}, found none")
    return found


def split(sql: str) -> list[str]:
    """Statements of a file: each ends with a semicolon at the end of a line; comments dropped."""
    bare = re.sub(r"^\s*--[^\n]*\n", "", sql, flags=re.MULTILINE)
    return [part.strip() for part in re.split(r";[ \t]*(?:\n|$)", bare) if part.strip()]


def pending(found: list[Migration], applied: Mapping[int, str]) -> list[Migration]:
    """Those still to apply.

    Args:
        applied: {version: checksum} as the warehouse has it.

    Raises:
        MigrationError: an applied migration was changed or is gone.
    """
    known = {migration.version: migration for migration in found}
    for version, checksum in sorted(applied.items()):
        if version not in known:
            raise MigrationError(
                f"the warehouse has migration {version:04}, which this version does not know; "
                "deploy the newer one"
            )
        if known[version].checksum != checksum:
            raise MigrationError(
                f"migration {version:04}_{known[version].name} was changed after it was applied; "
                "restore the file and put the change into a new migration"
            )
    return [migration for migration in found if migration.version not in applied]
