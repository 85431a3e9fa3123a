"""Who may do what, role by role: a right more or less is a change that somebody reads here."""

import json
import re

# Actions of each role's own policy, on short names of what they are granted for.
LEDGER, INDEX, KEY = "ledger", "ledger/index/pending", "key"
CATALOG = ("catalog", "database/{0}", "table/{0}/*")
LIST = {"s3:GetBucketLocation", "s3:ListBucket"}
PUT = {"s3:AbortMultipartUpload", "s3:PutObject"}
USE_KEY = {"kms:Decrypt", "kms:GenerateDataKey"}
LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
PUBLISH_LEDGER = {
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
}
POINT = {"glue:CreatePartition", "glue:GetTable", "glue:UpdatePartition"}
# What the quality rules said, by the jobs that write no other table of analytics.
TELL_QUALITY = {
    "analytics": LIST,
    "analytics/quality_results/*": {"s3:GetObject", "s3:DeleteObject", *PUT},
    "database/voxlake_analytics": POINT,
    "table/voxlake_analytics/quality_results": POINT,
}


def test_the_mock_server_only_puts_records(full):
    assert grants(full, "ingest", "MockServer") == {
        "events": {"kinesis:PutRecords"},
        KEY: USE_KEY,
        "logs": LOG,
    }


def test_the_consumer_reads_the_stream_lands_and_records_and_cannot_read_back_or_delete(full):
    assert grants(full, "ingest", "StreamConsumer") == {
        "events": {
            "kinesis:DescribeStream",
            "kinesis:DescribeStreamSummary",
            "kinesis:GetRecords",
            "kinesis:GetShardIterator",
            "kinesis:ListShards",
        },
        "landing": LIST,
        "landing/*": PUT,
        "landing/aws/lambda/*": PUT,
        LEDGER: {"dynamodb:PutItem"},
        KEY: USE_KEY,
        "logs": LOG,
    }


def test_the_planner_only_reads_the_ledger_and_which_tickets_changed(full):
    assert grants(full, "processing", "BatchPlanner") == {
        LEDGER: {"dynamodb:GetItem", "dynamodb:Query"},
        INDEX: {"dynamodb:GetItem", "dynamodb:Query"},
        "tickets/index/by_change": {"dynamodb:Query"},
        KEY: {"kms:Decrypt"},
        "logs": LOG,
    }


def test_landing_to_cleansed_writes_cleansed_and_alone_reads_the_pseudonym_key(full):
    granted = grants(full, "processing", "LandingToCleansed")
    assert granted == {
        **job_grants("voxlake_cleansed"),
        "landing": LIST,
        "landing/*": {"s3:GetObject"},
        "cleansed": LIST,
        "cleansed/*": {"s3:GetObject", "s3:DeleteObject", *PUT},
        "artifacts": LIST,
        "secret": {"secretsmanager:GetSecretValue"},
        **TELL_QUALITY,
    }
    for job in ("CleansedToFeatures", "ScoresToAnalytics", "TicketsToAnalytics", "Reconciler"):
        assert "secret" not in grants(full, "processing", job)


def test_cleansed_to_features_never_sees_landing(full):
    assert grants(full, "processing", "CleansedToFeatures") == {
        **job_grants("voxlake_cleansed"),
        "cleansed": LIST,
        "cleansed/*": {"s3:GetObject", "s3:DeleteObject", *PUT},
        "artifacts": LIST,
        "artifacts/scoring/*": {"s3:GetObject", "s3:DeleteObject", *PUT},
        **TELL_QUALITY,
    }


def test_scores_to_analytics_reads_scores_and_writes_analytics_only(full):
    assert grants(full, "processing", "ScoresToAnalytics") == {
        **job_grants("voxlake_analytics"),
        "cleansed": LIST,
        "cleansed/*": {"s3:GetObject"},
        "artifacts": LIST,
        "artifacts/scoring/*": {"s3:GetObject"},
        "analytics": LIST,
        "analytics/*": {"s3:GetObject", "s3:DeleteObject", *PUT},
    }


def test_tickets_to_analytics_reads_the_stream_paths_tables_and_changes_neither(full):
    assert grants(full, "processing", "TicketsToAnalytics") == {
        **job_grants("voxlake_analytics"),
        "tickets/index/by_change": {"dynamodb:Query"},
        "scores": {"dynamodb:BatchGetItem"},
        "artifacts": LIST,
        "analytics": LIST,
        "analytics/*": {"s3:GetObject", "s3:DeleteObject", *PUT},
    }


def test_the_reply_sender_changes_tickets_and_its_own_table_and_opens_or_deletes_none(full):
    """In a dry run it has no keys, and so no way to X."""
    assert grants(full, "stream", "RepliesReplySender") == {
        "tickets": {"dynamodb:GetItem", "dynamodb:UpdateItem"},
        "replies": {"dynamodb:GetItem", "dynamodb:UpdateItem"},
        "outbox": {
            "sqs:ChangeMessageVisibility",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
            "sqs:SendMessage",
        },
        KEY: USE_KEY,
        "logs": LOG,
    }


def test_the_transform_reads_its_input_and_archive_and_writes_its_output(full):
    granted = grants(full, "ml", "Sentiment")
    assert granted.pop("assets/*.tar.gz") == {"s3:GetObject"}
    assert granted == {
        "assets": LIST,
        "artifacts": LIST,
        "artifacts/scoring/*": {"s3:GetObject", *PUT},
        KEY: USE_KEY,
        "repository/pytorch-inference": {
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:GetDownloadUrlForLayer",
        },
        "log-group:/aws/sagemaker/TransformJobs:*": {*LOG, "logs:DescribeLogStreams"},
        "*": {"ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"},
    }


def test_training_reads_its_code_and_works_under_its_own_prefix_and_deletes_nothing(full):
    granted = grants(full, "ml", "Training")
    assert granted.pop("assets/*.tar.gz") == {"s3:GetObject"}
    assert granted == {
        "assets": LIST,
        "artifacts": LIST,
        "artifacts/training/*": {"s3:GetObject", *PUT},
        KEY: {*USE_KEY, "kms:CreateGrant"},
        "repository/pytorch-training": {
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:GetDownloadUrlForLayer",
        },
        "log-group:/aws/sagemaker/TrainingJobs:*": {*LOG, "logs:DescribeLogStreams"},
        "*": {"ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"},
    }


def test_the_gate_works_on_trainings_and_on_the_stages_own_models_only(full):
    """Neither a training job nor a role can it start or pass on: Airflow does that."""
    assert grants(full, "ml", "GateModelGate") == {
        "artifacts": LIST,
        "artifacts/training/*": {"s3:GetObject", *PUT},
        "query_results": LIST,
        "query_results/athena/*": {"s3:GetObject"},
        "model-package/voxlake-full-*": {
            "sagemaker:CreateModelPackage",
            "sagemaker:DescribeModelPackage",
            "sagemaker:UpdateModelPackage",
        },
        "model-package-group/voxlake-full-*": {"sagemaker:CreateModelPackage"},
        "*": {"sagemaker:ListModelPackages"},
        KEY: USE_KEY,
        "logs": LOG,
    }


def test_the_reconciler_changes_nothing_but_ledger_items_and_partitions(full):
    granted = grants(full, "processing", "Reconciler")
    writes = {
        resource: {a for a in actions if re.search(r":(Put|Update|Delete|Create|Batch[CUD])", a)}
        for resource, actions in granted.items()
        if resource not in ("logs",)
    }
    point = {"glue:CreatePartition", "glue:UpdatePartition"}
    assert {resource: actions for resource, actions in writes.items() if actions} == {
        LEDGER: {"dynamodb:PutItem"},
        "query_results/athena/*": {"s3:PutObject"},
        "catalog": point,
        "database/voxlake_cleansed": point,
        "database/voxlake_analytics": point,
        "table/voxlake_cleansed/*": point,
        "table/voxlake_analytics/*": point,
    }
    assert granted["*"] == {"cloudwatch:GetMetricStatistics"}


def test_the_crawler_reads_landing_and_writes_the_landing_database_only(full):
    granted = grants(full, "processing", "LandingCrawler")
    assert granted["landing/*"] == {"s3:GetObject"}
    assert {name for name in granted if name.startswith("table/")} == {"table/voxlake_landing/*"}
    assert not [name for name in granted if name.startswith(("cleansed", "analytics"))]


def test_the_state_machine_runs_our_jobs_functions_and_transforms_only(full):
    granted = grants(full, "processing", "BatchPath")
    granted.pop("*")  # Log delivery knows no resources.
    assert granted == {
        "functions": {"lambda:InvokeFunction"},
        "job": {
            "glue:BatchStopJobRun",
            "glue:GetJobRun",
            "glue:GetJobRuns",
            "glue:StartJobRun",
        },
        "transform-job/voxlake-*": {
            "sagemaker:AddTags",
            "sagemaker:CreateTransformJob",
            "sagemaker:DescribeTransformJob",
            "sagemaker:StopTransformJob",
        },
        "rule/StepFunctionsGetEventsForSageMakerTransformJobsRule": {
            "events:DescribeRule",
            "events:PutRule",
            "events:PutTargets",
        },
    }


def test_no_role_has_an_action_wildcard_or_a_managed_policy(assembly):
    for stack, name, resource in assembly.all_resources():
        if resource["Type"] == "AWS::IAM::Role":
            assert "ManagedPolicyArns" not in resource["Properties"], f"{stack} {name}"
        if resource["Type"] == "AWS::IAM::Policy":
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                assert statement["Effect"] == "Allow"
                assert not [a for a in _list(statement["Action"]) if "*" in a], f"{stack} {name}"


def test_the_role_of_copy_reads_what_is_loaded_and_nothing_else(full):
    found = grants(full, "warehouse", "RedshiftCopy")
    assert {name for name in found if "/" in name} == {
        "cleansed/interactions/*",
        "analytics/texts_scored/*",
        "analytics/tickets/*",
        "artifacts/warehouse/*",
    }
    assert set().union(*found.values()) == {
        "kms:Decrypt",
        "s3:GetBucketLocation",
        "s3:GetObject",
        "s3:ListBucket",
    }


def test_the_loader_writes_manifests_only(full):
    found = grants(full, "warehouse", "WarehouseLoader")
    writes = {name for name, actions in found.items() if "s3:PutObject" in actions}
    assert writes == {"artifacts/warehouse/*"}
    assert found[LEDGER] == {"dynamodb:Query"}
    assert not [name for name in found if "DeleteObject" in str(found[name])]


def test_every_service_role_trusts_one_service(assembly):
    for _, name, resource in assembly.all_resources():
        if resource["Type"] == "AWS::IAM::Role":
            (statement,) = resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            assert statement["Action"] == "sts:AssumeRole"
            if "AnalystRole" in name:  # People take it.
                assert set(statement["Principal"]) == {"AWS"}
                continue
            # Redshift and MWAA go by two names.
            services = {
                service.replace("redshift-serverless", "redshift").replace("airflow-env", "airflow")
                for service in _list(statement["Principal"]["Service"])
            }
            assert re.fullmatch(r"[a-z-]+\.amazonaws\.com", *services), name


def job_grants(database):
    """What every job may do, besides the zones it works on."""
    return {
        LEDGER: PUBLISH_LEDGER,
        INDEX: PUBLISH_LEDGER,
        KEY: USE_KEY,
        "logs": LOG,
        "assets": LIST,
        "assets/*.py": {"s3:GetObject"},
        "assets/*.zip": {"s3:GetObject"},
        "artifacts/glue-temp/*": {"s3:GetObject", "s3:DeleteObject", *PUT},
        "*": {"cloudwatch:PutMetricData"},
        **{name.format(database): POINT for name in CATALOG},
    }


def grants(full, stack, construct):
    """{short resource name: actions} of a construct's role."""
    (policy,) = (
        resource["Properties"]
        for name, resource in full.resources(stack, "AWS::IAM::Policy").items()
        if name.startswith(f"{construct}Role")
    )
    granted = {}
    for statement in policy["PolicyDocument"]["Statement"]:
        for resource in _list(statement["Resource"]):
            granted.setdefault(_short(resource), set()).update(_list(statement["Action"]))
    return granted


def _list(value):
    return value if isinstance(value, list) else [value]


_NAMES = (
    (r"LakeKey", KEY),
    (r"PseudonymKeySecret", "secret"),
    (r"LedgerTable", LEDGER),
    (r"ZonesLanding", "landing"),
    (r"ZonesCleansed", "cleansed"),
    (r"ZonesAnalytics", "analytics"),
    (r"ZonesArtifacts", "artifacts"),
    (r"ZonesQueryResults", "query_results"),
    (r"EventsStream", "events"),
    (r"TicketsTable", "tickets"),
    (r"ScoresTable", "scores"),
    (r"RepliesTable", "replies"),
    (r"RepliesOutbox", "outbox"),
    (r"cdk-hnb659fds-assets", "assets"),
    (r"(?:Output|Error)[0-9A-F]{8}|Logs[0-9A-F]{8}", "logs"),
    (r"(?:Planner|Reconciler|Loader)Function", "functions"),
    (r"Job[0-9A-F]{8}", "job"),
)


def _short(resource):
    """A resource by a name that people use: `landing/*` and not a generated export's."""
    if resource == "*":
        return "*"
    text = json.dumps(resource)
    parts = resource["Fn::Join"][1] if "Fn::Join" in resource else []
    last = parts[-1] if parts and isinstance(parts[-1], str) else ""
    if "assets" in text:
        suffix = re.search(r"(\.[a-z.]+)$", last)
        ending = suffix[1].replace(".gluewheels.zip", ".zip") if suffix else ""
        return f"assets/*{ending}" if ending else "assets"
    for pattern, name in _NAMES:
        if re.search(pattern, text):
            return name + (last if last.startswith("/") else "")
    # arn:partition:service:region:account:rest
    return last.rsplit(":", 1)[-1] if "log-group" not in last else last.lstrip(":")
