"""Two models measured against each other on the gate's half of held-out sets.

What decides by it is `voxlake.scoring.promotion`; `voxlake promote` and the function model_gate
bring the models and the files.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from voxlake.errors import VoxlakeError
from voxlake.scoring.gold import Gold, fingerprint, read_gold
from voxlake.scoring.judged import Judged, counts_of
from voxlake.scoring.promotion import GateSet, Head
from voxlake.scoring.significance import Difference, paired_difference

# What a model is judged on unless the data is named: the set of each head, the main one first.
GATE_SETS = {
    "sentiment": "tweeteval_sentiment",
    "emotions": "semeval2018_ec",
    "main_emotion": "tweeteval_emotion",
    "entities": "btc",
    "complaint_reason": "airline",
    "next_word": "tweeteval_sentiment",
}
_TIMED_TEXTS = 100


class GateError(VoxlakeError):
    """A model cannot be judged: no gate data, or another kind of model than the one in use."""


@dataclass(frozen=True)
class Comparison:
    """A candidate against the model in use (`against`; None: nothing is in use).

    heads: the main one first. latency_ms: median of one text, {"candidate", "best"}; both are
    empty where there is nothing to beat.
    """

    model: str
    against: str | None
    heads: tuple[Head, ...] = ()
    latency_ms: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict:
        """As it is stored."""
        return {
            "model": self.model,
            "against": self.against,
            "heads": [{**asdict(one.gate), **one.difference._asdict()} for one in self.heads],
            "latency_p50_ms": dict(self.latency_ms),
        }

    @classmethod
    def from_dict(cls, stored: Mapping) -> Comparison:
        """What `to_dict` gave."""
        names = ("data", "task", "rows", "sha256")
        heads = tuple(
            Head(
                GateSet(**{name: one[name] for name in names}),
                Difference(**{name: one[name] for name in Difference._fields}),
            )
            for one in stored["heads"]
        )
        return cls(stored["model"], stored["against"], heads, stored["latency_p50_ms"])


def gate_sets(tasks: Sequence[str], named: Sequence[str] = ()) -> list[str]:
    """The sets to judge a model of these tasks on, the main one first. Raises GateError."""
    names = list(named) or [GATE_SETS[task] for task in GATE_SETS if task in tasks]
    if not names:
        raise GateError(f"expected data to judge {', '.join(tasks)} on, found none named")
    return names


def compare(
    candidate: Judged,
    best: Judged,
    files: Sequence[tuple[str, Path]],
    *,
    clock: Callable[[], float],
    task: str | None = None,
) -> Comparison:
    """Measures both on the gate's half of each file.

    Args:
        files: (name, file), the main one first.
        clock: seconds that only grow.
        task: of the main file, where its rows leave it open.

    Raises:
        GateError: a file has no row for the gate, or its task is not one that both models have.
    """
    heads, timed = [], []
    for number, (name, path) in enumerate(files):
        gold = read_gold(path, None if number else task)
        gold = gold._replace(rows=[row for row in gold.rows if row.gate])
        if not gold.rows or not all(gold.task in model.tasks for model in (candidate, best)):
            raise GateError(
                f"{name}: expected texts of a task that {candidate.id} and {best.id} have, found "
                f"{len(gold.rows)} of {gold.task}"
            )
        ours, theirs = counts_of(gold, candidate, best)
        gate = GateSet(name, gold.task, len(gold.rows), fingerprint(path)["gate_sha256"])
        heads.append(Head(gate, paired_difference(gold.task, ours, theirs)))
        timed = timed or gold.rows[:_TIMED_TEXTS]
    latency = _latency(heads[0].gate.task, timed, candidate, best, clock)
    return Comparison(candidate.id, best.id, tuple(heads), latency)


def _latency(
    task: str, rows: list[Gold], candidate: Judged, best: Judged, clock: Callable[[], float]
) -> dict[str, float]:
    """Median milliseconds of one text, the models taking turns so that both meet the same load."""
    times: dict[str, list[float]] = {"candidate": [], "best": []}
    models = {"candidate": candidate, "best": best}
    for model in models.values():
        model.predict(task, rows[:3])
    for row in rows:
        for name, model in models.items():
            start = clock()
            model.predict(task, [row])
            times[name].append((clock() - start) * 1000)
    return {name: round(statistics.median(taken), 3) for name, taken in times.items()}
