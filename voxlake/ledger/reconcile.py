"""Does it add up? What the ledger says, held against everything that can be looked at.

``received = cleansed + duplicate + quarantined + erased + pending + unaccounted`` per event type,
where pending leaves out what is overdue, and unaccounted also counts what the ledger claims and
the evidence (objects, table rows, the stream's own count) does not bear out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from voxlake.errors import UNKNOWN_EVENT_TYPE
from voxlake.ledger import items
from voxlake.ledger.keys import FAILED_BATCHES_PREFIX
from voxlake.tables import TABLE_OF_EVENT_TYPE
from voxlake.times import parse_rfc3339

EVENT_TYPES = (*TABLE_OF_EVENT_TYPE, UNKNOWN_EVENT_TYPE)
MEASURES = (
    "received",
    "redelivered",
    "cleansed",
    "duplicate",
    "quarantined",
    "erased",
    "pending",
    "unaccounted",
)
QUARANTINE_TABLE = "quarantine"
OVERDUE_SCHEDULES = 2
RESTORE_OBJECT = "restore_object"
POINT_PARTITION = "point_partition"


@dataclass(frozen=True)
class Finding:
    """Something that differs. Kinds: missing_object, unledgered_object, catalog_differs,
    rows_differ, overdue, stream_differs.
    """

    kind: str
    detail: str
    key: str = ""
    table: str = ""
    dt: str = ""
    records: int = 0

    def to_dict(self) -> dict[str, Any]:
        """kind and detail, and those of the others that say something."""
        extra = {"key": self.key, "table": self.table, "dt": self.dt, "records": self.records}
        return {"kind": self.kind, "detail": self.detail, **{k: v for k, v in extra.items() if v}}


@dataclass(frozen=True)
class Repair:
    """What an adapter can do about a finding.

    ``restore_object``: read the object at ``key``, write ``restore.object_item_of`` it.
    ``point_partition``: set the catalog's partition ``dt`` of ``table`` (``database.table``) to
    ``location``, creating it where it is missing.
    """

    action: str
    finding: Finding
    key: str = ""
    table: str = ""
    dt: str = ""
    location: str = ""

    def to_dict(self) -> dict[str, Any]:
        """action and what it applies to."""
        extra = {"key": self.key, "table": self.table, "dt": self.dt, "location": self.location}
        return {"action": self.action, **{name: value for name, value in extra.items() if value}}


@dataclass
class Reconciliation:
    """The whole answer; ``to_dict`` is what the reconciler returns."""

    event_types: dict[str, dict[str, int]]
    incoming_records: int | None
    landed_records: int
    in_flight: int
    findings: list[Finding] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)
    repaired: list[Repair] = field(default_factory=list)

    @property
    def total(self) -> dict[str, int]:
        """Sum of every measure over the event types."""
        return {
            name: sum(of_type[name] for of_type in self.event_types.values()) for name in MEASURES
        }

    @property
    def unaccounted(self) -> int:
        """Records that are nowhere, or somewhere twice; 0 where it adds up."""
        return self.total["unaccounted"]

    @property
    def settled(self) -> bool:
        """Nothing pending and nothing in flight: the numbers will not change by themselves."""
        return self.total["pending"] == 0 and self.in_flight == 0

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; ``repaired`` holds the repairs the adapter appended as done."""
        return {
            "event_types": self.event_types,
            "total": self.total,
            "stream": {
                "incoming_records": self.incoming_records,
                "landed_records": self.landed_records,
                "in_flight": self.in_flight,
            },
            "findings": [finding.to_dict() for finding in self.findings],
            "repaired": [repair.to_dict() for repair in self.repaired],
            "unaccounted": self.unaccounted,
            "settled": self.settled,
        }


def unledgered_keys(objects: Iterable[Mapping[str, Any]], listing: Mapping[str, int]) -> list[str]:
    """Keys of landed objects that have no ledger item, sorted.

    The adapter reads these objects and hands their items (``restore.object_item_of``) to
    ``reconcile`` as ``restored``.
    """
    known = {item["key"] for item in objects}
    return sorted(
        key for key in listing if key not in known and not key.startswith(FAILED_BATCHES_PREFIX)
    )


def reconcile(
    objects: Iterable[Mapping[str, Any]],
    listing: Mapping[str, int],
    table_rows: Mapping[str, int],
    versions: Iterable[Mapping[str, Any]],
    catalog: Mapping[tuple[str, str], str],
    incoming_records: int | None,
    now: datetime,
    schedule_minutes: int,
    *,
    restored: Mapping[str, Mapping[str, Any]] | None = None,
    landing_retention: timedelta | None = None,
) -> Reconciliation:
    """Compares the ledger with the evidence.

    Args:
        objects: every ledger item of a landed object (``items.plain`` applied).
        listing: {key: bytes} of the landing bucket.
        table_rows: {table of ``TABLES``: rows counted by reading it}; tables left out are not
            compared. Read after the ledger, or a run in between shows as a difference.
        versions: every version item.
        catalog: {(``database.table``, dt): location} of the catalog's partitions.
        incoming_records: what the stream counted over the ledger's life, None where unknown.
        now: aware.
        schedule_minutes: between two scheduled batch runs; pending is overdue after two.
        restored: items of objects without ledger item, see ``unledgered_keys``.
        landing_retention: objects whose last record arrived longer ago may be missing.
    """
    objects = list(objects)
    restored = restored or {}
    overdue_before = now - timedelta(minutes=OVERDUE_SCHEDULES * schedule_minutes)
    answer = Reconciliation(
        event_types={name: dict.fromkeys(MEASURES, 0) for name in EVENT_TYPES},
        incoming_records=incoming_records,
        landed_records=0,
        in_flight=0,
    )
    for item in objects:
        _count_object(answer, item, listing, overdue_before, now, landing_retention)
    _count_unledgered(answer, unledgered_keys(objects, listing), restored)
    _compare_rows(answer, table_rows)
    _compare_catalog(answer, versions, catalog)
    _compare_stream(answer, [*objects, *restored.values()], overdue_before)
    return answer


def _count_object(
    answer: Reconciliation,
    item: Mapping[str, Any],
    listing: Mapping[str, int],
    overdue_before: datetime,
    now: datetime,
    landing_retention: timedelta | None,
) -> None:
    key = item["key"]
    arrived = parse_rfc3339(item["arrival_last"])
    expired = landing_retention is not None and arrived < now - landing_retention
    missing = key not in listing and not expired
    pending = item["state"] != items.STATE_DONE
    overdue = pending and arrived < overdue_before
    if pending:
        for event_type, lines in item["types"].items():
            of_type = _of(answer, event_type)
            of_type["received"] += lines
            of_type["unaccounted" if missing or overdue else "pending"] += lines
    else:
        for event_type, counts in item["counts"].items():
            of_type = _of(answer, event_type)
            accounted = 0
            for name in items.COUNT_NAMES:
                of_type[name] += counts.get(name, 0)
                if name not in ("received", "redelivered"):
                    accounted += counts.get(name, 0)
            of_type["unaccounted"] += abs(counts.get("received", 0) - accounted)
    if missing:
        if not pending:
            for event_type, lines in item["types"].items():
                _of(answer, event_type)["unaccounted"] += lines
        answer.findings.append(
            Finding(
                "missing_object",
                f"the ledger knows {item['records']} records in it, landing does not hold it",
                key=key,
                records=item["records"],
            )
        )
    elif overdue:
        answer.findings.append(
            Finding(
                "overdue",
                f"pending since {item['arrival_last']}, longer than {OVERDUE_SCHEDULES} schedules",
                key=key,
                records=item["records"],
            )
        )


def _count_unledgered(
    answer: Reconciliation, keys: list[str], restored: Mapping[str, Mapping[str, Any]]
) -> None:
    for key in keys:
        item = restored.get(key)
        # An object nobody could read has at least one record.
        types = item["types"] if item else {UNKNOWN_EVENT_TYPE: 1}
        for event_type, lines in types.items():
            _of(answer, event_type)["received"] += lines
            _of(answer, event_type)["unaccounted"] += lines
        records = sum(types.values())
        finding = Finding(
            "unledgered_object",
            "landing holds it, the ledger does not know it"
            + ("" if item else "; it could not be read"),
            key=key,
            records=records,
        )
        answer.findings.append(finding)
        if item:
            answer.repairs.append(Repair(RESTORE_OBJECT, finding, key=key))


def _compare_rows(answer: Reconciliation, table_rows: Mapping[str, int]) -> None:
    for event_type, table in TABLE_OF_EVENT_TYPE.items():
        of_type = answer.event_types[event_type]
        _compare_table(answer, table_rows, table, of_type["cleansed"], [event_type])
    quarantined = answer.total["quarantined"]
    _compare_table(answer, table_rows, QUARANTINE_TABLE, quarantined, list(EVENT_TYPES))


def _compare_table(
    answer: Reconciliation,
    table_rows: Mapping[str, int],
    table: str,
    expected: int,
    event_types: list[str],
) -> None:
    if table not in table_rows:
        return
    surplus = table_rows[table] - expected
    # Rows may be there before the ledger's mark: a run between publishing and marking, or one
    # that died there, or an object whose item was lost. Those lines are counted already.
    unmarked = sum(
        answer.event_types[event_type]["pending"] + answer.event_types[event_type]["unaccounted"]
        for event_type in event_types
    )
    if surplus == 0 or 0 < surplus <= unmarked:
        return
    beyond = surplus - unmarked if surplus > 0 else -surplus
    # Nobody can say which type a quarantined row that is missing had.
    blamed = event_types[0] if len(event_types) == 1 else UNKNOWN_EVENT_TYPE
    answer.event_types[blamed]["unaccounted"] += beyond
    answer.findings.append(
        Finding(
            "rows_differ",
            f"expected {expected} rows by the ledger, found {table_rows[table]}",
            table=table,
            records=beyond,
        )
    )


def _compare_catalog(
    answer: Reconciliation,
    versions: Iterable[Mapping[str, Any]],
    catalog: Mapping[tuple[str, str], str],
) -> None:
    current = {
        (items.table_id(item["database"], item["table"]), item["dt"]): item["location"]
        for item in versions
    }
    for (table, dt), location in sorted(current.items()):
        found = catalog.get((table, dt))
        # Glue keeps a location as it was written, with or without the last slash.
        if found is not None and found.rstrip("/") == location.rstrip("/"):
            continue
        finding = Finding(
            "catalog_differs",
            f"expected {location}, found {found or 'no partition'}",
            table=table,
            dt=dt,
        )
        answer.findings.append(finding)
        answer.repairs.append(
            Repair(POINT_PARTITION, finding, table=table, dt=dt, location=location)
        )
    tables = {table for table, _ in current}
    for table, dt in sorted(set(catalog) - set(current)):
        if table in tables:
            answer.findings.append(
                Finding(
                    "catalog_differs",
                    f"expected no partition, found {catalog[table, dt]}; remove it from the catalog"
                    " or find out who published it",
                    table=table,
                    dt=dt,
                )
            )


def _compare_stream(
    answer: Reconciliation, objects: list[Mapping[str, Any]], overdue_before: datetime
) -> None:
    answer.landed_records = answer.total["received"]
    if answer.incoming_records is None:
        return
    difference = answer.incoming_records - answer.landed_records
    answer.in_flight = max(difference, 0)
    newest = max((parse_rfc3339(item["arrival_last"]) for item in objects), default=None)
    # Records are on their way, and the stream's count lags minutes behind: not yet a difference.
    if difference == 0 or newest is None or newest >= overdue_before:
        return
    _of(answer, UNKNOWN_EVENT_TYPE)["unaccounted"] += abs(difference)
    answer.findings.append(
        Finding(
            "stream_differs",
            f"the stream took {answer.incoming_records} records, "
            f"landing holds {answer.landed_records}",
            records=abs(difference),
        )
    )


def _of(answer: Reconciliation, event_type: str) -> dict[str, int]:
    known = event_type if event_type in answer.event_types else UNKNOWN_EVENT_TYPE
    return answer.event_types[known]
