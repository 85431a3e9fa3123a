"""What every model that gives a text one label has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from voxlake.scoring.errors import check_heads
from voxlake.scoring.language import UNDETERMINED
from voxlake.scoring.prepare import plain_words

# Scores are rounded so that they do not differ between processors.
_DECIMALS = 6


class Classifier(ABC):
    """Scores texts for one task. `id` names the model in every score."""

    id: str
    task: str
    labels: tuple[str, ...]
    no_evidence: list[float]
    """The probabilities of a text in which the model knows nothing, in the labels' order."""

    @property
    def heads(self) -> tuple[str, ...]:
        """What `score_texts` can be asked for: the task alone."""
        return (self.task,)

    @abstractmethod
    def probabilities(self, texts: list[str]) -> list[list[float]]:
        """P(label) of each text in the labels' order, not rounded; see no_evidence."""

    def predict(self, texts: list[str]) -> list[str]:
        """The most probable label of each text."""
        return [self.labels[row.index(max(row))] for row in self.probabilities(texts)]

    def score_texts(self, texts: list[str], heads: Sequence[str] | None = None) -> list[dict]:
        """One score a text, in order; a text's score does not depend on the others.

        Returns dicts of the task's name (the most probable label), polarity where the task is
        sentiment (P(positive) - P(negative), -1 to 1), `<task>_scores` (label: probability,
        rounded to 6 places), language (always `und`: these models tell none), in_scope and model.
        A text in which the model knows nothing (empty, only links, another script) gets
        `no_evidence` and is not in scope.

        Raises UnknownHeadError for another head than the task.
        """
        check_heads(self.id, self.heads, self.heads if heads is None else heads)
        return [self._score(row) for row in self.probabilities(texts)]

    def prepared(self, text: str) -> str:
        """The text as this task reads it: for complaint reasons, without leaked label words."""
        return plain_words(text) if self.task == "complaint_reason" else text

    def _score(self, row: list[float]) -> dict:
        scores = [round(value, _DECIMALS) for value in row]
        score: dict = {self.task: self.labels[scores.index(max(scores))]}
        if self.task == "sentiment":
            negative, _, positive = scores
            score["polarity"] = round(positive - negative, _DECIMALS)
        return {
            **score,
            f"{self.task}_scores": dict(zip(self.labels, scores, strict=True)),
            "language": UNDETERMINED,
            "in_scope": row != self.no_evidence,
            "model": self.id,
        }
