"""What a rule's target receives, and how it is called."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from localcloud.core import Cloud
from localcloud.errors import AccessDeniedError, ServiceError
from localcloud.iam.policy import Decision, evaluate
from localcloud.lambda_.role_clients import RoleClients

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
            from moto.awslambda.models import lambda_backends

            functions = lambda_backends[self.cloud.account][self.cloud.region]
            statements = functions.get_function(arn).policy.statements
            self._require(statements, "lambda:InvokeFunction", arn, rule_arn)
            self.cloud.services["lambda"].invoke_event(arn, text.encode())
        else:
            sns = self.cloud.client("sns")
            policy = sns.get_topic_attributes(TopicArn=arn)["Attributes"].get("Policy") or "{}"
            statements = json.loads(policy).get("Statement", [])
            self._require(statements, "sns:Publish", arn, rule_arn)
            sns.publish(TopicArn=arn, Message=text)

    def _require(self, statements: list[Any], action: str, arn: str, rule_arn: str) -> None:
        context = {
            "aws:sourcearn": rule_arn,
            "aws:sourceaccount": self.cloud.account,
            "aws:securetransport": "true",
        }
        decision = evaluate(
            [{"Statement": statements}], action, arn, context, {"Service": [PRINCIPAL]}
        )
        if decision is not Decision.ALLOW:
            raise AccessDeniedError(
                f"{PRINCIPAL} is not authorized to perform {action} on {arn} for {rule_arn}:"
                " its resource policy has no statement that allows it"
            )
