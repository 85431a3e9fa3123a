"""Sources: the keys of platforms, what is followed and how far it was read, what can go wrong."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.config import StageConfig, StorageConfig
from infra.constructs.alarm import add_alarm
from infra.constructs.grants import allow, write_with_key
from infra.constructs.python_function import PythonFunction
from infra.constructs.removal import removal_policy
from infra.constructs.table import key_value_table


class PlatformKey(Construct):
    """A secret without a value: whoever has the platform's key puts it there.

    Not the library's own construct, which always generates a value, and a generated one would
    look like a key.
    """

    def __init__(
        self, scope: Construct, id: str, *, description: str, config: StorageConfig, key: kms.IKey
    ) -> None:
        super().__init__(scope, id)
        secret = secretsmanager.CfnSecret(
            self, "Secret", description=description, kms_key_id=key.key_arn
        )
        secret.apply_removal_policy(removal_policy(config.retains_data))
        self.arn = secret.ref


class SourcesTable(Construct):
    """What is followed, cursors, counts of a day's use; neither texts nor people."""

    def __init__(self, scope: Construct, id: str, *, config: StorageConfig, key: kms.IKey) -> None:
        super().__init__(scope, id)
        # Of counts and pauses; what is followed stays.
        self.table = key_value_table(
            self, config, key, partition_key="pk", sort_key="sk", expires="expires_at"
        )


class ScheduledSource(Construct):
    """What a source's function may do, and when it runs."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        source: PythonFunction,
        stream: kinesis.IStream,
        table: dynamodb.ITable,
        secret_arn: str,
        key: kms.IKey,
        minutes: int,
        enabled: bool,
    ) -> None:
        super().__init__(scope, id)
        allow(source.role, ["kinesis:PutRecords"], [stream.stream_arn])
        allow(
            source.role,
            ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"],
            [table.table_arn],
        )
        allow(source.role, ["secretsmanager:GetSecretValue"], [secret_arn])
        write_with_key(key, source.role)
        self.schedule = events.Rule(
            self,
            "Schedule",
            description=f"{source.service} reads what is new",
            schedule=events.Schedule.rate(Duration.minutes(minutes)),
            enabled=enabled,
            targets=[targets.LambdaFunction(source.function)],
        )


class SourceAlarms(Construct):
    """What only a person can put right: a key that the platform no longer takes."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        topic: sns.ITopic,
        functions: Sequence[PythonFunction],
    ) -> None:
        super().__init__(scope, id)
        for function in functions:
            add_alarm(
                self,
                f"{function.service.title().replace('_', '')}Key",
                f"The platform refuses the key of {function.service}; nothing "
                "is read. Put a new key in its secret (docs/sources.md).",
                cloudwatch.Metric(
                    namespace=config.metrics_namespace,
                    metric_name="KeyRefused",
                    dimensions_map={"service": function.service},
                    period=Duration.minutes(5),
                    statistic="Sum",
                ),
                topic=topic,
                threshold=1,
                # A run that reads ends the alarm; the minutes between two runs do not.
                missing=cloudwatch.TreatMissingData.IGNORE,
            )
