"""An event source mapping and its settings, checked as CreateEventSourceMapping checks them.

https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from localcloud.errors import ServiceError

REPORT_FAILURES = "ReportBatchItemFailures"
# name of the API's parameter: (attribute of Settings, smallest, largest value)
NUMBERS = {
    "BatchSize": ("batch_size", 1, 10_000),
    "MaximumBatchingWindowInSeconds": ("window_s", 0, 300),
    "MaximumRetryAttempts": ("max_retries", -1, 10_000),
    "MaximumRecordAgeInSeconds": ("max_age_s", -1, 604_800),
    "ParallelizationFactor": ("parallelization", 1, 1),
}
KNOWN = {
    *NUMBERS,
    "UUID",
    "EventSourceArn",
    "FunctionName",
    "Enabled",
    "BisectBatchOnFunctionError",
    "StartingPosition",
    "FunctionResponseTypes",
    "DestinationConfig",
    "MetricsConfig",
}


@dataclass(frozen=True)
class Settings:
    """How records are batched, retried and given up. -1 means without limit."""

    batch_size: int = 100
    window_s: int = 0
    max_retries: int = -1
    max_age_s: int = -1
    parallelization: int = 1
    bisect: bool = False
    report_failures: bool = False
    destination: str | None = None
    event_count: bool = False


@dataclass
class Mapping:
    """One mapping with its checkpoints (shard id -> sequence number of the next record).

    `problem` says why nothing is delivered; `refused` that it is the role's grants.
    """

    source_arn: str
    function_name: str
    function_arn: str
    starting_position: str | None
    settings: Settings
    enabled: bool
    modified: datetime
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    result: str = "No records processed"
    problem: str | None = None
    refused: bool = False
    checked: float = 0.0  # when the grants were last tried, of time.monotonic()
    checkpoints: dict[str, int] = field(default_factory=dict)
    discarded: int = 0

    @property
    def of_queue(self) -> bool:
        return self.source_arn.startswith("arn:aws:sqs:")

    def to_response(self, state: str | None = None) -> dict[str, Any]:
        """The shape of boto3's EventSourceMappingConfiguration."""
        settings = self.settings
        common = {
            "UUID": self.uuid,
            "BatchSize": settings.batch_size,
            "EventSourceArn": self.source_arn,
            "FunctionArn": self.function_arn,
            "LastModified": self.modified,
            "State": state or ("Enabled" if self.enabled else "Disabled"),
            "StateTransitionReason": "User action",
            "FunctionResponseTypes": [REPORT_FAILURES] if settings.report_failures else [],
        }
        if self.of_queue:
            return common
        destination = {"Destination": settings.destination} if settings.destination else {}
        return {
            **{name: getattr(settings, row[0]) for name, row in NUMBERS.items()},
            **common,
            "StartingPosition": self.starting_position,
            "LastProcessingResult": self.problem or self.result,
            "DestinationConfig": {"OnFailure": destination},
            "BisectBatchOnFunctionError": settings.bisect,
            "MetricsConfig": {"Metrics": ["EventCount"] if settings.event_count else []},
        }


def parse_settings(params: Dict[str, Any], current: Settings | None = None) -> Settings:
    """The settings of a Create or Update call; `current` holds what an Update leaves out.

    Raises `ServiceError` for values out of range and for what the laptop cloud does not emulate.
    """
    given = {k: v for k, v in params.items() if v not in (None, {}, [])}
    if unknown := sorted(given.keys() - KNOWN):
        raise invalid(f"not emulated for Kinesis mappings: {', '.join(unknown)}")
    changes: dict[str, Any] = {}
    for name, (attribute, low, high) in NUMBERS.items():
        if name in given:
            if not low <= int(given[name]) <= high:
                raise ServiceError(
                    "ValidationException",
                    f"Value '{given[name]}' at '{name}' failed to satisfy constraint: expected"
                    f" {low} to {high}",
                )
            changes[attribute] = int(given[name])
    if "BisectBatchOnFunctionError" in given:
        changes["bisect"] = bool(given["BisectBatchOnFunctionError"])
    if (types := params.get("FunctionResponseTypes")) is not None:
        only(types, REPORT_FAILURES, "response type")
        changes["report_failures"] = bool(types)
    if (metrics := params.get("MetricsConfig")) is not None:
        only(metrics.get("Metrics") or [], "EventCount", "metric")
        changes["event_count"] = bool(metrics.get("Metrics"))
    if (config := params.get("DestinationConfig")) is not None:
        destination = (config.get("OnFailure") or {}).get("Destination") or None
        if destination and not destination.startswith("arn:aws:s3:::"):
            raise invalid(
                f"expected an S3 bucket as on-failure destination, found {destination}: queues"
                " and topics are not emulated"
            )
        changes["destination"] = destination
    return replace(current or Settings(), **changes)


def only(found: list[str], expected: str, what: str) -> None:
    if set(found) - {expected}:
        raise invalid(f"expected the {what} {expected}, found {found}")


def invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterValueException", message)
