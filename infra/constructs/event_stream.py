"""The Kinesis stream of events, and how the consumer reads it."""

from aws_cdk import Duration
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.config import IngestConfig
from infra.constructs.grants import allow, list_bucket, put_objects
from infra.constructs.python_function import PythonFunction
from infra.constructs.removal import removal_policy

# Lambda chooses the key of what it gives up: aws/lambda/<mapping UUID>/<shard>-<time>-<UUID>.
# https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
FAILED_BATCH_PREFIX = "aws/lambda/"


class EventStream(Construct):
    """On demand (scales by itself), encrypted with the customer key."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: IngestConfig,
        key: kms.IKey,
        retains_data: bool,
    ) -> None:
        super().__init__(scope, id)
        self.stream = kinesis.Stream(
            self,
            "Stream",
            stream_mode=kinesis.StreamMode.ON_DEMAND,
            encryption=kinesis.StreamEncryption.KMS,
            encryption_key=key,
            retention_period=Duration.hours(config.stream_retention_hours),
            removal_policy=removal_policy(retains_data),
        )


class StreamMapping(Construct):
    """Delivers batches to a consumer; what cannot be delivered goes to S3, whole.

    Batch size and window are the config's unless given.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: IngestConfig,
        stream: kinesis.IStream,
        consumer: PythonFunction,
        failed_batches: s3.IBucket,
        batch_size: int | None = None,
        batch_window_seconds: int | None = None,
        starting_position: str = "TRIM_HORIZON",
    ) -> None:
        super().__init__(scope, id)
        role = consumer.role
        allow(
            role,
            [
                "kinesis:DescribeStream",
                "kinesis:DescribeStreamSummary",
                "kinesis:GetRecords",
                "kinesis:GetShardIterator",
                "kinesis:ListShards",
            ],
            [stream.stream_arn],
        )
        # The destination is written with the function's role. An S3 destination keeps the whole
        # batch; SQS or SNS would keep its metadata only.
        list_bucket(failed_batches, role)
        put_objects(failed_batches, role, FAILED_BATCH_PREFIX)
        self.mapping = lambda_.CfnEventSourceMapping(
            self,
            "Mapping",
            event_source_arn=stream.stream_arn,
            function_name=consumer.function.function_name,
            starting_position=starting_position,
            batch_size=config.batch_size if batch_size is None else batch_size,
            maximum_batching_window_in_seconds=(
                config.batch_window_seconds
                if batch_window_seconds is None
                else batch_window_seconds
            ),
            # More at once would interleave a shard's batches, and then a landed object would no
            # longer hold every record between its first and last: what tells a redelivery.
            parallelization_factor=1,
            bisect_batch_on_function_error=True,
            function_response_types=["ReportBatchItemFailures"],
            maximum_record_age_in_seconds=config.maximum_record_age_seconds,
            maximum_retry_attempts=config.retry_attempts,
            destination_config=lambda_.CfnEventSourceMapping.DestinationConfigProperty(
                on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(
                    destination=failed_batches.bucket_arn
                )
            ),
            # Counts what was dropped and what reached the destination, which no default metric
            # does; the failed-batches alarm watches it.
            metrics_config=lambda_.CfnEventSourceMapping.MetricsConfigProperty(
                metrics=["EventCount"]
            ),
        )
        # Lambda checks the role's rights when the mapping is made.
        self.mapping.node.add_dependency(role)
        self.mapping_id = self.mapping.ref
