"""The data of a training: a set's files, laid out as channels, and remembered with the model."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voxlake.errors import VoxlakeError
from voxlake.scoring.gold import fingerprint, tune_lines
from voxlake.training.job import PREFIX

SUFFIXES = (".jsonl", ".jsonl.gz")


class TrainingDataError(VoxlakeError):
    """The data to train on cannot be found."""


@dataclass(frozen=True)
class DataSet:
    """One data set: its training file, and dev where it has one."""

    name: str
    train: Path
    dev: Path | None


def set_in(folder: Path, name: str) -> DataSet:
    """The data set of a folder. Raises TrainingDataError when there is nothing to train on."""
    train, dev = (part_of(folder, part) for part in ("train", "dev"))
    if train is None:
        raise TrainingDataError(f"{name}: expected train.jsonl or train.jsonl.gz in it, found none")
    return DataSet(name, train, dev)


def part_of(folder: Path, part: str) -> Path | None:
    """The file of a data set's split, or None."""
    return next(
        (folder / f"{part}{s}" for s in SUFFIXES if (folder / f"{part}{s}").is_file()), None
    )


def lay_out(sets: list[DataSet], work: Path) -> dict[str, Path]:
    """Makes the channels `train` and (where a set has dev) `validation` under `work`.

    Of dev only the half that may tune goes into validation: the gate's half judges promotions, so
    no training sees it. One set's file lies in the channel itself, several sets' in a folder each.
    """
    channels: dict[str, Path] = {}
    for one in sets:
        inner = one.name if len(sets) > 1 else ""
        folder = channels.setdefault("train", work / "train") / inner
        folder.mkdir(parents=True, exist_ok=True)
        # A link: data sets are large.
        (folder / one.train.name).symlink_to(one.train.resolve())
        if one.dev is None:
            continue
        folder = channels.setdefault("validation", work / "validation") / inner
        folder.mkdir(parents=True, exist_ok=True)
        with gzip.open(folder / "dev.jsonl.gz", "wb", compresslevel=6) as tuning:
            tuning.writelines(line.rstrip(b"\r\n") + b"\n" for line in tune_lines(one.dev))
    return channels


def provenance(sets: list[DataSet], channels: dict[str, Path]) -> dict:
    """A model's data.json: which texts trained it and which tuned it, told by their digests.

    {"sets": [{"data", "use": "train" or "tune", "rows", "sha256", "gate_sha256"}]}.
    """
    found = []
    for one in sets:
        found.append({"data": f"{one.name}-train", "use": "train", **fingerprint(one.train)})
        if one.dev is not None:
            inner = one.name if len(sets) > 1 else ""
            tuned = fingerprint(channels["validation"] / inner / "dev.jsonl.gz")
            found.append({"data": f"{one.name}-dev, its tuning half", "use": "tune", **tuned})
    return {"sets": found}


def copied(model: Path, work: Path) -> Path:
    """A channel holding a trained model to start from."""
    folder = work / "init"
    shutil.copytree(model, folder)
    return folder


def upload_folder(s3: Any, bucket: str, folder: Path) -> str:
    """A channel's files in S3 under the hash of their names and contents; the prefix's URI."""
    # rglob does not follow links to folders, and there are none; links to files are files.
    files = [
        (path.relative_to(folder).as_posix(), path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    digest = hashlib.sha256()
    for name, path in files:
        digest.update(f"{name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    prefix = f"{PREFIX}data/{digest.hexdigest()[:16]}"
    for name, path in files:
        s3.upload_file(str(path), bucket, f"{prefix}/{name}")
    return f"s3://{bucket}/{prefix}/"
