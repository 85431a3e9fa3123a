"""The file of a linear model: gzipped JSON, the same bytes for the same model.

JSON rather than pickle: reading it runs no code. Keys: format (1), name, version, task (sentiment
if unsaid), labels, settings (FeatureSettings), trained (what it was trained on and how, for
people), intercept (one a label), no_evidence (probabilities for a text without any known feature),
terms (feature names, sorted), idf (one a term), weights (a list a label, one a term).
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path

from voxlake.scoring.errors import ModelFileError
from voxlake.scoring.features import FeatureSettings
from voxlake.scoring.gold import SENTIMENT
from voxlake.scoring.json_file import model_id, read_gzipped, to_bytes, write_gzipped

LABELS = SENTIMENT
FILE_NAME = "model.json.gz"
FORMAT = 1


@dataclass(frozen=True)
class ModelFile:
    """The contents of a model file; `sha256` is that of its uncompressed bytes."""

    name: str
    version: str
    settings: FeatureSettings
    intercept: list[float]
    no_evidence: list[float]
    terms: list[str]
    idf: list[float]
    weights: list[list[float]]
    trained: dict = field(default_factory=dict)
    task: str = "sentiment"
    labels: tuple[str, ...] = LABELS

    def to_bytes(self) -> bytes:
        """The uncompressed JSON: sorted keys, no white space, ASCII.

        What a sentiment model has by default is left out: its files are older than the choice.
        """
        document = {**asdict(self), "format": FORMAT, "labels": list(self.labels)}
        document["settings"] = self.settings.to_dict()
        if self.task == "sentiment":
            del document["task"]
        return to_bytes(document)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @property
    def model_id(self) -> str:
        """`<name>-<version>-<first 8 hex digits of the sha256>`, in every score it gives."""
        return model_id(self.name, self.version, self.to_bytes())


def write_model_file(model: ModelFile, folder: str | Path) -> Path:
    """Writes `model.json.gz` into the folder, without a time stamp; returns its path."""
    return write_gzipped(Path(folder) / FILE_NAME, model.to_bytes())


def read_model_file(path: str | Path) -> ModelFile:
    """Reads a model from its folder or file.

    Raises ModelFileError naming what was expected and found.
    """
    path = Path(path)
    if path.is_dir():
        path = path / FILE_NAME
    document = read_gzipped(path, format=FORMAT)
    labels, task = document.get("labels"), document.get("task", "sentiment")
    if task == "sentiment" and labels != list(LABELS):
        raise ModelFileError(path, f"labels {list(LABELS)}", f"{labels!r}")
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise ModelFileError(path, "labels", f"{labels!r}")
    try:
        model = ModelFile(
            name=document["name"],
            version=document["version"],
            settings=FeatureSettings(**document["settings"]),
            intercept=document["intercept"],
            no_evidence=document["no_evidence"],
            terms=document["terms"],
            idf=document["idf"],
            weights=document["weights"],
            trained=document["trained"],
            task=task,
            labels=tuple(labels),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(path, "the keys of format 1", f"{error!r}") from error
    _check(model, path)
    return model


def _check(model: ModelFile, path: Path) -> None:
    """Raises ModelFileError when sizes do not fit or a number is not one."""
    terms, labels = len(model.terms), len(model.labels)
    sizes = [len(model.idf), *(len(row) for row in model.weights)]
    if not terms or sizes != [terms] * (1 + labels):
        raise ModelFileError(path, f"an idf and {labels} weights a term", f"{terms}, {sizes}")
    if len(model.intercept) != labels or len(model.no_evidence) != labels:
        raise ModelFileError(path, "an intercept and a no_evidence a label", "another number")
    numbers = [model.intercept, model.no_evidence, model.idf, *model.weights]
    if not all(
        type(value) in (int, float) and math.isfinite(value) for row in numbers for value in row
    ):
        raise ModelFileError(path, "finite numbers", "something else")
    if len(set(model.terms)) != terms or not all(isinstance(term, str) for term in model.terms):
        raise ModelFileError(path, "distinct terms", "a term twice or not a string")
