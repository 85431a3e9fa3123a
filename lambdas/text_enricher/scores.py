"""Items of the scores table: what is known of a text seconds after it was said, for a while.

One item a text and tracker: keys `event_id` and `tracker` (`-` where the text matches none, so that
every text has an item). The index `by_tracker` (tracker, arrived) lists a tracker's texts by time,
`by_thread` (thread_id, arrived) those of a video's or post's thread; `arrived` is when the item
came into the table, and the event's id, so that it orders and is a cursor (by the arrival on the
stream, texts of a shard that lags would come behind a reader's cursor). A text's first item alone
has thread_id, so a thread lists each text once. The batch score is the record: these are
provisional, and name their model.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lambdas.common.score_indexes import NO_TRACKER
from voxlake.tickets.texts import StreamText
from voxlake.times import format_rfc3339

DAY_SECONDS = 86_400
SCORE_MEMBERS = (
    "sentiment",
    "polarity",
    "sentiment_scores",
    "emotions",
    "emotion_scores",
    "main_emotion",
    "entities",
    "language",
    "in_scope",
    "model",
)


def score_items(
    text: StreamText, score: Mapping[str, Any], *, scored_at: float, days: int
) -> list[dict[str, Any]]:
    """Items of a text's score, the first with its thread_id.

    Args:
        score: of the encoder, all heads.
        scored_at: seconds since 1970.
        days: from then until the item expires (`expires_at`, seconds since 1970).
    """
    at = format_rfc3339(datetime.fromtimestamp(scored_at, UTC))
    item = {
        **text.identity,
        # Masked; the live page shows it.
        "text": text.text,
        **{name: score.get(name) for name in SCORE_MEMBERS},
        "arrived": f"{at}#{text.event_id}",
        "scored_at": at,
        "expires_at": int(scored_at) + days * DAY_SECONDS,
    }
    items = [{**item, "tracker": tracker} for tracker in text.trackers or (NO_TRACKER,)]
    for other in items[1:]:
        del other["thread_id"]
    return items
