"""Does a text need a reply from us? Pure: scores in, verdict out; nothing is loaded or asked here.

A complaint or a question addressed to one of our accounts does; praise, our own posts, reposts and
texts that the model cannot judge (another language, nothing to read) never do. Weights and
thresholds are data (`needs_reply` of the queues' file), tuned by sagemaker/evaluation/triage.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from voxlake.tickets.directed import OwnAccounts, asks, is_repost, thanks

COMPLAINT, QUESTION = "complaint", "question"
CANNOT_TELL = "Can't Tell"
"""The reason of a complaint in which people saw none."""

EMOTIONS = ("anger", "disgust", "joy", "love", "optimism", "sadness")
SIGNALS = ("negative", "positive", "reason", "asks", "thanks", *EMOTIONS)
"""What is weighed; each is 0 to 1. reason: how sure the complaint-reason model is of a reason."""


class Why(StrEnum):
    """What decided."""

    COMPLAINS = "complains"
    ASKS = "asks"
    OUR_OWN = "our_own"
    REPOST = "repost"
    NOT_TO_US = "not_to_us"
    NOT_JUDGED = "not_judged"
    PRAISE = "praise"
    NOTHING_ASKED = "nothing_asked"


@dataclass(frozen=True)
class Verdict:
    """kind: complaint, question, or None where no reply is needed. confidence: 0 to 1, in that."""

    kind: str | None
    confidence: float
    why: Why

    @property
    def needs_reply(self) -> bool:
        return self.kind is not None


@dataclass(frozen=True)
class Thresholds:
    """`needs_reply` of the queues' file.

    Attributes:
        weights: {signal: weight}, and `bias`; their sum is the log-odds of a complaint.
        complaint: a text is one from this probability on.
        question: what asks is a question where the probability of praise is at most this.
    """

    weights: Mapping[str, float]
    complaint: float
    question: float


def excluded(
    text: str, own: OwnAccounts, *, source: str, author: str, channel: str | None = None
) -> Why | None:
    """Why a text needs no reply whatever it says; None where that is left to its score.

    Args:
        text: cleaned.
        author, channel: as the source names them (no pseudonym); what is written on our own channel
            is written to us, and what a channel writes on itself is its owner's.
    """
    if own.is_us(source, author):
        return Why.OUR_OWN
    if is_repost(text):
        return Why.REPOST
    on_ours = channel is not None and channel != author and own.is_us(source, channel)
    return None if on_ours or own.addressed_in(text) else Why.NOT_TO_US


def signals(
    text: str, score: Mapping[str, Any], reason: Mapping[str, Any] | None
) -> dict[str, float]:
    """What is weighed, of `SIGNALS`.

    Args:
        score: of the encoder: sentiment_scores, emotion_scores where it has that head.
        reason: of the complaint-reason model (complaint_reason_scores, in_scope), if there is one.
    """
    sentiment = score["sentiment_scores"]
    emotions = score.get("emotion_scores") or {}
    return {
        "negative": sentiment["negative"],
        "positive": sentiment["positive"],
        "reason": reason_certainty(reason),
        "asks": float(asks(text)),
        "thanks": float(thanks(text)),
        **{emotion: emotions.get(emotion, 0.0) for emotion in EMOTIONS},
    }


def reason_certainty(reason: Mapping[str, Any] | None) -> float:
    """The probability of the likeliest reason that is one; 0 where the model knows nothing."""
    if reason is None or not reason["in_scope"]:
        return 0.0
    scores = reason["complaint_reason_scores"]
    return max((value for label, value in scores.items() if label != CANNOT_TELL), default=0.0)


def complaint_probability(weighed: Mapping[str, float], thresholds: Thresholds) -> float:
    """0 to 1."""
    weights = thresholds.weights
    odds = weights.get("bias", 0.0)
    odds += sum(weights.get(name, 0.0) * value for name, value in weighed.items())
    return 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, odds))))


def decide(
    text: str,
    score: Mapping[str, Any],
    reason: Mapping[str, Any] | None,
    thresholds: Thresholds,
) -> Verdict:
    """The verdict on a text that nothing excludes.

    Args: see `signals`; score also has sentiment and in_scope.
    """
    if not score["in_scope"]:
        return Verdict(None, 0.0, Why.NOT_JUDGED)
    weighed = signals(text, score, reason)
    if score["sentiment"] == "positive":
        return Verdict(None, round(weighed["positive"], 6), Why.PRAISE)
    complaint = complaint_probability(weighed, thresholds)
    if complaint >= thresholds.complaint:
        return Verdict(COMPLAINT, round(complaint, 6), Why.COMPLAINS)
    if weighed["asks"] and weighed["positive"] <= thresholds.question:
        return Verdict(QUESTION, round(1.0 - weighed["positive"], 6), Why.ASKS)
    return Verdict(None, round(1.0 - complaint, 6), Why.NOTHING_ASKED)
