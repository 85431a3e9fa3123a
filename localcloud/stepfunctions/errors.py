"""Errors of executions (what Retry and Catch match) and of definitions."""

from __future__ import annotations

from localcloud.errors import LocalCloudError, ServiceError


class StatesError(LocalCloudError):
    """A failed state: `error` is the name that Retry and Catch compare, `cause` tells why."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


class PathError(LocalCloudError):
    """A path or an intrinsic call that cannot be read, or that selects nothing."""


class Aborted(LocalCloudError):
    """StopExecution was called, or the cloud stops."""


class TimedOut(LocalCloudError):
    """The execution ran longer than the state machine's TimeoutSeconds."""


class InvalidDefinitionError(ServiceError):
    """The definition is wrong, or asks for what the laptop cloud does not emulate."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(
            "InvalidDefinition",
            f"Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: {message} at {place}'",
        )
