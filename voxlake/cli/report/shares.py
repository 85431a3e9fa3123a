"""Counts of texts under a name: by sentiment, of which each text has one, and by emotion."""

from __future__ import annotations

from dataclasses import dataclass

from voxlake.measures.definitions import SENTIMENTS

__all__ = ["SENTIMENTS", "Shares", "Split"]


@dataclass(frozen=True)
class Split:
    """How many texts were negative, neutral and positive, under a name (a day, an hour, a tracker).

    `polarity` is their mean, -1 to 1.
    """

    name: str
    negative: int
    neutral: int
    positive: int
    polarity: float

    @property
    def total(self) -> int:
        return self.negative + self.neutral + self.positive

    def share(self, sentiment: str) -> float:
        """The sentiment's part of the texts, 0 to 1."""
        return getattr(self, sentiment) / self.total if self.total else 0.0


@dataclass(frozen=True)
class Shares:
    """How many of some texts show each emotion, under a name (a day, an hour, a tracker).

    A text may show several emotions or none, so the shares do not add up to one.
    """

    name: str
    total: int
    texts: dict[str, int]

    def share(self, emotion: str) -> float:
        """The emotion's part of the texts, 0 to 1."""
        return self.texts.get(emotion, 0) / self.total if self.total else 0.0
