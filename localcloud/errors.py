"""Errors of the laptop cloud: those shown to its operator, and those sent to AWS clients."""

from __future__ import annotations


class LocalCloudError(Exception):
    """Root of every error the laptop cloud raises on purpose."""


class StateError(LocalCloudError):
    """The state directory or the process it names is not as expected."""


class DeployError(LocalCloudError):
    """A template cannot be deployed; the message names stack, logical id, type and property."""


class UnsupportedTypeError(DeployError):
    """The template holds a CloudFormation type that has no mapping."""


class UnsupportedPropertyError(DeployError):
    """The template sets a property that its mapping does not honour."""


class ReplacementRequiredError(DeployError):
    """A changed property cannot be changed in place; the laptop cloud does not replace."""


class ServiceError(LocalCloudError):
    """An error in the shape AWS sends it: sent to the client with this code and HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class AccessDeniedError(ServiceError):
    """The caller's policies do not allow the action. `code` differs by service."""

    def __init__(self, message: str, code: str = "AccessDeniedException", status: int = 400):
        super().__init__(code, message, status)
