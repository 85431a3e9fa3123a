"""Replies: the outbox, who sends what lies in it, and what an operator is told."""

from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.alarm import add_alarm
from infra.constructs.grants import allow, write_with_key
from infra.constructs.python_function import PythonFunction
from infra.constructs.removal import removal_policy
from infra.constructs.sources import PlatformKey
from infra.constructs.table import key_value_table

_FOURTEEN_DAYS = Duration.days(14)


class Replies(Construct):
    """The outbox, reply_sender behind it, and the table of switch, limits and wishes."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        key: kms.IKey,
        layer: lambda_.ILayerVersion,
        staging: Path,
        tickets: dynamodb.ITable,
    ) -> None:
        super().__init__(scope, id)
        self._key = key
        replies = config.replies
        timeout = replies.timeout_seconds
        self.mode = replies.mode
        self._account_id = replies.account_id
        self.table = key_value_table(
            self, config.storage, key, partition_key="pk", expires="expires_at"
        )
        self.dead_letters = self._queue("DeadLetters", config, timeout)
        self.outbox = self._queue(
            "Outbox",
            config,
            timeout,
            sqs.DeadLetterQueue(max_receive_count=replies.max_receives, queue=self.dead_letters),
        )
        environment = {
            "TICKETS_TABLE": tickets.table_name,
            "REPLIES_TABLE": self.table.table_name,
            "OUTBOX_URL": self.outbox.queue_url,
            "REPLIES_MODE": replies.mode,
            "REPLY_SOURCES": ",".join(replies.sources),
            "REPLY_MIN_CONFIDENCE": str(replies.min_confidence),
            "REPLY_MAX_AGE_HOURS": str(replies.max_age_hours),
            "REPLIES_PER_AUTHOR_DAY": str(replies.author_per_day),
            "REPLIES_PER_HOUR": str(replies.per_hour),
            "REPLIES_PER_DAY": str(replies.per_day),
            "TIMELINE_SETTLE_SECONDS": str(replies.settle_seconds),
            "X_API_URL": replies.x_api_url,
            "X_ACCOUNT_ID": replies.account_id,
        }
        self.secret_arn: str | None = None
        if replies.mode == "live":
            self.secret_arn = PlatformKey(
                self,
                "XPostingKey",
                description="voxlake: keys of the account on X that replies, OAuth 1.0a "
                '{"consumer_key", "consumer_secret", "access_token", "access_token_secret"}',
                config=config.storage,
                key=key,
            ).arn
            environment["X_POSTING_SECRET"] = self.secret_arn
        self.sender = PythonFunction(
            self,
            "ReplySender",
            name="reply_sender",
            description="Answers tickets on X, each once",
            config=config,
            key=key,
            layer=layer,
            staging=staging,
            environment=environment,
            memory_mib=256,
            timeout_seconds=timeout,
        )
        self.function_name = self.sender.function.function_name
        self._allow(tickets)
        mapping = lambda_.CfnEventSourceMapping(
            self,
            "Mapping",
            event_source_arn=self.outbox.queue_arn,
            function_name=self.function_name,
            batch_size=replies.batch_size,
            function_response_types=["ReportBatchItemFailures"],
        )
        # Lambda checks the role's rights when the mapping is made.
        mapping.node.add_dependency(self.sender.role)

    def asked_by(self, function: PythonFunction) -> None:
        """Lets a function ask for replies."""
        function.function.add_environment("OUTBOX_URL", self.outbox.queue_url)
        function.function.add_environment("REPLIES_MODE", self.mode)
        allow(function.role, ["sqs:SendMessage"], [self.outbox.queue_arn])
        write_with_key(self._key, function.role)

    def told_by(self, function: PythonFunction) -> None:
        """Lets a function that reads what is said keep authors' wishes to get no replies."""
        function.function.add_environment("REPLIES_TABLE", self.table.table_name)
        if self._account_id:
            function.function.add_environment("X_ACCOUNT_ID", self._account_id)
        allow(function.role, ["dynamodb:PutItem"], [self.table.table_arn])

    def _queue(
        self,
        id: str,
        config: StageConfig,
        timeout_seconds: int,
        dead_letters: sqs.DeadLetterQueue | None = None,
    ) -> sqs.Queue:
        return sqs.Queue(
            self,
            id,
            fifo=True,
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=self._key,
            enforce_ssl=True,
            retention_period=_FOURTEEN_DAYS,
            # As AWS advises for functions, and what keeps a second sender from a message that the
            # first may still be at.
            visibility_timeout=Duration.seconds(6 * timeout_seconds),
            dead_letter_queue=dead_letters,
            removal_policy=removal_policy(config.storage.retains_data),
        )

    def _allow(self, tickets: dynamodb.ITable) -> None:
        role = self.sender.role
        allow(role, ["dynamodb:GetItem", "dynamodb:UpdateItem"], [tickets.table_arn])
        allow(role, ["dynamodb:GetItem", "dynamodb:UpdateItem"], [self.table.table_arn])
        allow(
            role,
            [
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
                "sqs:SendMessage",
            ],
            [self.outbox.queue_arn],
        )
        if self.secret_arn is not None:
            allow(role, ["secretsmanager:GetSecretValue"], [self.secret_arn])
        write_with_key(self._key, role)


class RepliesAlarms(Construct):
    """Replies that do not go out."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        topic: sns.ITopic,
        replies: Replies,
    ) -> None:
        super().__init__(scope, id)
        five_minutes = Duration.minutes(5)
        for name, description, metric, threshold in (
            (
                "DeadReplies",
                "Replies were given up. See the log of reply_sender for why, put it right, then "
                "redrive the queue of dead letters: none is sent twice (docs/replies.md).",
                replies.dead_letters.metric_approximate_number_of_messages_visible(
                    period=five_minutes, statistic="Maximum"
                ),
                1,
            ),
            (
                "OldestReply",
                "A reply waits for long. `voxlake replies status` says what for: stopped, X's "
                "limits, or the account.",
                replies.outbox.metric_approximate_age_of_oldest_message(
                    period=five_minutes, statistic="Maximum"
                ),
                config.replies.oldest_message_alarm_minutes * 60,
            ),
            (
                "ReplyKey",
                "X takes no posts of our account: keys, suspension or credits. "
                "`voxlake replies status` says what X said (docs/replies.md).",
                cloudwatch.Metric(
                    namespace=config.metrics_namespace,
                    metric_name="KeyRefused",
                    dimensions_map={"service": replies.sender.service},
                    period=five_minutes,
                    statistic="Sum",
                ),
                1,
            ),
        ):
            add_alarm(
                self,
                name,
                description,
                metric,
                topic=topic,
                threshold=threshold,
            )
