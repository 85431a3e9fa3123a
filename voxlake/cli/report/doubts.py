"""Where the model errs: its measured figures, and the texts of this lake it is least sure of."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

SCORED = "voxlake_analytics.texts_scored"
PLEASANT = ("joy", "love", "optimism", "trust")
UNPLEASANT = ("anger", "disgust", "fear", "pessimism", "sadness")
SHOWN = 5
# What a figure is called on the page; the name in a metrics.json where it is not here.
FIGURES = {
    "macro_recall": "macro recall",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "f1": "F1, exact span",
    "jaccard": "Jaccard",
    "c_npmi": "coherence (NPMI)",
}


@dataclass(frozen=True)
class Doubt:
    """A text that the model may have got wrong; masked. `sure` is its best probability."""

    text: str
    sentiment: str
    emotions: str
    sure: float
    day: str


def metrics_of(folder: Path, models: Iterable[str]) -> dict:
    """The metrics.json of the packaged model that scored, {} where none of `models` is packaged.

    Figures of another model, or of another training of this one, would say nothing.
    """
    wanted = set(models)
    for path in sorted(folder.glob("*/metrics.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        if found.get("model") in wanted:
            return found
    return {}


def figure(one: dict) -> tuple[str, float]:
    """Name and value of a set's main figure."""
    name = one.get("primary") or next(n for n in FIGURES if n in one)
    return FIGURES.get(name, name), one[name]


def gather_doubts(ask: Callable[[str], list[dict]]) -> dict[str, list[Doubt]]:
    """{"unsure": least probable sentiments, "torn": sentiments that the emotions contradict}.

    Raises QueryError when a table is missing or a query fails.
    """
    return {
        name: [Doubt(**row) for row in ask(_DOUBTS.format(doubt=doubt, least=least))]
        for name, (doubt, least) in {"unsure": (_UNSURE, 0.35), "torn": (_TORN, 0.25)}.items()
    }


def _strongest(emotions: Iterable[str]) -> str:
    found = ", ".join(f"element_at(emotion_scores, '{name}')" for name in emotions)
    return f"greatest({found})"


_SURE = "greatest(p_negative, p_neutral, p_positive)"
_UNSURE = f"1 - {_SURE}"
_TORN = f"(p_positive - p_negative) * ({_strongest(UNPLEASANT)} - {_strongest(PLEASANT)})"
# Texts that many people write word for word are shown once, whomever they are addressed to.
_PSEUDONYM = "@?[A-Za-z0-9]{{1,16}}_[0-9a-f]{{24}}"
_DOUBTS = f"""
    SELECT text, sentiment, emotions, sure, max(dt) AS day
    FROM (SELECT regexp_replace(text, '{_PSEUDONYM}', '@…') AS text, sentiment,
                 array_join(emotions, ', ') AS emotions, {_SURE} AS sure, dt, {{doubt}} AS doubt
          FROM {SCORED} WHERE in_scope) d
    WHERE doubt > {{least}}
    GROUP BY text, sentiment, emotions, sure, doubt
    ORDER BY doubt DESC, text LIMIT {SHOWN}"""
