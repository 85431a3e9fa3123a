"""Gzipped JSON files of models: the same bytes for the same contents; reading one runs no code."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from pathlib import Path

from voxlake.scoring.errors import ModelFileError


def to_bytes(document: dict) -> bytes:
    """Sorted keys, no white space, ASCII."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii")


def model_id(name: str, version: str, content: bytes) -> str:
    """`<name>-<version>-<first 8 hex digits of the content's sha256>`."""
    return f"{name}-{version}-{hashlib.sha256(content).hexdigest()[:8]}"


def write_gzipped(path: str | Path, content: bytes) -> Path:
    """Writes the bytes gzipped, without a time stamp, making folders; returns the path."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content, compresslevel=9, mtime=0))
    return path


def read_gzipped(path: Path, *, format: int, name: str | None = None) -> dict:
    """The JSON object in the file, checked for its `format` and, if given, its `name`.

    Raises ModelFileError naming what was expected and found.
    """
    try:
        document = json.loads(gzip.decompress(path.read_bytes()))
    except FileNotFoundError:
        raise ModelFileError(path, "a model file", "no such file") from None
    except (OSError, EOFError, zlib.error, ValueError, RecursionError) as error:
        raise ModelFileError(path, "gzipped JSON", str(error)) from error
    if not isinstance(document, dict):
        raise ModelFileError(path, "a JSON object", type(document).__name__)
    if document.get("format") != format:
        raise ModelFileError(path, f"format {format}", f"format {document.get('format')!r}")
    if name is not None and document.get("name") != name:
        raise ModelFileError(path, f"a model named {name}", repr(document.get("name")))
    return document
