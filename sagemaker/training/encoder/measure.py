"""Figures on held-out examples, and the thresholds of the emotions."""

from __future__ import annotations

import numpy as np
import torch
from encoder.batches import IGNORED, Encoded, by_length
from encoder.network import Encoder
from encoder.tasks import LABELS, TRAINED


@torch.no_grad()
def predict_all(
    model: Encoder, tasks: set[str], encoded: list[Encoded]
) -> list[dict[str, np.ndarray]]:
    """The logits of each example by task, in order: [labels], for entities [pieces, labels]."""
    found: dict[int, dict[str, np.ndarray]] = {}
    model.eval()
    for one in by_length(encoded):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            outputs = model.answers(one.ids, one.mask, one.cases, tasks)
        logits = {task: outputs[task].float().numpy() for task in tasks}
        for row, number in enumerate(one.numbers):
            pieces = len(encoded[number].ids)
            found[number] = {
                task: values[row, :pieces] if task == "entities" else values[row]
                for task, values in logits.items()
            }
    return [found[number] for number in range(len(encoded))]


def predict(model: Encoder, task: str, encoded: list[Encoded]) -> list[np.ndarray]:
    """The logits of one task."""
    return [row[task] for row in predict_all(model, {task}, encoded)]


def probabilities(task: str, logits: np.ndarray) -> np.ndarray:
    """Softmax, or a sigmoid a label for emotions."""
    if task == "emotions" or task == "fine_emotions":
        return 1.0 / (1.0 + np.exp(-logits))
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def figures(
    model: Encoder, task: str, encoded: list[Encoded], thresholds: list[float] | None = None
) -> dict[str, float]:
    """The task's figures; emotions by thresholds chosen on these very examples unless given."""
    logits = predict(model, task, encoded)
    if task == "entities":
        return _spans(encoded, logits)
    target = np.array([one.target for one in encoded])
    if task == "emotions":
        chances = probabilities(task, np.stack(logits))
        return _multi(target, chances >= np.array(thresholds or choose(target, chances)))
    return _single(target, np.stack(logits).argmax(axis=1), len(TRAINED[task]))


def choose(target: np.ndarray, chances: np.ndarray) -> list[float]:
    """A threshold a label: its best F1, drawn towards the best common one where examples are few.

    target 0/1 and chances [texts, labels].
    """
    grid = np.arange(0.1, 0.71, 0.02)

    def f1(wanted: np.ndarray, got: np.ndarray) -> float:
        both = (wanted & got).sum()
        return 2 * both / max(wanted.sum() + got.sum(), 1)

    wanted = target.astype(bool)
    together = [f1(wanted, chances >= at) for at in grid]
    common = float(grid[int(np.argmax(together))])
    chosen = []
    for label in range(wanted.shape[1]):
        scores = [f1(wanted[:, label], chances[:, label] >= at) for at in grid]
        best = float(grid[int(np.argmax(scores))])
        trust = wanted[:, label].sum() / (wanted[:, label].sum() + 60.0)
        chosen.append(round(trust * best + (1 - trust) * common, 3))
    return chosen


def _single(target: np.ndarray, got: np.ndarray, labels: int) -> dict[str, float]:
    recalls, f1s = [], []
    for label in range(labels):
        both = ((target == label) & (got == label)).sum()
        recalls.append(both / max((target == label).sum(), 1))
        f1s.append(2 * both / max((target == label).sum() + (got == label).sum(), 1))
    return {
        "macro_recall": float(np.mean(recalls)),
        "macro_f1": float(np.mean(f1s)),
        "accuracy": float((target == got).mean()),
    }


def _multi(target: np.ndarray, got: np.ndarray) -> dict[str, float]:
    target = target.astype(bool)
    both, either = (target & got).sum(axis=1), (target | got).sum(axis=1)
    per_label = 2 * (target & got).sum(axis=0) / np.maximum(target.sum(0) + got.sum(0), 1)
    return {
        "jaccard": float(np.where(either == 0, 1.0, both / np.maximum(either, 1)).mean()),
        "micro_f1": float(2 * both.sum() / max(target.sum() + got.sum(), 1)),
        "macro_f1": float(per_label.mean()),
    }


def _spans(encoded: list[Encoded], logits: list[np.ndarray]) -> dict[str, float]:
    right = found = wanted = 0
    for one, row in zip(encoded, logits, strict=True):
        known = [at for at, label in enumerate(one.target) if label != IGNORED]
        gold = spans([one.target[at] for at in known])
        got = spans([int(row[at].argmax()) for at in known])
        right, found, wanted = right + len(gold & got), found + len(got), wanted + len(gold)
    return {
        "micro_f1": 2 * right / max(found + wanted, 1),
        "precision": right / max(found, 1),
        "recall": right / max(wanted, 1),
    }


def spans(labels: list[int]) -> set[tuple[int, int, str]]:
    """(first, last, type) of BIO labels; an I without its like before it opens a span."""
    found, open_at, kind = set(), 0, ""
    names = [LABELS["entities"][label] for label in labels] + ["O"]
    for at, name in enumerate(names):
        if kind and name != f"I-{kind}":
            found.add((open_at, at - 1, kind))
            kind = ""
        if name != "O" and not kind:
            open_at, kind = at, name[2:]
    return found
