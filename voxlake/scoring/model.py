"""A linear model: TF-IDF features and a multinomial logistic regression, read from JSON.

The arithmetic is scikit-learn's `TfidfVectorizer(sublinear_tf=True)` and
`LogisticRegression.predict_proba`, in numpy; a test holds them together.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from voxlake.scoring.classifier import Classifier
from voxlake.scoring.features import FeatureSettings, pair, text_tokens, token_features
from voxlake.scoring.model_file import LABELS, ModelFile, read_model_file

__all__ = ["LABELS", "LinearModel", "load_model"]

# Texts scored in one step: enough for numpy, little memory. Results do not depend on it.
_CHUNK = 256
_CACHED_TOKENS = 100_000


def load_model(path: str | Path) -> LinearModel:
    """Reads a model from its folder (holding `model.json.gz`) or file.

    Raises ModelFileError when it is missing or not a model.
    """
    return LinearModel(read_model_file(path))


class LinearModel(Classifier):
    """Scores texts; its id is `<task>-logreg-<version>-<hash>`."""

    def __init__(self, file: ModelFile) -> None:
        self.id, self.task, self.labels = file.model_id, file.task, file.labels
        self.settings: FeatureSettings = file.settings
        self._index = {term: at for at, term in enumerate(file.terms)}
        self._idf = np.asarray(file.idf, dtype=np.float64)
        self._weights = np.asarray(file.weights, dtype=np.float64).reshape(len(file.labels), -1)
        self._intercept = [float(value) for value in file.intercept]
        self.no_evidence = [float(value) for value in file.no_evidence]
        self._of_token: dict[str, list[int]] = {}
        self._tf = np.array([0.0] + [1.0 + math.log(count) for count in range(1, 1000)])

    def probabilities(self, texts: list[str]) -> list[list[float]]:
        """P(label) of each text in the labels' order, not rounded."""
        rows: list[list[float]] = []
        for start in range(0, len(texts), _CHUNK):
            rows.extend(self._chunk(texts[start : start + _CHUNK]))
        return rows

    def _chunk(self, texts: list[str]) -> list[list[float]]:
        found = [self._features(text) for text in texts]
        lengths = [len(ids) for ids in found]
        if not sum(lengths):
            return [list(self.no_evidence) for _ in texts]
        row = np.repeat(np.arange(len(texts)), lengths)
        flat = np.fromiter((at for ids in found for at in ids), dtype=np.int64, count=sum(lengths))
        # One key a (text, feature); sorted, so sums run in the same order in any chunk.
        keys, counts = np.unique(row * len(self._idf) + flat, return_counts=True)
        row, term = np.divmod(keys, len(self._idf))
        value = self._term_frequency(counts) * self._idf[term]
        norm = np.sqrt(np.bincount(row, value * value, len(texts)))
        norm[norm == 0.0] = 1.0
        logits = [
            np.bincount(row, value * weights[term], len(texts)) / norm + intercept
            for weights, intercept in zip(self._weights, self._intercept, strict=True)
        ]
        by_text = np.stack(logits, axis=1).tolist()
        return [
            _softmax(logit) if length else list(self.no_evidence)
            for logit, length in zip(by_text, lengths, strict=True)
        ]

    def _features(self, text: str) -> list[int]:
        """Indices of the known features, repeated as often as they occur."""
        words = text_tokens(self.prepared(text), self.settings)
        known: list[int] = []
        for token in words:
            ids = self._of_token.get(token)
            if ids is None:
                ids = self._remember(token)
            known += ids
        if self.settings.word_ngrams == 2:
            get = self._index.get
            known += [at for at in map(get, map(pair, words, words[1:])) if at is not None]
        return known

    def _remember(self, token: str) -> list[int]:
        """A token's features, kept because words repeat; forgotten all at once when too many."""
        if len(self._of_token) >= _CACHED_TOKENS:
            self._of_token.clear()
        names = token_features(token, self.settings)
        ids = [self._index[name] for name in names if name in self._index]
        self._of_token[token] = ids
        return ids

    def _term_frequency(self, counts: np.ndarray) -> np.ndarray:
        if counts.max() >= len(self._tf):
            return 1.0 + np.log(counts)
        return self._tf[counts]


def _softmax(logits: list[float]) -> list[float]:
    highest = max(logits)
    powers = [math.exp(value - highest) for value in logits]
    total = sum(powers)
    return [power / total for power in powers]
