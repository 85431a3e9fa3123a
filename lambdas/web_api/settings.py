"""What web_api reads from its environment."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from lambdas.common.settings import FunctionSettings


class Settings(FunctionSettings):
    """Typed environment of the function.

    Attributes:
        scores_table, tickets_table, sources_table: names of the DynamoDB tables.
        youtube_function: name of source_youtube.
        youtube_enabled: whether it reads on its schedule.
        enricher_function: name of text_enricher, whose lag is the stream's.
        batch_state_machine: ARN of the batch path.
        outbox_url: queue of the replies asked for; empty where there is none.
        replies_mode: what becomes of them.
        models: folder of the model `encoder`; relative to the function's package.
        queues_file: a queues.yaml in place of the packaged one; relative likewise.
        threads: cores that scoring may take.
        late_seconds, down_seconds: lag of the stream from which on its state is `late` or `down`.
    """

    scores_table: str = Field(alias="SCORES_TABLE", min_length=3)
    tickets_table: str = Field(alias="TICKETS_TABLE", min_length=3)
    sources_table: str = Field(alias="SOURCES_TABLE", min_length=3)
    youtube_function: str = Field(alias="YOUTUBE_FUNCTION", min_length=1)
    youtube_enabled: bool = Field(False, alias="YOUTUBE_ENABLED")
    enricher_function: str = Field(alias="ENRICHER_FUNCTION", min_length=1)
    batch_state_machine: str = Field(alias="BATCH_STATE_MACHINE", min_length=1)
    outbox_url: str = Field("", alias="OUTBOX_URL")
    replies_mode: Literal["off", "dry_run", "live"] = Field("off", alias="REPLIES_MODE")
    models: Path = Field(Path("models"), alias="MODELS_FOLDER")
    queues_file: Path | None = Field(None, alias="QUEUES_FILE")
    threads: int = Field(1, alias="SCORING_THREADS", ge=1, le=16)
    late_seconds: float = Field(60, alias="LATE_SECONDS", gt=0)
    down_seconds: float = Field(900, alias="DOWN_SECONDS", gt=0)
