"""Objects as files: the content of every version, and the current ones in the bucket's folder.

The content of a version is a file of its own under `objects/`; the bucket's folder holds hard
links to the current versions, at the paths that Spark sees. So nothing is held in memory or
copied, and a version outlives its removal from the folder.
"""

from __future__ import annotations

import itertools
import logging
import os
import threading
from pathlib import Path
from typing import Any

import moto.s3.responses  # noqa: F401 (must see moto's own FakeKey, before it is replaced here)
from moto.iam.access_control import PermissionResult
from moto.s3 import models
from moto.s3.utils import _VersionedKeyStore
from moto.utilities.utils import md5_hash

log = logging.getLogger(__name__)

MAX_NAME_BYTES = 255


class FileContent:
    """Content that lies in a file already, given to moto in the place of bytes."""

    def __init__(self, path: Path) -> None:
        self.path = path


class ObjectFile(models.FakeKey):
    """moto's object, with its bytes in a file of `folder` instead of in memory."""

    folder: Path
    _numbers = itertools.count()

    @classmethod
    def new_path(cls) -> Path:
        return cls.folder / f"{next(cls._numbers):09d}"

    @property
    def value(self) -> bytes:
        return self.path.read_bytes()

    @value.setter
    def value(self, content: bytes | str | FileContent) -> None:
        self._value_buffer.close()
        self.path = self.new_path()
        if isinstance(content, FileContent):
            os.link(content.path, self.path)
            self.contentsize = self.path.stat().st_size
            return
        data = content.encode() if isinstance(content, str) else content
        self.path.write_bytes(data)
        self.contentsize = len(data)
        if self._etag is None:
            self._etag = md5_hash(data).hexdigest()

    @property
    def etag(self) -> str:
        if self._etag is None:
            digest = md5_hash()
            with self.path.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
            self._etag = digest.hexdigest()
        return f'"{self._etag}"'

    def dispose(self, garbage: bool = False) -> None:
        if self.disposed or garbage:
            return
        self.disposed = True
        self.path.unlink(missing_ok=True)
        if self.multipart:
            self.multipart.dispose()

    def __del__(self) -> None:
        pass  # moto warns about objects that were not disposed of; files need no such care


class Keys(_VersionedKeyStore):
    """moto's store of a bucket's versions; each change is carried into the bucket's folder.

    `seen` maps a key to the identity of the file that stands for its current version.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.lock = threading.RLock()
        self.seen: dict[str, tuple[int, int, int]] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def __setitem__(self, key: str, value: Any) -> None:
        with self.lock:
            super().__setitem__(key, value)
            self._mirror(key)

    def __delitem__(self, key: str) -> None:
        with self.lock:
            super().__delitem__(key)
            self._mirror(key)

    def pop(self, key: str) -> None:
        with self.lock:
            super().pop(key)
            self._mirror(key)

    def setlist(self, key: str, list_: Any) -> None:
        with self.lock:
            super().setlist(key, list_)
            self._mirror(key)

    def current(self, key: str) -> ObjectFile | None:
        """The current version of a key, None when there is none or it is a delete marker."""
        version = self.get(key)
        return version if isinstance(version, ObjectFile) else None

    def _mirror(self, key: str) -> None:
        path = path_of(self.folder, key)
        if path is None:
            return
        version = self.current(key)
        try:
            if version is None:
                self._remove(key, path)
            elif key.endswith("/"):
                path.mkdir(parents=True, exist_ok=True)
            else:
                self._link(version, path)
                self.seen[key] = identity(path.stat())
        except OSError as error:
            # S3 allows `a` beside `a/b`, and longer names; a file system does not.
            log.warning("object %s has no file in %s: %s", key, self.folder, error)

    def _link(self, version: ObjectFile, path: Path) -> None:
        if path.exists() and path.samefile(version.path):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = ObjectFile.new_path()
        os.link(version.path, temporary)
        temporary.replace(path)

    def _remove(self, key: str, path: Path) -> None:
        self.seen.pop(key, None)
        if path.is_file():
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):  # of a key that ends in a slash
            path.rmdir()
        # An empty folder is no object, and Spark would take it for an empty table.
        parent = path.parent
        while parent != self.folder:
            try:
                parent.rmdir()
            except OSError:
                return
            parent = parent.parent


def path_of(folder: Path, key: str) -> Path | None:
    """The file of a key, or None for keys that no path stands for (`a//b`, `../a`)."""
    parts = key.removesuffix("/").split("/")
    if any(p in ("", ".", "..") or "\0" in p or len(p.encode()) > MAX_NAME_BYTES for p in parts):
        return None
    return folder.joinpath(*parts)


def identity(stat: os.stat_result) -> tuple[int, int, int]:
    """What changes when a file is replaced or written to."""
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


_MOTOS_OWN = (
    models.FakeKey,
    models.FakeBucket.__init__,
    models.FakeBucket.get_permission,
)


def install(s3_root: Path, objects: Path) -> None:
    """Makes moto keep objects and buckets as files, until `uninstall`."""
    objects.mkdir(parents=True, exist_ok=True)
    ObjectFile.folder = objects
    models.FakeKey = ObjectFile
    base = _MOTOS_OWN[1]

    def initialise(bucket: Any, name: str, *arguments: Any, **options: Any) -> None:
        base(bucket, name, *arguments, **options)
        bucket.keys = Keys(s3_root / name)

    models.FakeBucket.__init__ = initialise
    # moto takes a Deny under a condition for an unconditional one; the front has judged already.
    models.FakeBucket.get_permission = lambda *_: PermissionResult.PERMITTED


def uninstall() -> None:
    """Gives moto back its own S3: other users of it in this process expect that."""
    models.FakeKey, models.FakeBucket.__init__, models.FakeBucket.get_permission = _MOTOS_OWN
