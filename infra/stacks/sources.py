"""Sources: what people say on YouTube and X -> stream. Off until a stage's config turns them on."""

from pathlib import Path

from constructs import Construct

from infra.config import StageConfig
from infra.constructs.lake_stack import LakeStack
from infra.constructs.python_function import DependencyLayer, PythonFunction
from infra.constructs.sources import PlatformKey, ScheduledSource, SourcesTable
from infra.stacks.ingest import IngestStack
from infra.stacks.storage import StorageStack

# Shorter than the shortest schedule that the config admits.
TIMEOUT_SECONDS = 300


class SourcesStack(LakeStack):
    """One function and one key a platform, one table for both."""

    def __init__(
        self,
        scope: Construct,
        *,
        config: StageConfig,
        storage: StorageStack,
        ingest: IngestStack,
        staging: Path,
    ) -> None:
        super().__init__(scope, config=config, name="sources")
        sources = config.sources
        key = storage.key
        layer = DependencyLayer(self, "Dependencies", staging=staging).layer
        table = SourcesTable(self, "Followed", config=config.storage, key=key).table
        self.followed = table
        youtube_key = PlatformKey(
            self,
            "YoutubeKey",
            description='voxlake: key of the YouTube Data API v3, {"api_key": "..."}',
            config=config.storage,
            key=key,
        )
        x_key = PlatformKey(
            self,
            "XKey",
            description='voxlake: token of the X API v2, {"bearer_token": "..."}',
            config=config.storage,
            key=key,
        )
        common = {"EVENT_STREAM": ingest.stream.stream_name, "SOURCES_TABLE": table.table_name}

        self.youtube = PythonFunction(
            self,
            "SourceYoutube",
            name="source_youtube",
            description="Reads the comments of followed videos",
            config=config,
            key=key,
            layer=layer,
            staging=staging,
            environment={
                **common,
                "YOUTUBE_SECRET": youtube_key.arn,
                "YOUTUBE_API_URL": sources.youtube_api_url,
                "YOUTUBE_VIDEOS": ",".join(sources.youtube_videos),
                "YOUTUBE_DAILY_UNITS": str(sources.youtube_daily_units),
            },
            memory_mib=256,
            timeout_seconds=TIMEOUT_SECONDS,
        )
        youtube_schedule = ScheduledSource(
            self,
            "Youtube",
            source=self.youtube,
            stream=ingest.stream,
            table=table,
            secret_arn=youtube_key.arn,
            key=key,
            minutes=sources.youtube_schedule_minutes,
            enabled=sources.youtube_enabled,
        )

        self.x = PythonFunction(
            self,
            "SourceX",
            name="source_x",
            description="Reads what is said about the trackers on X",
            config=config,
            key=key,
            layer=layer,
            staging=staging,
            environment={
                **common,
                "X_SECRET": x_key.arn,
                "X_API_URL": sources.x_api_url,
                "X_TRACKERS": ",".join(sources.x_trackers),
                "X_DAILY_POSTS": str(sources.x_daily_posts),
            },
            memory_mib=256,
            timeout_seconds=TIMEOUT_SECONDS,
        )
        x_schedule = ScheduledSource(
            self,
            "X",
            source=self.x,
            stream=ingest.stream,
            table=table,
            secret_arn=x_key.arn,
            key=key,
            minutes=sources.x_schedule_minutes,
            enabled=sources.x_enabled,
        )

        self.output("SourcesTable", table.table_name, "What is followed, and how far it was read")
        self.output("YoutubeSecretArn", youtube_key.arn, "Where YouTube's API key goes")
        self.output("XSecretArn", x_key.arn, "Where X's bearer token goes")
        self.output("SourceYoutubeFunction", self.youtube.function.function_name, "Reads YouTube")
        self.output("SourceXFunction", self.x.function.function_name, "Reads X")
        for output, scheduled in (
            ("SourceYoutubeSchedule", youtube_schedule),
            ("SourceXSchedule", x_schedule),
        ):
            self.output(output, scheduled.schedule.rule_name, "When the source is read")
        on = {
            "mock": config.ingest.mock_server_enabled,
            "youtube": sources.youtube_enabled,
            "x": sources.x_enabled,
        }
        self.output(
            "ScheduledSources",
            ",".join(name for name, is_on in on.items() if is_on) or "none",
            "Sources whose schedules the stage has on",
        )
