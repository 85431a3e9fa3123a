"""An LSTM classifier: word embeddings and a bidirectional LSTM, read from .npz, run by numpy alone.

The arithmetic is that of `torch.nn.LSTM` (gates in the order input, forget, cell, output); a test
holds them together. `lstm.npz` holds plain arrays, never pickled objects, and `about`, a JSON
object in bytes: format (1), name, version, task, labels, settings (FeatureSettings), words (index 0
pads, 1 is every other word), max_tokens, no_evidence, trained.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from voxlake.scoring.classifier import Classifier
from voxlake.scoring.errors import ModelFileError
from voxlake.scoring.features import FeatureSettings, text_tokens
from voxlake.scoring.json_file import model_id, to_bytes

FILE_NAME = "lstm.npz"
FORMAT = 1
PAD, OTHER = 0, 1
DIRECTIONS = ("forward", "backward")
# Texts of like length in one step: enough for numpy, little memory.
_BATCH = 64


@dataclass(frozen=True)
class LstmFile:
    """The contents of a model file.

    arrays: embedding [words + 2, dimensions]; by direction `<direction>_input` [4 x hidden,
    dimensions], `<direction>_hidden` [4 x hidden, hidden], `<direction>_bias` [4 x hidden];
    output [labels, 4 x hidden] and output_bias [labels], over the means and then the maxima of
    the states of both directions.
    """

    task: str
    labels: tuple[str, ...]
    words: list[str]
    arrays: dict[str, np.ndarray]
    version: str
    max_tokens: int
    no_evidence: list[float]
    settings: FeatureSettings = field(default_factory=FeatureSettings)
    trained: dict = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.task}-lstm"

    @property
    def model_id(self) -> str:
        """`<task>-lstm-<version>-<hash of the description and of every array>`."""
        content = to_bytes(self._about())
        for name in sorted(self.arrays):
            array = self.arrays[name]
            content += f"{name} {array.dtype.str} {array.shape}".encode() + array.tobytes()
        return model_id(self.name, self.version, content)

    def _about(self) -> dict:
        return {
            "format": FORMAT,
            "name": self.name,
            "version": self.version,
            "task": self.task,
            "labels": list(self.labels),
            "settings": self.settings.to_dict(),
            "words": self.words,
            "max_tokens": self.max_tokens,
            "no_evidence": self.no_evidence,
            "trained": self.trained,
        }

    def write(self, folder: str | Path) -> Path:
        """Writes `lstm.npz` into the folder, the same bytes for the same model."""
        path = Path(folder) / FILE_NAME
        path.parent.mkdir(parents=True, exist_ok=True)
        about = np.frombuffer(to_bytes(self._about()), dtype=np.uint8)
        np.savez_compressed(path, about=about, **self.arrays)
        return path


def read_lstm_file(path: str | Path) -> LstmFile:
    """Reads a model from its folder. Raises ModelFileError."""
    path = Path(path) / FILE_NAME
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(arrays.pop("about").tobytes())
    except FileNotFoundError:
        raise ModelFileError(path, "a model file", "no such file") from None
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ModelFileError(path, "arrays and their description", str(error)) from error
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise ModelFileError(path, f"format {FORMAT}", "something else")
    try:
        model = LstmFile(
            task=about["task"],
            labels=tuple(about["labels"]),
            words=about["words"],
            arrays=arrays,
            version=about["version"],
            max_tokens=int(about["max_tokens"]),
            no_evidence=[float(value) for value in about["no_evidence"]],
            settings=FeatureSettings(**about["settings"]),
            trained=about["trained"],
        )
        _check(model, path)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(path, "the keys of format 1", f"{error!r}") from error
    return model


def load_lstm(path: str | Path) -> LstmModel:
    """Reads a model from its folder. Raises ModelFileError."""
    return LstmModel(read_lstm_file(path))


class LstmModel(Classifier):
    """Scores texts; its id is `<task>-lstm-<version>-<hash>`."""

    def __init__(self, file: LstmFile) -> None:
        self.id, self.task, self.labels = file.model_id, file.task, file.labels
        self.no_evidence = file.no_evidence
        self._settings, self._max_tokens = file.settings, file.max_tokens
        self._index = {word: at for at, word in enumerate(file.words, start=2)}
        self._arrays = {name: array.astype(np.float32) for name, array in file.arrays.items()}

    def numbers(self, text: str) -> list[int]:
        """The numbers of a text's first max_tokens tokens, OTHER for words it does not know."""
        tokens = text_tokens(self.prepared(text), self._settings)[: self._max_tokens]
        return [self._index.get(token, OTHER) for token in tokens]

    def probabilities(self, texts: list[str]) -> list[list[float]]:
        """P(label) of each text in the labels' order, not rounded."""
        numbers = [self.numbers(text) for text in texts]
        rows = [list(self.no_evidence)] * len(texts)
        known = [at for at, found in enumerate(numbers) if any(one != OTHER for one in found)]
        known.sort(key=lambda at: len(numbers[at]))
        for start in range(0, len(known), _BATCH):
            batch = known[start : start + _BATCH]
            for at, row in zip(batch, self._run([numbers[at] for at in batch]), strict=True):
                rows[at] = row
        return rows

    def _run(self, numbers: list[list[int]]) -> list[list[float]]:
        lengths = np.array([len(found) for found in numbers])
        width = int(lengths.max())
        padded = np.full((len(numbers), width), PAD)
        for row, found in zip(padded, numbers, strict=True):
            row[: len(found)] = found
        inside = np.arange(width) < lengths[:, None]
        embedded = self._arrays["embedding"][padded]
        states = np.concatenate(
            [self._states(embedded, inside, direction) for direction in DIRECTIONS], axis=2
        )
        mask = inside[:, :, None]
        mean = (states * mask).sum(axis=1) / lengths[:, None]
        highest = np.where(mask, states, -np.inf).max(axis=1)
        pooled = np.concatenate([mean, highest], axis=1).astype(np.float32)
        logits = pooled @ self._arrays["output"].T + self._arrays["output_bias"]
        powers = np.exp((logits - logits.max(axis=1, keepdims=True)).astype(np.float64))
        return (powers / powers.sum(axis=1, keepdims=True)).tolist()

    def _states(self, embedded: np.ndarray, inside: np.ndarray, direction: str) -> np.ndarray:
        """The hidden state at each token: [texts, width, hidden]; where padded, the last one."""
        weights = self._arrays[f"{direction}_hidden"].T
        inputs = embedded @ self._arrays[f"{direction}_input"].T + self._arrays[f"{direction}_bias"]
        texts, width, _ = inputs.shape
        hidden = np.zeros((texts, len(weights)), dtype=np.float32)
        cell = np.zeros_like(hidden)
        states = np.zeros((texts, width, len(weights)), dtype=np.float32)
        for step in range(width) if direction == "forward" else reversed(range(width)):
            gates = inputs[:, step] + hidden @ weights
            enter, forget, new, leave = np.split(gates, 4, axis=1)
            next_cell = _sigmoid(forget) * cell + _sigmoid(enter) * np.tanh(new)
            next_hidden = _sigmoid(leave) * np.tanh(next_cell)
            # Backwards, padding comes first and must leave no trace.
            now = inside[:, step, None]
            cell, hidden = np.where(now, next_cell, cell), np.where(now, next_hidden, hidden)
            states[:, step] = hidden
        return states


def _check(model: LstmFile, path: Path) -> None:
    """Raises ModelFileError when an array's shape does not fit or a number is not finite."""
    arrays, labels = model.arrays, len(model.labels)
    dimensions, hidden = arrays["embedding"].shape[1], arrays["forward_hidden"].shape[1]
    expected: dict[str, tuple[int, ...]] = {
        "embedding": (len(model.words) + 2, dimensions),
        "output": (labels, 4 * hidden),
        "output_bias": (labels,),
    }
    for direction in DIRECTIONS:
        expected[f"{direction}_input"] = (4 * hidden, dimensions)
        expected[f"{direction}_hidden"] = (4 * hidden, hidden)
        expected[f"{direction}_bias"] = (4 * hidden,)
    found = {name: array.shape for name, array in arrays.items()}
    if found != expected or len(model.no_evidence) != labels:
        raise ModelFileError(path, f"arrays of {expected}", f"{found}")
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise ModelFileError(path, "finite numbers", "something else")


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 0.5 * (1.0 + np.tanh(0.5 * values))
