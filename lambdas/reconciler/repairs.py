"""Applies the repairs that reconciling proposes."""

from __future__ import annotations

from collections.abc import Iterable

from lambdas.reconciler.evidence import Evidence, Sources
from voxlake.errors import TransientError
from voxlake.ledger.reconcile import POINT_PARTITION, RESTORE_OBJECT, Repair

_ATTEMPTS = 5


class PartitionMovedError(TransientError):
    """A partition was published again and again while it was being repaired."""


def repair(sources: Sources, evidence: Evidence, proposals: Iterable[Repair]) -> list[Repair]:
    """Applies repairs.

    Returns:
        those made: others were no longer needed.

    Raises:
        PartitionMovedError: a partition could not be repaired for all its publishers.
    """
    repaired = []
    for proposed in proposals:
        if proposed.action == RESTORE_OBJECT:
            made = sources.ledger.restore(evidence.restored[proposed.key])
        elif proposed.action == POINT_PARTITION:
            made = _point(sources, proposed)
        else:
            made = False
        if made:
            repaired.append(proposed)
    return repaired


def _point(sources: Sources, proposed: Repair) -> bool:
    """Points a partition at what the ledger says by now: a run may have published meanwhile, and
    must not be undone."""
    database, _, table = proposed.table.partition(".")
    current = sources.ledger.version(database, table, proposed.dt)
    for _ in range(_ATTEMPTS):
        if current is None:
            return False
        sources.catalog.point(database, table, proposed.dt, current["location"])
        pointed_at, current = current, sources.ledger.version(database, table, proposed.dt)
        if current is not None and current["version"] == pointed_at["version"]:
            return True
    raise PartitionMovedError(
        f"expected dt={proposed.dt} of {proposed.table} to rest while it is repaired, found it "
        f"published {_ATTEMPTS} times; invoke again when no run is going on"
    )
