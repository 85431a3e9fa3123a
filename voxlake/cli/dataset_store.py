"""The folder of a data set: fetched once, written whole or not at all, verified ever after."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from voxlake.cli.download import ChecksumError, Downloaded, download
from voxlake.datasets import Dataset, DatasetError, Original, separate, to_jsonl_gz

RECORD = "source.json"
LOCK = "checksums.lock.json"
PUBLISHED = "as published"
FIRST_USE = "seen first here, recorded"
AS_RECORDED = "as recorded at first use"


class ChangedDataError(DatasetError):
    """A data set's files are not those that were written."""


class OriginalsError(DatasetError):
    """A folder of originals lacks one."""


@dataclass(frozen=True)
class Store:
    """One data set's folder, and the data folder whose lock file holds the sums seen first."""

    root: Path
    folder: Path

    def fetch(self, dataset: Dataset, *, originals: Path | None, again: bool, progress) -> dict:
        """Fetches, checks, converts and writes the set, unless it is there and unchanged.

        Returns {"already_there", "originals": [{name, address, sha256, held_by}], "splits":
        [{name, rows, sha256, taken_out}]}. Raises ChecksumError, DownloadError,
        OriginalFormatError, ChangedDataError; then nothing of it is left.
        """
        if not again and (there := self._there(dataset)):
            return there
        lock = self._lock()
        with scratch_beside(self.folder) as work:
            files = {
                original.name: self._original(dataset, original, originals, lock, work, progress)
                for original in dataset.originals
            }
            rows = dataset.convert({name: file.content for name, file in files.items()})
            separated = separate(rows)
            splits = _write(work / "new", separated.splits)
            record = {
                "name": dataset.name,
                "originals": [
                    self._held(dataset, o, files[o.name], lock) for o in dataset.originals
                ],
                "splits": [{**s, "taken_out": separated.taken_out[s["name"]]} for s in splits],
            }
            (work / "new" / RECORD).write_text(json.dumps(record, indent=2) + "\n")
            _replace(work / "new", self.folder, work)
        seen = {self._key(dataset, o): files[o.name] for o in dataset.originals if not o.sha256}
        if seen.keys() - lock.keys():
            self.root.mkdir(parents=True, exist_ok=True)
            lock |= {key: file.sha256 for key, file in seen.items()}
            _write_text(self.root / LOCK, json.dumps(dict(sorted(lock.items())), indent=2) + "\n")
        return {"already_there": False, **{k: record[k] for k in ("originals", "splits")}}

    def _original(
        self,
        dataset: Dataset,
        original: Original,
        originals: Path | None,
        lock: dict[str, str],
        work: Path,
        progress,
    ) -> Downloaded:
        locked = lock.get(self._key(dataset, original))
        expected = original.sha256 or locked
        source = "published" if original.sha256 else f"recorded at first use in {self.root / LOCK}"
        if originals is None:
            return download(
                original.addresses,
                work / f"{original.name}.part",
                sha256=expected,
                source=source,
                progress=progress.of(original.name),
            )
        path = originals / original.name
        if not path.is_file():
            raise OriginalsError(
                f"{originals}: expected {original.name} (from {original.addresses[0]}), found none"
            )
        content = path.read_bytes()
        found = hashlib.sha256(content).hexdigest()
        if expected and found != expected:
            raise ChecksumError(str(path), expected, found, source)
        return Downloaded(content, found, str(path))

    def _held(
        self, dataset: Dataset, original: Original, file: Downloaded, lock: dict[str, str]
    ) -> dict:
        known = self._key(dataset, original) in lock
        held_by = PUBLISHED if original.sha256 else AS_RECORDED if known else FIRST_USE
        return {
            "name": original.name,
            "address": file.address,
            "sha256": file.sha256,
            "held_by": held_by,
        }

    def _there(self, dataset: Dataset) -> dict | None:
        """What is there, verified; None where there is nothing."""
        if not self.folder.exists():
            return None
        remedy = "--again fetches it anew, --out names another folder"
        try:
            record = json.loads((self.folder / RECORD).read_text())
            splits, originals = record["splits"], record["originals"]
            if record["name"] != dataset.name:
                raise ChangedDataError(
                    f"{self.folder}: expected {dataset.name}, found {record['name']}; {remedy}"
                )
            for split in splits:
                content = (self.folder / f"{split['name']}.jsonl.gz").read_bytes()
                if hashlib.sha256(content).hexdigest() != split["sha256"]:
                    raise ChangedDataError(
                        f"{self.folder}: expected {split['name']}.jsonl.gz as it was written, "
                        f"found it changed; {remedy}"
                    )
        except (OSError, ValueError, KeyError, TypeError):
            raise ChangedDataError(
                f"{self.folder}: expected a data set that this command wrote, found other or "
                f"missing files; {remedy}"
            ) from None
        return {"already_there": True, "originals": originals, "splits": splits}

    def _lock(self) -> dict[str, str]:
        path = self.root / LOCK
        if not path.exists():
            return {}
        try:
            found = json.loads(path.read_text())
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise ChangedDataError(
                f"{path}: expected the sums seen first as JSON, found other text"
            )
        return found

    @staticmethod
    def _key(dataset: Dataset, original: Original) -> str:
        return f"{dataset.name}/{original.name}"


def write_splits(folder: Path, splits: dict[str, list[dict]]) -> None:
    """Writes {split: rows} as a data set's folder, in one step; what was there is replaced.

    Raises ChangedDataError when the folder holds a fetched data set, or anything but a data set.
    """
    if (folder / RECORD).exists():
        raise ChangedDataError(
            f"{folder}: expected a folder of your own, found a fetched data set; name another by "
            "--out"
        )
    with scratch_beside(folder) as work:
        _write(work / "new", splits)
        _replace(work / "new", folder, work)


@contextlib.contextmanager
def scratch_beside(folder: Path) -> Iterator[Path]:
    """A folder on the same disk, so that a rename is enough; gone afterwards."""
    new_parent = not folder.parent.exists()
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if new_parent and not any(folder.parent.iterdir()):
            folder.parent.rmdir()


def _write(folder: Path, splits: dict[str, list[dict]]) -> list[dict]:
    folder.mkdir()
    written = []
    for name, rows in splits.items():
        content = to_jsonl_gz(rows)
        (folder / f"{name}.jsonl.gz").write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        written.append({"name": name, "rows": len(rows), "sha256": sha256})
    return written


def _replace(new: Path, folder: Path, work: Path) -> None:
    """Puts `new` in the folder's place. Never deletes what it does not know."""
    if folder.exists():
        ours = {RECORD, *(f"{split}.jsonl.gz" for split in ("train", "dev", "test"))}
        strange = sorted(path.name for path in folder.iterdir() if path.name not in ours)
        if strange:
            raise ChangedDataError(
                f"{folder}: expected an empty folder or a data set, found {strange[0]} in it; "
                "name another folder by --out"
            )
        os.replace(folder, work / "old")
    os.replace(new, folder)


def _write_text(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.new")
    new.write_text(text)
    os.replace(new, path)
