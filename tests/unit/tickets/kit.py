"""Models that say what their texts say, and texts as the stream has them."""

from __future__ import annotations

from typing import Any

import numpy as np

from voxlake.tickets.texts import StreamText

WORDS = ("bag", "seat", "fee", "refund", "website", "rude", "late", "reservation")


class FakeEncoder:
    """negative where a text has "bad", positive where it has "great", else neutral."""

    id = "fake-1"
    heads = ("sentiment", "emotions", "main_emotion", "entities")

    def __init__(self) -> None:
        self.scored: list[list[str]] = []

    def score_texts(self, texts: list[str], heads: Any) -> list[dict[str, Any]]:
        self.scored.append(list(texts))
        return [score_of(text) for text in texts]

    def score_and_embed(
        self, texts: list[str], heads: Any
    ) -> tuple[list[dict[str, Any]], np.ndarray]:
        return self.score_texts(texts, heads), self.embed(texts)

    def embed(self, texts: list[str]) -> np.ndarray:
        counts = [[1e-3 + text.lower().count(word) for word in WORDS] for text in texts]
        rows = np.array(counts).reshape(len(texts), len(WORDS))
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


class FakeReasons:
    """Lost Luggage where a text has "bag", else nothing known."""

    id = "fake-reasons-1"

    def score_texts(self, texts: list[str]) -> list[dict[str, Any]]:
        return [reason_of("Lost Luggage" if "bag" in text.lower() else None) for text in texts]


def score_of(text: str) -> dict[str, Any]:
    sentiment = "negative" if "bad" in text else "positive" if "great" in text else "neutral"
    return scored(sentiment)


def scored(sentiment: str, **changed: Any) -> dict[str, Any]:
    probability = dict.fromkeys(("negative", "neutral", "positive"), 0.05)
    probability[sentiment] = 0.9
    return {
        "sentiment": sentiment,
        "polarity": round(probability["positive"] - probability["negative"], 6),
        "sentiment_scores": probability,
        "emotions": ["anger"] if sentiment == "negative" else [],
        "emotion_scores": {"anger": 0.8 if sentiment == "negative" else 0.1, "love": 0.1},
        "main_emotion": "anger" if sentiment == "negative" else "joy",
        "entities": [],
        "language": "en",
        "in_scope": True,
        "model": "fake-1",
        **changed,
    }


def reason_of(label: str | None) -> dict[str, Any]:
    scores = {"Lost Luggage": 0.1, "Late Flight": 0.1, "Can't Tell": 0.1}
    if label:
        scores[label] = 0.8
    return {
        "complaint_reason": max(scores, key=scores.__getitem__),
        "complaint_reason_scores": scores,
        "in_scope": label is not None,
        "model": "fake-reasons-1",
    }


def stream_text(text: str, number: int = 1, **changed: Any) -> StreamText:
    return StreamText(
        **{
            "event_id": f"e{number}",
            "event_type": "post",
            "dt": "2026-02-24",
            "source": "x",
            "native_id": f"p{number}",
            "thread_id": None,
            "author": "somebody",
            "author_id": "k1_000000000000000000000000",
            "channel": None,
            "text": text,
            "occurred_at": "2026-02-24T11:59:59.000000Z",
            "arrived_at": "2026-02-24T12:00:00.250000Z",
            "trackers": ("aurora_air",),
            **changed,
        }
    )
