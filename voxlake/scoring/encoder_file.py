"""What an encoder's folder says of itself in `encoder.json`, checked against the files beside it.

Keys: format (1), name, version, labels ({head: labels in the order of the outputs}), thresholds
({"emotions": {label: probability}}), max_tokens, languages (ISO 639-1 codes of what it was trained
on), files ({name: sha256 hex}), trained (for people).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from voxlake.scoring.errors import ModelFileError

FILE_NAME = "encoder.json"
FORMAT = 1
MODEL, ENTITIES_MODEL, TOKENIZER = "model.onnx", "entities.onnx", "tokenizer.json"

HEADS = ("sentiment", "emotions", "main_emotion", "entities")
"""The heads that an encoder may have, in the order in which scores show them."""


@dataclass(frozen=True)
class EncoderFile:
    """The contents of `encoder.json`; `folder` is where it and its files lie."""

    folder: Path
    name: str
    version: str
    labels: dict[str, tuple[str, ...]]
    emotion_thresholds: dict[str, float]
    max_tokens: int
    languages: frozenset[str]
    files: dict[str, str]

    @property
    def model_id(self) -> str:
        """`<name>-<version>-<first 8 hex digits of model.onnx's sha256>`, in every score."""
        return f"{self.name}-{self.version}-{self.files[MODEL][:8]}"

    @property
    def heads(self) -> tuple[str, ...]:
        return tuple(head for head in HEADS if head in self.labels)


def read_encoder_file(folder: str | Path) -> EncoderFile:
    """Reads `encoder.json` and compares the hashes of the files it names.

    Raises ModelFileError naming what was expected and found.
    """
    folder = Path(folder)
    path = folder / FILE_NAME
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ModelFileError(path, "an encoder's description", "no such file") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelFileError(path, "JSON", str(error)) from error
    if not isinstance(document, dict):
        raise ModelFileError(path, "a JSON object", type(document).__name__)
    if document.get("format") != FORMAT:
        raise ModelFileError(path, f"format {FORMAT}", f"format {document.get('format')!r}")
    try:
        file = EncoderFile(
            folder=folder,
            name=document["name"],
            version=document["version"],
            labels={head: tuple(names) for head, names in document["labels"].items()},
            emotion_thresholds={
                label: float(value)
                for label, value in document["thresholds"].get("emotions", {}).items()
            },
            max_tokens=int(document["max_tokens"]),
            languages=frozenset(document["languages"]),
            files=dict(document["files"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelFileError(path, "the keys of format 1", f"{error!r}") from error
    _check(file, path)
    return file


def _check(file: EncoderFile, path: Path) -> None:
    if unknown := sorted(set(file.labels) - set(HEADS)):
        raise ModelFileError(path, f"heads of {list(HEADS)}", f"{unknown}")
    emotions = file.labels.get("emotions", ())
    if missing := [label for label in emotions if label not in file.emotion_thresholds]:
        raise ModelFileError(path, "a threshold an emotion", f"none for {missing}")
    if file.max_tokens < 3:
        raise ModelFileError(path, "max_tokens of 3 or more", str(file.max_tokens))
    if MODEL not in file.files:
        raise ModelFileError(path, f"{MODEL} among its files", f"{sorted(file.files)}")
    for name, expected in file.files.items():
        found = _sha256(file.folder / name)
        if found != expected:
            raise ModelFileError(file.folder / name, f"sha256 {expected}", found)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except FileNotFoundError:
        raise ModelFileError(path, "a file that encoder.json names", "no such file") from None
