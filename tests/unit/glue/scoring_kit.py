"""The batch transform, played: every text is scored by a rule."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.unit.glue.kit import LakeKit


def score_lines(
    lake: LakeKit,
    run_id: str,
    skip: frozenset[str] = frozenset(),
    without: frozenset[str] = frozenset(),
) -> int:
    """Plays the batch transform: scores every input line by a rule of its text; how many.

    Args:
        skip: event ids that get no line.
        without: keys that no line has.
    """
    folder = lake.folder / "artifacts" / "scoring" / f"run={run_id}"
    count = 0
    for file in sorted((folder / "input").glob("*.jsonl")):
        lines = []
        for line in file.read_text().splitlines():
            given = json.loads(line)
            if given["event_id"] not in skip:
                line = score_line(given)
                lines.append(json.dumps({k: v for k, v in line.items() if k not in without}))
                count += 1
        (folder / "output").mkdir(exist_ok=True)
        (folder / "output" / f"{file.name}.out").write_text("\n".join(lines) + "\n")
    return count


def score_line(given: dict[str, Any]) -> dict[str, Any]:
    """A line of the model's output by a rule: good is joy, bad is anger, a capital is a name."""
    text = given["text"]
    sentiment = "positive" if "good" in text else "negative" if "bad" in text else "neutral"
    scores = {
        name: 0.8 if name == sentiment else 0.1 for name in ("negative", "neutral", "positive")
    }
    felt = {"positive": "joy", "negative": "anger"}.get(sentiment)
    topic = "food" if "food" in given["lemmas"] else None
    return {
        "event_id": given["event_id"],
        "dt": given["dt"],
        "sentiment": sentiment,
        "polarity": round(scores["positive"] - scores["negative"], 6),
        "sentiment_scores": scores,
        "emotions": [felt] if felt else [],
        "emotion_scores": {name: 0.9 if name == felt else 0.25 for name in ("anger", "joy")},
        "main_emotion": felt or "joy",
        "entities": [
            {"text": found[0], "label": "PER", "start": found.start(), "end": found.end()}
            for found in re.finditer(r"\bk1_\w+|\bphone\b|[A-Z]\w*", text)
        ],
        "topic": topic,
        "topic_score": 0.9 if topic else 0.0,
        "language": "de" if "nicht" in text else "en",
        "in_scope": "nicht" not in text,
        "model": "rule-1",
    }
