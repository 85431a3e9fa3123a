"""Kinesis, Lambda, EventBridge, Step Functions."""

from __future__ import annotations

from typing import Any

from localcloud.cloudformation.resource import ANY, Resource, maps

Result = tuple[str, dict[str, Any]]


@maps("AWS::Kinesis::Stream")
def stream(r: Resource) -> Result:
    name, mode = r.name(None, 128), r.require("StreamModeDetails")
    hours, encryption = int(r.take("RetentionPeriodHours", 24)), r.take("StreamEncryption")
    r.done()
    r.call("kinesis", "CreateStream", StreamName=name, StreamModeDetails=mode)
    if hours > 24:
        r.call(
            "kinesis", "IncreaseStreamRetentionPeriod", StreamName=name, RetentionPeriodHours=hours
        )
    if encryption:
        r.call("kinesis", "StartStreamEncryption", StreamName=name, **encryption)
    return name, {"Arn": r.arn("kinesis", f"stream/{name}")}


@maps("AWS::Lambda::LayerVersion", in_place=ANY)
def layer_version(r: Resource) -> Result:
    name = r.name(None, 140)
    settings = r.same("Content", "CompatibleRuntimes", "CompatibleArchitectures", "Description")
    r.done()
    if folder := r.asset_folder(settings["Content"]):
        r.cloud.services["lambda"].check_layer(name, folder)
    made = r.call("lambda", "PublishLayerVersion", LayerName=name, **settings)
    return made["LayerVersionArn"], {}


FUNCTION_SETTINGS = (
    "Handler", "Runtime", "Role", "Description", "Timeout", "MemorySize", "Environment", "Layers",
    "LoggingConfig",
)  # fmt: skip


@maps("AWS::Lambda::Function", in_place=[*FUNCTION_SETTINGS, "Code"])
def function(r: Resource) -> Result:
    name, code = r.name(None, 64), r.require("Code")
    settings, creation = r.same(*FUNCTION_SETTINGS), r.same("Architectures")
    r.done()
    if not r.old:
        r.call("lambda", "CreateFunction", FunctionName=name, Code=code, **settings, **creation)
    else:
        r.call("lambda", "UpdateFunctionConfiguration", FunctionName=name, **settings)
    if r.old and "Code" in r.changed:
        r.call("lambda", "UpdateFunctionCode", FunctionName=name, **code)
    folder = r.asset_folder(code)
    if folder and (not r.old or "Code" in r.changed):
        # The workers run from the assembly's folder: a stack trace shows files one can open.
        r.cloud.services["lambda"].register(
            name, folder, {"FunctionName": name, **settings, **creation}
        )
    return name, {"Arn": r.arn("lambda", f"function:{name}")}


@maps("AWS::Lambda::EventSourceMapping")
def event_source_mapping(r: Resource) -> Result:
    settings = r.same(
        "EventSourceArn", "StartingPosition", "FunctionName", "BatchSize", "ParallelizationFactor",
        "MaximumBatchingWindowInSeconds", "BisectBatchOnFunctionError", "FunctionResponseTypes",
        "MaximumRecordAgeInSeconds", "MaximumRetryAttempts", "DestinationConfig", "MetricsConfig",
    )  # fmt: skip
    r.done()
    return r.call("lambda", "CreateEventSourceMapping", **settings)["UUID"], {}


@maps("AWS::Lambda::Permission")
def permission(r: Resource) -> Result:
    settings = r.same("FunctionName", "Action", "Principal", "SourceArn")
    r.done()
    statement = r.name(None, 100)
    r.call("lambda", "AddPermission", StatementId=statement, **settings)
    return statement, {}


@maps("AWS::Events::Rule", in_place=ANY)
def rule(r: Resource) -> Result:
    name, targets = r.name(None, 64), r.take("Targets", [])
    settings = r.same("ScheduleExpression", "EventPattern", "State", "Description")
    r.done()
    made = r.call("events", "PutRule", Name=name, **settings)
    before = {t["Id"] for t in r.old.properties.get("Targets", [])} if r.old else set()
    if gone := before - {t["Id"] for t in targets}:
        r.call("events", "RemoveTargets", Rule=name, Ids=sorted(gone))
    if targets:
        r.call("events", "PutTargets", Rule=name, Targets=targets)
    return name, {"Arn": made["RuleArn"]}


@maps("AWS::StepFunctions::StateMachine", in_place=["DefinitionString", "LoggingConfiguration"])
def state_machine(r: Resource) -> Result:
    settings = {
        "definition": r.require("DefinitionString"),
        "roleArn": r.require("RoleArn"),
        "loggingConfiguration": _lower_first(r.take("LoggingConfiguration")),
    }
    kind, name = r.take("StateMachineType"), r.name(None, 80)
    r.done()
    if r.old:
        r.call("stepfunctions", "UpdateStateMachine", stateMachineArn=r.old.physical_id, **settings)
        return r.old.physical_id, r.old.attributes
    made = r.call("stepfunctions", "CreateStateMachine", name=name, type=kind, **settings)
    return made["stateMachineArn"], {}


def _lower_first(value: Any) -> Any:
    """Step Functions' API writes `level` where the template writes `Level`."""
    if isinstance(value, dict):
        return {k[0].lower() + k[1:]: _lower_first(v) for k, v in value.items()}
    return [_lower_first(v) for v in value] if isinstance(value, list) else value
