"""The analytics tables that come from the stream path: tickets, and provisional scores."""

from __future__ import annotations

from voxlake.tables.model import Column, Table

_SENTIMENT = Column("sentiment", "string", "Most probable class: negative, neutral or positive")
_POLARITY = Column("polarity", "double", "p_positive - p_negative", "-1 to 1")
_MAIN_EMOTION = Column(
    "main_emotion", "string", "Most probable of anger, joy, optimism and sadness"
)
_MODEL = Column("model", "string", "Name and version of the model that scored the text")
_ARRIVED_AT = Column("arrived_at", "timestamp", "When the stream took the text", "UTC")
_SOURCE = Column("source", "string", "Where the text came from: mock, file, youtube, x, api")
_EVENT_TYPE = Column("event_type", "string", "post, comment or message", nullable=False)

TICKETS = Table(
    zone="analytics",
    name="tickets",
    row="One ticket as it stands now; dt is the day of its text's occurred_at, whatever becomes of "
    "it. Text and author are not in it: join texts_scored by event_id and dt.",
    key=("ticket_id", "dt"),
    columns=(
        Column("ticket_id", "string", "Id as it is read out, such as BAG-5Q43E0-4TQ2M", "", False),
        Column("queue", "string", "Id of the queue"),
        Column("state", "string", "open, replied, closed or suppressed", nullable=False),
        Column("kind", "string", "complaint or question"),
        Column("reason", "string", "Complaint reason; null: the model tells none"),
        Column("confidence", "double", "That the text needs a reply", "0 to 1"),
        Column("queue_score", "double", "That the queue is the right one", "0 to 1"),
        _SOURCE,
        _EVENT_TYPE,
        Column("event_id", "string", "The text's event_id; an edit's is another", nullable=False),
        Column("native_id", "string", "post_id or comment_id; for a message its event_id"),
        Column("trackers", "array<string>", "Ids of the trackers the text matches, sorted"),
        _SENTIMENT,
        _POLARITY,
        _MAIN_EMOTION,
        Column("language", "string", "Language as detected; und: undetermined", "ISO 639-1"),
        _MODEL,
        _ARRIVED_AT,
        Column("opened_at", "timestamp", "When the ticket was opened", "UTC"),
        Column("replied_at", "timestamp", "When we first replied; null: not yet", "UTC"),
        Column("closed_at", "timestamp", "When it was closed; null: it is not", "UTC"),
        Column(
            "seconds_to_first_reply",
            "double",
            "From the text's arrival on the stream to our first reply; null: none yet",
            "s",
        ),
        Column("updated_at", "timestamp", "Last change", "UTC"),
        Column("revision", "bigint", "Counts the changes; 1 when opened"),
    ),
)
STREAM_SCORES = Table(
    zone="analytics",
    name="stream_scores",
    row="What the stream path said of a text within seconds, provisional; dt is the text's. Has "
    "texts of texts_scored only, and not those that it scored later than the batch path.",
    key=("event_id", "dt"),
    columns=(
        Column("event_id", "string", "The text's event_id", nullable=False),
        _EVENT_TYPE,
        _SOURCE,
        _SENTIMENT,
        _POLARITY,
        _MAIN_EMOTION,
        Column("emotions", "array<string>", "Emotions the text shows, most probable first"),
        _MODEL,
        _ARRIVED_AT,
        Column("scored_at", "timestamp", "When the stream path scored it", "UTC"),
    ),
)

STREAM_PATH = (TICKETS, STREAM_SCORES)
