"""Gathers what is held against the ledger, in an order that makes no false alarm.

Consumers and runs go on meanwhile. The catalog and the listing come before the ledger, the rows
after it: what changes in between then looks like work not yet marked, which reconciling allows.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aws_lambda_powertools import Logger

from lambdas.reconciler.adapters import Catalog, Landing, Ledger, StreamCounter
from lambdas.reconciler.athena import RowCounter
from voxlake.errors import VoxlakeError
from voxlake.ledger.items import table_id
from voxlake.ledger.reconcile import (
    QUARANTINE_TABLE,
    Reconciliation,
    reconcile,
    unledgered_keys,
)
from voxlake.ledger.restore import object_item_of
from voxlake.tables import TABLE_OF_EVENT_TYPE, TABLES

logger = Logger(child=True)

# Between an object and its ledger item lie milliseconds; so much is given.
IN_FLIGHT = timedelta(seconds=10)
READERS = 8


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the evidence comes from; databases by zone."""

    ledger: Ledger
    landing: Landing
    catalog: Catalog
    rows: RowCounter
    stream: StreamCounter
    databases: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found.

    Attributes:
        objects, versions: ledger items.
        listing: {key: bytes} of landing.
        restored: {key: ledger item made from the object} where the ledger has none.
        catalog: {(`database.table`, dt): location}.
        table_rows: {cleansed table: rows}.
        incoming_records: what the stream counted, None where unknown.
    """

    objects: list[dict[str, Any]]
    versions: list[dict[str, Any]]
    listing: dict[str, int]
    restored: dict[str, dict[str, Any]]
    catalog: dict[tuple[str, str], str]
    table_rows: dict[str, int]
    incoming_records: int | None

    def reconcile(
        self, *, now: datetime, schedule_minutes: int, landing_retention: timedelta | None
    ) -> Reconciliation:
        return reconcile(
            self.objects,
            self.listing,
            self.table_rows,
            self.versions,
            self.catalog,
            self.incoming_records,
            now,
            schedule_minutes,
            restored=self.restored,
            landing_retention=landing_retention,
        )


def gather(sources: Sources, *, now: datetime, stream: bool) -> Evidence:
    """Looks at everything.

    Args:
        now: aware.
        stream: whether to ask the stream's own count.
    """
    catalog = {
        (table_id(database, table.name), dt): location
        for table in TABLES.values()
        for database in (sources.databases[table.zone],)
        for dt, location in sources.catalog.partitions(database, table.name).items()
    }
    seen = {key: (size, written) for key, size, written in sources.landing.listing()}
    objects: list[dict[str, Any]] = []
    versions: list[dict[str, Any]] = []
    for item in sources.ledger.items():
        (objects if item["pk"].startswith("OBJECT#") else versions).append(item)
    absent = {item["key"] for item in objects if item["key"] not in seen}
    if absent:  # perhaps written after the listing
        seen |= {
            key: (size, written)
            for key, size, written in sources.landing.listing()
            if key in absent
        }
    recent = {key for key, (_, written) in seen.items() if written > now - IN_FLIGHT}
    recent -= {item["key"] for item in objects}
    listing = {key: size for key, (size, _) in seen.items() if key not in recent}
    return Evidence(
        objects=objects,
        versions=versions,
        listing=listing,
        restored=_restored(sources.landing, unledgered_keys(objects, listing)),
        catalog=catalog,
        table_rows=_rows(sources, catalog),
        incoming_records=sources.stream.incoming_records(now) if stream else None,
    )


def _restored(landing: Landing, keys: list[str]) -> dict[str, dict[str, Any]]:
    def one(key: str) -> dict[str, Any] | None:
        try:
            return object_item_of(key, landing.read(key))
        except VoxlakeError as error:
            # The finding says so; the object stays for somebody to look at.
            logger.error("landing object cannot be read", extra={"key": key, "error": str(error)})
            return None

    with ThreadPoolExecutor(READERS) as pool:
        items = pool.map(one, keys)
        return {key: item for key, item in zip(keys, items, strict=True) if item}


def _rows(sources: Sources, catalog: Mapping[tuple[str, str], str]) -> dict[str, int]:
    """Rows of the event tables and of quarantine; a table without partition has none."""
    database = sources.databases["cleansed"]
    filled = {table for table, _ in catalog}
    tables = [*TABLE_OF_EVENT_TYPE.values(), QUARANTINE_TABLE]
    counted = sources.rows.count(
        database, [table for table in tables if table_id(database, table) in filled]
    )
    return dict.fromkeys(tables, 0) | counted
