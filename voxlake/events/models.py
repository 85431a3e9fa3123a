"""The event contract: one Pydantic model per event type, the source of truth.

JSON Schemas, the Spark schema of landing lines and the consumer's fast check are generated from
these (``python -m voxlake.events.generate``); tests hold them together. Types are strict (no "5"
for 5, no true for 1, no 5.0 for 5), unknown fields are ignored, optional body fields may be null
or absent. Lengths count code points.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from voxlake.times import RFC3339_PATTERN, parse_rfc3339

SCHEMA_VERSION = 1
MAX_ID = 128
MAX_IDENTITY = 256
"""Authors, handles, channels, targets: longer than any source's, shorter than a pasted text."""
MAX_TEXT = 100_000
"""Well above every source's limit; a Kinesis record of 1 MiB bounds it anyway."""
MAX_SHORT_TEXT = 1_000
MAX_LANG = 35
"""What RFC 5646 asks every reader of language tags to hold."""
MAX_LIST = 1_000
MAX_COUNT = 2**63 - 1
MAX_TURN = 2**31 - 1


def _rfc3339(text: str) -> str:
    # Pydantic's own datetime also takes "2015-02-24" and epoch numbers as text.
    try:
        parse_rfc3339(text)
    except ValueError as error:
        raise PydanticCustomError("rfc3339", "{error}", {"error": str(error)}) from error
    return text


def _known_version(version: int) -> int:
    if version != SCHEMA_VERSION:
        raise PydanticCustomError(
            "unsupported_schema_version",
            f"expected {SCHEMA_VERSION}, found {{version}}",
            {"version": version},
        )
    return version


Id = Annotated[str, Field(min_length=1, max_length=MAX_ID)]
Identity = Annotated[str, Field(min_length=1, max_length=MAX_IDENTITY)]
ShortText = Annotated[str, Field(max_length=MAX_SHORT_TEXT)]
Text = Annotated[str, Field(max_length=MAX_TEXT)]
Lang = Annotated[str, Field(max_length=MAX_LANG)]
Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Turn = Annotated[int, Field(ge=0, le=MAX_TURN)]
Names = Annotated[list[Annotated[str, Field(max_length=MAX_IDENTITY)]], Field(max_length=MAX_LIST)]
Instant = Annotated[
    str,
    AfterValidator(_rfc3339),
    Field(json_schema_extra={"format": "date-time", "pattern": f"^{RFC3339_PATTERN}$"}),
]


class Contract(BaseModel):
    """Strict about types; unknown fields are ignored (they stay in landing)."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class Event(Contract):
    """What every event carries; occurred_at's range depends on the arrival, see ``parse``."""

    event_id: Annotated[Id, Field(description="Identity; always with the same occurred_at")]
    event_type: str
    schema_version: Annotated[
        int,
        AfterValidator(_known_version),
        Field(description="Evolution is additive", json_schema_extra={"const": SCHEMA_VERSION}),
    ]
    source: Literal["mock", "file", "youtube", "x", "api"]
    occurred_at: Annotated[Instant, Field(description="Event time; its UTC day is dt")]
    author_id: Identity


class PostBody(Contract):
    """A post; an edit is a new event with the same post_id."""

    post_id: Id
    text: Text
    lang: Lang | None = None
    hashtags: Names | None = None
    mentions: Names | None = None
    like_count: Count | None = None
    share_count: Count | None = None
    place: ShortText | None = None


class CommentBody(Contract):
    """A comment in the thread of a post or video."""

    comment_id: Id
    parent_id: Id | None = None
    thread_id: Id
    channel_id: Identity | None = None
    text: Text
    like_count: Count | None = None


class ProfileBody(Contract):
    """A state of a profile."""

    handle: Identity
    display_name: ShortText | None = None
    bio: Text | None = None
    location: ShortText | None = None
    followers: Count | None = None
    following: Count | None = None
    joined_at: Instant | None = None
    verified: bool | None = None


class InteractionBody(Contract):
    """An interaction of the author with a target."""

    interaction_id: Id
    kind: Literal["like", "share", "follow", "view", "click"]
    target_type: Id
    target_id: Identity


class MessageBody(Contract):
    """A turn of a conversation."""

    conversation_id: Id
    turn: Turn
    speaker: Identity
    text: Text
    context: Text | None = None


class Post(Event):
    """Event of type post."""

    event_type: Literal["post"]
    body: PostBody


class Comment(Event):
    """Event of type comment."""

    event_type: Literal["comment"]
    body: CommentBody


class Profile(Event):
    """Event of type profile."""

    event_type: Literal["profile"]
    body: ProfileBody


class Interaction(Event):
    """Event of type interaction."""

    event_type: Literal["interaction"]
    body: InteractionBody


class Message(Event):
    """Event of type message."""

    event_type: Literal["message"]
    body: MessageBody


MODELS: dict[str, type[Event]] = {
    "post": Post,
    "comment": Comment,
    "profile": Profile,
    "interaction": Interaction,
    "message": Message,
}
"""Model of each event type."""
