"""Who takes Airflow's role, and what it may do: a right more or less is read here."""

import re

NAME = "voxlake-full-airflow"


def test_only_mwaa_takes_the_role_and_only_for_this_account(full):
    (role,) = (
        resource["Properties"]
        for name, resource in full.resources("airflow", "AWS::IAM::Role").items()
        if name.startswith("Execution")
    )
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": ["airflow-env.amazonaws.com", "airflow.amazonaws.com"]},
        "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    }
    assert "ManagedPolicyArns" not in role


# What MWAA asks of the role, on short names of resources; then what the tasks call.
BY_MWAA = {
    f"environment/{NAME}": {"airflow:PublishMetrics"},
    f"log-group:airflow-{NAME}-*": {
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:GetLogEvents",
        "logs:GetLogGroupFields",
        "logs:GetLogRecord",
        "logs:GetQueryResults",
        "logs:PutLogEvents",
    },
    "airflow-celery-*": {
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ReceiveMessage",
        "sqs:SendMessage",
    },
    "bucket": {
        "s3:GetBucketLocation",
        "s3:GetBucketPublicAccessBlock",
        "s3:GetBucketVersioning",
        "s3:GetEncryptionConfiguration",
        "s3:ListBucket",
        "s3:ListBucketVersions",
    },
    "bucket/*": {"s3:GetObject", "s3:GetObjectVersion"},
    "*": {
        "cloudwatch:PutMetricData",
        "logs:DescribeLogGroups",
        "s3:GetAccountPublicAccessBlock",
    },
}
RUN_JOBS = {"glue:BatchStopJobRun", "glue:GetJob", "glue:GetJobRun", "glue:StartJobRun"}
LIST = {"s3:GetBucketLocation", "s3:ListBucket"}
CATALOG = {
    "glue:BatchGetPartition",
    "glue:GetDatabase",
    "glue:GetPartition",
    "glue:GetPartitions",
    "glue:GetTable",
}
JOB_ACTIONS = {
    kind: {f"sagemaker:{verb}{kind}Job" for verb in ("Create", "Describe", "Stop")}
    for kind in ("Transform", "Training")
}
BY_TASKS = {
    "variable": {"secretsmanager:GetSecretValue"},
    "key": {"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"},
    "function:<BatchPlannerFunction>": {"lambda:InvokeFunction"},
    "function:<ReconcilerFunction>": {"lambda:InvokeFunction"},
    "function:<WarehouseLoaderFunction>": {"lambda:InvokeFunction"},
    "function:<ModelGateFunction>": {"lambda:InvokeFunction"},
    "job/<LandingToCleansedJob>": RUN_JOBS,
    "job/<CleansedToFeaturesJob>": RUN_JOBS,
    "job/<ScoresToAnalyticsJob>": RUN_JOBS,
    "job/<TicketsToAnalyticsJob>": RUN_JOBS,
    "transform-job/voxlake-*": JOB_ACTIONS["Transform"],
    "training-job/<ModelGroupPrefix>*": JOB_ACTIONS["Training"],
    "model/<SentimentModelName>": {"sagemaker:DescribeModel"},
    "<TrainingRoleArn>": {"iam:PassRole"},
    "artifacts": LIST,
    # Folders: no object that holds anything ends in a slash.
    "artifacts/scoring/*/": {"s3:GetObject"},
    "artifacts/training/*/": {"s3:GetObject"},
    "crawler/<LandingCrawler>": {
        "glue:GetCrawler",
        "glue:GetCrawlerMetrics",
        "glue:StartCrawler",
    },
    "workgroup/<AthenaWorkgroup>": {
        "athena:GetQueryExecution",
        "athena:GetQueryResults",
        "athena:StartQueryExecution",
    },
    "catalog": CATALOG,
    "database/voxlake_analytics": CATALOG,
    "table/voxlake_analytics/texts_scored": CATALOG,
    "database/default": {"glue:GetDatabase"},
    "analytics": LIST,
    "analytics/texts_scored/*": {"s3:GetObject"},
    "query_results": LIST,
    "query_results/athena/*": {"s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"},
    "rule/<MockServerSchedule>": {"events:DisableRule", "events:EnableRule"},
    "rule/<SourceYoutubeSchedule>": {"events:DisableRule", "events:EnableRule"},
    "rule/<SourceXSchedule>": {"events:DisableRule", "events:EnableRule"},
    "event-source-mapping:<StreamConsumerMapping>": {
        "lambda:GetEventSourceMapping",
        "lambda:UpdateEventSourceMapping",
    },
    "event-source-mapping:<TextEnricherMapping>": {
        "lambda:GetEventSourceMapping",
        "lambda:UpdateEventSourceMapping",
    },
    "<AlarmTopicArn>": {"sns:Publish"},
}


def test_the_role_may_do_what_mwaa_asks_and_the_tasks_call_and_nothing_else(full):
    granted = {}
    for statement in statements_of(full):
        for resource in listed(statement["Resource"]):
            granted.setdefault(short(resource), set()).update(listed(statement["Action"]))
    assert granted == BY_MWAA | BY_TASKS
    assert not [s for s in statements_of(full) if s["Effect"] != "Allow"]
    bound = [s["Condition"] for s in statements_of(full) if "Condition" in s]
    assert bound == [
        {"StringEquals": {"cloudwatch:namespace": ["AmazonMWAA", "voxlake"]}},
        {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    ]


def statements_of(full):
    (policy,) = (
        resource["Properties"]["PolicyDocument"]
        for name, resource in full.resources("airflow", "AWS::IAM::Policy").items()
        if name.startswith("ExecutionRole")
    )
    return policy["Statement"]


def listed(value):
    return value if isinstance(value, list) else [value]


_IMPORTED = {
    "LakeKey": "key",
    "ZonesArtifacts": "artifacts",
    "ZonesAnalytics": "analytics",
    "ZonesQueryResults": "query_results",
}


def short(resource):
    """A resource as people name it: `job/<key of an output>`, `analytics/texts_scored/*`."""
    parts = resource["Fn::Join"][1] if "Fn::Join" in resource else [resource]
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += part
        elif "Fn::GetStackOutput" in part:
            text += f"<{part['Fn::GetStackOutput']['OutputName']}>"
        elif "Fn::ImportValue" in part:
            (name,) = (n for key, n in _IMPORTED.items() if key in part["Fn::ImportValue"])
            text += name
        else:
            name = part.get("Ref") or part["Fn::GetAtt"][0]
            text += {"FilesFolderBucket": "bucket", "VariableSecret": "variable"}.get(
                re.sub(r"[0-9A-F]{8}$", "", name), ""
            )
    # arn:partition:service:region:account:rest
    return text.split(":", 5)[-1] if text.startswith("arn:") else text
