"""Chooses the weights and thresholds of queues.yaml: `python sagemaker/evaluation/tune_triage.py`.

Wherever encoder or complaint-reason model change, so do these. Reads what triage.py measures on
(dev data and the `tune` part of queues.jsonl), and prints the two blocks to put into queues.yaml:

- needs_reply: weights by logistic regression of negative against the rest; the lowest threshold of
  a complaint that keeps `--precision`; as the threshold of a question the one of best f1. The
  precision and recall printed are those of five-fold cross-validation.
- sorting: of a grid the setting with the best mean of accuracy by negativereason and macro recall
  on the sentences; the threshold so that half of the sentences that fit no queue stay unsorted.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

if (folder := Path(__file__).resolve().parent).is_dir():
    # In a checkout: beside triage.py, two below voxlake/.
    sys.path[:0] = [str(folder), str(folder.parents[1])]

import triage

from voxlake.errors import VoxlakeError
from voxlake.tickets.queues import UNSORTED, SortingWeights
from voxlake.tickets.sorting import QueueSorter
from voxlake.tickets.triage import signals

# Of these the sum is weighed; the others of SIGNALS told nothing more on dev.
WEIGHED = ("negative", "positive", "reason", "thanks", "anger", "love")
GRID = ((0.4, 0.7, 1.0), (0.2, 0.4, 0.6), (0.2, 0.4, 0.6), (0.05, 0.1, 0.2))
"""Weights of reason, similarity, keywords; temperatures."""
QUESTION_STEPS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)


def tune_needs_reply(
    weighed: list[dict[str, float]],
    sentiment: Sequence[str],
    negative: np.ndarray,
    needs: np.ndarray,
    precision: float,
) -> tuple[dict[str, float], float, float, dict[str, dict]]:
    """Weights, threshold of a complaint, threshold of a question, figures by cross-validation."""
    rows = np.array([[one[name] for name in WEIGHED] for one in weighed])
    model = LogisticRegression(C=0.5, max_iter=1000)
    held_out = cross_val_predict(model, rows, negative, cv=5, method="predict_proba")[:, 1]
    model.fit(rows, negative)
    may = np.array([one != "positive" for one in sentiment])
    steps = np.arange(0.2, 0.95, 0.01)
    complaint = next(
        (step for step in steps if negative[may & (held_out >= step)].mean() >= precision), 0.5
    )
    complains = may & (held_out >= complaint)
    asks = np.array([one["asks"] > 0 for one in weighed]) & may
    praise = np.array([one["positive"] for one in weighed])

    def with_questions(most_praise: float) -> np.ndarray:
        return complains | (asks & (praise <= most_praise))

    question = max(
        QUESTION_STEPS, key=lambda step: triage.binary(needs, with_questions(step))["f1"]
    )
    weights = dict(zip(("bias", *WEIGHED), [*model.intercept_, *model.coef_[0]], strict=True))
    figures = {
        "complaints": triage.binary(negative, complains),
        "needs_reply": triage.binary(needs, with_questions(question)),
    }
    return weights, float(complaint), question, figures


def tune_sorting(desk, tweets: list, examples: list) -> tuple[SortingWeights, float]:
    """The best of the grid, and its mean of accuracy and macro recall."""
    order = [queue.id for queue in desk.queues.queues]
    of_tweets = [row for row in tweets if row.queue]
    of_examples = [row for row in examples if row.part == "tune" and row.queue != UNSORTED]
    stray = [row for row in examples if row.part == "tune" and row.queue == UNSORTED]
    sets = [[text.text for text in triage.as_stream(rows)] for rows in (of_tweets, of_examples)]
    gold = [[row.queue for row in rows] for rows in (of_tweets, of_examples)]
    evidence = [desk.evidence(texts) for texts in sets]
    best, chosen = -1.0, None
    for setting in itertools.product(*GRID):
        sorter = QueueSorter(desk.queues, desk.embed, SortingWeights(*setting, 0.0))
        said = [
            [sorter.queues[at].id for at in sorter.combine(one).argmax(axis=1)] for one in evidence
        ]
        by_reason, by_hand = (
            triage.queue_figures(right, told, order) for right, told in zip(gold, said, strict=True)
        )
        mean = (by_reason["accuracy"] + by_hand["macro_recall"]) / 2
        if mean > best:
            best, chosen = mean, sorter
    assert chosen is not None
    texts = [text.text for text in triage.as_stream(stray)]
    threshold = float(np.median(chosen.combine(desk.evidence(texts)).max(axis=1)))
    weights = chosen.weights
    return SortingWeights(
        weights.reason, weights.similarity, weights.keywords, weights.temperature, threshold
    ), best


def main(argv: Sequence[str] | None = None) -> int:
    parser = triage.parser(__doc__)
    parser.add_argument("--precision", type=float, default=0.915, help="that complaints must keep")
    options = parser.parse_args(argv)
    try:
        desk, tweets, examples, asking = triage.load(options)
        if asking is None:
            raise SystemExit(f"expected the ids of {options.asks} among {options.data}")
        texts = triage.as_stream(tweets)
        scores = desk.read(texts).scores
        reasons = desk.reasons([text.text for text in texts])
        weighed = [
            signals(text.text, score, reason)
            for text, score, reason in zip(texts, scores, reasons, strict=True)
        ]
        negative = np.array([row.label == "negative" for row in tweets])
        needs = negative | np.array([row.id in asking for row in tweets])
        sentiment = [score["sentiment"] for score in scores]
        weights, complaint, question, figures = tune_needs_reply(
            weighed, sentiment, negative, needs, options.precision
        )
        sorting, mean = tune_sorting(desk, tweets, examples)
    except (VoxlakeError, OSError) as error:
        print(f"tune_triage: {error}", file=sys.stderr)
        return 1
    shown = ", ".join(f"{name}: {value:.2f}" for name, value in weights.items())
    print(f"# {desk.model}; cross-validated: {figures}")
    print(f"needs_reply:\n  weights: {{{shown}}}")
    print(f"  complaint: {complaint:.2f}\n  question: {question}")
    print(f"# mean of accuracy and macro recall {mean:.4f}")
    print(
        f"sorting: {{reason: {sorting.reason}, similarity: {sorting.similarity}, keywords: "
        f"{sorting.keywords}, temperature: {sorting.temperature}, threshold: "
        f"{sorting.threshold:.2f}}}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
