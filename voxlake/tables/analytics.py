"""The analytics tables: scored texts and what is counted over them."""

from __future__ import annotations

from voxlake.tables.model import NAMED_SPANS, Column, Table

_SOURCE = Column("source", "string", "Where the texts came from: mock, file, youtube, x, api")
_TRACKER = Column(
    "tracker", "string", "Tracker id; (all): every text, (none): texts without tracker"
)
_EVENT_TYPE = Column("event_type", "string", "post, comment or message", nullable=False)
_TEXTS = Column("texts", "bigint", "Texts counted", "texts")
_POLARITY_MEAN = Column("polarity_mean", "double", "Mean polarity of the texts", "-1 to 1")


def _table(name: str, row: str, key: tuple[str, ...], *columns: Column) -> Table:
    return Table(zone="analytics", name=name, row=row, columns=columns, key=(*key, "dt"))


TEXTS_SCORED = _table(
    "texts_scored",
    "One text (post, comment or message) with what the model says of it; dt is the day of "
    "occurred_at. A day scored before these columns existed has null from emotions to in_scope.",
    ("event_id",),
    Column("event_id", "string", "The text's event_id", nullable=False),
    _EVENT_TYPE,
    _SOURCE,
    Column("native_id", "string", "post_id or comment_id; for a message its event_id"),
    Column("thread_id", "string", "Comment: its thread; message: its conversation; post: null"),
    Column("occurred_at", "timestamp", "Event time; dt is its day", "UTC", nullable=False),
    Column("author_id", "string", "Keyed pseudonym of the author"),
    Column("lang", "string", "Language as the source gave it", "BCP 47"),
    Column("text", "string", "Normalised, masked text"),
    Column("trackers", "array<string>", "Ids of the trackers the text matches, sorted"),
    Column("hashtags", "array<string>", "Hashtags without #"),
    Column("like_count", "bigint", "Likes when the event was taken", "likes"),
    Column("share_count", "bigint", "Shares when the event was taken", "shares"),
    Column("sentiment", "string", "Most probable class: negative, neutral or positive"),
    Column("polarity", "double", "p_positive - p_negative", "-1 to 1"),
    Column("p_negative", "double", "Probability of negative", "0 to 1"),
    Column("p_neutral", "double", "Probability of neutral", "0 to 1"),
    Column("p_positive", "double", "Probability of positive", "0 to 1"),
    Column(
        "emotions", "array<string>", "Emotions the text shows, most probable first; may be none"
    ),
    Column("emotion_scores", "map<string,double>", "Probability of each emotion by name", "0 to 1"),
    Column("main_emotion", "string", "Most probable of anger, joy, optimism and sadness"),
    Column(
        "entities",
        NAMED_SPANS,
        "Persons (PER), places (LOC), organisations (ORG) named: text, label, start, end; never a "
        "pseudonym or mask",
        "characters",
    ),
    Column("topic", "string", "Name of the topic the words point to; null: none stands out"),
    Column("language", "string", "Language as detected; und: undetermined", "ISO 639-1"),
    Column("in_scope", "boolean", "Whether the model was trained on such texts (its language)"),
    Column("model", "string", "Name and version of the model that scored the text"),
)
SENTIMENT_HOURLY = _table(
    "sentiment_hourly",
    "Sentiment of one hour by tracker, source and event type; dt is the hour's day. A text with "
    "two trackers counts in both: sum over tracker = '(all)' to count texts.",
    ("hour", "tracker", "source", "event_type"),
    Column("hour", "timestamp", "Start of the hour", "UTC", nullable=False),
    _TRACKER,
    _SOURCE,
    _EVENT_TYPE,
    _TEXTS,
    Column("negative", "bigint", "Texts whose sentiment is negative", "texts"),
    Column("neutral", "bigint", "Texts whose sentiment is neutral", "texts"),
    Column("positive", "bigint", "Texts whose sentiment is positive", "texts"),
    Column("polarity_sum", "double", "Sum of the texts' polarity; add these, not the means"),
    _POLARITY_MEAN,
)
EMOTION_DAILY = _table(
    "emotion_daily",
    "One emotion in the texts of one day by tracker and source, of texts in scope; dt is that day. "
    "A text shows any number of emotions; one with two trackers counts in both.",
    ("tracker", "source", "emotion"),
    _TRACKER,
    _SOURCE,
    Column("emotion", "string", "Name of the emotion, such as anger", nullable=False),
    Column("texts", "bigint", "Texts in scope that show it", "texts"),
    Column(
        "score_sum",
        "double",
        "Sum of its probability over all texts in scope, whether they show it or not",
    ),
)
ENTITIES_DAILY = _table(
    "entities_daily",
    "How many texts of a day name something, of texts in scope: the 200 most named of each "
    "tracker; dt is that day.",
    ("tracker", "label", "entity"),
    _TRACKER,
    Column("label", "string", "PER, LOC or ORG", nullable=False),
    Column("entity", "string", "What is named, lower case", nullable=False),
    Column("texts", "bigint", "Texts that name it, each once", "texts"),
)
TOPIC_DAILY = _table(
    "topic_daily",
    "One topic in the texts of one day by tracker and source, of texts in scope; dt is that day. "
    "Texts without topic are left out.",
    ("tracker", "source", "topic"),
    _TRACKER,
    _SOURCE,
    Column("topic", "string", "Name of the topic", nullable=False),
    _TEXTS,
    _POLARITY_MEAN,
)
ENGAGEMENT_DAILY = _table(
    "engagement_daily",
    "Engagement of one day by tracker, source and event type; dt is that day.",
    ("tracker", "source", "event_type"),
    _TRACKER,
    _SOURCE,
    Column("event_type", "string", "post, comment or message; interaction: only interactions"),
    _TEXTS,
    Column("likes", "bigint", "Sum of like_count of the day's texts", "likes"),
    Column("shares", "bigint", "Sum of share_count of the day's texts", "shares"),
    Column("interactions_like", "bigint", "Like events of the day", "interactions"),
    Column("interactions_share", "bigint", "Share events of the day", "interactions"),
    Column("interactions_follow", "bigint", "Follow events of the day", "interactions"),
    Column("interactions_view", "bigint", "View events of the day", "interactions"),
    Column("interactions_click", "bigint", "Click events of the day", "interactions"),
)
AUTHORS_DAILY = _table(
    "authors_daily",
    "One author's texts of one day; dt is that day.",
    ("author_id", "source"),
    Column("author_id", "string", "Keyed pseudonym of the author", nullable=False),
    _SOURCE,
    _TEXTS,
    Column("likes", "bigint", "Sum of like_count of the author's texts", "likes"),
    Column("shares", "bigint", "Sum of share_count of the author's texts", "shares"),
    _POLARITY_MEAN,
)
CONVERSATIONS = _table(
    "conversations",
    "One conversation; dt is the day of its first message.",
    ("conversation_id", "source"),
    Column("conversation_id", "string", "The conversation", nullable=False),
    _SOURCE,
    Column("turns", "bigint", "Messages in it", "messages"),
    Column("speakers", "bigint", "Distinct speakers", "people"),
    Column("started_at", "timestamp", "First message", "UTC"),
    Column("ended_at", "timestamp", "Last message", "UTC"),
    Column("polarity_first", "double", "Polarity of the first message", "-1 to 1"),
    Column("polarity_last", "double", "Polarity of the last message", "-1 to 1"),
    _POLARITY_MEAN,
)
WORD_FREQUENCIES = _table(
    "word_frequencies",
    "How many texts of a day use a word, by sentiment and tracker: the 200 most used words of "
    "each; dt is that day.",
    ("sentiment", "tracker", "word"),
    Column("sentiment", "string", "negative, neutral or positive", nullable=False),
    Column("tracker", "string", "Tracker id; (all): every text", nullable=False),
    Column("word", "string", "Lemma, lower case, no stop word", nullable=False),
    Column("texts", "bigint", "Texts of that sentiment using the word", "texts"),
)

ANALYTICS = (
    TEXTS_SCORED,
    SENTIMENT_HOURLY,
    EMOTION_DAILY,
    ENTITIES_DAILY,
    TOPIC_DAILY,
    ENGAGEMENT_DAILY,
    AUTHORS_DAILY,
    CONVERSATIONS,
    WORD_FREQUENCIES,
)
