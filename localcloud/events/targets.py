"""What a rule's target receives, and how it is called."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from localcloud.core import Cloud
from localcloud.errors import ServiceError
from localcloud.iam.resource import require
from localcloud.lambda_.role_clients import RoleClients
from localcloud.sns.publisher import publish_as

PRINCIPAL = "events.amazonaws.com"
KNOWN = {"Id", "Arn", "RoleArn", "Input"}
SERVICES = ("lambda", "states", "sns")


def check(target: Mapping[str, Any]) -> None:
    """Raises `ServiceError` for a target that the laptop cloud could not call."""
    name, arn = f"target {target.get('Id')}", target.get("Arn") or ""
    problem = None
    if unknown := sorted(k for k, v in target.items() if k not in KNOWN and v):
        problem = f"{name}: {', '.join(unknown)} is not emulated"
    elif not arn.startswith(tuple(f"arn:aws:{service}:" for service in SERVICES)):
        problem = f"{name}: expected a target of {', '.join(SERVICES)}, found {arn}"
    elif ":states:" in arn and not target.get("RoleArn"):
        problem = f"RoleArn is required for target {arn}."
    elif target.get("Input"):
        try:
            json.loads(target["Input"])
        except ValueError as error:
            problem = f"{name}: Input is not JSON: {error}"
    if problem:
        raise ServiceError("ValidationException", problem)


class Deliverer:
    """Calls targets as EventBridge does: functions and topics under their resource policies,
    state machines under the target's role."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.roles = RoleClients(cloud, PRINCIPAL)

    def deliver(self, target: Mapping[str, Any], event: dict[str, Any], rule_arn: str) -> None:
        """Raises `ServiceError` or botocore's errors when the target refuses or is not there."""
        text, arn = target.get("Input") or json.dumps(event), target["Arn"]
        service = arn.split(":")[2]
        if service == "states":
            states = self.roles.client(target["RoleArn"], "stepfunctions")
            states.start_execution(stateMachineArn=arn, input=text)
        elif service == "lambda":
            functions = self.cloud.services["lambda"]
            statements = functions.policy(arn)
            require(self.cloud, statements, PRINCIPAL, "lambda:InvokeFunction", arn, rule_arn)
            functions.invoke_event(arn, text.encode())
        else:
            publish_as(self.cloud, PRINCIPAL, rule_arn, TopicArn=arn, Message=text)
