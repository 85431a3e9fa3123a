"""What an invocation asks for: a tick of the schedule, or events spread over past hours."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from voxlake.errors import TerminalError


class MandateError(TerminalError):
    """The invocation's payload cannot be served."""


class Mandate(BaseModel):
    """A payload. Without `events` it asks for one tick.

    Attributes:
        events: records to send in all, duplicates and malformed ones included.
        now: end of the hours to spread over, or the tick's time; default the clock's.
        hours: how far back the events begin.
        seed: another one makes other events, of the same people about the same brands.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    events: int | None = Field(None, ge=1, le=1_000_000)
    now: AwareDatetime
    hours: int | None = Field(None, ge=1, le=24 * 90)
    seed: int

    @model_validator(mode="after")
    def _hours_need_events(self) -> Mandate:
        if self.hours is not None and self.events is None:
            raise ValueError("hours without events: say how many events to spread")
        return self

    @property
    def minute(self) -> int:
        """The last whole minute before now, in minutes since 1970."""
        return int(self.now.timestamp() // 60) - 1


def read_mandate(payload: Mapping[str, Any], *, clock: datetime, seed: int) -> Mandate:
    """Reads a payload: `{}`, a schedule's event, or
    `{"events": N, "now": "2026-02-24T12:00:00Z", "hours": 24, "seed": 7}`, all optional.

    A schedule's event carries its own time: when it is delivered again, the same tick is sent
    again, and downstream drops it as duplicates.

    Raises:
        MandateError: naming the member that is wrong.
    """
    if "detail-type" in payload:
        payload = {"now": payload["time"]} if payload.get("time") else {}
    try:
        return Mandate.model_validate({"now": clock.astimezone(UTC), "seed": seed, **payload})
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'payload'}: {e['msg']}" for e in error.errors()
        )
        raise MandateError(
            f'mock_server expects {{"events", "now", "hours", "seed"}}, found a payload with '
            f"{wrong}; correct the payload"
        ) from None
