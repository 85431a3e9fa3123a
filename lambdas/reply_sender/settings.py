"""What reply_sender reads from its environment."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pydantic import Field, ValidationInfo, field_validator

from lambdas.common.settings import FunctionSettings
from voxlake.replies.decision import Mode, Rules


class Settings(FunctionSettings):
    """Typed environment of the function.

    Attributes:
        tickets_table, replies_table: names of the DynamoDB tables.
        outbox_url: URL of the queue that it reads, where waiting messages are renewed.
        mode: dry_run or live; with `off` there is no such function.
        secret: ARN of the secret with the account's keys; only live needs it.
        account_id: id of our account on X; keys of another one are refused. Empty: not checked.
        api_url: scheme and host of the API.
        queues_file: a queues.yaml in place of the packaged one; relative to the package.
        sources, min_confidence, max_age_hours, author_per_day, per_hour, per_day, settle_seconds:
            see `voxlake.replies.decision.Rules`.
        connect_seconds, read_seconds: time-outs of a call.
    """

    tickets_table: str = Field(alias="TICKETS_TABLE", min_length=3)
    replies_table: str = Field(alias="REPLIES_TABLE", min_length=3)
    outbox_url: str = Field(alias="OUTBOX_URL", pattern=r"^https?://")
    mode: Mode = Field(alias="REPLIES_MODE")
    secret: str = Field("", alias="X_POSTING_SECRET", validate_default=True)
    account_id: str = Field("", alias="X_ACCOUNT_ID", pattern=r"^\d*$")
    api_url: str = Field(
        "https://api.x.com", alias="X_API_URL", pattern=r"^https?://[^\s/]+(/[^\s?#]*)?$"
    )
    queues_file: Path | None = Field(None, alias="QUEUES_FILE")
    sources: tuple[str, ...] = Field(("x",), alias="REPLY_SOURCES")
    min_confidence: float = Field(0.7, alias="REPLY_MIN_CONFIDENCE", ge=0, le=1)
    max_age_hours: int = Field(24, alias="REPLY_MAX_AGE_HOURS", ge=1)
    author_per_day: int = Field(2, alias="REPLIES_PER_AUTHOR_DAY", ge=1)
    per_hour: int = Field(20, alias="REPLIES_PER_HOUR", ge=1)
    per_day: int = Field(100, alias="REPLIES_PER_DAY", ge=1)
    settle_seconds: int = Field(60, alias="TIMELINE_SETTLE_SECONDS", ge=30)
    connect_seconds: float = Field(3, alias="API_CONNECT_SECONDS", gt=0, le=10)
    read_seconds: float = Field(10, alias="API_READ_SECONDS", gt=0, le=20)

    @field_validator("sources", mode="before")
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(dict.fromkeys(one.strip() for one in value.split(",") if one.strip()))

    @field_validator("secret")
    @classmethod
    def _live_has_keys(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("mode") is Mode.LIVE and not value:
            raise ValueError("live replies need the ARN of the keys' secret")
        return value

    @property
    def rules(self) -> Rules:
        return Rules(
            mode=self.mode,
            min_confidence=self.min_confidence,
            max_age=timedelta(hours=self.max_age_hours),
            sources=self.sources,
            settle=timedelta(seconds=self.settle_seconds),
            author_per_day=self.author_per_day,
            per_hour=self.per_hour,
            per_day=self.per_day,
        )
