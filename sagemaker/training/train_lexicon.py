"""Derives the sentiment lexicon: words with scores, from labelled texts; nothing is downloaded.

Runs under SageMaker's training contract (voxlake.training.contract). A word's score is its
weighted log-odds between positive and negative texts with an informative Dirichlet prior (Monroe,
Colaresi, Quinn 2008, "Fightin' Words"): the words of all texts are the prior, so rare words do not
get large scores, and only scores further than --z standard deviations from 0 are kept. From a
text's sum to probabilities lead two thresholds, fitted with all labels weighing the same.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

if (checkout := Path(__file__).resolve().parents[2] / "voxlake").is_dir():
    # In a checkout; in a training container the voxlake package lies beside this file.
    sys.path.insert(0, str(checkout.parent))

from voxlake.errors import VoxlakeError
from voxlake.scoring.gold import SENTIMENT
from voxlake.scoring.lexicon import FILE_NAME, FORMAT, NAME, LexiconModel, load_lexicon
from voxlake.scoring.metrics import metrics
from voxlake.scoring.prepare import NEGATED, tokens
from voxlake.training.contract import (
    LabelledText,
    contract_parser,
    parse,
    read_split,
    write_metrics,
)

# Words of the prior: as if so many words had been seen before, spread as in all texts.
PRIOR_WORDS = 1_000.0
# "not bad" is a little good, "not good" bad, neither as much as the word alone.
NEGATION = -0.5
_STEPS = 400


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Hyperparameters, and the contract's folders."""
    parser = contract_parser(__doc__, os.environ)
    parser.add_argument("--z", type=float, default=2.58, help="deviations from 0 a score needs")
    parser.add_argument("--min-count", type=int, default=10, help="times a word must occur")
    return parse(parser, argv)


def word_scores(rows: Sequence[LabelledText], *, z: float, min_count: int) -> dict[str, float]:
    """{token: log-odds of positive against negative texts}, sorted, rounded to 2 places.

    Tokens with a letter, a sign or an emoji; not placeholders, nor words within a negation's reach.
    """
    counted = {label: Counter() for label in SENTIMENT}
    for row in rows:
        counted[row.label].update(
            token for token in tokens(row.text) if not token.startswith((NEGATED, "<"))
        )
    negative, positive = counted["negative"], counted["positive"]
    everywhere = sum(counted.values(), Counter())
    total = sum(everywhere.values())
    scores = {}
    for token, count in everywhere.items():
        if count < min_count:
            continue
        prior = PRIOR_WORDS * count / total
        odds = []
        for side in (positive, negative):
            words, seen = sum(side.values()) + PRIOR_WORDS, side[token] + prior
            odds.append(math.log(seen / (words - seen)))
        difference = odds[0] - odds[1]
        deviation = math.sqrt(1 / (positive[token] + prior) + 1 / (negative[token] + prior))
        if abs(difference) >= z * deviation:
            scores[token] = round(difference, 2)
    return dict(sorted(scores.items()))


def fit_steps(strengths: np.ndarray, labels: np.ndarray) -> tuple[float, float, float]:
    """(steepness, low, high) of the ordered logistic model, each label weighing the same.

    strengths: a number a text; labels: 0 negative, 1 neutral, 2 positive. By gradient steps from a
    fixed start, so the same data gives the same numbers.
    """
    weight = 1.0 / np.bincount(labels, minlength=3)[labels] / 3
    # high = low + exp(gap) keeps the thresholds in order.
    parameters = np.array([0.5, -0.5, 0.0])
    moment, spread = np.zeros(3), np.zeros(3)
    for step in range(1, _STEPS + 1):
        steepness, low, gap = parameters
        x = steepness * strengths
        below_low, below_high = _sigmoid(low - x), _sigmoid(low + math.exp(gap) - x)
        at_low, at_high = below_low * (1 - below_low), below_high * (1 - below_high)
        chance = np.choose(labels, [below_low, below_high - below_low, 1 - below_high])
        # d log(chance) / d (low - x) and / d (high - x)
        chance = np.maximum(chance, 1e-9)
        by_low = np.choose(labels, [at_low, -at_low, np.zeros_like(at_low)]) / chance
        by_high = np.choose(labels, [np.zeros_like(at_high), at_high, -at_high]) / chance
        gradient = np.array(
            [
                -(weight * (by_low + by_high) * strengths).sum(),
                (weight * (by_low + by_high)).sum(),
                (weight * by_high).sum() * math.exp(gap),
            ]
        )
        moment = 0.9 * moment + 0.1 * gradient
        spread = 0.99 * spread + 0.01 * gradient**2
        scale = np.sqrt(spread / (1 - 0.99**step)) + 1e-8
        parameters = parameters + 0.05 * moment / (1 - 0.9**step) / scale
    steepness, low, gap = (float(value) for value in parameters)
    return round(steepness, 4), round(low, 4), round(low + math.exp(gap), 4)


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-np.clip(values, -500.0, 500.0)))


def main(argv: list[str] | None = None) -> None:
    """Reads the channels, derives the lexicon, writes it and its metrics."""
    args = arguments(argv)
    start = time.monotonic()
    split = read_split(args, "sentiment")
    print(f"deriving from {len(split.train):,} texts", flush=True)
    counts = Counter(row.label for row in split.train)
    document = {
        "format": FORMAT,
        "name": NAME,
        "version": args.version,
        "words": word_scores(split.train, z=args.z, min_count=args.min_count),
        "negation": NEGATION,
        "steepness": 1.0,
        "thresholds": [-1.0, 1.0],
        "trained": {
            "data": args.data_name,
            "texts": len(split.train),
            "labels": {label: counts[label] for label in SENTIMENT},
            "z": args.z,
            "min_count": args.min_count,
        },
    }
    model = LexiconModel(document)
    strengths = [(model.strength(row.text), row.label) for row in split.train]
    known = [(value, SENTIMENT.index(label)) for value, label in strengths if value is not None]
    if known:
        steepness, low, high = fit_steps(
            np.array([value for value, _ in known]), np.array([label for _, label in known])
        )
        document |= {"steepness": steepness, "thresholds": [low, high]}
    folder = Path(args.model_dir)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=1, ensure_ascii=False)
    (folder / FILE_NAME).write_text(text + "\n", encoding="utf-8")

    model = load_lexicon(folder)
    print(f"{len(document['words']):,} words, model {model.id}", flush=True)
    sets = []
    if split.validation:
        sets.append(
            metrics(
                [row.label for row in split.validation],
                model.predict([row.text for row in split.validation]),
                data=split.measured_on,
                model=model.id,
                task="sentiment",
            )
        )
    write_metrics(args, model.id, sets)
    print(f"trained in {time.monotonic() - start:.1f} s", flush=True)


if __name__ == "__main__":
    try:
        main()
    except VoxlakeError as error:
        sys.exit(f"train_lexicon: {error}")
