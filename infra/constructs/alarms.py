"""Alarms: one topic, one construct per question an operator is woken for."""

from collections.abc import Sequence
from functools import partial

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.config import AlarmConfig, StageConfig
from infra.constructs.alarm import add_alarm
from infra.constructs.python_function import PythonFunction

_Comparison = cloudwatch.ComparisonOperator
_Missing = cloudwatch.TreatMissingData


class AlarmTopic(Construct):
    """The encrypted topic, with the config's e-mail addresses and phone numbers subscribed."""

    def __init__(self, scope: Construct, id: str, *, config: AlarmConfig, key: kms.IKey) -> None:
        super().__init__(scope, id)
        self.topic = sns.Topic(
            self, "Topic", display_name="voxlake", master_key=key, enforce_ssl=True
        )
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsPublish",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
            )
        )
        for email in config.emails:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))
        for phone in config.phones:
            self.topic.add_subscription(subscriptions.SmsSubscription(phone))


class PipelineAlarms(Construct):
    """What can go wrong between the stream and the tables."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        topic: sns.ITopic,
        stream: kinesis.IStream,
        consumer: PythonFunction,
        mapping_id: str,
        reconciler: PythonFunction,
        state_machine: sfn.IStateMachine,
    ) -> None:
        super().__init__(scope, id)
        self._config = config
        alarms = config.alarms
        five_minutes = Duration.minutes(5)
        alarm = partial(add_alarm, self, topic=topic)

        alarm(
            "ConsumerErrors",
            "stream_consumer failed for reasons of infrastructure; Lambda retries the batch. "
            "Look at its log for the exception.",
            consumer.function.metric_errors(period=five_minutes, statistic="Sum"),
            threshold=1,
        )
        alarm(
            "IteratorAge",
            "The consumer lags behind the stream; records are lost at the end of its retention.",
            consumer.function.metric("IteratorAge", period=five_minutes, statistic="Maximum"),
            threshold=alarms.iterator_age_minutes * 60_000,
            periods=2,
        )
        alarm(
            "FailedBatches",
            "The mapping gave up records; they lie whole in the landing bucket under aws/lambda/. "
            "Find the cause, then send them again.",
            self._dropped(mapping_id, five_minutes),
            threshold=1,
        )
        alarm(
            "FailedRuns",
            "A run of the batch path failed; the next run takes its work up again.",
            state_machine.metric_failed(period=five_minutes, statistic="Sum"),
            threshold=1,
        )
        alarm(
            "UnaccountedEvents",
            "Received events are missing from the tables. Run `voxlake reconcile`.",
            self._own(
                "UnaccountedEvents",
                reconciler.service,
                period=Duration.minutes(config.processing.schedule_minutes),
                statistic="Maximum",
            ),
            threshold=1,
        )
        incoming = stream.metric_incoming_records(
            period=Duration.minutes(alarms.no_data_minutes), statistic="Sum"
        )
        alarm(
            "NoData",
            "The stream received nothing: are the sources running?",
            incoming,
            threshold=1,
            comparison=_Comparison.LESS_THAN_THRESHOLD,
            # Kinesis counts nothing while nothing comes. Treated as breaching, that would ring from
            # the deployment on; so it rings when a stream that had records has none any more.
            missing=_Missing.MISSING,
        )
        self._unusual_volume(stream, topic)
        alarm(
            "QuarantineRate",
            "Too large a share of the records is refused. "
            "See voxlake_cleansed.quarantine for the reasons.",
            self._quarantine_percent(consumer.service),
            threshold=alarms.quarantine_percent,
            comparison=_Comparison.GREATER_THAN_THRESHOLD,
        )
        alarm(
            "ScoreDrift",
            "The model's scores lie otherwise than in the four weeks before: did what people say "
            "change, or what is read? Look at the report, then judge the model (docs/models.md).",
            # The DAG maintenance emits it, once a day.
            self._own(
                "ScoreStabilityIndex", "maintenance", period=Duration.days(1), statistic="Maximum"
            ),
            threshold=0.25,
        )

    def _own(
        self, name: str, service: str, *, period: Duration, statistic: str
    ) -> cloudwatch.Metric:
        """A metric that our functions emit: its only dimension is the service."""
        return cloudwatch.Metric(
            namespace=self._config.metrics_namespace,
            metric_name=name,
            dimensions_map={"service": service},
            period=period,
            statistic=statistic,
        )

    def _dropped(self, mapping_id: str, period: Duration) -> cloudwatch.MathExpression:
        """Given up in both ways: kept at the destination, or lost altogether."""

        def of_mapping(name: str) -> cloudwatch.Metric:
            return cloudwatch.Metric(
                namespace="AWS/Lambda",
                metric_name=name,
                dimensions_map={"EventSourceMappingUUID": mapping_id},
                period=period,
                statistic="Sum",
            )

        return cloudwatch.MathExpression(
            expression="FILL(delivered, 0) + FILL(dropped, 0)",
            label="Records given up",
            period=period,
            using_metrics={
                "delivered": of_mapping("OnFailureDestinationDeliveredEventCount"),
                "dropped": of_mapping("DroppedEventCount"),
            },
        )

    def _quarantine_percent(self, service: str) -> cloudwatch.MathExpression:
        period = Duration.minutes(15)
        return cloudwatch.MathExpression(
            expression="IF(received > 0, 100 * quarantined / received, 0)",
            label="Quarantined, percent of received",
            period=period,
            using_metrics={
                "quarantined": self._own(
                    "RecordsQuarantined", service, period=period, statistic="Sum"
                ),
                "received": self._own("RecordsReceived", service, period=period, statistic="Sum"),
            },
        )

    def _unusual_volume(self, stream: kinesis.IStream, topic: sns.ITopic) -> None:
        alarm = cloudwatch.AnomalyDetectionAlarm(
            self,
            "UnusualVolume",
            alarm_description="Volume outside what this hour of the week usually brings: "
            "a campaign, a flood, or a source that stopped.",
            metric=stream.metric_incoming_records(period=Duration.minutes(15), statistic="Sum"),
            std_devs=self._config.alarms.anomaly_band_width,
            evaluation_periods=2,
            comparison_operator=_Comparison.LESS_THAN_LOWER_OR_GREATER_THAN_UPPER_THRESHOLD,
            treat_missing_data=_Missing.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(topic))


class FailedJobs(Construct):
    """Says at once which job, transform or run failed, and why, where a metric says only that."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        topic: sns.ITopic,
        job_names: Sequence[str],
        state_machine_arn: str,
    ) -> None:
        super().__init__(scope, id)
        patterns = {
            "GlueJob": events.EventPattern(
                source=["aws.glue"],
                detail_type=["Glue Job State Change"],
                detail={"jobName": list(job_names), "state": ["FAILED", "TIMEOUT"]},
            ),
            "Transform": events.EventPattern(
                source=["aws.sagemaker"],
                detail_type=["SageMaker Transform Job State Change"],
                detail={
                    "TransformJobName": [{"prefix": "voxlake-"}],
                    "TransformJobStatus": ["Failed"],
                },
            ),
            "Run": events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "stateMachineArn": [state_machine_arn],
                    "status": ["FAILED", "TIMED_OUT", "ABORTED"],
                },
            ),
        }
        for name, pattern in patterns.items():
            events.Rule(
                self,
                name,
                description=f"voxlake: {name} failed",
                event_pattern=pattern,
                targets=[targets.SnsTopic(topic)],
            )


class LoggedErrors(Construct):
    """Counts error lines in the functions' logs, and alarms on them."""

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
            name = function.service.title().replace("_", "")
            metric_name = f"{name}LoggedErrors"
            logs.MetricFilter(
                self,
                f"{name}Filter",
                log_group=function.log_group,
                # Powertools writes one JSON object a line, with its level.
                filter_pattern=logs.FilterPattern.any(
                    logs.FilterPattern.string_value("$.level", "=", "ERROR"),
                    logs.FilterPattern.string_value("$.level", "=", "CRITICAL"),
                ),
                metric_namespace=config.metrics_namespace,
                metric_name=metric_name,
                metric_value="1",
            )
            add_alarm(
                self,
                f"{name}Alarm",
                f"{function.service} logged errors.",
                cloudwatch.Metric(
                    namespace=config.metrics_namespace,
                    metric_name=metric_name,
                    period=Duration.minutes(5),
                    statistic="Sum",
                ),
                topic=topic,
                threshold=1,
                tells_end=False,
            )


class LogQueries(Construct):
    """Saved Logs Insights queries: where an operator looks first."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stack_name: str,
        functions: Sequence[PythonFunction],
        batch_path_logs: logs.ILogGroup,
    ) -> None:
        super().__init__(scope, id)
        groups = [function.log_group for function in functions]
        queries = {
            "Errors": (
                groups,
                logs.QueryString(
                    fields=["@timestamp", "service", "message", "exception_name", "exception"],
                    filter_statements=['level in ["ERROR", "CRITICAL"]'],
                    sort="@timestamp desc",
                    limit=100,
                ),
            ),
            "SlowInvocations": (
                groups,
                logs.QueryString(
                    filter_statements=['@type = "REPORT"'],
                    stats_statements=[
                        "max(@duration) as slowest_ms, avg(@duration) as mean_ms, "
                        "max(@maxMemoryUsed / 1000 / 1000) as memory_mb by bin(15m), @log"
                    ],
                    sort="slowest_ms desc",
                ),
            ),
            "FailedStates": (
                [batch_path_logs],
                logs.QueryString(
                    fields=["@timestamp", "execution_arn", "type", "details.error"],
                    filter_statements=["type like /Failed|TimedOut|Aborted/"],
                    sort="@timestamp desc",
                    limit=100,
                ),
            ),
        }
        for name, (log_groups, query) in queries.items():
            logs.QueryDefinition(
                self,
                name,
                # Slashes make folders in the console.
                query_definition_name=f"{stack_name}/{name}",
                log_groups=log_groups,
                query_string=query,
            )
