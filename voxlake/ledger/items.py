"""Builders and parsers of ledger items: plain dicts as boto3's DynamoDB resource takes them.

One table, keys ``pk`` and ``sk``; the sparse index ``pending`` has partition key
``pending_shard`` and sort key ``sk``. Numbers come back from DynamoDB as Decimal: ``plain`` turns
an item read into ints and floats. Functions named ``*_put`` and ``*_update`` return the keyword
arguments of ``Table.put_item`` and ``Table.update_item``.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

Item = dict[str, Any]

PENDING_INDEX = "pending"
PENDING_SHARDS = 8
"""Partitions of the pending index: enough write throughput, still few queries to list it all."""

SEQUENCE_DIGITS = 60
"""Kinesis sequence numbers have up to 56 digits; padded, their text order is their order."""

COUNT_NAMES = ("received", "redelivered", "cleansed", "duplicate", "quarantined", "erased")
"""What a processed object counts per event type; received leaves redelivered lines out."""

FROM_THE_BEGINNING = "0"
"""``since`` of a job that has read nothing yet: sorts before every time."""

STATE_PENDING = "pending"
STATE_DONE = "done"
STATE_STARTED = "started"


def pad_sequence(sequence: int | str) -> str:
    """A sequence number with zeros in front, 60 digits."""
    return str(sequence).zfill(SEQUENCE_DIGITS)


def pending_shard(key: str) -> str:
    """Partition of the pending index for an object's key: ``pending#0`` to ``pending#7``."""
    return f"pending#{zlib.crc32(key.encode()) % PENDING_SHARDS}"


def pending_shards() -> list[str]:
    """All partitions of the pending index."""
    return [f"pending#{number}" for number in range(PENDING_SHARDS)]


def object_pk(kind: str, shard: str) -> str:
    """Partition key of the objects of a kind and shard."""
    return f"OBJECT#{kind}#{shard}"


def object_item(
    *,
    kind: str,
    shard: str,
    key: str,
    first: int | str,
    last: int | str,
    types: Mapping[str, int],
    size_bytes: int,
    arrival_first: str,
    arrival_last: str,
) -> Item:
    """Item of a landed object, pending.

    Args:
        kind: event type, or ``quarantine``.
        first, last: lowest and highest sequence number among the object's lines.
        types: lines per event type; one entry for an event type's object, up to six (with
            ``unknown``) for a quarantine object.
        size_bytes: of the object as stored (attribute ``bytes``).
        arrival_first, arrival_last: RFC 3339 with microseconds and Z.
    """
    return {
        "pk": object_pk(kind, shard),
        "sk": f"{pad_sequence(last)}#{key}",
        "kind": kind,
        "shard": shard,
        "key": key,
        "first": str(first),
        "last": str(last),
        "records": sum(types.values()),
        "types": dict(types),
        "bytes": size_bytes,
        "arrival_first": arrival_first,
        "arrival_last": arrival_last,
        "state": STATE_PENDING,
        "pending_shard": pending_shard(key),
    }


def object_put(item: Item) -> dict[str, Any]:
    """Put of a landed object's item; its conditional failure means a redelivered batch: ignore."""
    return {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"}


def object_keys(item: Mapping[str, Any]) -> dict[str, str]:
    """The primary key of any ledger item."""
    return {"pk": item["pk"], "sk": item["sk"]}


def done_update(counts: Mapping[str, Mapping[str, int]], run_id: str) -> dict[str, Any]:
    """Update that marks an object processed and takes it out of the pending index.

    Args:
        counts: per event type all of ``COUNT_NAMES``; absent names are written as 0.

    Returns:
        keyword arguments for ``update_item`` besides ``Key`` (see ``object_keys``). The condition
        fails when the item was lost meanwhile: reconcile restores it, and the next run counts it.
    """
    whole = {
        event_type: {name: int(of_type.get(name, 0)) for name in COUNT_NAMES}
        for event_type, of_type in counts.items()
    }
    return {
        "UpdateExpression": "SET #state = :done, run_id = :run, #counts = :counts "
        "REMOVE pending_shard",
        "ConditionExpression": "attribute_exists(pk)",
        "ExpressionAttributeNames": {"#state": "state", "#counts": "counts"},
        "ExpressionAttributeValues": {":done": STATE_DONE, ":run": run_id, ":counts": whole},
    }


def run_item(
    *,
    run_id: str,
    job: str,
    state: str,
    started_at: str,
    finished_at: str | None = None,
    counts: Mapping[str, Mapping[str, int]] | None = None,
    partitions: Mapping[str, Mapping[str, int]] | None = None,
    bytes_in: int = 0,
    bytes_out: int = 0,
) -> Item:
    """Item of one job of a run.

    Args:
        job: job name, such as ``landing_to_cleansed``.
        state: ``started`` or ``done``.
        counts: {table: {read, valid, redelivered, duplicate, quarantined, written}}.
        partitions: {table: {dt: rows}}.
    """
    return {
        "pk": f"RUN#{run_id}",
        "sk": job,
        "run_id": run_id,
        "job": job,
        "state": state,
        "counts": {table: dict(of_table) for table, of_table in (counts or {}).items()},
        "partitions": {table: dict(of_table) for table, of_table in (partitions or {}).items()},
        "bytes_in": bytes_in,
        "bytes_out": bytes_out,
        "write_amplification": write_amplification(bytes_in, bytes_out),
        "started_at": started_at,
        "finished_at": finished_at,
    }


def position_keys(job: str) -> dict[str, str]:
    """Primary key of a job's position."""
    return {"pk": f"POSITION#{job}", "sk": "POSITION"}


def position_item(job: str, *, since: str, seen: str, run_id: str) -> Item:
    """Item of how far a job has read a table of changes.

    Args:
        since: where to read on, RFC 3339: what changed from then on may not have been there yet.
        seen: fingerprint of what was there from then on; as long as it is the same, nothing new is.
    """
    return {**position_keys(job), "since": since, "seen": seen, "run_id": run_id}


def write_amplification(bytes_in: int, bytes_out: int) -> Decimal:
    """Bytes written for each byte of new input, three decimals; 0 where nothing was read."""
    return Decimal(f"{bytes_out / bytes_in:.3f}") if bytes_in else Decimal(0)


def table_id(database: str, table: str) -> str:
    """``<database>.<table>``: how the ledger names a table."""
    return f"{database}.{table}"


def version_keys(database: str, table: str, dt: str) -> dict[str, str]:
    """Primary key of a partition's version item."""
    return {"pk": f"VERSION#{table_id(database, table)}", "sk": f"dt={dt}"}


def version_item(
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
    previous: str | None = None,
    revision: int = 1,
    sources: Mapping[str, str] | None = None,
) -> Item:
    """Item of a partition's current version; ``rules.next_version`` fills previous and revision.

    Args:
        location: S3 URI ending in ``/``.
        sources: {source table: its version} the rows were made from.
    """
    return {
        **version_keys(database, table, dt),
        "database": database,
        "table": table,
        "dt": dt,
        "version": version,
        "location": location,
        "rows": rows,
        "bytes": size_bytes,
        "files": files,
        "run_id": run_id,
        "previous": previous,
        "revision": revision,
        "published_at": published_at,
        "sources": dict(sources or {}),
    }


def version_put(item: Item) -> dict[str, Any]:
    """Put of a version item, conditional on the revision it was made from.

    Its conditional failure means that somebody else published: read again and recompute.
    """
    if item["revision"] == 1:
        return {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "Item": item,
        "ConditionExpression": "revision = :read",
        "ExpressionAttributeValues": {":read": item["revision"] - 1},
    }


def lease_keys(database: str, table: str) -> dict[str, str]:
    """Primary key of a table's lease."""
    return {"pk": f"LEASE#{table_id(database, table)}", "sk": "LEASE"}


def lease_item(database: str, table: str, owner: str, expires_at: int) -> Item:
    """Item of a table's lease; expires_at in epoch seconds."""
    return {**lease_keys(database, table), "owner": owner, "expires_at": expires_at}


def lease_put(item: Item, now: int) -> dict[str, Any]:
    """Put that acquires or renews a lease; its conditional failure means another holds it."""
    return {
        "Item": item,
        "ConditionExpression": "attribute_not_exists(pk) OR expires_at < :now OR #owner = :owner",
        "ExpressionAttributeNames": {"#owner": "owner"},
        "ExpressionAttributeValues": {":now": now, ":owner": item["owner"]},
    }


def lease_delete(database: str, table: str, owner: str) -> dict[str, Any]:
    """Delete (``Table.delete_item``) that releases a lease if still held by owner."""
    return {
        "Key": lease_keys(database, table),
        "ConditionExpression": "#owner = :owner",
        "ExpressionAttributeNames": {"#owner": "owner"},
        "ExpressionAttributeValues": {":owner": owner},
    }


def plain(value: Any) -> Any:
    """A value read from DynamoDB with Decimals as int (or float), all the way down."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {name: plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [plain(member) for member in value]
    return value
