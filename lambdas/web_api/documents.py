"""What the API takes and gives."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Cursor = Annotated[
    str, Field(description="Where to go on: given back as `since`. Its form may change.")
]
Time = Annotated[str, Field(description="RFC 3339, UTC.", examples=["2026-02-24T12:00:00.250000Z"])]
Probability = Annotated[float, Field(ge=0, le=1)]
VideoId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{11}$", examples=["dQw4w9WgXcQ"])]
TicketId = Annotated[str, Field(examples=["BAG-5Q43E0-4TQ2M"])]
Head = Literal["sentiment", "emotions", "main_emotion", "entities"]
VideoState = Literal[
    "unknown",
    "waiting",
    "reading",
    "done",
    "not_found",
    "quota_spent",
    "no_key",
    "off",
    "failed",
]


class Document(BaseModel):
    """Base of all: unknown members are refused."""

    model_config = ConfigDict(extra="forbid")


class Stream(Document):
    lag_seconds: float | None = Field(
        description="How long the oldest text waits to be scored; null where nothing was read in "
        "the last ten minutes."
    )


class NewestText(Document):
    arrived_at: Time | None


class Run(Document):
    run_id: str
    state: str = Field(examples=["SUCCEEDED"])
    ended_at: Time | None


class Batch(Document):
    last_run: Run | None


class Replies(Document):
    mode: Literal["off", "dry_run", "live"]


class Health(Document):
    status: Literal["ok", "late", "down"]
    stream: Stream
    newest_text: NewestText
    batch: Batch
    replies: Replies


class TrackerDocument(Document):
    id: str
    name: str


class TrackerList(Document):
    trackers: list[TrackerDocument]


class Entity(Document):
    text: str
    label: str = Field(examples=["ORG"])
    start: int = Field(ge=0)
    end: int = Field(ge=0)


class Score(Document):
    """What `voxlake score` says of a text; members of heads not asked for are absent."""

    sentiment: str | None = Field(None, examples=["negative"])
    polarity: float | None = Field(None, ge=-1, le=1, description="P(positive) - P(negative)")
    sentiment_scores: dict[str, Probability] | None = None
    emotions: list[str] | None = None
    emotion_scores: dict[str, Probability] | None = None
    main_emotion: str | None = None
    entities: list[Entity] | None = None
    language: str | None = None
    in_scope: bool
    model: str


class ScoreRequest(Document):
    texts: list[Annotated[str, StringConstraints(max_length=10_000)]] = Field(
        min_length=1, max_length=100
    )
    heads: list[Head] | None = Field(
        None, min_length=1, max_length=20, description="All heads of the model where absent."
    )


class ScoreList(Document):
    scores: list[Score] = Field(description="In the order of the texts.")


class Text(Document):
    """A text that was said, masked, with what the stream path thinks of it."""

    event_id: str
    arrived: Time
    occurred_at: Time
    source: str
    text: str
    sentiment: str | None
    polarity: float | None = Field(ge=-1, le=1)
    emotions: list[str]
    emotion_scores: dict[str, Probability]
    main_emotion: str | None
    entities: list[Entity]
    language: str | None
    in_scope: bool
    model: str


class TextList(Document):
    """Texts after the cursor, the oldest first. One that came late is given again: tell texts
    apart by their event_id."""

    texts: list[Text]
    cursor: Cursor
    more: bool


class Video(Document):
    video_id: str
    state: VideoState
    texts_read: int = Field(ge=0)
    detail: str | None
    resumes_at: Time | None


class VideoTexts(TextList):
    video: Video


class VideoStarted(Document):
    video: Video
    cursor: Cursor


class Ticket(Document):
    ticket_id: TicketId
    queue: str
    queue_name: str
    state: str
    kind: str
    opened_at: Time
    updated_at: Time
    source: str
    sentiment: str | None
    text: str
    replied_at: Time | None


class TicketList(Document):
    """Tickets, the newest first; `since` lists those after the cursor, which are older."""

    tickets: list[Ticket]
    cursor: Cursor
    more: bool


class PublicEntry(Document):
    what: str
    at: Time


class PublicTicket(Document):
    """What anybody who knows a ticket's id may see."""

    ticket_id: TicketId
    queue: str
    state: str
    opened_at: Time
    updated_at: Time
    hours: str
    history: list[PublicEntry]


class TicketDetails(BaseModel):
    """A ticket for agents: all that is known of it but its author."""

    # What the path of replies adds is given too.
    model_config = ConfigDict(extra="allow")

    ticket_id: TicketId
    queue: str
    queue_name: str
    state: str
    kind: str
    revision: int
    opened_at: Time
    updated_at: Time
    source: str
    text: str
    history: list[dict[str, Any]]


class Action(Document):
    action: Literal["close", "suppress", "reopen"]
    note: str | None = Field(None, max_length=1000, description="Why; kept in the history.")
    revision: int | None = Field(
        None, ge=1, description="Where given, the ticket is changed only if it still has it."
    )


class ReplyAsked(Document):
    ticket_id: TicketId
    text: str | None = Field(
        None, min_length=1, max_length=1000, description="Your words; the queue's template if none."
    )


class ReplyQueued(Document):
    ticket_id: TicketId
    state: Literal["queued"]
