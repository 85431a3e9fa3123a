"""The cleansed tables: a table per event type, the quarantined records, the texts' features."""

from __future__ import annotations

from voxlake.tables.model import Column, Table

ENVELOPE = (
    Column("event_id", "string", "Identity of the event; unique within dt", nullable=False),
    Column("schema_version", "int", "Version of the event contract", nullable=False),
    Column("source", "string", "Where it came from: mock, file, youtube, x, api", nullable=False),
    Column("occurred_at", "timestamp", "Event time; dt is its day", "UTC", nullable=False),
    Column("author_id", "string", "Keyed pseudonym of the author", nullable=False),
)
DELIVERY = (
    Column("arrival", "timestamp", "When the stream took the record", "UTC", nullable=False),
    Column("shard", "string", "Shard of the stream that held the record", nullable=False),
    Column("sequence", "string", "Sequence number in the shard (decimal)", nullable=False),
)

_TEXT = Column("text", "string", "Normalised text; e-mail, phone, card numbers and handles masked")
_HASHTAGS = Column("hashtags", "array<string>", "Hashtags without #, as the source gave them")
_LIKES = Column("like_count", "bigint", "Likes when the event was taken", "likes")
_SHARES = Column("share_count", "bigint", "Shares when the event was taken", "shares")


def _event_table(name: str, row: str, *body: Column) -> Table:
    return Table(
        zone="cleansed",
        name=name,
        row=f"{row} (the first arrival of its event_id); dt is the day of occurred_at.",
        columns=ENVELOPE + body + DELIVERY,
        key=("event_id", "dt"),
    )


POSTS = _event_table(
    "posts",
    "One post, or one edit of a post",
    Column("post_id", "string", "The source's id of the post; an edit repeats it"),
    _TEXT,
    Column("lang", "string", "Language as the source gave it", "BCP 47"),
    _HASHTAGS,
    Column(
        "mentions",
        "array<string>",
        "Mentioned accounts without @: pseudonyms, except the trackers' own handles",
    ),
    _LIKES,
    _SHARES,
    Column("place", "string", "Always null: where somebody was stays in landing"),
)
COMMENTS = _event_table(
    "comments",
    "One comment on a post or video",
    Column("comment_id", "string", "The source's id of the comment"),
    Column("parent_id", "string", "Comment or post this one answers"),
    Column("thread_id", "string", "Post or video the thread hangs on"),
    Column("channel_id", "string", "Channel or account the thread belongs to"),
    _TEXT,
    _LIKES,
)
PROFILES = _event_table(
    "profiles",
    "One state of a profile",
    Column("handle", "string", "Keyed pseudonym of the handle; joins with author_id"),
    Column("bio", "string", "Normalised, masked self-description"),
    Column("followers", "bigint", "Accounts following this one", "accounts"),
    Column("following", "bigint", "Accounts this one follows", "accounts"),
    Column("joined_at", "timestamp", "When the account was opened", "UTC"),
    Column("verified", "boolean", "Whether the source verified the account"),
)
INTERACTIONS = _event_table(
    "interactions",
    "One interaction of an account with something",
    Column("interaction_id", "string", "The source's id of the interaction"),
    Column("kind", "string", "like, share, follow, view or click"),
    Column("target_type", "string", "What it points at, such as post, comment, profile"),
    Column("target_id", "string", "The target's id; a pseudonym where target_type is profile"),
)
MESSAGES = _event_table(
    "messages",
    "One turn of a conversation",
    Column("conversation_id", "string", "The conversation it belongs to"),
    Column("turn", "int", "Position in the conversation, as the source counts"),
    Column("speaker", "string", "Keyed pseudonym of who speaks"),
    _TEXT,
    Column("context", "string", "Normalised, masked setting of the conversation"),
)
QUARANTINE = Table(
    zone="cleansed",
    name="quarantine",
    row="One quarantined record, without its bytes (those are in landing); dt is the day of "
    "arrival.",
    columns=(
        Column(
            "reason", "string", "Why: a quarantine reason, or a quality rule's name", nullable=False
        ),
        Column("field", "string", "Dotted path of the first bad field; empty: the whole record"),
        Column("event_type", "string", "Its type, or unknown where it could not be read"),
        Column("event_id", "string", "Its event_id where it could be read"),
        Column("detail", "string", "Expected and found, in words"),
        *DELIVERY,
    ),
    key=("shard", "sequence", "dt"),
)
TEXT_FEATURES = Table(
    zone="cleansed",
    name="text_features",
    row="The words of one text (post, comment or message); dt is the text's.",
    columns=(
        Column("event_id", "string", "The text's event_id", nullable=False),
        Column("event_type", "string", "post, comment or message", nullable=False),
        Column("tokens", "array<string>", "Lower-case tokens without stop words, in order"),
        Column("stems", "array<string>", "Snowball stem of each token"),
        Column("lemmas", "array<string>", "Lemma of each token"),
        Column("trackers", "array<string>", "Ids of the trackers the text matches, sorted"),
        Column("word_count", "int", "Words of the text, stop words included", "words"),
    ),
    key=("event_id", "dt"),
)

CLEANSED = (POSTS, COMMENTS, PROFILES, INTERACTIONS, MESSAGES, QUARANTINE, TEXT_FEATURES)
