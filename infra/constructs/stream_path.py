"""The stream path: tables of provisional scores and tickets, what may write them, its alarms."""

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.config import StageConfig, StorageConfig
from infra.constructs.alarm import add_alarm
from infra.constructs.grants import allow, write_with_key
from infra.constructs.python_function import PythonFunction
from infra.constructs.table import key_value_table

_TEXT = dynamodb.AttributeType.STRING


class ScoresTable(Construct):
    """Provisional scores, for days: an item a text and tracker."""

    def __init__(self, scope: Construct, id: str, *, config: StorageConfig, key: kms.IKey) -> None:
        super().__init__(scope, id)
        self.table = key_value_table(
            self, config, key, partition_key="event_id", sort_key="tracker", expires="expires_at"
        )
        _index(self.table, "by_tracker", "tracker", "arrived")
        # Sparse: only texts of a thread have one.
        _index(self.table, "by_thread", "thread_id", "arrived")


class TicketsTable(Construct):
    """Tickets, and what says that a text has one; both for ever, so nothing expires."""

    def __init__(self, scope: Construct, id: str, *, config: StorageConfig, key: kms.IKey) -> None:
        super().__init__(scope, id)
        self.table = key_value_table(self, config, key, partition_key="pk")
        _index(self.table, "by_state", "state", "opened_at")
        _index(self.table, "by_queue", "queue", "opened_at")
        _index(self.table, "by_change", "change_shard", "updated_at")


def _index(table: dynamodb.Table, name: str, partition_key: str, sort_key: str) -> None:
    table.add_global_secondary_index(
        index_name=name,
        partition_key=dynamodb.Attribute(name=partition_key, type=_TEXT),
        sort_key=dynamodb.Attribute(name=sort_key, type=_TEXT),
        projection_type=dynamodb.ProjectionType.ALL,
    )


def allow_enrichment(
    enricher: PythonFunction,
    *,
    scores: dynamodb.ITable,
    tickets: dynamodb.ITable,
    secret: secretsmanager.ISecret,
    key: kms.IKey,
) -> None:
    """What text_enricher may do besides reading the stream: write, and read nothing back."""
    allow(enricher.role, ["dynamodb:BatchWriteItem"], [scores.table_arn])
    allow(enricher.role, ["dynamodb:PutItem"], [tickets.table_arn])
    allow(enricher.role, ["secretsmanager:GetSecretValue"], [secret.secret_arn])
    write_with_key(key, enricher.role)


def read_changed_tickets(tickets: dynamodb.ITable, role: iam.IRole) -> None:
    """Reading what changed of the tickets, by the index made for it; the key is granted apart."""
    allow(role, ["dynamodb:Query"], [f"{tickets.table_arn}/index/by_change"])


class StreamPathAlarms(Construct):
    """The reflex failing, or falling behind."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        topic: sns.ITopic,
        enricher: PythonFunction,
    ) -> None:
        super().__init__(scope, id)
        five_minutes = Duration.minutes(5)
        for name, description, metric, threshold, periods in (
            (
                "EnricherErrors",
                "text_enricher failed; Lambda retries the batch. Look at its log for the "
                "exception. The batch path is not affected.",
                enricher.function.metric_errors(period=five_minutes, statistic="Sum"),
                1,
                1,
            ),
            (
                "EnricherIteratorAge",
                "text_enricher lags behind the stream: tickets and the live page come late. Raise "
                "its memory, or batch_size.",
                enricher.function.metric("IteratorAge", period=five_minutes, statistic="Maximum"),
                config.alarms.iterator_age_minutes * 60_000,
                2,
            ),
        ):
            add_alarm(
                self,
                name,
                description,
                metric,
                topic=topic,
                threshold=threshold,
                periods=periods,
            )
