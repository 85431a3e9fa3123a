"""What can go wrong in a job, as types: transient errors are worth a retry, terminal ones not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from voxlake.errors import TerminalError, TransientError


class MissingArgumentError(TerminalError):
    """The job was started without an argument it needs."""

    def __init__(self, missing: Iterable[str]) -> None:
        self.missing = sorted(missing)
        names = " ".join(f"--{name}" for name in self.missing)
        super().__init__(
            f"expected {names}, found none; start the job with them (the state machine passes "
            "--run_id, the job's default arguments hold the rest)"
        )


class LeaseTimeoutError(TransientError):
    """Another run held a table's lease for longer than this one may wait."""

    def __init__(self, table_id: str, holder: str, waited_seconds: float) -> None:
        self.table_id = table_id
        self.holder = holder
        super().__init__(
            f"lease of {table_id}: expected it free within {waited_seconds:.0f} s, found it held "
            f"by {holder}; run again when that run has ended"
        )


class LeaseLostError(TransientError):
    """This run no longer holds a lease it published under: it was held up for too long."""

    def __init__(self, table_ids: Iterable[str]) -> None:
        self.table_ids = sorted(table_ids)
        super().__init__(
            f"lease of {', '.join(self.table_ids)}: expected to hold it, found it expired or "
            "taken; nothing more was published, run again"
        )


class VersionConflictError(TransientError):
    """Somebody else published a partition between this run's read and its write."""

    def __init__(self, table_id: str, dt: str, revision: int) -> None:
        self.table_id = table_id
        self.dt = dt
        super().__init__(
            f"{table_id} dt={dt}: expected revision {revision - 1} in the ledger, found another; "
            "run again to recompute from the current version"
        )


class ObjectClaimedError(TransientError):
    """An object's ledger item changed while this run processed it."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(
            f"{key}: expected its ledger item pending, found it done or gone; run again, lines "
            "already in a table are recognised"
        )


class WrittenRowsError(TransientError):
    """What lies in storage after a write is not what was to be written."""

    def __init__(self, table: str, dt: str, expected: int, found: int) -> None:
        self.table, self.dt, self.expected, self.found = table, dt, expected, found
        super().__init__(
            f"{table} dt={dt}: expected {expected} rows written, found {found}; nothing was "
            "published, run again"
        )


class ShortReadError(TransientError):
    """Spark read fewer lines of a landing object than it holds, though the object is sound."""

    def __init__(self, short: Mapping[str, tuple[int, int]]) -> None:
        self.short = dict(short)
        key, (found, expected) = next(iter(sorted(short.items())))
        super().__init__(
            f"{len(short)} landing object(s) were read short, such as {key}: expected {expected} "
            f"lines, found {found}, yet the object is sound; run again"
        )


class MissingScoresError(TerminalError):
    """Texts have no score, so their day cannot be published."""

    def __init__(self, missing: Mapping[str, int]) -> None:
        self.missing = dict(sorted(missing.items()))
        days = ", ".join(f"{dt}: {count}" for dt, count in list(self.missing.items())[:10])
        super().__init__(
            f"expected a score for every text, found none for {sum(self.missing.values())} texts "
            f"({days}); nothing was published, look into the transform job's output and run again"
        )


class ColumnTypeError(TerminalError):
    """A Parquet file has a column in another type than the table's description."""

    def __init__(self, file: str, column: str, expected: str, found: str) -> None:
        self.file, self.column, self.expected, self.found = file, column, expected, found
        super().__init__(
            f"{file}: expected column {column} as {expected}, found {found}; nothing was "
            "published, find out what wrote the file, put the partition's version before it in its "
            "place and run again"
        )


class MissingRunError(TerminalError):
    """The step of the run that this job builds on has left no item in the ledger."""

    def __init__(self, run_id: str, job: str) -> None:
        self.run_id, self.job = run_id, job
        super().__init__(
            f"run {run_id}: expected the ledger item of {job} in state done, found none; run that "
            "job first with the same --run_id"
        )


class ScoresLeftError(TransientError):
    """DynamoDB kept leaving keys of a batch unread."""

    def __init__(self, table: str, left: int) -> None:
        self.table, self.left = table, left
        super().__init__(
            f"{table}: expected all provisional scores asked for, found {left} left unread after "
            "the last attempt; nothing was published, run again"
        )


class ScoreLinesError(TerminalError):
    """The model's output is not what the lake reads: lines lack keys or values."""

    def __init__(self, keys: Iterable[str], lines: int, event_id: str | None) -> None:
        self.keys, self.lines, self.event_id = list(keys), lines, event_id
        such = f", such as that of event {event_id}" if event_id else ""
        super().__init__(
            f"expected {', '.join(self.keys)} in every line of the model's output, found none (or "
            f"null, or another type) in {lines} lines{such}; nothing was published, deploy the "
            "model and the jobs of one version and run again"
        )
