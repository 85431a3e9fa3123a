"""What a job's quality checks came to, as one item of the run in the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from voxlake.errors import TerminalError

if TYPE_CHECKING:
    from voxlake.quality.verdict import Verdict

SHOWN = 20
"""So many lines of each level an item holds; the table quality_results has all."""
PASSED, HALTED = "passed", "halted"
_PREFIX = "QUALITY#"


class QualityGateError(TerminalError):
    """A job of the run was halted, or left no word of its checks."""


def quality_item(
    run_id: str, job: str, verdicts: Sequence[Verdict], now: datetime
) -> dict[str, Any]:
    """The item: {state, checked, warned, warnings, halted, reasons, …} under the run."""
    failed = [one for one in verdicts if one.passed is False]
    halts = [str(one) for one in failed if one.halts]
    warnings = [str(one) for one in failed if not one.halts]
    return {
        "pk": f"RUN#{run_id}",
        "sk": quality_key(job),
        "run_id": run_id,
        "job": job,
        "state": HALTED if halts else PASSED,
        "checked": len(verdicts),
        "warned": len(warnings),
        "warnings": warnings[:SHOWN],
        "halted": len(halts),
        "reasons": halts[:SHOWN],
        "checked_at": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }


def quality_key(job: str) -> str:
    """Sort key of a job's item under its run."""
    return f"{_PREFIX}{job}"


def is_quality_key(key: str) -> bool:
    """Whether a run's item is that of a job's checks."""
    return key.startswith(_PREFIX)


def passed_gate(run_id: str, job: str, item: Mapping[str, Any] | None) -> dict[str, Any]:
    """The gate after a job: what its checks came to.

    Args:
        item: the job's ``quality_item``; None where it wrote nothing, so nothing was checked.

    Returns:
        {"run_id", "job", "checked", "warned", "warnings"}.

    Raises:
        QualityGateError: rules of level halt did not hold; the job published nothing.
    """
    if item is not None and item["state"] == HALTED:
        more = f" (and {item['halted'] - 1} more)" if item["halted"] > 1 else ""
        raise QualityGateError(f"{job} was halted by quality rule {item['reasons'][0]}{more}")
    found = item or {"checked": 0, "warned": 0, "warnings": []}
    return {"run_id": run_id, "job": job} | {
        name: found[name] for name in ("checked", "warned", "warnings")
    }
