"""The ledger item of a landed object, made again from the object itself."""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from typing import Any

from voxlake.errors import UNKNOWN_EVENT_TYPE, TerminalError
from voxlake.ledger.items import Item, object_item
from voxlake.ledger.keys import QUARANTINE_KIND, parse_object_key


class UnreadableObjectError(TerminalError):
    """A landed object is no gzip of JSON lines."""


def object_item_of(key: str, content: bytes) -> Item:
    """The pending item of a landed object, equal to the one that was written with it.

    Processing it again adds no row: its lines are found in the tables as those very records.

    Args:
        content: the object's bytes, gzip.

    Raises:
        ObjectKeyError: the key is not that of a landed object.
        UnreadableObjectError: the content is not gzip of JSON lines, or empty.
    """
    parts = parse_object_key(key)
    try:
        lines = [json.loads(line) for line in gzip.decompress(content).splitlines()]
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise UnreadableObjectError(
            f"{key}: expected gzip of JSON lines, found {error}; "
            "look at the object's earlier versions in the bucket"
        ) from error
    if not lines:
        raise UnreadableObjectError(f"{key}: expected at least one line, found none; delete it")
    ordered = sorted(lines, key=lambda line: int(line["sequence"]))
    return object_item(
        kind=parts.kind,
        shard=parts.shard,
        key=key,
        first=parts.first,
        last=parts.last,
        types=Counter(_type_of(line, parts.kind) for line in lines),
        size_bytes=len(content),
        arrival_first=ordered[0]["arrival"],
        arrival_last=ordered[-1]["arrival"],
    )


def _type_of(line: dict[str, Any], kind: str) -> str:
    if kind == QUARANTINE_KIND:
        return str(line.get("event_type") or UNKNOWN_EVENT_TYPE)
    return kind
