"""The file of a sentiment model: gzipped JSON, the same bytes for the same model.

JSON rather than pickle: reading it runs no code. Keys: format (1), name, version, labels,
settings (FeatureSettings), trained (what it was trained on and how, for people), intercept (one a
label), no_evidence (probabilities for a text without any known feature), terms (feature names,
sorted), idf (one a term), weights (a list a label, one a term).
"""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path

from voxlake.scoring.errors import ModelFileError
from voxlake.scoring.features import FeatureSettings

LABELS = ("negative", "neutral", "positive")
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

    def to_bytes(self) -> bytes:
        """The uncompressed JSON: sorted keys, no white space, ASCII."""
        document = {**asdict(self), "format": FORMAT, "labels": list(LABELS)}
        return json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii")

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @property
    def model_id(self) -> str:
        """`<name>-<version>-<first 8 hex digits of the sha256>`, in every score it gives."""
        return f"{self.name}-{self.version}-{self.sha256[:8]}"


def write_model_file(model: ModelFile, folder: str | Path) -> Path:
    """Writes `model.json.gz` into the folder, without a time stamp; returns its path."""
    path = Path(folder) / FILE_NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(model.to_bytes(), compresslevel=9, mtime=0))
    return path


def read_model_file(path: str | Path) -> ModelFile:
    """Reads a model from its folder or file.

    Raises ModelFileError naming what was expected and found.
    """
    path = Path(path)
    if path.is_dir():
        path = path / FILE_NAME
    try:
        document = json.loads(gzip.decompress(path.read_bytes()))
    except FileNotFoundError:
        raise ModelFileError(path, "a model file", "no such file") from None
    except (OSError, EOFError, zlib.error, ValueError, RecursionError) as error:
        raise ModelFileError(path, "gzipped JSON", str(error)) from error
    if not isinstance(document, dict):
        raise ModelFileError(path, "a JSON object", type(document).__name__)
    if document.get("format") != FORMAT:
        raise ModelFileError(path, f"format {FORMAT}", f"format {document.get('format')!r}")
    if document.get("labels") != list(LABELS):
        raise ModelFileError(path, f"labels {list(LABELS)}", f"{document.get('labels')!r}")
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
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(path, "the keys of format 1", f"{error!r}") from error
    _check(model, path)
    return model


def _check(model: ModelFile, path: Path) -> None:
    """Raises ModelFileError when sizes do not fit or a number is not one."""
    terms = len(model.terms)
    sizes = [len(model.idf), *(len(row) for row in model.weights)]
    if not terms or sizes != [terms] * (1 + len(LABELS)):
        raise ModelFileError(path, f"an idf and {len(LABELS)} weights a term", f"{terms}, {sizes}")
    if len(model.intercept) != len(LABELS) or len(model.no_evidence) != len(LABELS):
        raise ModelFileError(path, "an intercept and a no_evidence a label", "another number")
    numbers = [model.intercept, model.no_evidence, model.idf, *model.weights]
    if not all(
        type(value) in (int, float) and math.isfinite(value) for row in numbers for value in row
    ):
        raise ModelFileError(path, "finite numbers", "something else")
    if len(set(model.terms)) != terms or not all(isinstance(term, str) for term in model.terms):
        raise ModelFileError(path, "distinct terms", "a term twice or not a string")
