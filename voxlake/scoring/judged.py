"""Any packaged model as its judges see it: which tasks it has, and what it says of texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from voxlake.scoring import load_model
from voxlake.scoring.gold import Gold, GoldSet
from voxlake.scoring.metrics import (
    counts,
    entity_metrics,
    figure,
    labels_of,
    metrics,
    multi_label_metrics,
    one_figure,
)

# Enough for a progress bar to move; a text's score does not depend on it.
_CHUNK = 512


class Judged:
    """A model of any kind; tasks: those it can be judged on."""

    def __init__(self, model: Any, folder: Path) -> None:
        self.model, self.folder = model, folder
        self.id: str = model.id
        self.tasks: tuple[str, ...] = tuple(
            getattr(model, "heads", None) or (getattr(model, "task", ""),)
        )

    def predict(
        self, task: str, rows: Sequence[Gold], progress: Callable[[int], None] | None = None
    ) -> list[Any]:
        """A prediction a text: a label, a frozenset of labels or of (start, end, label) spans; for
        next_word (surprise in bits, tokens). progress is told how many texts are done."""
        texts = [row.text for row in rows]
        found: list[Any] = []
        for start in range(0, len(texts), _CHUNK):
            found += self._answers(task, texts[start : start + _CHUNK])
            if progress:
                progress(len(found))
        return found

    def figures(
        self, gold: GoldSet, data: str, progress: Callable[[int], None] | None = None
    ) -> dict:
        """The figures of a set, as they stand in metrics.json."""
        if gold.task == "topics":
            return self._topics(gold, data)
        said = self.predict(gold.task, gold.rows, progress)
        if gold.task == "next_word":
            sums = counts("next_word", said, ()).sum(axis=0)
            return one_figure(
                "next_word", "perplexity", figure("next_word", sums), n=len(said), data=data,
                model=self.id, tokens=int(sums[1]),
            )  # fmt: skip
        truth = [row.truth for row in gold.rows]
        if gold.task == "emotions":
            return multi_label_metrics(truth, said, data=data, model=self.id)
        if gold.task == "entities":
            return entity_metrics(truth, said, data=data, model=self.id)
        labels = labels_of(gold.task, list(zip(truth, said, strict=True)))
        return metrics(truth, said, data=data, model=self.id, labels=labels, task=gold.task)

    def _answers(self, task: str, texts: list[str]) -> list[Any]:
        if task == "next_word":
            return [tuple(pair) for pair in self.model.surprise(texts)]
        scores = self.model.score_texts(texts, heads=(task,))
        if task == "emotions":
            return [frozenset(score["emotions"]) for score in scores]
        if task == "entities":
            return [
                frozenset((e["start"], e["end"], e["label"]) for e in score["entities"])
                for score in scores
            ]
        return [score[task] for score in scores]

    def _topics(self, gold: GoldSet, data: str) -> dict:
        from voxlake.scoring.topics import topic_figures
        from voxlake.scoring.words import words

        lemmas = [words(row.text, "lemma") for row in gold.rows]
        return topic_figures(self.model, lemmas, data=data)


def counts_of(gold: GoldSet, *models: Judged) -> list[np.ndarray]:
    """The `metrics.counts` of each model on the same rows, with the same labels."""
    said = [model.predict(gold.task, gold.rows) for model in models]
    if gold.task == "next_word":
        return [counts(gold.task, one, ()) for one in said]
    pairs = [[(row.truth, g) for row, g in zip(gold.rows, one, strict=True)] for one in said]
    labels = labels_of(gold.task, [pair for one in pairs for pair in one])
    return [counts(gold.task, one, labels) for one in pairs]


def load_judged(folder: str | Path) -> Judged:
    """The model of a folder, told by the files in it. Raises ModelFileError."""
    return Judged(load_model(folder), Path(folder))
