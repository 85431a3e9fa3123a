"""What is deployed: stacks, their resources, outputs and exports."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from localcloud.errors import DeployError


@dataclass
class ResourceState:
    """What a resource became. `properties` are the resolved ones it was made from."""

    logical_id: str
    type: str
    physical_id: str
    attributes: dict[str, Any]
    properties: dict[str, Any]
    status: str
    timestamp: datetime


@dataclass
class Stack:
    """One stack; `outputs` as DescribeStacks shows them."""

    name: str
    stack_id: str
    created_at: datetime
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    status: str = "CREATE_IN_PROGRESS"
    status_reason: str | None = None
    updated_at: datetime | None = None
    resources: dict[str, ResourceState] = field(default_factory=dict)
    outputs: list[dict[str, str]] = field(default_factory=list)


class StackStore(dict[str, Stack]):
    """The stacks of the account, by name."""

    def import_value(self, name: str) -> str:
        for stack in list(self.values()):
            for output in stack.outputs:
                if output.get("ExportName") == name:
                    return output["OutputValue"]
        raise DeployError(f"no stack exports {name}: deploy the stack that does first")

    def output(self, stack: str, key: str) -> str:
        found = self[stack].outputs if stack in self else []
        for output in found:
            if output["OutputKey"] == key:
                return output["OutputValue"]
        raise DeployError(f"the stack {stack} has no output {key}: deploy it first")
