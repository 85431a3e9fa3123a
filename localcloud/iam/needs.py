"""What a request needs permission for: IAM actions and the ARNs they are checked against.

Action and resource names are those of the Service Authorization Reference. An action on a resource
that is not found here is checked against `*`, which only a policy for `*` allows.
https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from localcloud.core import Cloud
from localcloud.request import Request


@dataclass(frozen=True)
class Need:
    """One action on one resource; `context` adds condition keys in lower case."""

    action: str
    resource: str
    context: dict[str, Any] = field(default_factory=dict)


# boto3's service name -> the prefix of its actions, where they differ.
PREFIXES = {"stepfunctions": "states"}
# Calls that AWS answers to anybody with credentials.
FREE = {("sts", "GetCallerIdentity"), ("sts", "AssumeRole")}
# Service -> (parameter that names a resource, the resource's part of the ARN), in order of search.
NAMED_BY = {
    "dynamodb": [("TableName", "table/{}")],
    "events": [("Rule", "rule/{}"), ("Name", "rule/{}")],
    "kinesis": [("StreamName", "stream/{}")],
    "kms": [("KeyId", "key/{}")],
    "lambda": [("FunctionName", "function:{}"), ("UUID", "event-source-mapping:{}")],
    "sagemaker": [
        ("TrainingJobName", "training-job/{}"),
        ("TransformJobName", "transform-job/{}"),
        ("ModelName", "model/{}"),
        ("ModelPackageArn", "model-package/{}"),
        ("ModelPackageName", "model-package/{}"),
        ("ModelPackageGroupName", "model-package-group/{}"),
    ],
}
LAMBDA_ACTIONS = {"Invoke": "InvokeFunction", "InvokeAsync": "InvokeFunction"}


def needs(cloud: Cloud, request: Request) -> list[Need]:
    """Everything a request must be allowed; empty for calls that are open to all."""
    if (request.service, request.action) in FREE:
        return []
    return FINDERS.get(request.service, _named)(cloud, request)


def _arn(cloud: Cloud, service: str, rest: str) -> str:
    return f"arn:aws:{service}:{cloud.region}:{cloud.account}:{rest}"


def key_arn(cloud: Cloud, key: str) -> str:
    """The ARN of a KMS key given by id or ARN."""
    return key if key.startswith("arn:") else _arn(cloud, "kms", f"key/{key}")


def _named(cloud: Cloud, request: Request) -> list[Need]:
    """The action on the resource that a parameter names, by its name or ARN."""
    params, service = request.params, PREFIXES.get(request.service, request.service)
    action = LAMBDA_ACTIONS.get(request.action, request.action)
    resource = "*"
    for name, pattern in NAMED_BY.get(service, []):
        if value := params.get(name):
            arn = value.startswith("arn:")
            resource = value if arn else _arn(cloud, service, pattern.format(value))
            break
    else:
        arns = [str(v) for k, v in params.items() if k.lower().endswith(("arn", "id"))]
        resource = next((arn for arn in arns if arn.startswith("arn:")), "*")
    return [Need(f"{service}:{action}", resource)]


def _dynamodb(cloud: Cloud, request: Request) -> list[Need]:
    from moto.dynamodb.models import dynamodb_backends

    def needs_of(action: str, table_name: str, index: str | None = None) -> list[Need]:
        name = table_name.rpartition("/")[2]
        arn = _arn(cloud, "dynamodb", f"table/{name}") if name else "*"
        found = [Need(f"dynamodb:{action}", f"{arn}/index/{index}" if index else arn)]
        # The data plane asks for the key; describing a table takes none.
        if action.endswith(("Item", "Query", "Scan")):
            table = dynamodb_backends[cloud.account][cloud.region].tables.get(name)
            sse = (table.sse_specification if table is not None else None) or {}
            found += _key(cloud, "kms:Decrypt", sse.get("KMSMasterKeyId"), "dynamodb")
        return found

    params, action = request.params, request.action
    if action in ("BatchWriteItem", "BatchGetItem"):
        return [need for name in params["RequestItems"] for need in needs_of(action, name)]
    if params.get("TableName"):
        return needs_of(action, params["TableName"], params.get("IndexName"))
    return _named(cloud, request)


def _kinesis(cloud: Cloud, request: Request) -> list[Need]:
    from moto.kinesis.models import kinesis_backends

    params, action = request.params, request.action
    name = params.get("StreamName") or params.get("StreamARN", "").rpartition("/")[2]
    if not name and params.get("ShardIterator"):
        name = cloud.services["kinesis"].stream_of_iterator(params["ShardIterator"])
    found = [Need(f"kinesis:{action}", _arn(cloud, "kinesis", f"stream/{name}") if name else "*")]
    stream = kinesis_backends[cloud.account][cloud.region].streams.get(name)
    if stream is not None and stream.encryption_type == "KMS":
        if action in ("PutRecord", "PutRecords"):
            found += _key(cloud, "kms:GenerateDataKey", stream.key_id, "kinesis")
        elif action == "GetRecords":
            found += _key(cloud, "kms:Decrypt", stream.key_id, "kinesis")
    return found


def _sqs(cloud: Cloud, request: Request) -> list[Need]:
    from moto.sqs.models import sqs_backends

    action, url = request.action.removesuffix("Batch"), request.params.get("QueueUrl", "")
    name = url.rpartition("/")[2] or request.params.get("QueueName", "")
    found = [Need(f"sqs:{action}", _arn(cloud, "sqs", name) if name else "*")]
    queue = sqs_backends[cloud.account][cloud.region].queues.get(name)
    key = queue.kms_master_key_id if queue is not None else None
    if action in ("SendMessage", "ReceiveMessage"):
        found += _key(cloud, "kms:Decrypt", key, "sqs")
    if action == "SendMessage":
        found += _key(cloud, "kms:GenerateDataKey", key, "sqs")
    return found


def _secretsmanager(cloud: Cloud, request: Request) -> list[Need]:
    from moto.secretsmanager.models import secretsmanager_backends

    action, identifier = f"secretsmanager:{request.action}", request.params.get("SecretId", "")
    secrets = secretsmanager_backends[cloud.account][cloud.region].secrets
    if identifier not in secrets:
        return [Need(action, identifier if identifier.startswith("arn:") else "*")]
    found = [Need(action, secrets[identifier].arn)]
    if request.action == "GetSecretValue":
        found += _key(cloud, "kms:Decrypt", secrets[identifier].kms_key_id, "secretsmanager")
    return found


def _key(cloud: Cloud, action: str, key: str | None, service: str) -> list[Need]:
    """The permission on the customer key behind a stream, table or secret."""
    if not key or "alias/aws/" in key:  # AWS's own keys ask for none
        return []
    via = {"kms:viaservice": f"{service}.{cloud.region}.amazonaws.com"}
    return [Need(action, key_arn(cloud, key), via)]


def _glue(cloud: Cloud, request: Request) -> list[Need]:
    params, action = request.params, f"glue:{request.action}"
    if "Job" in request.action:
        name = params.get("JobName") or params.get("Name")
        return [Need(action, _arn(cloud, "glue", f"job/{name}") if name else "*")]
    if "Crawler" in request.action:
        names = params.get("CrawlerNameList") or [params.get("Name") or "*"]
        return [Need(action, _arn(cloud, "glue", f"crawler/{name}")) for name in names]
    content = params.get("TableInput") or params.get("DatabaseInput") or {}
    database, table = params.get("DatabaseName"), params.get("TableName")
    if "Database" in request.action:
        database = params.get("Name") or content.get("Name")
    elif request.action.endswith("Table"):
        table = params.get("Name") or content.get("Name")
    elif request.action == "GetTables":
        table = "*"
    found = ["catalog"]
    if database:
        found.append(f"database/{database}")
    if database and table:
        found.append(f"table/{database}/{table}")
    return [Need(action, _arn(cloud, "glue", name)) for name in found]


def _athena(cloud: Cloud, request: Request) -> list[Need]:
    params = request.params
    identifier, group = params.get("QueryExecutionId"), params.get("WorkGroup")
    if identifier and not group:
        found = cloud.client("athena").batch_get_query_execution(QueryExecutionIds=[identifier])
        executions = found.get("QueryExecutions", [])
        group = executions[0].get("WorkGroup") if executions else None
    group = _arn(cloud, "athena", f"workgroup/{group or 'primary'}")
    return [Need(f"athena:{request.action}", group)]


def _redshift_data(cloud: Cloud, request: Request) -> list[Need]:
    """A statement's workgroup, and signing in to it: by secret, or as the caller.

    What a caller does with a statement's id is checked by who owns the statement.
    """
    name, found = request.params.get("WorkgroupName"), "*"
    if name:
        groups = cloud.services["redshift-data"].serverless.workgroups
        found = groups.get(name, {}).get("workgroupArn", "*")
    needed = [Need(f"redshift-data:{request.action}", found)]
    if request.action.endswith("ExecuteStatement") and "SecretArn" not in request.params:
        needed.append(Need("redshift-serverless:GetCredentials", found))
    return needed


def _redshift_serverless(cloud: Cloud, request: Request) -> list[Need]:
    """The namespace or workgroup that is named; what does not exist yet has no ARN."""
    params, serverless = request.params, cloud.services["redshift-data"].serverless
    kind = "workgroup" if "workgroupName" in params else "namespace"
    kept = {"workgroup": serverless.workgroups, "namespace": serverless.namespaces}[kind]
    found = kept.get(params.get(f"{kind}Name"), {}).get(f"{kind}Arn", "*")
    return [Need(f"redshift-serverless:{request.action}", found)]


def _sagemaker(cloud: Cloud, request: Request) -> list[Need]:
    (need,) = _named(cloud, request)
    tagged = [Need("sagemaker:AddTags", need.resource)] if request.params.get("Tags") else []
    return [need, *tagged]


def _logs(cloud: Cloud, request: Request) -> list[Need]:
    params, action = request.params, f"logs:{request.action}"
    group, stream = params.get("logGroupName"), params.get("logStreamName", "")
    arn = _arn(cloud, "logs", f"log-group:{group}:log-stream:{stream}") if group else "*"
    return [Need(action, arn)]


def _cloudwatch(cloud: Cloud, request: Request) -> list[Need]:
    context = {}
    if request.action == "PutMetricData":
        context["cloudwatch:namespace"] = request.params.get("Namespace", "")
    return [Need(f"cloudwatch:{request.action}", "*", context)]


def _s3(cloud: Cloud, request: Request) -> list[Need]:
    from localcloud.iam.s3 import s3_needs

    return s3_needs(cloud, request)


FINDERS: dict[str, Callable[[Cloud, Request], list[Need]]] = {
    "athena": _athena,
    "cloudwatch": _cloudwatch,
    "dynamodb": _dynamodb,
    "glue": _glue,
    "kinesis": _kinesis,
    "logs": _logs,
    "redshift-data": _redshift_data,
    "redshift-serverless": _redshift_serverless,
    "s3": _s3,
    "sagemaker": _sagemaker,
    "secretsmanager": _secretsmanager,
    "sqs": _sqs,
}
