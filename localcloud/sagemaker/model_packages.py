"""The model registry: model package groups and the versions in them.

Not moto's: it lowers the names of packages and drops parameters that it does not know.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry.html
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from localcloud.errors import ServiceError
from localcloud.sagemaker.listing import page

_GROUP = {"ModelPackageGroupName", "ModelPackageGroupDescription", "Tags"}
_CREATE = {
    "ModelPackageGroupName", "ModelPackageDescription", "InferenceSpecification",
    "ModelApprovalStatus", "MetadataProperties", "ModelMetrics", "CustomerMetadataProperties",
    "Domain", "Task", "SourceUri", "Tags", "ClientToken",
}  # fmt: skip
_UPDATE = {
    "ModelPackageArn", "ModelApprovalStatus", "ApprovalDescription", "CustomerMetadataProperties",
    "CustomerMetadataPropertiesToRemove", "InferenceSpecification", "SourceUri", "ClientToken",
}  # fmt: skip
_LIST = {"ModelPackageGroupName", "ModelApprovalStatus", "ModelPackageType", "NameContains",
         "SortBy", "SortOrder", "MaxResults", "NextToken"}  # fmt: skip
_LIST_GROUPS = {"NameContains", "SortBy", "SortOrder", "MaxResults", "NextToken"}
_STATUSES = ("Approved", "Rejected", "PendingManualApproval")
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_MOST_METADATA = 50
_METADATA_TEXT = re.compile(r"[\w\s.:/=+\-@]*")


@dataclass
class Package:
    """One version; `settings` are CreateModelPackage's, as later updates left them."""

    group: str
    version: int
    arn: str
    created: datetime
    settings: dict[str, Any]
    modified: datetime | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the version as DescribeModelPackage shows it."""
        shown = {n: v for n, v in self.settings.items() if n not in ("Tags", "ClientToken")}
        shown |= {
            # AWS names a version after its group; it is told apart by number and ARN.
            "ModelPackageName": self.group,
            "ModelPackageVersion": self.version,
            "ModelPackageArn": self.arn,
            "CreationTime": self.created,
            "LastModifiedTime": self.modified,
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        }
        return {name: value for name, value in shown.items() if value is not None}


@dataclass
class Group:
    """A group and its versions by number."""

    name: str
    arn: str
    created: datetime
    description: str | None = None
    packages: dict[int, Package] = field(default_factory=dict)
    last_version: int = 0

    def to_dict(self) -> dict[str, Any]:
        shown = {
            "ModelPackageGroupName": self.name,
            "ModelPackageGroupArn": self.arn,
            "ModelPackageGroupDescription": self.description,
            "CreationTime": self.created,
            "ModelPackageGroupStatus": "Completed",
        }
        return {name: value for name, value in shown.items() if value is not None}


class RegistryActions:
    """The actions on model package groups and model packages."""

    def __init__(self, cloud: Any) -> None:
        self._cloud = cloud
        self._lock = threading.RLock()
        self._groups: dict[str, Group] = {}
        self.actions = {
            "CreateModelPackageGroup": self.create_group,
            "DescribeModelPackageGroup": self.describe_group,
            "ListModelPackageGroups": self.list_groups,
            "DeleteModelPackageGroup": self.delete_group,
            "CreateModelPackage": self.create,
            "DescribeModelPackage": self.describe,
            "UpdateModelPackage": self.update,
            "ListModelPackages": self.list,
            "DeleteModelPackage": self.delete,
        }

    def create_group(self, request: Any) -> dict[str, Any]:
        params = request.params
        _known(params, _GROUP, "CreateModelPackageGroup")
        name = params["ModelPackageGroupName"]
        if not _NAME.fullmatch(name):
            raise _invalid(f"ModelPackageGroupName: found {name!r}")
        arn = self._arn("model-package-group", name)
        with self._lock:
            if name in self._groups:
                raise _invalid(f"Model Package Group already exists: {arn}")
            description = params.get("ModelPackageGroupDescription")
            self._groups[name] = Group(name, arn, self._cloud.clock.now(), description)
        return {"ModelPackageGroupArn": arn}

    def describe_group(self, request: Any) -> dict[str, Any]:
        group = self._group(request.params["ModelPackageGroupName"])
        domain = {"DomainId": "", "UserProfileName": "", "UserProfileArn": ""}
        return group.to_dict() | {"CreatedBy": domain}

    def list_groups(self, request: Any) -> dict[str, Any]:
        params = request.params
        _known(params, _LIST_GROUPS, "ListModelPackageGroups")
        rows = [
            g.to_dict() for g in self._groups.values() if params.get("NameContains", "") in g.name
        ]
        key = "ModelPackageGroupName" if params.get("SortBy") == "Name" else "CreationTime"
        rows.sort(key=lambda row: row[key], reverse=_descending(params))
        return page(rows, params, "ModelPackageGroupSummaryList")

    def delete_group(self, request: Any) -> dict[str, Any]:
        with self._lock:
            group = self._group(request.params["ModelPackageGroupName"])
            if group.packages:
                raise ServiceError("ConflictException", f"{group.arn} is not empty")
            del self._groups[group.name]
        return {}

    def create(self, request: Any) -> dict[str, Any]:
        """Add a version to a group. Raises ValidationException."""
        params = request.params
        _known(params, _CREATE, "CreateModelPackage")
        _check(params)
        if not params.get("ModelPackageGroupName"):
            raise _invalid("expected ModelPackageGroupName: packages without versions are not done")
        settings = {"ModelApprovalStatus": "PendingManualApproval", **params}
        with self._lock:
            group = self._group(params["ModelPackageGroupName"].rpartition("/")[2])
            settings["ModelPackageGroupName"] = group.name
            group.last_version += 1
            version = group.last_version
            arn = self._arn("model-package", f"{group.name}/{version}")
            now = self._cloud.clock.now()
            package = Package(group.name, version, arn, now, settings)
            group.packages[version] = package
        self._tell(package)
        return {"ModelPackageArn": arn}

    def describe(self, request: Any) -> dict[str, Any]:
        return self._package(request.params["ModelPackageName"]).to_dict()

    def update(self, request: Any) -> dict[str, Any]:
        """Change a version; metadata given is added to what there is. Raises as `create`."""
        params = request.params
        _known(params, _UPDATE, "UpdateModelPackage")
        _check(params)
        with self._lock:
            package = self._package(params["ModelPackageArn"])
            metadata = package.settings.get("CustomerMetadataProperties", {})
            metadata = metadata | (params.get("CustomerMetadataProperties") or {})
            for name in params.get("CustomerMetadataPropertiesToRemove") or []:
                metadata.pop(name, None)
            _check({"CustomerMetadataProperties": metadata})
            kept = ("ModelApprovalStatus", "ApprovalDescription", "InferenceSpecification",
                    "SourceUri")  # fmt: skip
            package.settings |= {name: params[name] for name in kept if name in params}
            package.settings["CustomerMetadataProperties"] = metadata
            package.modified = self._cloud.clock.now()
        if "ModelApprovalStatus" in params:
            self._tell(package)
        return {"ModelPackageArn": package.arn}

    def list(self, request: Any) -> dict[str, Any]:
        """Return versions of a group, newest first unless asked otherwise."""
        params = request.params
        _known(params, _LIST, "ListModelPackages")
        if not params.get("ModelPackageGroupName"):
            raise _invalid("expected ModelPackageGroupName: packages without versions are not done")
        group = self._group(params["ModelPackageGroupName"].rpartition("/")[2])
        wanted = params.get("ModelApprovalStatus")
        shown = ("ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn",
                 "ModelPackageDescription", "CreationTime", "ModelPackageStatus",
                 "ModelApprovalStatus")  # fmt: skip
        versions = sorted(group.packages.values(), key=lambda p: p.version)
        if _descending(params):
            versions.reverse()
        rows = [
            {name: value for name, value in package.to_dict().items() if name in shown}
            for package in versions
            if wanted in (None, package.settings["ModelApprovalStatus"])
        ]
        return page(rows, params, "ModelPackageSummaryList")

    def delete(self, request: Any) -> dict[str, Any]:
        with self._lock:
            package = self._package(request.params["ModelPackageName"])
            del self._groups[package.group].packages[package.version]
        return {}

    def _group(self, name: str) -> Group:
        found = self._groups.get(name.rpartition("/")[2])
        if found is None:
            raise _invalid(f"ModelPackageGroup {name} does not exist.")
        return found

    def _package(self, name: str) -> Package:
        group, _, version = name.rpartition(":model-package/")[2].rpartition("/")
        found = self._groups.get(group)
        package = found.packages.get(int(version)) if found and version.isdecimal() else None
        if package is None:
            raise _invalid(f"ModelPackage {name} does not exist.")
        return package

    def _arn(self, kind: str, name: str) -> str:
        return f"arn:aws:sagemaker:{self._cloud.region}:{self._cloud.account}:{kind}/{name}"

    def _tell(self, package: Package) -> None:
        detail = {
            "ModelPackageGroupName": package.group,
            "ModelPackageVersion": package.version,
            "ModelPackageArn": package.arn,
            "ModelPackageStatus": "Completed",
            "ModelApprovalStatus": package.settings["ModelApprovalStatus"],
        }
        self._cloud.emit_event("aws.sagemaker", "SageMaker Model Package State Change", detail)


def _known(params: dict[str, Any], names: set[str], action: str) -> None:
    if refused := sorted(n for n, v in params.items() if v is not None and n not in names):
        raise _invalid(f"{', '.join(refused)}: not done by {action} here")


def _check(params: dict[str, Any]) -> None:
    status = params.get("ModelApprovalStatus", "Approved")
    if status not in _STATUSES:
        raise _invalid(f"ModelApprovalStatus: expected one of {_STATUSES}, found {status!r}")
    metadata = params.get("CustomerMetadataProperties") or {}
    if len(metadata) > _MOST_METADATA:
        raise _invalid(f"CustomerMetadataProperties: expected at most {_MOST_METADATA} entries")
    for name, value in metadata.items():
        for text, longest in ((name, 128), (value, 256)):
            if not 1 <= len(text) <= longest or not _METADATA_TEXT.fullmatch(text):
                raise _invalid(
                    f"CustomerMetadataProperties {name!r}: expected 1 to {longest} letters, "
                    f"digits, spaces and _.:/=+-@, found {text!r}"
                )


def _descending(params: dict[str, Any]) -> bool:
    return params.get("SortOrder", "Descending") == "Descending"


def _invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)
