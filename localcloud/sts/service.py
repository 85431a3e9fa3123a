"""AssumeRole by the role's trust policy; GetCallerIdentity."""

from __future__ import annotations

from typing import Any

from localcloud.core import Cloud
from localcloud.iam.roles import new_session
from localcloud.request import Request


class StsService:
    name = "sts"

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.actions = {
            "AssumeRole": self.assume_role,
            "GetCallerIdentity": self.get_caller_identity,
        }

    def status(self) -> dict[str, Any]:
        """Role -> actions that its sessions took, as IAM's access advisor tells them."""
        used = list(self.cloud.used_actions.items())
        return {"used_actions": {role: sorted(actions) for role, actions in used}}

    def assume_role(self, request: Request) -> dict[str, Any]:
        params, caller = request.params, request.principal
        account, role = f"arn:aws:iam::{caller.account}", caller.role_name
        names = [caller.arn, f"{account}:root", caller.account, f"{account}:role/{role}"]
        session = new_session(
            self.cloud,
            params["RoleArn"],
            params["RoleSessionName"],
            caller=caller.arn,
            trusted={"AWS": names},
            duration=int(params.get("DurationSeconds", 3600)),
        )
        return {
            "Credentials": {
                "AccessKeyId": session.access_key_id,
                "SecretAccessKey": session.secret_access_key,
                "SessionToken": session.session_token,
                "Expiration": session.expiration,
            },
            "AssumedRoleUser": {"AssumedRoleId": session.user_id, "Arn": session.arn},
        }

    def get_caller_identity(self, request: Request) -> dict[str, Any]:
        caller = request.principal
        return {
            "UserId": caller.access_key_id if caller.role_name else caller.account,
            "Account": caller.account,
            "Arn": caller.arn,
        }
