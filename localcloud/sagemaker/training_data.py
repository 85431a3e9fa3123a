"""What goes into a training job and comes out of it, between S3 and the job's folders."""

from __future__ import annotations

import gzip
import json
import shutil
import tarfile
from pathlib import Path, PurePosixPath
from typing import Any

from localcloud.errors import LocalCloudError
from localcloud.glue.credentials import split_s3_uri


class SourceArchiveError(LocalCloudError):
    """The job names no script, or its source archive does not hold it."""


def download_channel(s3: Any, uri: str, folder: Path) -> int:
    """Copy the objects under an S3 prefix into a channel's folder; how many there were.

    As SageMaker does: names are relative to the prefix's last "/", so one object given by its full
    key keeps its file name.
    """
    bucket, prefix = split_s3_uri(uri)
    folder.mkdir(parents=True, exist_ok=True)
    base = prefix[: prefix.rfind("/") + 1]
    count = 0
    for key in _keys(s3, bucket, prefix):
        inner = key[len(prefix) + 1 :] if key.startswith(f"{prefix}/") else key[len(base) :]
        target = folder / _safe(inner)
        target.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, key, str(target))
        count += 1
    return count


def download_source(s3: Any, given: dict[str, str], folder: Path) -> str:
    """Unpack `sagemaker_submit_directory` into `folder`; returns the program's name in it.

    Values may be JSON, as the SDK writes them, or plain text. Raises SourceArchiveError.
    """
    program, source = (
        _text(given.get(name)) for name in ("sagemaker_program", "sagemaker_submit_directory")
    )
    if not program or not source:
        raise SourceArchiveError(
            "expected the hyperparameters sagemaker_program and sagemaker_submit_directory (an S3 "
            "URI of a tar.gz): images of one's own are not run here"
        )
    archive = folder.parent / "sourcedir.tar.gz"
    s3.download_file(*split_s3_uri(source), str(archive))
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    except tarfile.TarError as error:
        raise SourceArchiveError(f"{source}: expected a tar.gz: {error}") from error
    archive.unlink()
    if not (folder / program).is_file():
        raise SourceArchiveError(f"expected {program} in {source}, found none")
    return program


def upload_archive(s3: Any, folder: Path, uri: str) -> str:
    """Upload a folder's files as a tar.gz; returns its URI."""
    packed = folder.parent / f"{folder.name}-archive.tar.gz"
    with (
        gzip.open(packed, "wb", compresslevel=6) as raw,
        tarfile.open(fileobj=raw, mode="w") as tar,
    ):
        for path in sorted(folder.rglob("*")):
            tar.add(path, path.relative_to(folder).as_posix(), recursive=False)
    s3.upload_file(str(packed), *split_s3_uri(uri))
    packed.unlink()
    return uri


class CheckpointSync:
    """Keeps a folder and an S3 prefix alike: `restore` before a start, `save` while it runs."""

    def __init__(self, s3: Any, uri: str, folder: Path) -> None:
        self._s3, self._uri, self._folder = s3, uri, folder
        self._seen: dict[str, tuple[int, int]] = {}

    def restore(self) -> int:
        """Fetch what an earlier run of the job left; how many files."""
        count = download_channel(self._s3, self._uri.rstrip("/") + "/", self._folder)
        self._seen = dict(self._state())
        return count

    def save(self) -> None:
        """Upload the files that are new or have changed."""
        bucket, prefix = split_s3_uri(self._uri)
        for name, state in self._state():
            if self._seen.get(name) == state:
                continue
            # A copy: the script may write on while the upload reads.
            copy = self._folder.parent / "checkpoint-upload"
            try:
                shutil.copyfile(self._folder / name, copy)
            except FileNotFoundError:
                continue
            self._s3.upload_file(str(copy), bucket, f"{prefix.rstrip('/')}/{name}".lstrip("/"))
            copy.unlink()
            self._seen[name] = state

    def _state(self) -> list[tuple[str, tuple[int, int]]]:
        found = []
        for path in sorted(self._folder.rglob("*")):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            if path.is_file():
                name = path.relative_to(self._folder).as_posix()
                found.append((name, (status.st_mtime_ns, status.st_size)))
        return found


def _keys(s3: Any, bucket: str, prefix: str) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    return [key for key in keys if not key.endswith("/")]


def _safe(name: str) -> str:
    """A key's path that stays in its folder."""
    return str(PurePosixPath(*[part for part in name.split("/") if part not in ("", ".", "..")]))


def _text(value: str | None) -> str:
    try:
        decoded = json.loads(value) if value else ""
    except ValueError:
        return value or ""
    return decoded if isinstance(decoded, str) else value or ""
