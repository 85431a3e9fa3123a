"""Taking into S3 what programs wrote to, or removed from, the folders of the buckets."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from localcloud.core import Cloud
from localcloud.s3.objects import FileContent, Keys, identity

# Where Spark and Hadoop keep files until a task or a job commits them.
UNCOMMITTED = ("_temporary", ".spark-staging", ".hive-staging", "_task_tmp")


def sync_in(cloud: Cloud, bucket: str | None = None) -> int:
    """Takes new, changed and removed files into S3; how many objects changed.

    A file that is still being written is taken as it is, and again by the next call.
    """
    from moto.s3.models import s3_backends

    backend = s3_backends[cloud.account]["aws"]
    names = [bucket] if bucket is not None else list(backend.buckets)
    return sum(_sync_bucket(backend, backend.get_bucket(name)) for name in names)


def _sync_bucket(backend: Any, bucket: Any) -> int:
    keys: Keys = bucket.keys
    found = dict(_files(keys.folder, ""))
    changed = 0
    for key, seen in found.items():
        if keys.seen.get(key) != seen:
            changed += _take(backend, bucket, key)
    for key in list(keys.seen):
        if key not in found:
            changed += _drop(backend, bucket, key)
    return changed


def _take(backend: Any, bucket: Any, key: str) -> int:
    keys: Keys = bucket.keys
    path = keys.folder / key
    with keys.lock:
        try:
            seen = identity(path.stat())
        except FileNotFoundError:
            return 0
        if keys.seen.get(key) == seen:
            return 0  # written through the API since the folder was listed
        backend.put_object(bucket.name, key, FileContent(path))
        keys.seen[key] = identity(path.stat())
    return 1


def _drop(backend: Any, bucket: Any, key: str) -> int:
    keys: Keys = bucket.keys
    with keys.lock:
        if key not in keys.seen or (keys.folder / key).exists():
            return 0
        del keys.seen[key]
        if keys.current(key) is None:
            return 0
        backend.delete_object(bucket.name, key)
    return 1


def _files(folder: Path, prefix: str) -> Iterator[tuple[str, tuple[int, int, int]]]:
    """(key, identity) of every committed file of a folder."""
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.name.startswith(UNCOMMITTED):
            continue
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        if stat.S_ISDIR(status.st_mode):
            yield from _files(Path(entry.path), f"{prefix}{entry.name}/")
        elif stat.S_ISREG(status.st_mode):
            yield f"{prefix}{entry.name}", identity(status)
