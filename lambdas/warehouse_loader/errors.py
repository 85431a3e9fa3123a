"""Why a load fails."""

from __future__ import annotations

from voxlake.errors import TerminalError, TransientError


class StatementFailedError(TerminalError):
    """Redshift refused a statement; the message is its own."""


class LostRaceError(TransientError):
    """Another load changed the same tables meanwhile; nothing of this one is there."""


class StillRunningError(TransientError):
    """The time of this invocation ended before the statement did; the next one takes it up."""


class LakeFilesError(TransientError):
    """A partition's files are not those that the ledger counted."""
