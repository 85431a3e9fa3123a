"""Stream: stream -> text_enricher -> provisional scores, tickets and replies, within seconds."""

from pathlib import Path

from constructs import Construct

from infra.config import StageConfig
from infra.constructs.event_stream import StreamMapping
from infra.constructs.lake_stack import LakeStack
from infra.constructs.python_function import DependencyLayer, PythonFunction
from infra.constructs.replies import Replies
from infra.constructs.stream_path import ScoresTable, TicketsTable, allow_enrichment
from infra.stacks.ingest import IngestStack
from infra.stacks.storage import StorageStack

MODELS = ("encoder", "complaint_reason")


class StreamStack(LakeStack):
    """The second consumer of the stream, and what it writes."""

    def __init__(
        self,
        scope: Construct,
        *,
        config: StageConfig,
        storage: StorageStack,
        ingest: IngestStack,
        staging: Path,
    ) -> None:
        super().__init__(scope, config=config, name="stream")
        path = config.stream_path
        key = storage.key
        self.scores = ScoresTable(self, "Scores", config=config.storage, key=key).table
        self.tickets = TicketsTable(self, "Tickets", config=config.storage, key=key).table
        common = DependencyLayer(self, "Dependencies", staging=staging).layer
        models = DependencyLayer(
            self, "ModelDependencies", staging=staging, requirements="enricher"
        ).layer
        self.enricher = PythonFunction(
            self,
            "TextEnricher",
            name="text_enricher",
            description="Scores texts and opens tickets within seconds",
            config=config,
            key=key,
            layer=common,
            more_layers=(models,),
            models=MODELS,
            staging=staging,
            environment={
                "SCORES_TABLE": self.scores.table_name,
                "TICKETS_TABLE": self.tickets.table_name,
                "PSEUDONYM_SECRET_ARN": storage.pseudonym_secret.secret_arn,
                "MAX_EVENT_FUTURE_HOURS": str(config.ingest.max_event_future_hours),
                "SCORE_DAYS": str(path.score_days),
            },
            memory_mib=path.memory_mib,
            timeout_seconds=path.timeout_seconds,
        )
        allow_enrichment(
            self.enricher,
            scores=self.scores,
            tickets=self.tickets,
            secret=storage.pseudonym_secret,
            key=key,
        )
        self.replies = (
            Replies(
                self,
                "Replies",
                config=config,
                key=key,
                layer=common,
                staging=staging,
                tickets=self.tickets,
            )
            if config.replies.enabled
            else None
        )
        if self.replies is not None:
            self.replies.asked_by(self.enricher)
            self.replies.told_by(self.enricher)
            self.output("OutboxUrl", self.replies.outbox.queue_url, "Where replies are asked for")
            self.output("DeadRepliesUrl", self.replies.dead_letters.queue_url, "Given up replies")
            self.output("RepliesTable", self.replies.table.table_name, "Switch, limits, wishes")
            self.output("ReplySenderFunction", self.replies.function_name, "Sends replies")
            if self.replies.secret_arn is not None:
                self.output("XPostingSecretArn", self.replies.secret_arn, "Where X's keys go")
        self.output("RepliesMode", config.replies.mode, "off, dry_run or live")
        self.mapping = StreamMapping(
            self,
            "Mapping",
            config=config.ingest,
            stream=ingest.stream,
            consumer=self.enricher,
            failed_batches=storage.zones.landing,
            batch_size=path.batch_size,
            batch_window_seconds=path.batch_window_seconds,
        )

        self.output("ScoresTable", self.scores.table_name, "Provisional scores, for days")
        self.output("TicketsTable", self.tickets.table_name, "Who waits, and what was done")
        self.output(
            "TextEnricherFunction", self.enricher.function.function_name, "Scores as texts come"
        )
        self.output("TextEnricherMapping", self.mapping.mapping_id, "Feeds the enricher")
