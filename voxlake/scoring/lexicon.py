"""A lexicon model: words with scores, summed; the floor that other sentiment models must beat.

`lexicon.json` is plain JSON so that a person can read and edit its words. Keys: format (1), name,
version, words ({token: score, negative to positive}), negation (what a score is multiplied with
when its word is negated), steepness and thresholds (from a text's score to probabilities), trained.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

from voxlake.scoring.classifier import Classifier
from voxlake.scoring.errors import ModelFileError
from voxlake.scoring.gold import SENTIMENT
from voxlake.scoring.json_file import model_id, to_bytes
from voxlake.scoring.prepare import NEGATED, tokens

FILE_NAME = "lexicon.json"
NAME = "sentiment-lexicon"
FORMAT = 1


class LexiconModel(Classifier):
    """Scores texts; its id is `sentiment-lexicon-<version>-<hash>`."""

    task = "sentiment"
    labels = SENTIMENT

    def __init__(self, document: dict) -> None:
        self.id = model_id(NAME, document["version"], to_bytes(document))
        self.no_evidence = [0.3, 0.4, 0.3]
        self._words: dict[str, float] = document["words"]
        self._negation = float(document["negation"])
        self._steepness = float(document["steepness"])
        self._low, self._high = (float(value) for value in document["thresholds"])

    def strength(self, text: str) -> float | None:
        """The sum of the scores of a text's words over the root of their number, negative to
        positive; None when no word of it is in the lexicon."""
        found = [score for score in map(self._score_of, tokens(text)) if score]
        return sum(found) / math.sqrt(len(found)) if found else None

    def probabilities(self, texts: list[str]) -> list[list[float]]:
        """P(negative), P(neutral), P(positive) of each text by ordered logistic steps."""
        return [
            list(self.no_evidence) if strength is None else self._probabilities(strength)
            for strength in map(self.strength, texts)
        ]

    def _score_of(self, token: str) -> float:
        if token.startswith(NEGATED):
            return self._negation * self._words.get(token[len(NEGATED) :], 0.0)
        return self._words.get(token, 0.0)

    def _probabilities(self, strength: float) -> list[float]:
        below_low = _sigmoid(self._low - self._steepness * strength)
        below_high = _sigmoid(self._high - self._steepness * strength)
        return [below_low, below_high - below_low, 1.0 - below_high]


def load_lexicon(path: str | Path) -> LexiconModel:
    """Reads a model from its folder. Raises ModelFileError."""
    path = Path(path) / FILE_NAME
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ModelFileError(path, "a lexicon", "no such file") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelFileError(path, "JSON", str(error)) from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ModelFileError(path, f"a JSON object of format {FORMAT}", "something else")
    words = document.get("words")
    if not isinstance(words, dict) or not all(
        type(score) in (int, float) and math.isfinite(score) for score in words.values()
    ):
        raise ModelFileError(path, "words with finite numbers as scores", "something else")
    try:
        return LexiconModel(document)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(path, "the keys of format 1", f"{error!r}") from error


def _sigmoid(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(min(value, 500.0), -500.0)))
