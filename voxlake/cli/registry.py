"""The model registry as the verbs use it: versions by their names, folders of this machine.

`latest` is the version with the highest number, `best` the one promoted last.
"""

from __future__ import annotations

import io
import json
import tarfile
from datetime import UTC, datetime
from pathlib import Path

from voxlake.cli.target import Target, home
from voxlake.errors import VoxlakeError
from voxlake.training.job import PREFIX
from voxlake.training.registry import ModelRegistry, Version


class RegistryError(VoxlakeError):
    """The registry has no such model."""


class Registry(ModelRegistry):
    """The model package groups of one target."""

    def __init__(self, target: Target) -> None:
        super().__init__(
            target.client("sagemaker"),
            target.client("s3"),
            group_prefix=target.output("ModelGroupPrefix"),
            image=target.output("InferenceImage"),
            clock=lambda: datetime.now(UTC),
        )
        self._bucket = target.output("ArtifactsBucket")

    def find(self, reference: str) -> Version:
        """The version of `[MODEL:]latest`, `[MODEL:]best`, `MODEL:3` or a model's id.

        The model is the encoder where none is named. Raises RegistryError.
        """
        model, colon, which = reference.rpartition(":")
        model = model if colon else "encoder"
        if not colon and which not in ("latest", "best"):
            model = self._model_of_id(which)
        found: Version | None
        if which == "best":
            found = self.best(model)
        else:
            versions = self.versions(model)
            found = next(
                (v for v in versions if which in ("latest", str(v.number), v.model_id)), None
            )
        if found is None:
            raise RegistryError(
                f"expected the model {reference} in the registry, found none: register one with "
                f"`voxlake train --model {model} --job`, or see `voxlake promote --help`"
            )
        return found

    def _model_of_id(self, model_id: str) -> str:
        for model in ("encoder", "logreg", "lstm", "bigram", "lda", "lexicon"):
            if any(v.model_id == model_id for v in self.versions(model)):
                return model
        return "encoder"

    def register_folder(self, model: str, folder: Path, *, data: dict | None = None) -> Version:
        """Registers a model from a folder of this machine; the same model is registered once.

        The folder's metrics.json and data.json go along. Raises RegistryError without a model.
        """
        metrics = _read_json(folder / "metrics.json")
        content = packed(folder)
        if "model" not in metrics:
            raise RegistryError(f"{folder}: expected a metrics.json that names the model")
        for version in self.versions(model):
            if version.model_id == metrics["model"]:
                return version
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        key = f"{PREFIX}models/{metrics['model']}-{stamp}/output/model.tar.gz"
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=content)
        provenance = data if data is not None else _read_json(folder / "data.json")
        return self.register(model, f"s3://{self._bucket}/{key}", metrics=metrics, data=provenance)

    def fetch(self, version: Version) -> Path:
        """The model's files in a folder of this machine; fetched once."""
        folder = home() / "models" / "registry" / version.arn.replace(":", "_").replace("/", "_")
        # A laptop cloud that starts anew counts its versions anew.
        mark = f"{version.uri} {version.created.isoformat()}"
        known = folder / ".fetched"
        if known.is_file() and known.read_text() == mark:
            return folder
        self.unpack(version.uri, folder)
        known.write_text(mark)
        return folder


def packed(folder: Path) -> bytes:
    """A model's folder as a tar.gz. Raises RegistryError for an empty one."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    if not files:
        raise RegistryError(f"expected a model in {folder}, found no files")
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=6) as tar:
        for path in files:
            tar.add(path, path.relative_to(folder).as_posix(), recursive=False)
    return raw.getvalue()


def _read_json(path: Path) -> dict:
    return json.loads(path.read_text()) if path.is_file() else {}
