"""Which queue a text belongs to: complaint reason, likeness of meaning, and plain keywords.

Needs numpy. The weights and the threshold are data (`sorting` of the queues' file), tuned by
sagemaker/evaluation/triage.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from voxlake.tickets.queues import UNSORTED, Queues, SortingWeights

Embed = Callable[[list[str]], np.ndarray]
"""Texts to rows of length 1, near where they mean alike: `Encoder.embed`."""


@dataclass(frozen=True)
class Sorted:
    """queue: an id, `unsorted` below the threshold. score: 0 to 1, of the best queue."""

    queue: str
    score: float


class QueueSorter:
    """Sorts texts into queues.

    Args:
        embed: of the encoder; called once here for what the queues say of themselves.
    """

    def __init__(self, queues: Queues, embed: Embed, weights: SortingWeights | None = None) -> None:
        self.queues = queues.sorted_into
        self.weights = weights or queues.sorting
        self._embed = embed
        said = [text for queue in self.queues for text in _texts(queue.description, queue.keywords)]
        vectors = embed(said).astype(np.float64)
        prototypes = vectors.reshape(len(self.queues), -1, vectors.shape[1]).mean(axis=1)
        # What all queues have in common tells them not apart.
        self._common = prototypes.mean(axis=0)
        self._prototypes = _unit(prototypes - self._common)
        self._of_reason = {
            reason: at for at, queue in enumerate(self.queues) for reason in queue.reasons
        }

    def sort(
        self,
        texts: list[str],
        reasons: Sequence[Mapping[str, Any] | None],
        vectors: np.ndarray | None = None,
    ) -> list[Sorted]:
        """The queue of each text, in order.

        Args:
            texts: cleaned.
            reasons: the complaint-reason model's score of each, None where there is none.
            vectors: the texts' embeddings, where they are known already.
        """
        if not texts:
            return []
        scores = self.combine(self.evidence(texts, reasons, vectors))
        best = scores.argmax(axis=1)
        return [
            Sorted(
                self.queues[at].id if row[at] >= self.weights.threshold else UNSORTED,
                round(float(row[at]), 6),
            )
            for row, at in zip(scores, best.tolist(), strict=True)
        ]

    def evidence(
        self,
        texts: list[str],
        reasons: Sequence[Mapping[str, Any] | None],
        vectors: np.ndarray | None = None,
    ) -> dict[str, np.ndarray]:
        """{reason, similarity, keywords: float [texts, queues]}, each row 0 to 1.

        similarity is the cosine with a queue's own words, -1 to 1.
        """
        shape = (len(texts), len(self.queues))
        by_reason, by_keywords = np.zeros(shape), np.zeros(shape)
        for row, (text, reason) in enumerate(zip(texts, reasons, strict=True)):
            if reason is not None and reason["in_scope"]:
                for label, value in reason["complaint_reason_scores"].items():
                    if label in self._of_reason:
                        by_reason[row, self._of_reason[label]] += value
            by_keywords[row] = [_hits(queue.pattern, text) for queue in self.queues]
        # Of two queues whose words a text has, the one with more of them; one word is no certainty.
        total = by_keywords.sum(axis=1, keepdims=True)
        by_keywords = by_keywords / (total + 0.5)
        if vectors is None:
            vectors = self._embed(texts)
        vectors = _unit(vectors.astype(np.float64) - self._common)
        return {
            "reason": by_reason,
            "similarity": vectors @ self._prototypes.T,
            "keywords": by_keywords,
        }

    def combine(self, evidence: Mapping[str, np.ndarray]) -> np.ndarray:
        """float [texts, queues]: the weighed mean of the three, each 0 to 1."""
        weights = self.weights
        powers = np.exp(evidence["similarity"] / weights.temperature)
        likeness = powers / powers.sum(axis=1, keepdims=True)
        total = weights.reason + weights.similarity + weights.keywords
        return (
            weights.reason * evidence["reason"]
            + weights.similarity * likeness
            + weights.keywords * evidence["keywords"]
        ) / total


def _texts(description: str, keywords: Sequence[str]) -> tuple[str, str]:
    return description, ", ".join(keywords) or description


def _hits(pattern, text: str) -> int:
    """How many different keywords a text has."""
    return len({found.lower() for found in pattern.findall(text)}) if pattern else 0


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
