"""Alarms: what an operator is told, and where to look then."""

from constructs import Construct

from infra.config import StageConfig
from infra.constructs.alarms import (
    AlarmTopic,
    FailedJobs,
    LoggedErrors,
    LogQueries,
    PipelineAlarms,
)
from infra.constructs.http_api import HttpApiAlarms
from infra.constructs.lake_stack import LakeStack
from infra.constructs.replies import RepliesAlarms
from infra.constructs.sources import SourceAlarms
from infra.constructs.stream_path import StreamPathAlarms
from infra.constructs.tracker_alarms import TrackerAlarms
from infra.stacks.api import ApiStack
from infra.stacks.ingest import IngestStack
from infra.stacks.ml import MlStack
from infra.stacks.processing import ProcessingStack
from infra.stacks.sources import SourcesStack
from infra.stacks.storage import StorageStack
from infra.stacks.stream import StreamStack
from infra.stacks.warehouse import WarehouseStack
from voxlake.trackers import load_trackers


class AlarmsStack(LakeStack):
    """Watches both paths and tells one topic."""

    def __init__(
        self,
        scope: Construct,
        *,
        config: StageConfig,
        storage: StorageStack,
        ingest: IngestStack,
        sources: SourcesStack,
        ml: MlStack,
        processing: ProcessingStack,
        warehouse: WarehouseStack,
        stream_path: StreamStack | None = None,
        api: ApiStack | None = None,
    ) -> None:
        super().__init__(scope, config=config, name="alarms")
        self.topic = AlarmTopic(self, "Alarms", config=config.alarms, key=storage.key).topic
        functions = (
            ingest.mock_server,
            ingest.consumer,
            sources.youtube,
            sources.x,
            processing.planner,
            processing.reconciler,
            ml.gate,
        )
        if warehouse.loader is not None:
            functions += (warehouse.loader,)
        if stream_path is not None:
            functions += (stream_path.enricher,)
            StreamPathAlarms(
                self, "StreamPath", config=config, topic=self.topic, enricher=stream_path.enricher
            )
            TrackerAlarms(
                self,
                "Tracker",
                config=config,
                topic=self.topic,
                enricher=stream_path.enricher,
                trackers=load_trackers().trackers,
            )
            if stream_path.replies is not None:
                functions += (stream_path.replies.sender,)
                RepliesAlarms(
                    self, "Replies", config=config, topic=self.topic, replies=stream_path.replies
                )
        if api is not None:
            functions += (api.function,)
            HttpApiAlarms(
                self,
                "HttpApi",
                topic=self.topic,
                api=api.http_api,
                p99_milliseconds=config.api.p99_alarm_milliseconds,
            )
        PipelineAlarms(
            self,
            "Pipeline",
            config=config,
            topic=self.topic,
            stream=ingest.stream,
            consumer=ingest.consumer,
            mapping_id=ingest.mapping.mapping_id,
            reconciler=processing.reconciler,
            state_machine=processing.batch_path.state_machine,
        )
        SourceAlarms(
            self,
            "Sources",
            config=config,
            topic=self.topic,
            functions=(sources.youtube, sources.x),
        )
        FailedJobs(
            self,
            "FailedJobs",
            topic=self.topic,
            job_names=[job.name for job in processing.jobs],
            state_machine_arn=processing.batch_path.state_machine.state_machine_arn,
        )
        LoggedErrors(self, "LoggedErrors", config=config, topic=self.topic, functions=functions)
        LogQueries(
            self,
            "LogQueries",
            stack_name=self.stack_name,
            functions=functions,
            batch_path_logs=processing.batch_path.log_group,
        )
        self.output("AlarmTopicArn", self.topic.topic_arn, "Where alarms are published")
