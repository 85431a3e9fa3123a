"""Whether a request's caller may do what it asks.

Within one account an action is allowed when the caller's own policies or the resource's policy
allow it, and nothing denies it. A KMS key's policy always has a say: it has to name the caller or
leave the decision to the account.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import functools
import json
from typing import Any

from localcloud.core import Cloud
from localcloud.errors import AccessDeniedError
from localcloud.iam.needs import Need, needs
from localcloud.iam.policy import Decision, evaluate
from localcloud.iam.roles import find_role
from localcloud.request import Principal, Request

# Services that send AccessDenied with status 403; the others send AccessDeniedException, 400.
PLAIN_CODE = {"s3", "sts", "iam", "cloudformation", "cloudwatch"}


@functools.lru_cache(maxsize=1024)
def _parsed(text: str) -> dict[str, Any]:
    return json.loads(text)


class Enforcer:
    """Checks role sessions; root may do everything, nobody without credentials anything."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def check(self, request: Request) -> None:
        """Raises `AccessDeniedError` in the form that the request's service has for it."""
        caller = request.principal
        if caller.kind == "root":
            return
        if caller.kind == "anonymous":
            raise AccessDeniedError("Request is missing Authentication Token", "AccessDenied", 403)
        for need in needs(self.cloud, request):
            try:
                reason = self._refusal(caller, need)
            except AccessDeniedError as error:
                reason = f"because {error.message}"
            if reason:
                raise _denied(request.service, caller, need, reason)
            self.cloud.used_actions.setdefault(caller.role_name, set()).add(need.action)

    def _refusal(self, caller: Principal, need: Need) -> str:
        """Why the policies do not allow the need; empty when they do."""
        role = find_role(self.cloud.account, caller.role_name)
        if role is None:
            return "because the role of this session is gone"
        if role.permissions_boundary_arn:
            return "because permissions boundaries are not evaluated by the laptop cloud"
        context = {
            "aws:principalarn": role.arn,
            "aws:principalaccount": caller.account,
            # Requests never leave this machine: what TLS guards against cannot happen, and policies
            # that deny without it are meant for the wire.
            "aws:securetransport": True,
            **need.context,
        }
        question = (need.action, need.resource, context)
        inline = [_parsed(text) for text in role.policies.values()]
        managed = [
            _parsed(v.document)
            for p in role.managed_policies.values()
            for v in p.versions
            if v.version_id == p.default_version_id
        ]
        identity = evaluate(inline + managed, *question)
        policy = [p] if (p := self._resource_policy(need.resource)) else []
        named = evaluate(policy, *question, {"AWS": [caller.arn, role.arn]})
        root = [f"arn:aws:iam::{caller.account}:root", caller.account]
        account = evaluate(policy, *question, {"AWS": root})
        if Decision.DENY in (identity, named, account):
            return "with an explicit deny"
        delegated = not need.action.startswith("kms:") or account is Decision.ALLOW
        if named is Decision.ALLOW or (identity is Decision.ALLOW and delegated):
            return ""
        return f"because no identity-based policy allows the {need.action} action"

    def _resource_policy(self, arn: str) -> dict[str, Any] | None:
        text: Any = None
        if arn.startswith("arn:aws:s3:::"):
            from moto.s3.models import s3_backends

            name = arn.removeprefix("arn:aws:s3:::").partition("/")[0]
            bucket = s3_backends[self.cloud.account]["aws"].buckets.get(name)
            text = bucket.policy if bucket is not None else None
        elif ":kms:" in arn and ":key/" in arn:
            from moto.kms.models import kms_backends

            keys = kms_backends[self.cloud.account][self.cloud.region].keys
            key = keys.get(arn.rpartition("/")[2])
            text = key.policy if key is not None else None
        if not text:
            return None
        return _parsed(text.decode() if isinstance(text, bytes) else text)


def _denied(service: str, caller: Principal, need: Need, reason: str) -> AccessDeniedError:
    message = (
        f"User: {caller.arn} is not authorized to perform: {need.action} on resource:"
        f" {need.resource} {reason}"
    )
    if service == "sns":
        return AccessDeniedError(message, "AuthorizationError", 403)
    if service in PLAIN_CODE:
        return AccessDeniedError(message, "AccessDenied", 403)
    return AccessDeniedError(message, "AccessDeniedException", 403 if service == "lambda" else 400)
