"""The model server names nobody by a pseudonym, whatever the model found."""

from __future__ import annotations

from tests.test_sagemaker.conftest import load_script
from voxlake.ids import Pseudonymiser


class FindsEveryWord:
    """A text model that takes every word for a person."""

    heads = ("entities",)

    def score_texts(self, texts: list[str], heads: tuple[str, ...]) -> list[dict]:
        scores = []
        for text in texts:
            found, end = [], 0
            for word in text.split():
                start = text.index(word, end)
                end = start + len(word)
                found.append({"text": word, "label": "PER", "start": start, "end": end})
            scores.append({"entities": found, "language": "en", "in_scope": True, "model": "m-1"})
        return scores


def test_pseudonyms_and_masks_are_never_entities():
    server = load_script("sagemaker/inference/inference.py")
    someone = Pseudonymiser("k1", b"0123456789abcdef").pseudonym("x", "ann")
    row = {"event_id": "e1", "dt": "2026-03-01", "text": f"Ann @{someone} {someone} <email> Bob"}
    (answer,) = server.predict_fn([row], server.Models(FindsEveryWord(), None))
    assert answer == {
        "event_id": "e1",
        "dt": "2026-03-01",
        "entities": [
            {"text": "Ann", "label": "PER", "start": 0, "end": 3},
            {"text": "Bob", "label": "PER", "start": len(row["text"]) - 3, "end": len(row["text"])},
        ],
        "topic": None,
        "topic_score": None,
        "language": "en",
        "in_scope": True,
        "model": "m-1",
    }
