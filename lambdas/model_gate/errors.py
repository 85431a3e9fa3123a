"""Why a training cannot be prepared, or what it made cannot be judged."""

from __future__ import annotations

from voxlake.errors import TerminalError, TransientError


class TrainingRequestError(TerminalError):
    """The invocation's payload is none that model_gate answers."""


class MissingObjectError(TerminalError):
    """Data, a model or what an earlier step leaves is not in the artifacts bucket."""


class BestMovedError(TransientError):
    """Another model became best since the candidate was measured; it has to be measured again."""
