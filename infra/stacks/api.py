"""API: the HTTP API of the live page and of agents. None until the config names an issuer."""

from pathlib import Path

from constructs import Construct

from infra.config import StageConfig
from infra.constructs.http_api import HttpApi, allow_web_api
from infra.constructs.lake_stack import LakeStack
from infra.constructs.python_function import DependencyLayer, PythonFunction
from infra.stacks.processing import ProcessingStack
from infra.stacks.sources import SourcesStack
from infra.stacks.storage import StorageStack
from infra.stacks.stream import StreamStack


class ApiStack(LakeStack):
    """web_api, and the address where it answers."""

    def __init__(
        self,
        scope: Construct,
        *,
        config: StageConfig,
        storage: StorageStack,
        sources: SourcesStack,
        stream_path: StreamStack,
        processing: ProcessingStack,
        staging: Path,
    ) -> None:
        super().__init__(scope, config=config, name="api")
        key = storage.key
        state_machine = processing.batch_path.state_machine
        common = DependencyLayer(self, "Dependencies", staging=staging).layer
        models = DependencyLayer(
            self, "ModelDependencies", staging=staging, requirements="enricher"
        ).layer
        self.function = PythonFunction(
            self,
            "WebApi",
            name="web_api",
            description="Answers the live page and agents",
            config=config,
            key=key,
            layer=common,
            more_layers=(models,),
            models=("encoder",),
            staging=staging,
            environment={
                "SCORES_TABLE": stream_path.scores.table_name,
                "TICKETS_TABLE": stream_path.tickets.table_name,
                "SOURCES_TABLE": sources.followed.table_name,
                "YOUTUBE_FUNCTION": sources.youtube.function.function_name,
                "YOUTUBE_ENABLED": str(config.sources.youtube_enabled).lower(),
                "ENRICHER_FUNCTION": stream_path.enricher.function.function_name,
                "BATCH_STATE_MACHINE": state_machine.state_machine_arn,
                "DOWN_SECONDS": str(config.alarms.iterator_age_minutes * 60),
            },
            memory_mib=config.api.memory_mib,
            timeout_seconds=config.api.timeout_seconds,
        )
        allow_web_api(
            self.function,
            scores=stream_path.scores,
            tickets=stream_path.tickets,
            sources=sources.followed,
            youtube=sources.youtube.function,
            state_machine=state_machine,
            key=key,
        )
        if stream_path.replies is not None:
            stream_path.replies.asked_by(self.function)
        if stream_path.replies is not None:
            stream_path.replies.asked_by(self.function)
        self.http_api = HttpApi(
            self, "Http", config=config, function=self.function.function, key=key
        ).api

        self.output("WebApiUrl", self.http_api.api_endpoint, "Where the HTTP API answers")
        self.output("WebApiFunction", self.function.function.function_name, "Answers the HTTP API")
