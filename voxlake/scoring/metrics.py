"""How well predicted labels agree with those people gave."""

from __future__ import annotations

from collections.abc import Sequence

from voxlake.scoring.model_file import LABELS

_DECIMALS = 4


def metrics(truth: Sequence[str], predicted: Sequence[str], *, data: str, model: str) -> dict:
    """The figures of one evaluation. A metrics.json is {"model": id, "sets": [these]}.

    `data` names what was measured on, `model` the model's id. Returns data, model, n (texts),
    macro_recall (mean of the three recalls: the measure of SemEval-2017 Task 4A, 1/3 for a
    guess), macro_f1, accuracy, per_class ({label: precision, recall, f1, support}) and confusion
    ({true label: {predicted label: texts}}). Shares are 0 to 1, rounded to 4 places; a share of
    nothing is 0. Labels that never occur in `truth` count in no mean.
    """
    if len(truth) != len(predicted):
        raise ValueError(f"expected one prediction a text, found {len(predicted)} for {len(truth)}")
    confusion = {label: dict.fromkeys(LABELS, 0) for label in LABELS}
    for true, guess in zip(truth, predicted, strict=True):
        confusion[true][guess] += 1
    per_class = {}
    for label in LABELS:
        right = confusion[label][label]
        support = sum(confusion[label].values())
        claimed = sum(confusion[true][label] for true in LABELS)
        per_class[label] = {
            "precision": _share(right, claimed),
            "recall": _share(right, support),
            "f1": _share(2 * right, support + claimed),
            "support": support,
        }
    present = [row for row in per_class.values() if row["support"]]
    figures = {
        "macro_recall": _share(sum(row["recall"] for row in present), len(present)),
        "macro_f1": _share(sum(row["f1"] for row in present), len(present)),
        "accuracy": _share(sum(confusion[label][label] for label in LABELS), len(truth)),
    }
    return {
        "data": data,
        "model": model,
        "n": len(truth),
        **{name: round(value, _DECIMALS) for name, value in figures.items()},
        "per_class": {
            label: {
                name: value if name == "support" else round(value, _DECIMALS)
                for name, value in row.items()
            }
            for label, row in per_class.items()
        },
        "confusion": confusion,
    }


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
