"""Deploying one stack: what its template says against what is there."""

from __future__ import annotations

import logging
import uuid
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from localcloud.cloudformation.assembly import FileAsset, StackArtifact
from localcloud.cloudformation.intrinsics import Resolver
from localcloud.cloudformation.resource import MAPPINGS, Resource
from localcloud.cloudformation.stacks import ResourceState, Stack, StackStore
from localcloud.core import Cloud
from localcloud.errors import (
    DeployError,
    LocalCloudError,
    ReplacementRequiredError,
    UnsupportedPropertyError,
    UnsupportedTypeError,
)

log = logging.getLogger(__name__)

# DeletionPolicy and UpdateReplacePolicy speak of deletion, which is `down` here.
RESOURCE_KEYS = {
    "Type", "Properties", "DependsOn", "Metadata", "DeletionPolicy", "UpdateReplacePolicy",
}  # fmt: skip
TEMPLATE_KEYS = {
    "AWSTemplateFormatVersion", "Description", "Metadata", "Mappings", "Resources", "Outputs",
}  # fmt: skip


def check(artifact: StackArtifact) -> None:
    """Raises for types and template sections that are not supported, before any change."""
    if unknown := set(artifact.template) - TEMPLATE_KEYS:
        raise DeployError(f"{artifact.name}: template section {sorted(unknown)} not supported")
    for logical_id, resource in artifact.template["Resources"].items():
        where = f"{artifact.name}/{logical_id} ({resource['Type']})"
        if resource["Type"] not in MAPPINGS:
            raise UnsupportedTypeError(
                f"{where}: type {resource['Type']} is not supported by the laptop cloud"
            )
        if extra := set(resource) - RESOURCE_KEYS:
            raise UnsupportedPropertyError(
                f"{where}: attribute {', '.join(sorted(extra))} is not supported by the"
                " laptop cloud"
            )


class StackDeployment:
    """Creates and updates the resources of a stack, each after those it needs.

    `asset_paths` maps the (bucket, key) of published assets to where they lie in the assembly.
    """

    def __init__(
        self,
        cloud: Cloud,
        store: StackStore,
        artifact: StackArtifact,
        asset_paths: dict[tuple[str, str], Path],
    ) -> None:
        self._cloud = cloud
        self._store = store
        self._artifact = artifact
        self._asset_paths = asset_paths
        self._declared: dict[str, Any] = artifact.template["Resources"]
        self._statuses: dict[str, str] = {}
        self._under_way: list[str] = []
        name = artifact.name
        stack_id = f"stack/{name}/{uuid.uuid5(uuid.NAMESPACE_DNS, name)}"
        stack_arn = f"arn:aws:cloudformation:{cloud.region}:{cloud.account}:{stack_id}"
        self._stack = store.setdefault(name, Stack(name, stack_arn, cloud.clock.now()))
        self._resolver = Resolver(
            artifact.template.get("Mappings", {}),
            {
                "AWS::AccountId": cloud.account,
                "AWS::Region": cloud.region,
                "AWS::Partition": "aws",
                "AWS::URLSuffix": "amazonaws.com",
                "AWS::StackName": name,
                "AWS::StackId": stack_arn,
            },
            lambda logical_id: self._resource(logical_id).physical_id,
            self._attribute,
            store.import_value,
            store.output,
        )

    def run(self) -> dict[str, Any]:
        """The stack's name, its status and what was done to each resource."""
        stack = self._stack
        verb, before = "UPDATE" if stack.resources else "CREATE", stack.status
        stack.status, stack.status_reason = f"{verb}_IN_PROGRESS", None
        stack.description = self._artifact.template.get("Description", "")
        stack.tags = self._artifact.tags
        try:
            for asset in self._artifact.assets:
                self._publish(asset)
            if removed := set(stack.resources) - set(self._declared):
                raise ReplacementRequiredError(
                    f"{stack.name}: the template no longer holds {', '.join(sorted(removed))}, and"
                    " resources are not deleted one by one: run `down`, `up` and `deploy`"
                )
            for logical_id in self._declared:
                self._resource(logical_id)
            outputs = self._artifact.template.get("Outputs", {})
            stack.outputs = [self._output(key, **output) for key, output in outputs.items()]
        except LocalCloudError as error:
            stack.status, stack.status_reason = f"{verb}_FAILED", str(error)
            raise
        changed = set(self._statuses.values()) != {"UNCHANGED"}
        stack.status = f"{verb}_COMPLETE" if changed or "_COMPLETE" not in before else before
        if changed and verb == "UPDATE":
            stack.updated_at = self._cloud.clock.now()
        resources = [
            {
                "logical_id": logical_id,
                "type": stack.resources[logical_id].type,
                "physical_id": stack.resources[logical_id].physical_id,
                "status": status,
            }
            for logical_id, status in self._statuses.items()
        ]
        status = stack.status if changed else "UNCHANGED"
        return {"name": stack.name, "status": status, "resources": resources}

    def _output(
        self, key: str, Value: Any, Description: str = "", Export: Any = None
    ) -> dict[str, str]:
        output = {"OutputKey": key, "OutputValue": str(self._resolver.resolve(Value))}
        if Description:
            output["Description"] = Description
        if Export:
            output["ExportName"] = self._resolver.resolve(Export["Name"])
        return output

    def _resource(self, logical_id: str) -> ResourceState:
        """What a resource became; it is made or brought up to date when it was not yet."""
        if logical_id in self._statuses:
            return self._stack.resources[logical_id]
        if logical_id not in self._declared:
            raise DeployError(f"Ref to {logical_id}, which this template does not hold")
        if logical_id in self._under_way:
            raise DeployError(f"resources depend on each other in a circle: {self._under_way}")
        self._under_way.append(logical_id)
        declared = self._declared[logical_id]
        depends = declared.get("DependsOn", [])
        for other in [depends] if isinstance(depends, str) else depends:
            self._resource(other)
        where = f"{self._stack.name}/{logical_id} ({declared['Type']})"
        try:
            self._statuses[logical_id] = self._apply(logical_id, declared)
        except (LocalCloudError, LookupError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, LocalCloudError) and f"{self._stack.name}/" in str(error):
                raise
            kind = type(error) if isinstance(error, DeployError) else DeployError
            said = error if isinstance(error, LocalCloudError) else repr(error)
            raise kind(f"{where}: {said}") from error
        self._under_way.remove(logical_id)
        log.info("%s: %s", where, self._statuses[logical_id])
        return self._stack.resources[logical_id]

    def _apply(self, logical_id: str, declared: dict[str, Any]) -> str:
        properties = self._resolver.resolve(declared.get("Properties", {}))
        old = self._stack.resources.get(logical_id)
        before = old.properties if old else {}
        changed = frozenset(
            name
            for name in properties.keys() | before.keys()
            if old and properties.get(name) != before.get(name)
        )
        if old and old.type != declared["Type"]:
            raise ReplacementRequiredError(f"was a {old.type}: run `down`, `up` and `deploy`")
        if old and not changed:
            return "UNCHANGED"
        resource = Resource(
            cloud=self._cloud,
            stack=self._stack.name,
            logical_id=logical_id,
            type=declared["Type"],
            properties=dict(properties),
            old=old,
            changed=changed,
            asset_paths=self._asset_paths,
        )
        physical_id, attributes = MAPPINGS[resource.type](resource)
        status = "UPDATE_COMPLETE" if old else "CREATE_COMPLETE"
        self._stack.resources[logical_id] = ResourceState(
            logical_id, resource.type, physical_id, attributes, properties, status,
            self._cloud.clock.now(),
        )  # fmt: skip
        return status

    def _attribute(self, logical_id: str, attribute: str) -> Any:
        state = self._resource(logical_id)
        if attribute not in state.attributes:
            raise UnsupportedPropertyError(
                f"attribute {attribute} of {self._stack.name}/{logical_id} ({state.type}) is not"
                f" supported by the laptop cloud; known: {', '.join(state.attributes) or 'none'}"
            )
        return state.attributes[attribute]

    def _publish(self, asset: FileAsset) -> None:
        """Puts an asset into the bootstrap bucket, unless its key (a hash) is there."""
        self._asset_paths[asset.bucket, asset.key] = asset.path
        client = self._cloud.client("s3")
        try:
            client.head_object(Bucket=asset.bucket, Key=asset.key)
        except ClientError:
            if not asset.path.exists():
                raise DeployError(
                    f"expected the asset {asset.path}, found nothing: run cdk synth again"
                ) from None
            client.put_object(Bucket=asset.bucket, Key=asset.key, Body=asset.content())
