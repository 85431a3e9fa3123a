"""CloudFormation's API over what was deployed, and the deployment of an assembly."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from moto.core.utils import get_service_model

from localcloud.cloudformation import mappings  # noqa: F401  (registers every type)
from localcloud.cloudformation.assembly import read_assembly
from localcloud.cloudformation.deployer import StackDeployment, check
from localcloud.cloudformation.stacks import Stack, StackStore
from localcloud.core import Cloud
from localcloud.errors import ServiceError
from localcloud.request import Request


class CloudFormationService:
    name = "cloudformation"

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.store = StackStore()
        self._asset_paths: dict[tuple[str, str], Path] = {}
        self._deploying = threading.Lock()
        self.actions = {
            **dict.fromkeys(get_service_model("cloudformation").operation_names, self.refuse),
            "DescribeStacks": self.describe_stacks,
            "ListStacks": self.list_stacks,
            "DescribeStackResources": self.describe_stack_resources,
        }

    def start(self) -> None:
        """Makes the bucket of assets, as `cdk bootstrap` does for an account."""
        bucket = f"cdk-hnb659fds-assets-{self.cloud.account}-{self.cloud.region}"
        self.cloud.client("s3").create_bucket(Bucket=bucket)

    def deploy(self, assembly: str) -> dict[str, Any]:
        """Deploys the stacks of an assembly, each after those it depends on.

        Returns {"stacks": [{"name", "status", "resources": [{"logical_id", "type",
        "physical_id", "status"}]}]}. Raises `DeployError`.
        """
        artifacts = read_assembly(Path(assembly), self.cloud.account, self.cloud.region)
        for artifact in artifacts:
            check(artifact)
        with self._deploying:
            return {
                "stacks": [
                    StackDeployment(self.cloud, self.store, artifact, self._asset_paths).run()
                    for artifact in artifacts
                ]
            }

    def status(self) -> dict[str, Any]:
        return {"stacks": {s.name: s.status for s in list(self.store.values())}}

    def refuse(self, request: Request) -> dict[str, Any]:
        raise ServiceError(
            "ValidationError",
            f"{request.action} is not emulated: deploy a cloud assembly with"
            " `python -m localcloud deploy`",
        )

    def describe_stacks(self, request: Request) -> dict[str, Any]:
        named = "StackName" in request.params
        stacks = [self._stack(request)] if named else list(self.store.values())
        return {"Stacks": [_description(s) for s in stacks]}

    def list_stacks(self, request: Request) -> dict[str, Any]:
        wanted = request.params.get("StackStatusFilter")
        stacks = [s for s in list(self.store.values()) if not wanted or s.status in wanted]
        return {"StackSummaries": [_description(s) for s in stacks]}

    def describe_stack_resources(self, request: Request) -> dict[str, Any]:
        stack, logical_id = self._stack(request), request.params.get("LogicalResourceId")
        return {
            "StackResources": [
                {
                    "StackName": stack.name,
                    "StackId": stack.stack_id,
                    "LogicalResourceId": r.logical_id,
                    "PhysicalResourceId": r.physical_id,
                    "ResourceType": r.type,
                    "Timestamp": r.timestamp,
                    "ResourceStatus": r.status,
                }
                for r in list(stack.resources.values())
                if logical_id in (None, r.logical_id)
            ]
        }

    def _stack(self, request: Request) -> Stack:
        name = request.params.get("StackName")
        for stack in list(self.store.values()):
            if name in (stack.name, stack.stack_id):
                return stack
        raise ServiceError("ValidationError", f"Stack with id {name} does not exist")


def _description(stack: Stack) -> dict[str, Any]:
    described = {
        "StackId": stack.stack_id,
        "StackName": stack.name,
        "Description": stack.description,
        "CreationTime": stack.created_at,
        "LastUpdatedTime": stack.updated_at,
        "StackStatus": stack.status,
        "StackStatusReason": stack.status_reason,
        "Tags": [{"Key": k, "Value": v} for k, v in stack.tags.items()],
        "Outputs": stack.outputs,
    }
    return {k: v for k, v in described.items() if v is not None}
