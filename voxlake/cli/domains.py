"""What adapting a model gained where it was adapted, and what it cost elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from voxlake.cli.training_data import find_data
from voxlake.training.data import DataSet, TrainingDataError

# Where the general model comes from, a set for each head.
GENERAL = ("tweeteval_sentiment", "semeval2018_ec", "tweeteval_emotion", "btc")


def both_domains(
    before: Path,
    after: Path,
    sets: list[DataSet],
    task: str | None,
    say: Callable[[str], None],
) -> list[dict]:
    """The main figure of both models on the gate's half of the new sets and of the general ones.

    The gate's half, because no training saw it. Sets that are not on this machine are passed over.
    Returns [{"data", "task", "figure", "before", "after"}] and says each in a line.
    """
    from voxlake.scoring.gold import read_gold
    from voxlake.scoring.judged import load_judged
    from voxlake.scoring.metrics import PRIMARY

    models = [load_judged(folder) for folder in (before, after)]
    found = []
    for one in [*sets, *_general({each.name for each in sets})]:
        if one.dev is None:
            continue
        gold = read_gold(one.dev, task if one in sets else None)
        gold = gold._replace(rows=[row for row in gold.rows if row.gate])
        if not gold.rows or not all(gold.task in model.tasks for model in models):
            continue
        name, figure = f"{one.name}-gate", PRIMARY[gold.task]
        values = [model.figures(gold, name)[figure] for model in models]
        found.append(
            {"data": name, "task": gold.task, "figure": figure,
             "before": values[0], "after": values[1]}
        )  # fmt: skip
        change = f"{values[0]:.4f} before, {values[1]:.4f} after"
        say(f"{name}, {gold.task}: {figure} {change} ({values[1] - values[0]:+.4f})")
    return found


def _general(without: set[str]) -> list[DataSet]:
    found = []
    for name in GENERAL:
        if name not in without:
            try:
                found.append(find_data(name))
            except TrainingDataError:
                continue
    return found
