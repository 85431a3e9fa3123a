"""A text on the stream, as the batch path will have it: cleaned, masked, with pseudonyms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from voxlake.ids import Pseudonymiser
from voxlake.text.clean import clean_text
from voxlake.times import format_rfc3339, parse_rfc3339
from voxlake.trackers import Trackers


@dataclass(frozen=True)
class StreamText:
    """One text. `author` and `channel` are as the source names them: never to be stored.

    Attributes:
        native_id, thread_id: as texts_scored has them; edits of one text share the native_id.
        author_id: pseudonym of the author.
        text: as the cleansed zone has it; what is scored in batch too.
        occurred_at, arrived_at: RFC 3339, microseconds, Z.
        trackers: ids of those that the text matches, sorted.
    """

    event_id: str
    event_type: str
    dt: str
    source: str
    native_id: str
    thread_id: str | None
    author: str
    author_id: str
    channel: str | None
    text: str
    occurred_at: str
    arrived_at: str
    trackers: tuple[str, ...]

    @property
    def identity(self) -> dict[str, Any]:
        """What may be stored with a score."""
        return {
            "event_id": self.event_id,
            "event_type": self.event_type,
            "dt": self.dt,
            "source": self.source,
            "native_id": self.native_id,
            "thread_id": self.thread_id,
            "occurred_at": self.occurred_at,
            "arrived_at": self.arrived_at,
            "trackers": list(self.trackers),
        }


def stream_text(
    event: Mapping[str, Any], arrival: datetime, people: Pseudonymiser, trackers: Trackers
) -> StreamText | None:
    """The text of an event that is valid by the contract; None where its type has none to score."""
    body, source = event["body"], event["source"]
    match event["event_type"]:
        case "post":
            native_id, thread_id = body["post_id"], None
        case "comment":
            native_id, thread_id = body["comment_id"], body["thread_id"]
        case "message":
            native_id, thread_id = event["event_id"], body["conversation_id"]
        case _:
            return None
    text = clean_text(body["text"], source, people, trackers.kept_handles)
    occurred_at = format_rfc3339(parse_rfc3339(event["occurred_at"]))
    return StreamText(
        event_id=event["event_id"],
        event_type=event["event_type"],
        dt=occurred_at[:10],
        source=source,
        native_id=native_id,
        thread_id=thread_id,
        # In a conversation it matters who speaks, not whose archive it is.
        author=body.get("speaker") or event["author_id"],
        author_id=people.pseudonym(source, event["author_id"]),
        channel=body.get("channel_id"),
        text=text,
        occurred_at=occurred_at,
        arrived_at=format_rfc3339(arrival),
        trackers=tuple(trackers.match(text)),
    )
