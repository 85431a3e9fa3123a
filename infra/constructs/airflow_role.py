"""What Airflow may do: what MWAA asks of an execution role, and what the DAGs' tasks call.

The DAGs run on the laptop under this role too, so what is missing here fails a task there with
AccessDenied and the action's name; that nothing is here which no DAG calls, a test holds.
"""

from collections.abc import Sequence

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.glue_job import catalog_arns
from infra.constructs.grants import (
    allow,
    list_bucket,
    put_objects,
    read_objects,
)


def arn(service: str, rest: str) -> str:
    """An ARN of this account and region."""
    return f"arn:{Aws.PARTITION}:{service}:{Aws.REGION}:{Aws.ACCOUNT_ID}:{rest}"


class AirflowRole(Construct):
    """The execution role: only MWAA may take it, and only for this account."""

    def __init__(self, scope: Construct, id: str, *, environment: str) -> None:
        super().__init__(scope, id)
        ours = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
        services = ("airflow.amazonaws.com", "airflow-env.amazonaws.com")
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.CompositePrincipal(
                *(iam.ServicePrincipal(service, conditions=ours) for service in services)
            ),
        )
        self._environment = environment

    def run_environment(self, *, files: s3.IBucket, key: kms.IKey, namespaces: list[str]) -> None:
        """What MWAA itself needs: its files, logs, metrics and queue.

        Args:
            namespaces: of metrics, those that tasks put besides MWAA's own.
        """
        # https://docs.aws.amazon.com/mwaa/latest/userguide/mwaa-create-role.html, with actions in
        # the place of wildcards.
        role, environment = self.role, self._environment
        allow(role, ["airflow:PublishMetrics"], [arn("airflow", f"environment/{environment}")])
        list_bucket(files, role)
        allow(
            role,
            [
                "s3:GetBucketPublicAccessBlock",
                "s3:GetBucketVersioning",
                "s3:GetEncryptionConfiguration",
                "s3:ListBucketVersions",
            ],
            [files.bucket_arn],
        )
        allow(role, ["s3:GetObject", "s3:GetObjectVersion"], [files.arn_for_objects("*")])
        allow(role, ["s3:GetAccountPublicAccessBlock"], ["*"])
        allow(
            role,
            [
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:GetLogEvents",
                "logs:GetLogGroupFields",
                "logs:GetLogRecord",
                "logs:GetQueryResults",
                "logs:PutLogEvents",
            ],
            [arn("logs", f"log-group:airflow-{environment}-*")],
        )
        allow(role, ["logs:DescribeLogGroups"], ["*"])
        allow(
            role,
            ["cloudwatch:PutMetricData"],
            ["*"],
            conditions={"StringEquals": {"cloudwatch:namespace": ["AmazonMWAA", *namespaces]}},
        )
        # The queue is in an account of AWS's.
        allow(
            role,
            [
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:GetQueueUrl",
                "sqs:ReceiveMessage",
                "sqs:SendMessage",
            ],
            [f"arn:{Aws.PARTITION}:sqs:{Aws.REGION}:*:airflow-celery-*"],
        )
        allow(
            role,
            ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
            [key.key_arn],
        )

    def invoke(self, functions: Sequence[str]) -> None:
        """Call functions, given by ARN."""
        allow(self.role, ["lambda:InvokeFunction"], functions)

    def run_jobs(self, jobs: Sequence[str]) -> None:
        """Run Glue jobs, given by ARN, and stop them when a task is."""
        actions = ["glue:BatchStopJobRun", "glue:GetJob", "glue:GetJobRun", "glue:StartJobRun"]
        allow(self.role, actions, jobs)

    def crawl(self, crawler: str) -> None:
        """Run a crawler, given by name."""
        actions = ["glue:GetCrawler", "glue:GetCrawlerMetrics", "glue:StartCrawler"]
        allow(self.role, actions, [arn("glue", f"crawler/{crawler}")])

    def transform(self, model: str, *, artifacts: s3.IBucket) -> None:
        """Run batch transforms of a model, given by name, and stop them when a task is."""
        self._sagemaker("Transform", "voxlake-*", artifacts, "scoring/")
        allow(self.role, ["sagemaker:DescribeModel"], [arn("sagemaker", f"model/{model}")])

    def train(self, *, jobs: str, runs_as: str, artifacts: s3.IBucket) -> None:
        """Run training jobs, and stop them when a task is.

        Args:
            jobs: prefix of their names.
            runs_as: ARN of their role.
        """
        self._sagemaker("Training", f"{jobs}*", artifacts, "training/")
        service = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
        allow(self.role, ["iam:PassRole"], [runs_as], conditions=service)

    def _sagemaker(self, kind: str, jobs: str, artifacts: s3.IBucket, prefix: str) -> None:
        actions = [f"sagemaker:{verb}{kind}Job" for verb in ("Create", "Describe", "Stop")]
        allow(self.role, actions, [arn("sagemaker", f"{kind.lower()}-job/{jobs}")])
        # The operator looks whether the folder of the input is there: with the slash at the end
        # this names folders, and no object that holds anything.
        list_bucket(artifacts, self.role)
        allow(self.role, ["s3:GetObject"], [artifacts.arn_for_objects(f"{prefix}*/")])

    def query(
        self, *, workgroup: str, database: str, table: str, data: s3.IBucket, results: s3.IBucket
    ) -> None:
        """Ask Athena of one table, whose files lie under its name in `data`."""
        role = self.role
        allow(
            role,
            ["athena:GetQueryExecution", "athena:GetQueryResults", "athena:StartQueryExecution"],
            [arn("athena", f"workgroup/{workgroup}")],
        )
        read = ("BatchGetPartition", "GetDatabase", "GetPartition", "GetPartitions", "GetTable")
        allow(
            role,
            [f"glue:{action}" for action in read],
            catalog_arns(databases=[database], table=table),
        )
        # Athena looks at the default database whatever a query names.
        allow(role, ["glue:GetDatabase"], catalog_arns(databases=["default"])[:2])
        read_objects(data, role, f"{table}/")
        read_objects(results, role, "athena/")
        put_objects(results, role, "athena/")

    def switch(self, *, rules: Sequence[str], mappings: Sequence[str]) -> None:
        """Turn rules, given by ARN, and event source mappings, given by id, on and off."""
        allow(self.role, ["events:DisableRule", "events:EnableRule"], rules)
        allow(
            self.role,
            ["lambda:GetEventSourceMapping", "lambda:UpdateEventSourceMapping"],
            [arn("lambda", f"event-source-mapping:{mapping}") for mapping in mappings],
        )

    def tell(self, topic: str) -> None:
        """Publish to a topic, given by ARN."""
        allow(self.role, ["sns:Publish"], [topic])
