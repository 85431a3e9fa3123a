"""Files through Hadoop's own file systems: the same calls for s3:// and for folders."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pyspark.sql import SparkSession


class LakeFiles:
    """Listing, deleting and renaming where Spark reads and writes."""

    def __init__(self, spark: SparkSession) -> None:
        self._jvm = spark.sparkContext._jvm
        self._conf = spark.sparkContext._jsc.hadoopConfiguration()

    def _open(self, uri: str) -> tuple[Any, Any]:
        path = self._jvm.org.apache.hadoop.fs.Path(uri)
        return path.getFileSystem(self._conf), path

    def sizes(self, folder: str) -> dict[str, int]:
        """{name: bytes} of the files right in a folder; empty where there is no such folder.

        Names that begin with ``_`` or ``.`` are Spark's own and left out.
        """
        file_system, path = self._open(folder)
        if not file_system.exists(path):
            return {}
        return {
            status.getPath().getName(): status.getLen()
            for status in file_system.listStatus(path)
            if status.isFile() and status.getPath().getName()[0] not in "._"
        }

    def folders(self, folder: str) -> list[str]:
        """Names of the folders right in a folder, Spark's own too."""
        file_system, path = self._open(folder)
        if not file_system.exists(path):
            return []
        return sorted(
            status.getPath().getName()
            for status in file_system.listStatus(path)
            if status.isDirectory()
        )

    def present(self, root: str, keys: Iterable[str]) -> set[str]:
        """Those of the keys below root that exist; lists each folder once."""
        by_folder: dict[str, set[str]] = {}
        for key in keys:
            folder, _, name = key.rpartition("/")
            by_folder.setdefault(folder, set()).add(name)
        found: set[str] = set()
        for folder, names in by_folder.items():
            found.update(f"{folder}/{name}" for name in names & self.sizes(root + folder).keys())
        return found

    def delete(self, folder: str) -> None:
        """Removes a folder with all in it; nothing happens where there is none."""
        file_system, path = self._open(folder)
        file_system.delete(path, True)

    def move(self, source: str, target: str) -> None:
        """Renames a file within its file system, making the target's folder.

        Raises:
            OSError: the file system refused.
        """
        file_system, path = self._open(source)
        target_path = self._jvm.org.apache.hadoop.fs.Path(target)
        file_system.mkdirs(target_path.getParent())
        if not file_system.rename(path, target_path):
            raise OSError(f"{source}: expected to move it to {target}, the file system refused")
