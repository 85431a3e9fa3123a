"""Ingest: mock server -> stream -> consumer -> landing, quarantine, ledger."""

from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.event_stream import EventStream, StreamMapping
from infra.constructs.grants import allow, put_objects, use_ledger, write_with_key
from infra.constructs.lake_stack import LakeStack
from infra.constructs.python_function import DependencyLayer, PythonFunction
from infra.stacks.storage import StorageStack


class IngestStack(LakeStack):
    """The stream and the two functions on either side of it."""

    def __init__(
        self, scope: Construct, *, config: StageConfig, storage: StorageStack, staging: Path
    ) -> None:
        super().__init__(scope, config=config, name="ingest")
        ingest = config.ingest
        self.stream = EventStream(
            self,
            "Events",
            config=ingest,
            key=storage.key,
            retains_data=config.storage.retains_data,
        ).stream
        layer = DependencyLayer(self, "Dependencies", staging=staging).layer

        self.mock_server = PythonFunction(
            self,
            "MockServer",
            name="mock_server",
            description="A living social network: puts its events on the stream",
            config=config,
            key=storage.key,
            layer=layer,
            staging=staging,
            environment={
                "EVENT_STREAM": self.stream.stream_name,
                "EVENTS_PER_TICK": str(ingest.mock_events_per_minute),
                "SEED": str(ingest.mock_seed),
            },
            memory_mib=512,
            timeout_seconds=55,
        )
        allow(self.mock_server.role, ["kinesis:PutRecords"], [self.stream.stream_arn])
        write_with_key(storage.key, self.mock_server.role)
        self.mock_schedule = events.Rule(
            self,
            "MockServerSchedule",
            description="The mock server's minute",
            schedule=events.Schedule.rate(Duration.minutes(1)),
            enabled=ingest.mock_server_enabled,
            targets=[targets.LambdaFunction(self.mock_server.function)],
        )

        self.consumer = PythonFunction(
            self,
            "StreamConsumer",
            name="stream_consumer",
            description="Validates events and lands them, with quarantine and ledger",
            config=config,
            key=storage.key,
            layer=layer,
            staging=staging,
            environment={
                "LANDING_BUCKET": storage.zones.landing.bucket_name,
                "LEDGER_TABLE": storage.ledger.table_name,
                "MAX_EVENT_FUTURE_HOURS": str(ingest.max_event_future_hours),
            },
            memory_mib=ingest.consumer_memory_mib,
            timeout_seconds=ingest.consumer_timeout_seconds,
        )
        put_objects(storage.zones.landing, self.consumer.role)
        use_ledger(storage.ledger, self.consumer.role, ["PutItem"])
        write_with_key(storage.key, self.consumer.role)
        self.mapping = StreamMapping(
            self,
            "Mapping",
            config=ingest,
            stream=self.stream,
            consumer=self.consumer,
            failed_batches=storage.zones.landing,
        )

        self.output("EventStream", self.stream.stream_name, "Where events are put")
        self.output(
            "MockServerFunction", self.mock_server.function.function_name, "The mock network"
        )
        self.output(
            "StreamConsumerFunction", self.consumer.function.function_name, "Lands the events"
        )
        self.output("MockServerSchedule", self.mock_schedule.rule_name, "The mock server's minute")
        self.output("StreamConsumerMapping", self.mapping.mapping_id, "Feeds the consumer")
