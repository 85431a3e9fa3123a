"""Is a difference between two models more than noise: the paired bootstrap over texts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from voxlake.scoring.metrics import PRIMARY, figure

RESAMPLES = 2_000
CONFIDENCE = 0.95
_CHUNK = 200


class Difference(NamedTuple):
    """A task's primary figure of two models on the same texts.

    gain: how much better the candidate is, in the figure's unit; positive is better, for
    perplexity too. low and high: the interval that holds the gain with 95% confidence.
    """

    figure: str
    n: int
    candidate: float
    best: float
    gain: float
    low: float
    high: float


def paired_difference(
    task: str, candidate: np.ndarray, best: np.ndarray, *, seed: int = 0
) -> Difference:
    """Compares two models by their `metrics.counts` on the same texts in the same order.

    The texts are drawn again, with replacement, `RESAMPLES` times, each time the same ones for
    both models: what makes a text hard for both cancels out. The same seed gives the same interval.
    Raises ValueError when there are not as many rows for both, or none.
    """
    n = len(candidate)
    if n != len(best) or not n:
        raise ValueError(f"expected the same texts for both models, found {n} and {len(best)}")
    sign = -1.0 if PRIMARY[task] == "perplexity" else 1.0
    rng = np.random.default_rng(seed)
    gains = []
    for start in range(0, RESAMPLES, _CHUNK):
        drawn = rng.multinomial(n, np.full(n, 1.0 / n), size=min(_CHUNK, RESAMPLES - start))
        drawn = drawn.astype(np.float64)
        gains.append(sign * (figure(task, drawn @ candidate) - figure(task, drawn @ best)))
    tail = (1.0 - CONFIDENCE) / 2
    low, high = np.quantile(np.concatenate(gains), (tail, 1.0 - tail))
    ours, theirs = float(figure(task, candidate.sum(axis=0))), float(figure(task, best.sum(axis=0)))
    return Difference(
        PRIMARY[task], n, *(round(v, 4) for v in (ours, theirs, sign * (ours - theirs))),
        round(float(low), 4), round(float(high), 4),
    )  # fmt: skip
