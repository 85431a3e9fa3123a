"""Converters of dialogues: rows of turns, to be replayed as messages. They have no labels."""

from __future__ import annotations

import re

from voxlake.datasets.errors import OriginalFormatError
from voxlake.datasets.originals.reading import decoded, json_of, lines_of

Files = dict[str, bytes]
Splits = dict[str, list[dict]]

_TURN = re.compile(r"#(Person\d+)#\s*:?")


def dialogsum(files: Files) -> Splits:
    """DialogSum's JSON lines. Rows: id, turns [{speaker, text}], summary, topic, summaries, topics.

    Where the source has several (its test), summary and topic are the first. Turns without text
    are dropped.
    """
    splits = {}
    for split in ("train", "dev", "test"):
        file, rows = f"dialogsum.{split}.jsonl", []
        for number, line in enumerate(lines_of(file, files[file]), start=1):
            if not line.strip():
                continue
            source = json_of(file, line, number)
            try:
                summaries = _several(source, "summary")
                topics = _several(source, "topic")
                rows.append(
                    {
                        "id": source["fname"],
                        "turns": _turns(source["dialogue"]),
                        "summary": summaries[0],
                        "topic": topics[0],
                        "summaries": summaries,
                        "topics": topics,
                    }
                )
            except (KeyError, TypeError, IndexError):
                raise OriginalFormatError(
                    file, number, "fname, dialogue, summary and topic", "a key missing"
                ) from None
        splits[split] = rows
    return splits


def _several(source: dict, key: str) -> list[str]:
    keys = [key, *(f"{key}{number}" for number in range(1, 10))]
    return [source[one].strip() for one in keys if one in source]


def _turns(dialogue: str) -> list[dict]:
    _, *parts = _TURN.split(dialogue)
    turns = zip(parts[::2], parts[1::2], strict=True)
    return [{"speaker": who, "text": said.strip()} for who, said in turns if said.strip()]


def commonsense_dialogues(files: Files) -> Splits:
    """Commonsense-Dialogues' JSON files. Rows: id, context, speaker, turns [{speaker, text}].

    Who says a turn is inferred: the writers alternated between the named person and a friend.
    """
    splits = {}
    for split, part in (("train", "train"), ("dev", "valid"), ("test", "test")):
        file, rows = f"{part}.json", []
        source = json_of(file, decoded(file, files[file]))
        try:
            for number, dialogue in source.items():
                speakers = (dialogue["speaker"], "friend")
                rows.append(
                    {
                        "id": f"commonsense-{part}-{number}",
                        "context": dialogue["context"],
                        "speaker": dialogue["speaker"],
                        "turns": [
                            {"speaker": speakers[place % 2], "text": text.strip()}
                            for place, text in enumerate(dialogue["turns"])
                        ],
                    }
                )
        except (KeyError, TypeError, AttributeError):
            raise OriginalFormatError(
                file, None, "dialogues of context, speaker and turns", "something else"
            ) from None
        splits[split] = rows
    return splits
