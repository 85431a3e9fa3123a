"""What a service may do by the policy of a resource that it calls."""

from __future__ import annotations

from typing import Any

from localcloud.core import Cloud
from localcloud.errors import AccessDeniedError
from localcloud.iam.policy import Decision, evaluate


def require(
    cloud: Cloud, statements: list[Any], service: str, action: str, resource: str, source_arn: str
) -> None:
    """Raises `AccessDeniedError` unless the statements allow the service (`events.amazonaws.com`)
    the action on the resource's ARN, on behalf of `source_arn`."""
    context = {
        "aws:sourcearn": source_arn,
        "aws:sourceaccount": cloud.account,
        "aws:securetransport": "true",
    }
    who = {"Service": [service]}
    if evaluate([{"Statement": statements}], action, resource, context, who) is not Decision.ALLOW:
        raise AccessDeniedError(
            f"{service} is not authorized to perform {action} on {resource} for {source_arn}:"
            " its resource policy has no statement that allows it"
        )
