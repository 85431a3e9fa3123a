"""How well predictions agree with what people said: the figures of a metrics.json.

Every figure is a function of sums over texts (`counts`, `figure`), so the same arithmetic gives a
set's figures and, over resampled texts, their noise (`voxlake.scoring.significance`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from voxlake.scoring.gold import EMOTIONS, MAIN_EMOTION, SENTIMENT

_DECIMALS = 4
PRIMARY = {
    "sentiment": "macro_recall",
    "main_emotion": "macro_f1",
    "complaint_reason": "macro_f1",
    "emotions": "jaccard",
    "entities": "f1",
    "next_word": "perplexity",
    "topics": "c_npmi",
}
"""The figure by which models of a task are compared; all but perplexity are better when higher."""
ENTITIES = ("PER", "LOC", "ORG")


def metrics(
    truth: Sequence[str],
    predicted: Sequence[str],
    *,
    data: str,
    model: str,
    labels: Sequence[str] = SENTIMENT,
    task: str | None = None,
) -> dict:
    """The figures of a task with one label a text; a metrics.json is {"model", "sets": [these]}.

    `data` names what was measured on, `model` the model's id. Returns data, model, n (texts),
    macro_recall (mean of the recalls: for sentiment the measure of SemEval-2017 Task 4A, 1/3 for a
    guess), macro_f1, accuracy, per_class ({label: precision, recall, f1, support}) and confusion
    ({true label: {predicted label: texts}}); with a `task`, that and primary (the name of its main
    figure) too. Shares are 0 to 1, rounded to 4 places; a share of nothing is 0. Labels that never
    occur in `truth` count in no mean.
    """
    rows = _paired(truth, predicted)
    sums = counts(task or "sentiment", rows, labels).sum(axis=0)
    confusion = sums.reshape(len(labels), len(labels)).astype(int)
    return {
        **(_head(data, task, model, len(rows)) if task else _named(data, model, len(rows))),
        **{
            name: _rounded(figure(task or "sentiment", sums, name))
            for name in ("macro_recall", "macro_f1")
        },
        "accuracy": _rounded(np.trace(confusion) / max(len(rows), 1)),
        "per_class": _per_class(
            labels, np.diag(confusion), confusion.sum(axis=0), confusion.sum(axis=1)
        ),
        "confusion": {
            label: dict(zip(labels, row.tolist(), strict=True))
            for label, row in zip(labels, confusion, strict=True)
        },
    }


def multi_label_metrics(
    truth: Sequence[frozenset[str]],
    predicted: Sequence[frozenset[str]],
    *,
    data: str,
    model: str,
    labels: Sequence[str] = EMOTIONS,
) -> dict:
    """The figures of `emotions`: jaccard (mean over texts of shared labels / all labels of both,
    1 where neither has one), micro_f1, macro_f1, per_class. Otherwise as `metrics`.
    """
    rows = _paired(truth, predicted)
    sums = counts("emotions", rows, labels).sum(axis=0)
    names = ("jaccard", "micro_f1", "macro_f1")
    return {
        **_head(data, "emotions", model, len(rows)),
        **{name: _rounded(figure("emotions", sums, name)) for name in names},
        "per_class": _per_class(labels, *np.split(sums[2:].astype(int), 3)),
    }


def entity_metrics(
    truth: Sequence[Any], predicted: Sequence[Any], *, data: str, model: str
) -> dict:
    """The figures of `entities`: micro f1, precision and recall of exact spans, per_class.

    Each text's spans are sets of (start, end, label). Otherwise as `metrics`.
    """
    rows = _paired(truth, predicted)
    sums = counts("entities", rows, ENTITIES).sum(axis=0)
    return {
        **_head(data, "entities", model, len(rows)),
        **{
            name: _rounded(figure("entities", sums, name)) for name in ("f1", "precision", "recall")
        },
        "per_class": _per_class(ENTITIES, *np.split(sums.astype(int), 3)),
    }


def one_figure(
    task: str, name: str, value: float, *, n: int, data: str, model: str, **further: Any
) -> dict:
    """Figures of a task that has one number: `perplexity` of next_word, `c_npmi` of topics."""
    return {**_head(data, task, model, n), name: round(float(value), _DECIMALS), **further}


def counts(task: str, rows: Sequence[tuple[Any, Any]], labels: Sequence[str]) -> np.ndarray:
    """One row of numbers a (truth, prediction) pair, float64 [texts, numbers]; see `figure`.

    One label: the confusion matrix, flat. emotions: jaccard, 1, then (hits, claimed, support) each
    a label. entities: (hits, claimed, support) each a type. next_word: pairs are (surprise in
    bits, tokens).
    """
    if task == "next_word":
        return np.asarray(rows, dtype=np.float64).reshape(-1, 2)
    index = {label: at for at, label in enumerate(labels)}
    k = len(labels)
    if task == "entities":
        found = np.zeros((len(rows), 3 * k))
        for row, (truth, guess) in zip(found, rows, strict=True):
            for at, spans in enumerate((truth & guess, guess, truth)):
                for *_, kind in spans:
                    row[at * k + index[kind]] += 1
        return found
    if task == "emotions":
        found = np.zeros((len(rows), 2 + 3 * k))
        for row, (truth, guess) in zip(found, rows, strict=True):
            either = len(truth | guess)
            row[:2] = len(truth & guess) / either if either else 1.0, 1.0
            for at, chosen in enumerate((truth & guess, guess, truth)):
                for label in chosen:
                    row[2 + at * k + index[label]] = 1.0
        return found
    found = np.zeros((len(rows), k * k))
    for row, (truth, guess) in zip(found, rows, strict=True):
        row[index[truth] * k + index[guess]] = 1.0
    return found


def figure(task: str, sums: np.ndarray, name: str | None = None) -> np.ndarray:
    """A figure (the task's primary one if unsaid) from sums of `counts` over texts, [..., numbers].

    Perplexity is 2 to the mean surprise in bits. A share of nothing is 0.
    """
    name = name or PRIMARY[task]
    if name == "perplexity":
        return 2.0 ** (sums[..., 0] / np.maximum(sums[..., 1], 1.0))
    if name == "jaccard":
        return _share(sums[..., 0], sums[..., 1])
    if task in ("emotions", "entities"):
        hits, claimed, support = np.split(sums[..., 2:] if task == "emotions" else sums, 3, axis=-1)
    else:
        k = round(sums.shape[-1] ** 0.5)
        matrix = sums.reshape(*sums.shape[:-1], k, k)
        hits = np.diagonal(matrix, axis1=-2, axis2=-1)
        claimed, support = matrix.sum(axis=-2), matrix.sum(axis=-1)
    if name in ("macro_recall", "macro_f1"):
        per_class = (
            _share(hits, support) if name == "macro_recall" else _share(2 * hits, claimed + support)
        )
        present = support > 0
        return _share((per_class * present).sum(axis=-1), present.sum(axis=-1))
    hits, claimed, support = (part.sum(axis=-1) for part in (hits, claimed, support))
    if name == "precision":
        return _share(hits, claimed)
    if name == "recall":
        return _share(hits, support)
    return _share(2 * hits, claimed + support)


def labels_of(task: str, rows: Sequence[tuple[Any, Any]]) -> Sequence[str]:
    """The task's labels; for complaint_reason those that occur, sorted."""
    fixed = {
        "sentiment": SENTIMENT,
        "main_emotion": MAIN_EMOTION,
        "emotions": EMOTIONS,
        "entities": ENTITIES,
    }
    return fixed.get(task) or sorted({label for pair in rows for label in pair})


def _paired(truth: Sequence[Any], predicted: Sequence[Any]) -> list[tuple[Any, Any]]:
    if len(truth) != len(predicted):
        raise ValueError(f"expected one prediction a text, found {len(predicted)} for {len(truth)}")
    return list(zip(truth, predicted, strict=True))


def _head(data: str, task: str, model: str, n: int) -> dict:
    return {"data": data, "task": task, "model": model, "n": n, "primary": PRIMARY[task]}


def _named(data: str, model: str, n: int) -> dict:
    return {"data": data, "model": model, "n": n}


def _per_class(
    labels: Sequence[str], hits: np.ndarray, claimed: np.ndarray, support: np.ndarray
) -> dict:
    return {
        label: {
            "precision": _rounded(_share(hits[at], claimed[at])),
            "recall": _rounded(_share(hits[at], support[at])),
            "f1": _rounded(_share(2 * hits[at], support[at] + claimed[at])),
            "support": int(support[at]),
        }
        for at, label in enumerate(labels)
    }


def _share(part: Any, whole: Any) -> np.ndarray:
    part, whole = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    return np.divide(part, whole, out=np.zeros(np.broadcast(part, whole).shape), where=whole > 0)


def _rounded(value: Any) -> float:
    return round(float(value), _DECIMALS)
