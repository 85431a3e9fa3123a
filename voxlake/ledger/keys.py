"""Names of landing objects: one place builds and parses them.

``<kind>/ingest_date=YYYY-MM-DD/ingest_hour=HH/<shard>-<first>-<last>.json.gz`` where kind is an
event type or ``quarantine``, and date and hour come from the arrival of the object's first record.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from voxlake.errors import TerminalError

QUARANTINE_KIND = "quarantine"
FAILED_BATCHES_PREFIX = "aws/lambda/"
"""Where an event source mapping puts what it gives up; AWS fixes the prefix."""

_KEY = re.compile(
    r"(?P<kind>[a-z]+)/ingest_date=(?P<date>\d{4}-\d{2}-\d{2})/ingest_hour=(?P<hour>\d{2})/"
    r"(?P<shard>[A-Za-z0-9_.-]+)-(?P<first>\d+)-(?P<last>\d+)\.json\.gz"
)


class ObjectKeyError(TerminalError):
    """A key in the landing bucket is not that of a landed object."""


@dataclass(frozen=True)
class ObjectKey:
    """The parts of a landed object's key; first and last are sequence numbers, both within."""

    kind: str
    ingest_date: str
    ingest_hour: str
    shard: str
    first: int
    last: int


def object_key(kind: str, arrival: datetime, shard: str, first: int | str, last: int | str) -> str:
    """Key of the object holding a kind's records of a shard from first to last (both within)."""
    hour = arrival.astimezone(UTC)
    return (
        f"{kind}/ingest_date={hour:%Y-%m-%d}/ingest_hour={hour:%H}/{shard}-{first}-{last}.json.gz"
    )


def parse_object_key(key: str) -> ObjectKey:
    """The parts of a key.

    Raises:
        ObjectKeyError: the key has another form.
    """
    found = _KEY.fullmatch(key)
    if not found:
        raise ObjectKeyError(
            f"expected <kind>/ingest_date=…/ingest_hour=…/<shard>-<first>-<last>.json.gz, "
            f"found {key!r}; look for what else writes into the landing bucket"
        )
    return ObjectKey(
        kind=found["kind"],
        ingest_date=found["date"],
        ingest_hour=found["hour"],
        shard=found["shard"],
        first=int(found["first"]),
        last=int(found["last"]),
    )
