"""What source_x reads from its environment."""

from __future__ import annotations

from pydantic import Field, field_validator

from lambdas.common.settings import FunctionSettings


class Settings(FunctionSettings):
    """Typed environment of the function.

    Attributes:
        event_stream: name of the Kinesis stream.
        sources_table: name of the DynamoDB table of cursors.
        secret: ARN of the secret with ``{"bearer_token": "..."}``.
        api_url: scheme and host of the API.
        trackers: ids of the trackers to listen for; comma-separated.
        daily_posts: posts to read in a day (UTC): each is charged. The last page of a day may go
            beyond it.
        first_hours: how far back the first reading of a query reaches.
        connect_seconds, read_seconds: time-outs of a call.
    """

    event_stream: str = Field(alias="EVENT_STREAM", min_length=1)
    sources_table: str = Field(alias="SOURCES_TABLE", min_length=3)
    secret: str = Field(alias="X_SECRET", min_length=1)
    api_url: str = Field(
        "https://api.x.com", alias="X_API_URL", pattern=r"^https?://[^\s/]+(/[^\s?#]*)?$"
    )
    trackers: tuple[str, ...] = Field((), alias="X_TRACKERS")
    daily_posts: int = Field(1000, alias="X_DAILY_POSTS", ge=1, le=10_000_000)
    first_hours: int = Field(24, alias="X_FIRST_HOURS", ge=1, le=167)
    connect_seconds: float = Field(3, alias="API_CONNECT_SECONDS", gt=0, le=10)
    read_seconds: float = Field(10, alias="API_READ_SECONDS", gt=0, le=20)

    @field_validator("trackers", mode="before")
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(dict.fromkeys(one.strip() for one in value.split(",") if one.strip()))
