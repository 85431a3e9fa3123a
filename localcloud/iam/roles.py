"""Roles: who is a session of one, who may become one, and the credentials for it."""

from __future__ import annotations

import json
import re
from typing import Any

from localcloud.core import Cloud
from localcloud.errors import AccessDeniedError, ServiceError
from localcloud.iam.policy import Decision, as_list, evaluate
from localcloud.request import Principal


def principal(cloud: Cloud, access_key_id: str) -> Principal:
    """Keys that STS gave out for a role are that role's session; every other key is root's."""
    if not access_key_id:
        return Principal("anonymous", "*", cloud.account)
    if access_key_id.startswith("ASIA"):
        from moto.sts.models import sts_backends

        sessions = sts_backends[cloud.account]["aws"]
        session = sessions.get_assumed_role_from_access_key(access_key_id)
        if session is not None:
            name = session.role_arn.rsplit("/", 1)[-1]
            return Principal("role", session.arn, cloud.account, name, access_key_id)
    root = f"arn:aws:iam::{cloud.account}:root"
    return Principal("root", root, cloud.account, access_key_id=access_key_id)


def find_role(account: str, name: str) -> Any:
    """moto's role of that name, or None; read in this process, since every call needs it."""
    from moto.iam.models import iam_backends

    roles = iam_backends[account]["aws"].roles.values()
    return next((role for role in roles if role.name == name), None)


def new_session(
    cloud: Cloud,
    role_arn: str,
    session_name: str,
    *,
    caller: str,
    trusted: dict[str, list[str]] | None,
    duration: int = 3600,
) -> Any:
    """moto's session of a role, when the role's trust policy admits `trusted`; None: unasked.

    Raises `ServiceError`: NoSuchEntity when the role does not exist, AccessDenied when it does not
    trust the caller.
    """
    from moto.sts.models import sts_backends

    match = re.fullmatch(r"arn:aws:iam::\d{12}:role/(?:.*/)?([^/]+)", role_arn)
    role = find_role(cloud.account, match.group(1)) if match else None
    if role is None and "AWS" not in (trusted or {}):
        raise ServiceError("NoSuchEntity", f"The role {role_arn} cannot be found.", 404)
    if role is None or (trusted is not None and not _trusts(role, trusted)):
        raise AccessDeniedError(
            f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role_arn}",
            "AccessDenied",
            403,
        )
    return sts_backends[cloud.account]["aws"].assume_role(
        region_name=cloud.region,
        role_session_name=session_name[:64],
        role_arn=role.arn,
        policy="",
        duration=duration,
        external_id="",
    )


def _trusts(role: Any, trusted: dict[str, list[str]]) -> bool:
    trust = json.loads(role.assume_role_policy_document)
    statements = [_without_source(s) for s in as_list(trust["Statement"])]
    decision = evaluate([{"Statement": statements}], "sts:AssumeRole", "", {}, trusted)
    return decision is Decision.ALLOW


def _without_source(statement: dict[str, Any]) -> dict[str, Any]:
    """Conditions on a service's source guard against other accounts; here is one account."""
    conditions = {
        operator: {k: v for k, v in tests.items() if not k.lower().startswith("aws:source")}
        for operator, tests in statement.get("Condition", {}).items()
    }
    return {**statement, "Condition": conditions}


def role_credentials(
    cloud: Cloud, role_arn: str, session_name: str, service: str | None = None
) -> dict[str, str]:
    """A session's credentials as environment variables; see `Cloud.role_credentials`."""
    trusted = {"Service": [service]} if service is not None else None
    session = new_session(cloud, role_arn, session_name, caller=service or "root", trusted=trusted)
    return {
        "AWS_ACCESS_KEY_ID": session.access_key_id,
        "AWS_SECRET_ACCESS_KEY": session.secret_access_key,
        "AWS_SESSION_TOKEN": session.session_token,
    }
