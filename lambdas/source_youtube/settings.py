"""What source_youtube reads from its environment."""

from __future__ import annotations

from pydantic import Field, field_validator

from lambdas.common.settings import FunctionSettings


class Settings(FunctionSettings):
    """Typed environment of the function.

    Attributes:
        event_stream: name of the Kinesis stream.
        sources_table: name of the DynamoDB table of cursors and followed videos.
        secret: ARN of the secret with ``{"api_key": "..."}``.
        api_url: base of the API, up to the version.
        videos: ids of videos to follow, besides those in the table; comma-separated.
        daily_units: quota units to spend in a day of YouTube's (Pacific time).
        full_walk_hours: how often all of a video's threads are read again.
        overlap_minutes: how far back an earlier reading may have missed a comment.
        connect_seconds, read_seconds: time-outs of a call.
    """

    event_stream: str = Field(alias="EVENT_STREAM", min_length=1)
    sources_table: str = Field(alias="SOURCES_TABLE", min_length=3)
    secret: str = Field(alias="YOUTUBE_SECRET", min_length=1)
    api_url: str = Field(
        "https://www.googleapis.com/youtube/v3",
        alias="YOUTUBE_API_URL",
        pattern=r"^https?://[^\s/]+(/[^\s?#]*)?$",
    )
    videos: tuple[str, ...] = Field((), alias="YOUTUBE_VIDEOS")
    daily_units: int = Field(9000, alias="YOUTUBE_DAILY_UNITS", ge=1, le=100_000_000)
    full_walk_hours: int = Field(24, alias="YOUTUBE_FULL_WALK_HOURS", ge=1, le=720)
    overlap_minutes: int = Field(60, alias="YOUTUBE_OVERLAP_MINUTES", ge=1, le=1440)
    connect_seconds: float = Field(3, alias="API_CONNECT_SECONDS", gt=0, le=10)
    read_seconds: float = Field(10, alias="API_READ_SECONDS", gt=0, le=20)

    @field_validator("videos", mode="before")
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(dict.fromkeys(one.strip() for one in value.split(",") if one.strip()))
