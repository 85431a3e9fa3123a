"""Rows of a small lake, and what the tables and questions have to say of them, in plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

Row = dict[str, Any]
DAYS = ("2026-03-01", "2026-03-02", "2026-03-03")
SCORES = {"anger": 0.9, "disgust": 0.6, "joy": 0.2}
KINDS = ("like", "share", "follow", "view", "click")
SENTIMENTS = ("negative", "neutral", "positive")


def texts(dt: str, count: int, *, seed: int = 0) -> list[Row]:
    """Scored texts of a day, each different in what is counted."""
    start = datetime.fromisoformat(dt).replace(tzinfo=UTC)
    rows = []
    for n in range(count):
        k = n + seed
        polarity = [-0.8, 0.1, 0.6, -0.3][k % 4]
        emotions = [["anger", "disgust"], [], ["joy"], None][k % 4]
        rows.append(
            {
                "event_id": f"{dt}-{n}",
                "event_type": ("post", "comment", "message")[k % 3],
                "source": ("x", "youtube")[k % 2],
                "native_id": f"n{n}",
                "occurred_at": start + timedelta(hours=k * 5 % 24, minutes=n, microseconds=123456),
                "author_id": f"k1_{k % 3}",
                "lang": "en",
                "text": f"it's “late” № {n}",
                "trackers": [["delta"], ["delta", "united"], [], None][k % 4],
                "hashtags": ["late"] if n % 2 else None,
                "like_count": n if n % 3 else None,
                "share_count": 2 * n,
                "sentiment": "negative" if polarity < 0 else ("neutral", "positive")[k % 2 == 0],
                "polarity": polarity,
                "p_negative": 0.5,
                "p_neutral": 0.2,
                "p_positive": 0.3,
                "emotions": emotions,
                "emotion_scores": SCORES if emotions is not None else None,
                "main_emotion": "anger",
                "entities": [{"text": f"City {n}", "label": "LOC", "start": 0, "end": 4}],
                "topic": (None, "baggage", "delays")[k % 3],
                "language": "en",
                "in_scope": k % 5 != 4,
                "model": "encoder-1",
                "dt": dt,
            }
        )
    return rows


def interactions(dt: str, count: int) -> list[Row]:
    """Interactions of a day."""
    start = datetime.fromisoformat(dt).replace(tzinfo=UTC)
    return [
        {
            "event_id": f"i-{dt}-{n}", "schema_version": 1, "source": ("x", "youtube")[n % 2],
            "occurred_at": start + timedelta(minutes=n), "author_id": f"k1_{n + 2}",
            "interaction_id": f"i{n}", "kind": KINDS[n % 5], "target_type": "post",
            "target_id": f"n{n}", "arrival": start, "shard": "shard-0", "sequence": str(n),
            "dt": dt,
        }
        for n in range(count)
    ]  # fmt: skip


def tickets(dt: str, count: int, *, state: str = "open") -> list[Row]:
    """Tickets of a day's texts; their own times are another day's."""
    later = datetime.fromisoformat(dt).replace(tzinfo=UTC) + timedelta(days=2)
    return [
        {
            "ticket_id": f"BAG-{dt}-{n}", "queue": ("baggage", "delays")[n % 2], "state": state,
            "kind": "complaint", "confidence": 0.9, "queue_score": 0.8, "source": "x",
            "event_type": "post", "event_id": f"{dt}-{n}", "trackers": ["delta"],
            "sentiment": "negative", "polarity": -0.8, "opened_at": later,
            "seconds_to_first_reply": 60.0 * n if state != "open" else None,
            "updated_at": later + timedelta(minutes=n), "revision": 1, "dt": dt,
        }
        for n in range(count)
    ]  # fmt: skip


def _by(rows: Iterable[Row], *names: str) -> dict[tuple, list[Row]]:
    groups: dict[tuple, list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[name] for name in names)].append(row)
    return groups


def _tracked(rows: Iterable[Row]) -> list[Row]:
    return [
        row | {"tracker": tracker}
        for row in rows
        for tracker in ["(all)", *(row["trackers"] or ["(none)"])]
    ]


def _counts(rows: list[Row]) -> Row:
    total = sum(row["polarity"] for row in rows)
    return {
        "texts": len(rows),
        **{s: sum(row["sentiment"] == s for row in rows) for s in SENTIMENTS},
        "polarity_sum": total,
        "polarity_mean": total / len(rows),
    }


def sentiment_hourly(scored: list[Row]) -> list[Row]:
    rows = [row | {"hour": row["occurred_at"].replace(minute=0, second=0, microsecond=0)}
            for row in _tracked(scored)]  # fmt: skip
    names = ("hour", "tracker", "source", "event_type", "dt")
    return [dict(zip(names, key, strict=True)) | _counts(g) for key, g in _by(rows, *names).items()]


def sentiment_by_topic(scored: list[Row]) -> list[Row]:
    rows = [row | {"hour": row["occurred_at"].replace(minute=0, second=0, microsecond=0)}
            for row in _tracked(scored) if row["in_scope"] and row["topic"]]  # fmt: skip
    names = ("hour", "tracker", "topic", "dt")
    counted = ((key, _counts(group)) for key, group in _by(rows, *names).items())
    return [
        dict(zip(names, key, strict=True)) | {n: v for n, v in c.items() if n != "polarity_mean"}
        for key, c in counted
    ]


def emotion_daily(scored: list[Row], *, shown_only: bool = False) -> list[Row]:
    rows = [
        row | {"emotion": emotion, "score": score, "shown": emotion in row["emotions"]}
        for row in _tracked(scored)
        if row["in_scope"]
        for emotion, score in (row["emotion_scores"] or {}).items()
    ]
    if shown_only:
        rows = [
            row | {"emotion": emotion, "score": 0, "shown": True}
            for row in _tracked(scored)
            if row["in_scope"]
            for emotion in row["emotions"] or []
        ]
    names = ("tracker", "source", "emotion", "dt")
    return [
        dict(zip(names, key, strict=True))
        | {"texts": sum(r["shown"] for r in g), "score_sum": float(sum(r["score"] for r in g))}
        for key, g in _by(rows, *names).items()
    ]


def topic_daily(scored: list[Row]) -> list[Row]:
    rows = [row for row in _tracked(scored) if row["in_scope"] and row["topic"]]
    names = ("tracker", "source", "topic", "dt")
    return [
        dict(zip(names, key, strict=True))
        | {n: v for n, v in _counts(g).items() if n in ("texts", "polarity_mean")}
        for key, g in _by(rows, *names).items()
    ]


def engagement_daily(scored: list[Row], reacted: list[Row]) -> list[Row]:
    names = ("tracker", "source", "event_type", "dt")
    none = {f"interactions_{kind}": 0 for kind in KINDS}
    of_texts = [
        dict(zip(names, key, strict=True))
        | {"texts": len(g), **{f"{n}s": sum(r[f"{n}_count"] or 0 for r in g) for n in
           ("like", "share")}, **none}
        for key, g in _by(_tracked(scored), *names).items()
    ]  # fmt: skip
    return of_texts + [
        {"tracker": "(all)", "source": source, "event_type": "interaction", "dt": dt, "texts": 0,
         "likes": 0, "shares": 0,
         **{f"interactions_{kind}": sum(r["kind"] == kind for r in g) for kind in KINDS}}
        for (source, dt), g in _by(reacted, "source", "dt").items()
    ]  # fmt: skip


def authors_daily(scored: list[Row]) -> list[Row]:
    names = ("author_id", "source", "dt")
    return [
        dict(zip(names, key, strict=True))
        | {"texts": len(g), **{f"{n}s": sum(r[f"{n}_count"] or 0 for r in g) for n in
           ("like", "share")}, "polarity_mean": _counts(g)["polarity_mean"]}
        for key, g in _by(scored, *names).items()
    ]  # fmt: skip


def movers_daily(scored: list[Row]) -> list[Row]:
    days = {key: _counts(g) for key, g in _by(_tracked(scored), "tracker", "dt").items()}
    found = []
    for (tracker, dt), now in days.items():
        before = days.get((tracker, str(datetime.fromisoformat(dt).date() - timedelta(days=1))))
        share = now["negative"] / now["texts"]
        then = before["negative"] / before["texts"] if before else None
        found.append(
            {"tracker": tracker, "texts": now["texts"], "dt": dt, "negative_share": share,
             "texts_before": before["texts"] if before else 0, "negative_share_before": then,
             "negative_share_change": share - then if then is not None else None}
        )  # fmt: skip
    return found


def freshness(scored: list[Row], reacted: list[Row], asked: list[Row]) -> list[Row]:
    newest = (("texts", "occurred_at", scored), ("interactions", "occurred_at", reacted),
              ("tickets", "updated_at", asked))  # fmt: skip
    return [
        {"what": what, "newest": max(row[name] for row in rows), "records": len(rows)}
        for what, name, rows in newest
    ]


def answers(scored: list[Row], reacted: list[Row], asked: list[Row]) -> dict[str, list[Row]]:
    """What each question for both engines has to answer, in any order."""

    def share(counts: Row) -> float:
        return counts["negative"] / counts["texts"]

    def each(rows: list[Row], *names: str, of: Callable[[list[Row]], Row]) -> list[Row]:
        return [dict(zip(names, k, strict=True)) | of(g) for k, g in _by(rows, *names).items()]

    tracked, shown = _tracked(scored), emotion_daily(scored, shown_only=True)
    hours = [row | {"hour_of_day": row["occurred_at"].hour} for row in scored]
    topics = [r for r in tracked if r["in_scope"] and r["topic"] and r["tracker"] != "(none)"]
    movers = [r for r in movers_daily(scored) if r["dt"] == max(row["dt"] for row in scored)]
    total = lambda name: lambda g: {name: sum(r[name] for r in g)}  # noqa: E731
    return {
        "SentimentByDay": each(tracked, "dt", "tracker", of=lambda g: {
            "texts": len(g), "polarity": _counts(g)["polarity_mean"]}),
        "SentimentByHour": each(hours, "hour_of_day", of=lambda g: {
            "texts": len(g), "negative_share": share(_counts(g))}),
        "SentimentByTopic": each(topics, "tracker", "topic", of=lambda g: {
            "texts": len(g), "negative_share": share(_counts(g))}),
        "Movers": [{name: row[name] for name in ("dt", "tracker", "texts", "texts_before",
                    "negative_share", "negative_share_change")}
                   for row in movers if row["negative_share_change"] is not None],
        "TopAuthors": each(scored, "author_id", of=lambda g: {
            "texts": len(g), "likes": sum(r["like_count"] or 0 for r in g),
            "shares": sum(r["share_count"] for r in g),
            "polarity": _counts(g)["polarity_mean"]}),
        "Engagement": each(engagement_daily(scored, reacted), "dt", "tracker", "event_type",
                           of=lambda g: {"texts": sum(r["texts"] for r in g),
                                         "reactions": sum(r["likes"] + r["shares"] for r in g),
                                         "interactions": sum(r[f"interactions_{k}"] for r in g
                                                             for k in KINDS)}),
        "EmotionsBySource": each([r for r in shown if r["tracker"] == "(all)"],
                                 "source", "emotion", of=total("texts")),
        "EmotionsByTracker": each(shown, "tracker", "emotion", of=total("texts")),
        "Tickets": each(asked, "queue", of=lambda g: {
            "tickets": len(g), "waiting": sum(r["state"] == "open" for r in g),
            "mean_seconds_to_first_reply": _mean([r["seconds_to_first_reply"] for r in g])}),
        "Freshness": freshness(scored, reacted, asked),
    }  # fmt: skip


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
