"""One resource of a template, as its mapping sees it: each property is to be taken by name."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from localcloud.cloudformation.stacks import ResourceState
from localcloud.core import Cloud
from localcloud.errors import DeployError, ReplacementRequiredError, UnsupportedPropertyError

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass
class Resource:
    """Given to a mapping, which returns (physical id, attributes for GetAtt).

    `properties` are those not taken yet. `old` is None when the resource is created; else what it
    was, and `changed` names the properties that differ.
    """

    cloud: Cloud
    stack: str
    logical_id: str
    type: str
    properties: dict[str, Any]
    old: ResourceState | None
    changed: frozenset[str]
    asset_paths: dict[tuple[str, str], Path]

    @property
    def where(self) -> str:
        return f"{self.stack}/{self.logical_id} ({self.type})"

    def take(self, name: str, default: Any = None) -> Any:
        """The value of a property, which is thereby consumed."""
        return self.properties.pop(name, default)

    def require(self, name: str) -> Any:
        if name not in self.properties:
            raise DeployError(f"{self.where}: property {name} is missing")
        return self.properties.pop(name)

    def same(self, *names: str) -> dict[str, Any]:
        """Those of the named properties that are set, for an API that has the same names."""
        return {n: self.properties.pop(n) for n in names if n in self.properties}

    def without_effect(self, name: str, reason: str) -> None:
        """Consumes a property that changes nothing on a laptop, for the reason given."""
        self.properties.pop(name, None)

    def done(self) -> None:
        """Raises `UnsupportedPropertyError` when a property was not taken.

        A mapping calls it before its first call, so that nothing is made of what is refused.
        """
        if self.properties:
            raise unsupported(self.where, self.properties)

    def call(self, service: str, operation: str, **params: Any) -> Any:
        """Calls an operation (`CreateStream`); parameters that are None are left out.

        Raises `DeployError` with what the service said, and `UnsupportedPropertyError` for a
        member that the API does not have.
        """
        client = self.cloud.client(service)
        shape = client.meta.service_model.operation_model(operation).input_shape
        present = {k: v for k, v in params.items() if v is not None}
        try:
            return getattr(client, xform_name(operation))(**coerce(present, shape, self.where))
        except (ClientError, BotoCoreError) as error:
            raise DeployError(f"{self.where}: {error}") from error

    def asset_folder(self, code: dict[str, Any]) -> Path | None:
        """The folder of the assembly that a {S3Bucket, S3Key} was made from, if it was one."""
        path = self.asset_paths.get((code.get("S3Bucket", ""), code.get("S3Key", "")))
        return path if path is not None and path.is_dir() else None

    def name(self, property_name: str | None, limit: int, *, lower: bool = False) -> str:
        """The physical name: the one in the template, else `<stack>-<logical id>-<random>`.

        The random part is derived from the names, so that a redeployment finds its resources.
        """
        given = self.take(property_name) if property_name else None
        if given:
            return given
        digest = hashlib.sha256(f"{self.stack}/{self.logical_id}".encode()).digest()
        suffix = "".join(ALPHABET[b % len(ALPHABET)] for b in digest[:12])
        name = f"{self.stack}-{self.logical_id}"[: limit - 13].rstrip("-") + f"-{suffix}"
        return re.sub(r"[^a-z0-9.-]", "", name.lower()) if lower else name

    def arn(self, service: str, rest: str) -> str:
        return f"arn:aws:{service}:{self.cloud.region}:{self.cloud.account}:{rest}"


Mapping = Callable[[Resource], tuple[str, dict[str, Any]]]
MAPPINGS: dict[str, Mapping] = {}
ANY = ("*",)


def maps(type_name: str, in_place: Iterable[str] = ()) -> Callable[[Mapping], Mapping]:
    """Registers a function as the mapping of a CloudFormation type.

    `in_place` names the properties whose change the function carries out (`ANY`: every one);
    another change raises `ReplacementRequiredError`.
    """

    def register(function: Mapping) -> Mapping:
        def checked(resource: Resource) -> tuple[str, dict[str, Any]]:
            fixed = () if in_place is ANY else resource.changed - set(in_place)
            if fixed:
                raise ReplacementRequiredError(
                    f"{resource.where}: property {', '.join(sorted(fixed))} cannot be changed in"
                    " place: run `down`, `up` and `deploy`"
                )
            return function(resource)

        MAPPINGS[type_name] = checked
        return function

    return register


def coerce(value: Any, shape: Any, where: str, path: str = "") -> Any:
    """The value in the types of a botocore shape.

    Templates write numbers and booleans as text and documents as objects, where APIs take integers
    and JSON.
    """
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        if unknown := [f"{path}{name}" for name in value if name not in shape.members]:
            raise unsupported(where, unknown)
        return {n: coerce(v, shape.members[n], where, f"{path}{n}.") for n, v in value.items()}
    if kind == "list" and isinstance(value, (list, tuple)):
        return [coerce(v, shape.member, where, f"{path}{i}.") for i, v in enumerate(value)]
    if kind == "map" and isinstance(value, dict):
        return {str(k): coerce(v, shape.value, where, f"{path}{k}.") for k, v in value.items()}
    if kind in ("integer", "long"):
        return int(value)
    if kind in ("float", "double"):
        return float(value)
    if kind == "boolean":
        return str(value).lower() == "true"
    if kind == "string":
        if isinstance(value, (dict, list)):
            return json.dumps(value)
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value


def unsupported(where: str, names: Iterable[str]) -> UnsupportedPropertyError:
    return UnsupportedPropertyError(
        f"{where}: property {', '.join(sorted(names))} is not supported by the laptop cloud"
    )
