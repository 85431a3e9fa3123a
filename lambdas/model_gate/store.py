"""Data sets in the artifacts bucket, and what the steps leave for each other.

`training/sets/NAME/`: train.jsonl.gz and perhaps dev.jsonl.gz, as `voxlake data get` writes them.
`training/jobs/JOB.json`: what a training learnt from. Beside a model's artifact: evaluation.json,
then promotion.json.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from lambdas.model_gate.errors import MissingObjectError, TrainingRequestError
from voxlake.training.data import SUFFIXES, DataSet, part_of, set_in
from voxlake.training.job import PREFIX, SETS
from voxlake.training.registry import place

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


class SetStore:
    """The data sets of one artifacts bucket.

    Args:
        s3: a boto3 client.
    """

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3, self._bucket = s3, bucket

    def fetch(self, data: str, work: Path) -> DataSet:
        """A set of this bucket on this machine, by its name or the URI of its folder.

        Raises:
            TrainingRequestError: neither a name nor a folder under training/ of this bucket.
            TrainingDataError: it has nothing to train on.
        """
        name, folder = self._download(data, work, ("train", "dev"))
        return set_in(folder, name)

    def fetch_dev(self, data: str, work: Path) -> tuple[str, Path]:
        """(name, file) of what a set judges by. Raises MissingObjectError, TrainingRequestError."""
        name, folder = self._download(data, work, ("dev",))
        found = part_of(folder, "dev")
        if found is None:
            raise MissingObjectError(
                f"expected dev.jsonl.gz in {self._uri(data)} to judge models by, found none: copy "
                "the set there (docs/models.md), or name another by `gate`"
            )
        return f"{name}-gate", found

    def keep_texts(self, name: str, result: str, work: Path) -> int:
        """Makes a set to train on of a query's result, and says how many texts it holds.

        Args:
            result: URI of Athena's CSV, with a column text.

        Raises:
            MissingObjectError: there is no such result.
        """
        found, made = work / "result.csv", work / "train.jsonl.gz"
        where = place(result)
        try:
            self._s3.download_file(where["Bucket"], where["Key"], str(found))
        except ClientError as error:
            raise missing(result, error) from error
        count = 0
        with found.open(newline="", encoding="utf-8") as rows, gzip.open(made, "wt") as texts:
            for row in csv.DictReader(rows):
                texts.write(json.dumps({"text": row["text"]}) + "\n")
                count += 1
        self._s3.upload_file(str(made), self._bucket, f"{SETS}{name}/{made.name}")
        return count

    def _uri(self, data: str) -> str:
        if data.startswith(f"s3://{self._bucket}/{PREFIX}"):
            return data.rstrip("/") + "/"
        if not _NAME.fullmatch(data):
            raise TrainingRequestError(
                f"expected a data set's name, or a folder under s3://{self._bucket}/{PREFIX}, "
                f"found {data!r}"
            )
        return f"s3://{self._bucket}/{SETS}{data}/"

    def _download(self, data: str, work: Path, parts: tuple[str, ...]) -> tuple[str, Path]:
        uri = self._uri(data)
        prefix = uri.removeprefix(f"s3://{self._bucket}/")
        name = prefix.rstrip("/").rpartition("/")[2]
        folder = work / name
        folder.mkdir(parents=True, exist_ok=True)
        for file in (f"{part}{suffix}" for part in parts for suffix in SUFFIXES):
            try:
                self._s3.download_file(self._bucket, prefix + file, str(folder / file))
            except ClientError as error:
                if error.response["Error"]["Code"] not in ("404", "NoSuchKey"):
                    raise
        return name, folder


def missing(uri: str, error: ClientError) -> Exception:
    """The error to raise where an object that has to be there cannot be read."""
    if error.response["Error"]["Code"] not in ("404", "NoSuchKey"):
        return error
    return MissingObjectError(
        f"expected {uri}, found none: put it back from the bucket's versions, or make it again"
    )
