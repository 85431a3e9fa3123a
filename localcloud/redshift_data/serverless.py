"""Redshift Serverless: namespaces (databases), workgroups (compute), usage limits. Bookkeeping."""

from __future__ import annotations

import json
import uuid
from typing import Any

from localcloud.errors import ServiceError


class Serverless:
    """What `redshift-serverless` is asked; all is AVAILABLE as soon as it is made."""

    def __init__(self, cloud: Any) -> None:
        self._cloud = cloud
        self.namespaces: dict[str, dict[str, Any]] = {}
        self.workgroups: dict[str, dict[str, Any]] = {}
        self._limits: dict[str, dict[str, Any]] = {}
        self.actions = {
            "CreateNamespace": self.create_namespace,
            "GetNamespace": lambda r: {"namespace": _found(self.namespaces, r, "namespaceName")},
            "UpdateNamespace": self.update_namespace,
            "CreateWorkgroup": self.create_workgroup,
            "GetWorkgroup": lambda r: {"workgroup": _found(self.workgroups, r, "workgroupName")},
            "ListWorkgroups": lambda _: {"workgroups": list(self.workgroups.values())},
            "CreateUsageLimit": self.create_usage_limit,
            "UpdateUsageLimit": self.update_usage_limit,
            "ListUsageLimits": lambda _: {"usageLimits": list(self._limits.values())},
        }

    def create_namespace(self, request: Any) -> dict[str, Any]:
        """Make a namespace; its administrator's password is kept in Secrets Manager."""
        params, name = request.params, request.params["namespaceName"]
        if name in self.namespaces:
            raise ServiceError("ConflictException", f"The namespace {name} already exists.")
        if not params.get("manageAdminPassword"):
            raise ServiceError(
                "ValidationException",
                "manageAdminPassword: expected true; the laptop cloud knows managed passwords only",
            )
        found = _made(params, "namespace", self._cloud, "tags", "manageAdminPassword")
        found.setdefault("adminUsername", "admin")
        found.setdefault("dbName", "dev")
        secrets = self._cloud.client("secretsmanager")
        secret = {"username": found["adminUsername"], "password": uuid.uuid4().hex}
        key = {"KmsKeyId": k} if (k := params.get("adminPasswordSecretKmsKeyId")) else {}
        made = secrets.create_secret(
            Name=f"redshift!{name}-{secret['username']}", SecretString=json.dumps(secret), **key
        )
        found["adminPasswordSecretArn"] = made["ARN"]
        self.namespaces[name] = found
        return {"namespace": found}

    def update_namespace(self, request: Any) -> dict[str, Any]:
        found = _found(self.namespaces, request, "namespaceName")
        changes = ("iamRoles", "defaultIamRoleArn", "logExports")
        found.update({n: request.params[n] for n in changes if n in request.params})
        return {"namespace": found}

    def create_workgroup(self, request: Any) -> dict[str, Any]:
        params, name = request.params, request.params["workgroupName"]
        if name in self.workgroups:
            raise ServiceError("ConflictException", f"The workgroup {name} already exists.")
        _found(self.namespaces, request, "namespaceName")
        found = _made(params, "workgroup", self._cloud, "tags")
        place = f"{self._cloud.account}.{self._cloud.region}.redshift-serverless.amazonaws.com"
        found["endpoint"] = {"address": f"{name}.{place}", "port": params.get("port", 5439)}
        self.workgroups[name] = found
        return {"workgroup": found}

    def create_usage_limit(self, request: Any) -> dict[str, Any]:
        limit = dict(request.params) | {"usageLimitId": str(uuid.uuid4())}
        self._limits[limit["usageLimitId"]] = limit
        return {"usageLimit": limit}

    def update_usage_limit(self, request: Any) -> dict[str, Any]:
        limit = _found(self._limits, request, "usageLimitId")
        limit.update(request.params)
        return {"usageLimit": limit}

    def workgroup(self, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return a workgroup, by name or ARN, and its namespace."""
        found = next(
            (g for n, g in self.workgroups.items() if name in (n, g["workgroupArn"])), None
        )
        if found is None:
            raise ServiceError("ValidationException", f"Redshift endpoint doesn't exist: {name}")
        return found, self.namespaces[found["namespaceName"]]


def _made(params: dict[str, Any], kind: str, cloud: Any, *left_out: str) -> dict[str, Any]:
    identity = str(uuid.uuid4())
    arn = f"arn:aws:redshift-serverless:{cloud.region}:{cloud.account}:{kind}/{identity}"
    kept = {name: value for name, value in params.items() if name not in left_out}
    return kept | {
        f"{kind}Id": identity, f"{kind}Arn": arn, "status": "AVAILABLE",
        "creationDate": cloud.clock.now(),
    }  # fmt: skip


def _found(kept: dict[str, dict[str, Any]], request: Any, parameter: str) -> dict[str, Any]:
    name = request.params[parameter]
    if name not in kept:
        raise ServiceError("ResourceNotFoundException", f"{parameter} {name} was not found.")
    return kept[name]
