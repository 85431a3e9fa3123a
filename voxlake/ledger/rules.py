"""Rules of redelivery and publishing, over ledger items. Sequence numbers compare as integers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from voxlake.errors import TerminalError
from voxlake.ledger import items
from voxlake.ledger.items import Item


class UnbalancedCountsError(TerminalError):
    """The counts of a processed object do not add up."""


class RescoreError(TerminalError):
    """What is to be scored again is not said in the way it has to be."""


def overlaps(
    pending: Iterable[Mapping[str, Any]], done: Iterable[Mapping[str, Any]]
) -> dict[str, list[tuple[int, int]]]:
    """Stretches of each pending object that processed objects already hold.

    A processed object holds every record of its kind and shard within its range, since a batch is
    a contiguous stretch of a shard; so the ranges alone tell, without reading the objects.

    Returns:
        {key of a pending object: [(first, last), …]}, both within; objects without overlap are
        left out, so an empty answer spares the job its look for redelivered lines.
    """
    by_shard: dict[tuple[str, str], list[tuple[str, int, int]]] = {}
    for item in done:
        stretch = (item["key"], int(item["first"]), int(item["last"]))
        by_shard.setdefault((item["kind"], item["shard"]), []).append(stretch)
    found: dict[str, list[tuple[int, int]]] = {}
    for item in pending:
        first, last = int(item["first"]), int(item["last"])
        shared = sorted(
            (max(first, begin), min(last, end))
            for key, begin, end in by_shard.get((item["kind"], item["shard"]), ())
            if key != item["key"] and begin <= last and first <= end
        )
        if shared:
            found[item["key"]] = shared
    return found


def check_counts(counts: Mapping[str, Mapping[str, int]]) -> None:
    """Holds every event type's counts to received = cleansed + duplicate + quarantined + erased.

    Raises:
        UnbalancedCountsError: names the type and the numbers.
    """
    for event_type, of_type in counts.items():
        accounted = sum(
            of_type.get(name, 0) for name in ("cleansed", "duplicate", "quarantined", "erased")
        )
        if of_type.get("received", 0) != accounted:
            raise UnbalancedCountsError(
                f"{event_type}: expected received = cleansed + duplicate + quarantined + erased, "
                f"found {dict(of_type)}; do not mark the object done, repeat the run"
            )


def version_name(run_id: str, suffix: str) -> str:
    """``<run_id>-<4 hex>``: a version's folder, unique per attempt, so attempts never mix."""
    return f"{run_id}-{suffix}"


def next_version(
    current: Mapping[str, Any] | None,
    *,
    database: str,
    table: str,
    dt: str,
    version: str,
    location: str,
    rows: int,
    size_bytes: int,
    files: int,
    run_id: str,
    published_at: str,
    sources: Mapping[str, str] | None = None,
) -> Item:
    """Version item to publish after the one that was read (None: the partition is new).

    Publish it with ``items.version_put``, whose condition is the revision read.
    """
    return items.version_item(
        database=database,
        table=table,
        dt=dt,
        version=version,
        location=location,
        rows=rows,
        size_bytes=size_bytes,
        files=files,
        run_id=run_id,
        published_at=published_at,
        previous=current["version"] if current else None,
        revision=int(current["revision"]) + 1 if current else 1,
        sources=sources,
    )


def stale_dts(
    targets: Mapping[str, Mapping[str, Any]],
    sources: Mapping[str, Mapping[str, Mapping[str, Any]]],
) -> list[str]:
    """Days whose target partition was not made from the sources' current versions.

    Args:
        targets: {dt: version item} of the target table.
        sources: {source table: {dt: version item}}; the names as in the items' ``sources``.

    Returns:
        sorted dts to make again: new ones, and those where any source's version changed.
    """
    wanted: dict[str, dict[str, str]] = {}
    for source, by_dt in sources.items():
        for dt, item in by_dt.items():
            wanted.setdefault(dt, {})[source] = item["version"]
    return sorted(
        dt
        for dt, versions in wanted.items()
        if dt not in targets or dict(targets[dt].get("sources") or {}) != versions
    )


choose_dts_to_rescore = stale_dts

NO_RESCORE = "none"
MAX_RESCORED_DAYS = 366
_DAYS = re.compile(r"(\d{4}-\d{2}-\d{2})/(\d{4}-\d{2}-\d{2})")


def dts_to_score_again(rescore: str, scored: Iterable[str]) -> list[str]:
    """Scored days whose texts are all to be scored again, whatever their score.

    Args:
        rescore: ``<first day>/<last day>``, both within, or ``none``.
        scored: days that texts_scored has.

    Raises:
        RescoreError: another form, or more than 366 scored days.
    """
    if rescore == NO_RESCORE:
        return []
    found = _DAYS.fullmatch(rescore)
    if not found or found[1] > found[2]:
        raise RescoreError(
            f"expected the days to score again as 2026-01-01/2026-01-31, found {rescore!r}"
        )
    dts = sorted(dt for dt in scored if found[1] <= dt <= found[2])
    if len(dts) > MAX_RESCORED_DAYS:
        raise RescoreError(
            f"expected at most {MAX_RESCORED_DAYS} scored days in {rescore}, found {len(dts)}; "
            "score them again in several runs"
        )
    return dts
