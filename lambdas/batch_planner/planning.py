"""The plan of a batch run: pure functions over ledger items."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from voxlake.errors import TerminalError
from voxlake.ledger.rules import NO_RESCORE, choose_dts_to_rescore, dts_to_score_again
from voxlake.tickets.lake import fingerprint
from voxlake.times import format_rfc3339

TEXT_TABLES = ("posts", "comments", "messages")
SCORED_TABLE = "texts_scored"
FEATURES_JOB = "cleansed_to_features"
_RUN_ID = re.compile(r"\d{8}T\d{6}-[0-9a-f]{6}")
# SageMaker takes letters, digits and single hyphens, 63 characters at most.
_NOT_IN_JOB_NAME = re.compile(r"[^A-Za-z0-9]+")

Versions = Mapping[str, Mapping[str, Any]]
"""{dt: version item} of one table."""


class PlanRequestError(TerminalError):
    """The invocation's payload is none that batch_planner answers."""


class MissingFeaturesRunError(TerminalError):
    """The ledger has no word from cleansed_to_features about the run."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is waiting.

    Attributes:
        run_id: identity of the run, `<YYYYMMDDTHHMMSS>-<6 hex>`.
        pending_objects: landed objects not yet processed.
        pending_records: lines in them.
        pending_texts: days with a text that texts_scored was not made from, or to score again.
        pending_tickets: tickets to look at because some of them changed; 0: none did.
        rescore: days to score again, ``<first>/<last>`` or ``none``.
    """

    run_id: str
    pending_objects: int
    pending_records: int
    pending_texts: int
    pending_tickets: int
    rescore: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "run_id": self.run_id,
            "pending_objects": self.pending_objects,
            "pending_records": self.pending_records,
            "pending_texts": self.pending_texts,
            "pending_tickets": self.pending_tickets,
            "rescore": self.rescore,
        }


def new_run_id(now: datetime, suffix: str) -> str:
    """The run id of an instant (UTC) and six hex digits."""
    return f"{now:%Y%m%dT%H%M%S}-{suffix}"


def check_run_id(run_id: Any) -> str:
    """Raises:
    PlanRequestError: not of the form `<YYYYMMDDTHHMMSS>-<6 hex>`.
    """
    if not isinstance(run_id, str) or not _RUN_ID.fullmatch(run_id):
        raise PlanRequestError(
            f"expected a run_id such as 20150224T193552-0a1b2c, found {run_id!r}; "
            "leave it out to have one made"
        )
    return run_id


def make_plan(
    run_id: str,
    pending: Iterable[Mapping[str, Any]],
    texts: Mapping[str, Versions],
    scored: Versions,
    rescore: str = NO_RESCORE,
    pending_tickets: int = 0,
) -> Plan:
    """The plan of a run.

    Args:
        pending: items of the pending index, at least their `records`.
        texts: {text table: {dt: version item}}.
        scored: {dt: version item} of texts_scored.

    Raises:
        RescoreError: ``rescore`` is not of its form.
    """
    records = [int(item["records"]) for item in pending]
    dts = {*choose_dts_to_rescore(scored, texts), *dts_to_score_again(rescore, scored)}
    return Plan(run_id, len(records), sum(records), len(dts), pending_tickets, rescore)


def nothing(run_id: str) -> Plan:
    """The plan of a run that leaves everything to another."""
    return Plan(run_id, 0, 0, 0, 0, NO_RESCORE)


def is_early(
    waiting_minutes: int | None, pending: Iterable[Mapping[str, Any]], now: datetime
) -> bool:
    """Whether no pending object has waited for so long; never where no such time is given.

    Args:
        pending: items of the pending index, at least their `arrival_first`.
    """
    if waiting_minutes is None:
        return False
    latest = format_rfc3339(now - timedelta(minutes=waiting_minutes))
    return all(item["arrival_first"] > latest for item in pending)


def tickets_to_look_at(changed: Iterable[Mapping[str, Any]], position: Mapping[str, Any]) -> int:
    """How many tickets tickets_to_analytics would look at; 0 where it knows them all as they are.

    Args:
        changed: tickets that changed since its position, at least their ticket_id and revision.
        position: how far it has read; empty before its first run.
    """
    tickets = list(changed)
    if fingerprint(tickets) == position.get("seen", fingerprint([])):
        return 0
    return max(1, len(tickets))


def scoring_plan(
    run_id: str, features_run: Mapping[str, Any] | None, artifacts_bucket: str
) -> dict[str, Any]:
    """What the batch transform of a run gets.

    Args:
        features_run: the run item that cleansed_to_features wrote.

    Returns:
        {"to_score", "input", "output", "transform_job_name"}; the URIs end in `/`.

    Raises:
        MissingFeaturesRunError: there is no such item, or it does not say how many texts to score.
    """
    if features_run is None or "to_score" not in features_run:
        raise MissingFeaturesRunError(
            f"expected {FEATURES_JOB} to have left `to_score` in the ledger for run {run_id}, "
            f"found {'no item' if features_run is None else 'an item without it'}; "
            f"run {FEATURES_JOB} with this run_id first"
        )
    root = f"s3://{artifacts_bucket}/scoring/run={run_id}"
    return {
        "to_score": int(features_run["to_score"]),
        "input": f"{root}/input/",
        "output": f"{root}/output/",
        "transform_job_name": transform_job_name(run_id),
    }


def transform_job_name(run_id: str) -> str:
    return f"voxlake-{_NOT_IN_JOB_NAME.sub('-', run_id).strip('-')}"[:63].rstrip("-")
