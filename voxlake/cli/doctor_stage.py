"""What a deployed stage, or one about to be deployed, needs of an AWS account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from voxlake.cli.doctor import Finding, Verdict
from voxlake.cli.target import STACKS, Target

BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"
BOOTSTRAP_VERSION = 6
"""The oldest bootstrap template that today's CDK deploys to."""

QUOTAS = (
    # (service, name of the quota, least value, what fails below it)
    ("lambda", "Concurrent executions", 20, "functions are throttled; ask for 1,000"),
    ("sagemaker", "ml.m5.large for transform job usage", 1, "the run stops in its Score state"),
    ("sagemaker", "ml.m5.2xlarge for spot training job usage", 1, "`voxlake train --job` fails"),
    ("glue", "Max concurrent job runs per account", 10, "runs wait for one another"),
    ("kinesis", "On-demand Data Streams per account", 1, "the stream cannot be created"),
)


def examine(target: Target) -> Iterator[Finding]:
    """Looks at the account and the stage; stops where there are no credentials."""
    who = identity(target)
    yield who
    if who.verdict is Verdict.BAD:
        return
    yield bootstrap(target)
    for service, name, least, otherwise in QUOTAS:
        yield quota(target, service, name, least, otherwise)
    deployed = stacks(target)
    yield deployed
    if deployed.verdict is not Verdict.BAD and deployed.found != "none":
        yield subscriptions(target)
        yield alarms(target)


def identity(target: Target) -> Finding:
    """Whose credentials these are."""
    try:
        found = target.client("sts").get_caller_identity()
        region = target.session.region_name
    except (ClientError, BotoCoreError) as error:
        return Finding("credentials", Verdict.BAD, str(error), "set AWS_PROFILE, or sign in")
    return Finding("credentials", Verdict.GOOD, f"account {found['Account']} in {region}")


def bootstrap(target: Target) -> Finding:
    """Whether `cdk bootstrap` has been run here."""
    what, advice = "CDK bootstrap", "run node_modules/.bin/cdk bootstrap"
    try:
        found = target.client("ssm").get_parameter(Name=BOOTSTRAP)["Parameter"]["Value"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ParameterNotFound":
            return Finding(what, Verdict.BAD, "none", advice)
        return unknown(what, error)
    if int(found) < BOOTSTRAP_VERSION:
        return Finding(what, Verdict.BAD, f"version {found}", advice)
    return Finding(what, Verdict.GOOD, f"version {found}")


def quota(target: Target, service: str, name: str, least: float, otherwise: str) -> Finding:
    """Whether a quota of the account is enough."""
    what = f"{service} quota"
    try:
        value = _quota_value(target.client("service-quotas"), service, name)
    except ClientError as error:
        return unknown(what, error)
    if value is None:
        return Finding(what, Verdict.WATCH, f"{name}: not listed", "look it up in Service Quotas")
    told = f"{name}: {value:,.0f}"
    if value >= least:
        return Finding(what, Verdict.GOOD, told)
    return Finding(
        what, Verdict.BAD, told, f"expected {least} or more, or {otherwise}: ask in Service Quotas"
    )


def _quota_value(client: Any, service: str, name: str) -> float | None:
    """The account's value of a quota, AWS's default where none was applied."""
    for operation in ("list_service_quotas", "list_aws_default_service_quotas"):
        for page in client.get_paginator(operation).paginate(ServiceCode=service):
            for one in page["Quotas"]:
                if one["QuotaName"].lower() == name.lower():
                    return one["Value"]
    return None


def stacks(target: Target) -> Finding:
    """Whether every stack of the stage is deployed and in order."""
    states = {}
    for name in STACKS:
        try:
            answer = target.client("cloudformation").describe_stacks(
                StackName=target.stack_prefix + name
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                return unknown("stacks", error)
            continue
        states[name] = answer["Stacks"][0]["StackStatus"]
    how = f"make deploy STAGE={target.stage}"
    if not states:
        return Finding("stacks", Verdict.WATCH, "none", f"not deployed yet: {how}")
    missing = [name for name in STACKS if name not in states]
    broken = [f"{name} {state}" for name, state in states.items() if state not in _IN_ORDER]
    if missing or broken:
        told = ", ".join([*broken, *(f"{name} missing" for name in missing)])
        return Finding("stacks", Verdict.BAD, told, how)
    return Finding("stacks", Verdict.GOOD, f"{len(states)} in order")


_IN_ORDER = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")


def subscriptions(target: Target) -> Finding:
    """Whether somebody is told when an alarm goes off."""
    topic = target.output("AlarmTopicArn")
    found = [
        one
        for page in target.client("sns")
        .get_paginator("list_subscriptions_by_topic")
        .paginate(TopicArn=topic)
        for one in page["Subscriptions"]
    ]
    waiting = [one for one in found if one["SubscriptionArn"] == "PendingConfirmation"]
    if not found:
        return Finding(
            "alarms go to", Verdict.WATCH, "nobody", "put e-mail addresses into AlarmConfig"
        )
    told = f"{len(found) - len(waiting)} of {len(found)} confirmed"
    if waiting:
        return Finding("alarms go to", Verdict.WATCH, told, "confirm by the link that AWS mailed")
    return Finding("alarms go to", Verdict.GOOD, told)


def alarms(target: Target) -> Finding:
    """Which alarms of the stage are in ALARM."""
    found = [
        one["AlarmName"]
        for page in target.client("cloudwatch")
        .get_paginator("describe_alarms")
        .paginate(AlarmNamePrefix=target.stack_prefix)
        for one in page["MetricAlarms"]
        if one["StateValue"] == "ALARM"
    ]
    if found:
        return Finding("alarms", Verdict.BAD, ", ".join(found), "each says what to do")
    return Finding("alarms", Verdict.GOOD, "none in ALARM")


def unknown(what: str, error: ClientError) -> Finding:
    """What could not be looked at, most often for want of a permission."""
    return Finding(what, Verdict.WATCH, error.response["Error"]["Message"], "grant it, or ask")
