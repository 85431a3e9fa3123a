"""The model registry: SageMaker model package groups, on the laptop as on AWS.

A group for each model (`voxlake-<stage>-encoder`), a version for each training. `latest` is the
version with the highest number. `best` is the approved version that was promoted last: promoting
is one UpdateModelPackage to Approved, rolling back one to Rejected, so `best` is never between two
models (ADR 0004).
"""

from __future__ import annotations

import io
import json
import re
import tarfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from voxlake.cli.target import Target, home
from voxlake.errors import VoxlakeError
from voxlake.scoring.metrics import PRIMARY

PREFIX = "training/"
_PROMOTED_AT = "promoted_at"
_VALUE = 256


class RegistryError(VoxlakeError):
    """The registry has no such model."""


@dataclass(frozen=True)
class Version:
    """One registered model. uri: of its model.tar.gz; `folder_uri` holds what lies beside it."""

    group: str
    number: int
    arn: str
    status: str
    uri: str
    created: datetime
    metadata: dict[str, str]

    @property
    def model_id(self) -> str:
        return self.metadata.get("model", f"version {self.number}")

    @property
    def folder_uri(self) -> str:
        return self.uri.rpartition("/")[0]

    @property
    def reference(self) -> str:
        """How to name it to the verbs: `encoder:3`."""
        return f"{self.group}:{self.number}"


class Registry:
    """The model package groups of one target."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._sagemaker = target.client("sagemaker")
        self._s3 = target.client("s3")

    def versions(self, model: str, *, approved: bool = False) -> list[Version]:
        """A model's versions, newest first."""
        group = self._target.output("ModelGroupPrefix") + model
        pages = self._sagemaker.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=group,
            SortBy="CreationTime",
            SortOrder="Descending",
            **({"ModelApprovalStatus": "Approved"} if approved else {}),
        )
        found = [
            self._version(model, summary["ModelPackageArn"])
            for page in pages
            for summary in page["ModelPackageSummaryList"]
        ]
        return sorted(found, key=lambda version: -version.number)

    def best(self, model: str) -> Version | None:
        """The version in use; None when none was promoted."""
        approved = self.versions(model, approved=True)
        return max(
            approved, key=lambda v: (v.metadata.get(_PROMOTED_AT, ""), v.number), default=None
        )

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

    def register(
        self,
        model: str,
        uri: str,
        *,
        metrics: dict,
        data: dict,
        job: str | None = None,
    ) -> Version:
        """Adds a version whose model.tar.gz lies at `uri`; its figures and data go beside it."""
        folder = uri.rpartition("/")[0]
        self._put_json(f"{folder}/metrics.json", metrics)
        self._put_json(f"{folder}/data.json", data)
        metadata = {
            "model": metrics.get("model", ""),
            "data": " ".join(one["data"] for one in data.get("sets", []) if one["use"] == "train"),
            "job": job or "",
        }
        for one in metrics.get("sets", []):
            primary = PRIMARY.get(one.get("task", "sentiment"), "")
            metadata[f"{one['data']}.{primary}"] = str(one.get(primary, ""))
        made = self._sagemaker.create_model_package(
            ModelPackageGroupName=self._target.output("ModelGroupPrefix") + model,
            ModelPackageDescription=f"{metrics.get('model', model)} of voxlake train",
            ModelApprovalStatus="PendingManualApproval",
            InferenceSpecification={
                "Containers": [
                    {"Image": self._target.output("InferenceImage"), "ModelDataUrl": uri}
                ],
                "SupportedContentTypes": ["application/jsonlines"],
                "SupportedResponseMIMETypes": ["application/jsonlines"],
            },
            ModelMetrics={
                "ModelQuality": {
                    "Statistics": {
                        "ContentType": "application/json",
                        "S3Uri": f"{folder}/metrics.json",
                    }
                }
            },
            CustomerMetadataProperties=_metadata(metadata),
        )
        return self._version(model, made["ModelPackageArn"])

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
        bucket = self._target.output("ArtifactsBucket")
        self._s3.put_object(Bucket=bucket, Key=key, Body=content)
        provenance = data if data is not None else _read_json(folder / "data.json")
        return self.register(model, f"s3://{bucket}/{key}", metrics=metrics, data=provenance)

    def fetch(self, version: Version) -> Path:
        """The model's files in a folder of this machine; fetched once."""
        folder = home() / "models" / "registry" / version.arn.replace(":", "_").replace("/", "_")
        # A laptop cloud that starts anew counts its versions anew.
        mark = f"{version.uri} {version.created.isoformat()}"
        known = folder / ".fetched"
        if known.is_file() and known.read_text() == mark:
            return folder
        folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(fileobj=io.BytesIO(self._get(version.uri))) as tar:
            tar.extractall(folder, filter="data")
        known.write_text(mark)
        return folder

    def beside(self, version: Version, name: str) -> dict:
        """A JSON file beside a version's artifact; {} where there is none."""
        try:
            return json.loads(self._get(f"{version.folder_uri}/{name}"))
        except self._s3.exceptions.NoSuchKey:
            return {}

    def promote(self, version: Version, decision: dict) -> None:
        """Makes a version `best`, with the decision stored in the registry and beside it."""
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        self._decide(version, "Approved", decision, {_PROMOTED_AT: now})

    def refuse(self, version: Version, decision: dict) -> None:
        """Stores why a version was not promoted; one that was best before stays in the history."""
        status = "Approved" if version.status == "Approved" else "Rejected"
        self._decide(version, status, decision, {})

    def withdraw(self, version: Version) -> None:
        """Takes `best` from a version: the one promoted before it is best again."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._sagemaker.update_model_package(
            ModelPackageArn=version.arn,
            ModelApprovalStatus="Rejected",
            ApprovalDescription=f"rolled back {now}",
            CustomerMetadataProperties=_metadata({"rolled_back_at": now}),
        )

    def _decide(self, version: Version, status: str, decision: dict, more: dict) -> None:
        # The long form first: whoever sees the new status finds its reasons.
        self._put_json(f"{version.folder_uri}/promotion.json", decision)
        metadata = {
            **more,
            "gate.decision": decision["decision"],
            "gate.against": decision["against"] or "",
        }
        for head in decision["heads"]:
            name = f"gate.{head['task']}"
            metadata[f"{name}.candidate"] = str(head["candidate"])
            metadata[f"{name}.best"] = str(head["best"])
            metadata[f"{name}.interval"] = f"{head['low']} to {head['high']}"
        self._sagemaker.update_model_package(
            ModelPackageArn=version.arn,
            ModelApprovalStatus=status,
            ApprovalDescription="; ".join(decision["reasons"])[:1024],
            CustomerMetadataProperties=_metadata(metadata),
        )

    def _version(self, model: str, arn: str) -> Version:
        found = self._sagemaker.describe_model_package(ModelPackageName=arn)
        return Version(
            group=model,
            number=found["ModelPackageVersion"],
            arn=arn,
            status=found["ModelApprovalStatus"],
            uri=found["InferenceSpecification"]["Containers"][0]["ModelDataUrl"],
            created=found["CreationTime"],
            metadata=found.get("CustomerMetadataProperties", {}),
        )

    def _get(self, uri: str) -> bytes:
        return self._s3.get_object(**_place(uri))["Body"].read()

    def _put_json(self, uri: str, document: dict) -> None:
        body = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        self._s3.put_object(**_place(uri), Body=body.encode(), ContentType="application/json")


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


def _place(uri: str) -> dict[str, str]:
    parts = urlsplit(uri)
    return {"Bucket": parts.netloc, "Key": parts.path.lstrip("/")}


def _read_json(path: Path) -> dict:
    return json.loads(path.read_text()) if path.is_file() else {}


def _metadata(values: dict[str, str]) -> dict[str, str]:
    """What the registry takes: no empty values, no other marks, 256 characters."""
    clean = {
        re.sub(r"[^\w\s.:/=+\-@]", " ", name)[:128]: re.sub(r"[^\w\s.:/=+\-@]", " ", value)[:_VALUE]
        for name, value in values.items()
    }
    return {name: value for name, value in clean.items() if value.strip()}
