"""Moving the cloud's clock on: alarms are evaluated and schedules fire on the way."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import wait
from datetime import timedelta
from typing import Any

from localcloud.core import Cloud
from localcloud.errors import LocalCloudError

MOST_DAYS = 31
MOST_STEPS = 1000
_DELIVERY_S = 60


def move_clock(cloud: Cloud, advance_seconds: int = 0, step_seconds: int = 0) -> dict[str, Any]:
    """Moves the clock on, in steps (0: in one); where it is then, and what happened.

    Alarms are evaluated at the end of every minute on the way. At the end of a step every schedule
    that fell due in it fires once, however often it fell due, as it does after the laptop slept;
    its targets are called before the next step, and what they do goes on meanwhile. Who runs by
    the host's clock (functions, jobs) is not moved. Raises `LocalCloudError` for a way back, one
    of more than 31 days or of more than 1000 steps.
    """
    step = step_seconds or advance_seconds
    if not 0 <= advance_seconds <= MOST_DAYS * 86_400:
        raise LocalCloudError(
            f"expected advance_seconds from 0 to {MOST_DAYS * 86_400}, found {advance_seconds}"
        )
    if step < 0 or advance_seconds > step * MOST_STEPS:
        raise LocalCloudError(
            f"expected steps of at least {-(-advance_seconds // MOST_STEPS)} seconds (at most"
            f" {MOST_STEPS} steps), found {step_seconds}"
        )
    alarms, fired = cloud.services.get("cloudwatch"), Counter()
    events = cloud.services.get("events")
    changed: list[dict[str, Any]] = []
    clock, left = cloud.clock, advance_seconds
    with clock.moving:
        if events and left:
            events.tick()  # what is due already, and the start of every rule's rate
        while left > 0:
            in_step = min(step, left)
            left -= in_step
            while in_step > 0:
                clock.offset += timedelta(seconds=min(60, in_step))
                in_step -= 60
                changed += alarms.evaluate() if alarms else []
            if events:
                before = events.firings()
                wait(events.tick(), timeout=_DELIVERY_S)
                fired += events.firings() - before
    return {
        "now": clock.now().isoformat(),
        "offset_seconds": round(clock.offset.total_seconds()),
        "fired": dict(fired),
        "alarms": changed,
    }
