"""From input files to payloads, and from responses to the output file.

https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform.html
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

from localcloud.errors import LocalCloudError

MEBIBYTE = 1024 * 1024


class PayloadTooLargeError(LocalCloudError):
    """A record exceeds MaxPayloadInMB."""


def payloads(path: Path, *, max_megabytes: int, compression: str) -> Iterator[bytes]:
    """Yield the request bodies of one file: as many lines as fit into `max_megabytes` (0: all).

    Empty lines are no records. Raises PayloadTooLargeError, naming the line.
    """
    limit = max_megabytes * MEBIBYTE or float("inf")
    batch: list[bytes] = []
    size = 0
    with gzip.open(path, "rb") if compression == "Gzip" else path.open("rb") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip(b"\r\n")
            if not line.strip():
                continue
            if len(line) > limit:
                found = f"line {number} has {len(line)} bytes"
                raise PayloadTooLargeError(f"{found}, more than MaxPayloadInMB={max_megabytes}")
            if batch and size + len(line) + 1 > limit:
                yield b"\n".join(batch)
                batch, size = [], 0
            batch.append(line)
            size += len(line) + 1
    if batch:
        yield b"\n".join(batch)


def output_key(prefix: str, key: str, output_prefix: str) -> str:
    """Return the output's key: the input's path under the prefix, with `.out` appended."""
    folder = prefix.rstrip("/") + "/" if prefix else ""
    base = folder if key.startswith(folder) else prefix[: prefix.rfind("/") + 1]
    head = output_prefix.rstrip("/")
    return f"{head}/{key[len(base) :]}.out" if head else f"{key[len(base) :]}.out"
