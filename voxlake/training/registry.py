"""The model registry: SageMaker model package groups, on the laptop as on AWS.

A group for each model (`voxlake-<stage>-encoder`), a version for each training. `best` is the
approved version that was promoted last: promoting is one UpdateModelPackage to Approved, rolling
back one to Rejected, so `best` is never between two models (ADR 0004).
"""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from voxlake.scoring.metrics import PRIMARY

_PROMOTED_AT = "promoted_at"
_VALUE = 256


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
        return folder_of(self.uri)

    @property
    def reference(self) -> str:
        """How to name it to the verbs: `encoder:3`."""
        return f"{self.group}:{self.number}"


class ModelRegistry:
    """The model package groups of one stage.

    Args:
        sagemaker, s3: boto3 clients.
        group_prefix: of the groups' names, before the model's.
        image: serves the registered models.
        clock: the time, in UTC.
    """

    def __init__(
        self,
        sagemaker: Any,
        s3: Any,
        *,
        group_prefix: str,
        image: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._sagemaker, self._s3 = sagemaker, s3
        self._prefix, self._image, self._clock = group_prefix, image, clock

    def versions(self, model: str, *, approved: bool = False) -> list[Version]:
        """A model's versions, newest first."""
        pages = self._sagemaker.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=self._prefix + model,
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
        folder = folder_of(uri)
        self.put_json(f"{folder}/metrics.json", metrics)
        self.put_json(f"{folder}/data.json", data)
        metadata = {
            "model": metrics.get("model", ""),
            "data": " ".join(one["data"] for one in data.get("sets", []) if one["use"] == "train"),
            "job": job or "",
        }
        for one in metrics.get("sets", []):
            primary = PRIMARY.get(one.get("task", "sentiment"), "")
            metadata[f"{one['data']}.{primary}"] = str(one.get(primary, ""))
        made = self._sagemaker.create_model_package(
            ModelPackageGroupName=self._prefix + model,
            ModelPackageDescription=f"{metrics.get('model', model)} of voxlake train",
            ModelApprovalStatus="PendingManualApproval",
            InferenceSpecification={
                "Containers": [{"Image": self._image, "ModelDataUrl": uri}],
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

    def beside(self, version: Version, name: str) -> dict:
        """A JSON file beside a version's artifact; {} where there is none."""
        return self.get_json(f"{version.folder_uri}/{name}")

    def promote(self, version: Version, decision: dict) -> None:
        """Makes a version `best`, with the decision stored in the registry and beside it."""
        now = self._clock().isoformat(timespec="microseconds")
        self._decide(version, "Approved", decision, {_PROMOTED_AT: now})

    def refuse(self, version: Version, decision: dict) -> None:
        """Stores why a version was not promoted; one that was best before stays in the history."""
        status = "Approved" if version.status == "Approved" else "Rejected"
        self._decide(version, status, decision, {})

    def withdraw(self, version: Version) -> None:
        """Takes `best` from a version: the one promoted before it is best again."""
        now = self._clock().isoformat(timespec="seconds")
        self._sagemaker.update_model_package(
            ModelPackageArn=version.arn,
            ModelApprovalStatus="Rejected",
            ApprovalDescription=f"rolled back {now}",
            CustomerMetadataProperties=_metadata({"rolled_back_at": now}),
        )

    def unpack(self, uri: str, folder: Path) -> None:
        """The files of a model.tar.gz into a folder of this machine."""
        folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(fileobj=io.BytesIO(self.get(uri))) as tar:
            tar.extractall(folder, filter="data")

    def get(self, uri: str) -> bytes:
        """An object."""
        return self._s3.get_object(**place(uri))["Body"].read()

    def get_json(self, uri: str) -> dict:
        """A JSON document; {} where there is none."""
        try:
            return json.loads(self.get(uri))
        except self._s3.exceptions.NoSuchKey:
            return {}

    def put_json(self, uri: str, document: dict) -> None:
        body = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        self._s3.put_object(**place(uri), Body=body.encode(), ContentType="application/json")

    def _decide(self, version: Version, status: str, decision: dict, more: dict) -> None:
        # The long form first: whoever sees the new status finds its reasons.
        self.put_json(f"{version.folder_uri}/promotion.json", decision)
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


def folder_of(uri: str) -> str:
    """The prefix in which an artifact lies, and what belongs to it."""
    return uri.rpartition("/")[0]


def place(uri: str) -> dict[str, str]:
    """Bucket and Key of an S3 URI."""
    parts = urlsplit(uri)
    return {"Bucket": parts.netloc, "Key": parts.path.lstrip("/")}


def _metadata(values: dict[str, str]) -> dict[str, str]:
    """What the registry takes: no empty values, no other marks, 256 characters."""
    clean = {
        re.sub(r"[^\w\s.:/=+\-@]", " ", name)[:128]: re.sub(r"[^\w\s.:/=+\-@]", " ", value)[:_VALUE]
        for name, value in values.items()
    }
    return {name: value for name, value in clean.items() if value.strip()}
