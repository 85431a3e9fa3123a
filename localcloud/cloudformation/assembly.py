"""A cloud assembly: what `cdk synth` wrote.

https://github.com/aws/aws-cdk/tree/main/packages/aws-cdk-lib/cloud-assembly-schema
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.errors import DeployError

ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class FileAsset:
    """A file or folder that a template expects in S3."""

    path: Path
    bucket: str
    key: str

    def content(self) -> bytes:
        """The object: the file, or the folder as a zip."""
        if self.path.is_file():
            return self.path.read_bytes()
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for file in sorted(self.path.rglob("*")):
                if file.is_file():
                    entry = zipfile.ZipInfo(file.relative_to(self.path).as_posix(), ZIP_EPOCH)
                    entry.external_attr = 0o644 << 16
                    archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
        return buffer.getvalue()


@dataclass(frozen=True)
class StackArtifact:
    """One stack: `depends_on` names other stacks of the assembly."""

    artifact_id: str
    name: str
    template: dict[str, Any]
    tags: dict[str, str]
    depends_on: frozenset[str]
    assets: tuple[FileAsset, ...]


def read_assembly(folder: Path, account: str, region: str) -> list[StackArtifact]:
    """The stacks of an assembly, each after those it depends on. Raises `DeployError`."""
    manifest = _json(folder / "manifest.json", "a cloud assembly (run cdk synth)")
    artifacts: dict[str, Any] = manifest.get("artifacts", {})
    kinds = {name: artifact["type"] for name, artifact in artifacts.items()}
    if "cdk:cloud-assembly" in kinds.values():
        raise DeployError("nested assemblies (CDK Stages) are not supported: use stacks of the App")
    stacks = []
    for name, artifact in artifacts.items():
        if kinds[name] != "aws:cloudformation:stack":
            continue
        properties, needs = artifact["properties"], artifact.get("dependencies", [])
        manifests = [
            folder / artifacts[n]["properties"]["file"]
            for n in needs
            if kinds[n] == "cdk:asset-manifest"
        ]
        stacks.append(
            StackArtifact(
                artifact_id=name,
                name=properties.get("stackName", name),
                template=_json(folder / properties["templateFile"], "a template"),
                tags=properties.get("tags", {}),
                depends_on=frozenset(n for n in needs if kinds[n] == "aws:cloudformation:stack"),
                assets=tuple(asset for m in manifests for asset in _assets(m, account, region)),
            )
        )
    return list(_ordered(stacks))


def _assets(path: Path, account: str, region: str) -> Iterator[FileAsset]:
    manifest = _json(path, "an asset manifest")
    if manifest.get("dockerImages"):
        raise DeployError(f"{path.name} holds Docker images, which cannot be built here")
    for asset_id, asset in manifest.get("files", {}).items():
        if "path" not in asset["source"]:
            raise DeployError(f"asset {asset_id} of {path.name} is made by a command")
        for destination in asset["destinations"].values():
            bucket = destination["bucketName"].replace("${AWS::AccountId}", account)
            yield FileAsset(
                path=path.parent / asset["source"]["path"],
                bucket=bucket.replace("${AWS::Region}", region),
                key=destination["objectKey"],
            )


def _ordered(stacks: list[StackArtifact]) -> Iterator[StackArtifact]:
    """CDK refuses stacks that depend on each other in a circle, so each turn has one to give."""
    done: set[str] = set()
    while len(done) < len(stacks):
        for stack in stacks:
            if stack.artifact_id not in done and stack.depends_on <= done:
                done.add(stack.artifact_id)
                yield stack


def _json(path: Path, what: str) -> dict[str, Any]:
    try:
        return json.loads(path.read_text())
    except FileNotFoundError as error:
        raise DeployError(f"expected {what} at {path}, found nothing") from error
    except ValueError as error:
        raise DeployError(f"expected {what} at {path}, found no JSON: {error}") from error
