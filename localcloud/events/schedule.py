"""Schedule expressions: rate(...) and cron(...), in UTC. Names of months and days, `L`, `W` and
`#` are refused.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from localcloud.errors import ServiceError

UNITS = {"minute": 60, "hour": 3600, "day": 86400}
SEARCHED_DAYS = 366 * 8  # the longest way from one 29 February to the next


@dataclass(frozen=True)
class Rate:
    seconds: int

    def after(self, moment: datetime) -> datetime:
        """The first firing after `moment`, which is the rule's start or its last firing."""
        return moment + timedelta(seconds=self.seconds)


@dataclass(frozen=True)
class Cron:
    """The values each field admits, in order; day-of-week 1 is Sunday."""

    minutes: list[int]
    hours: list[int]
    days: list[int]
    months: list[int]
    weekdays: list[int]
    years: list[int]

    def after(self, moment: datetime) -> datetime | None:
        """The first firing after `moment`; None when there is none within eight years."""
        moment = moment.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        midnight = moment.replace(hour=0, minute=0)
        for offset in range(SEARCHED_DAYS):
            day = midnight + timedelta(days=offset)
            if (
                day.year in self.years
                and day.month in self.months
                and day.day in self.days
                and day.isoweekday() % 7 + 1 in self.weekdays
            ):
                for hour in self.hours:
                    for minute in self.minutes:
                        found = day.replace(hour=hour, minute=minute)
                        if found >= moment:
                            return found
        return None


def parse(expression: str) -> Rate | Cron:
    """Raises `ServiceError` ValidationException, as PutRule does."""
    if match := re.fullmatch(r"rate\((\d+) (minute|hour|day)(s?)\)", expression):
        count = int(match[1])
        if count > 0 and (count == 1) == (match[3] == ""):
            return Rate(count * UNITS[match[2]])
    if match := re.fullmatch(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)", expression):
        minutes, hours, days, months, weekdays, years = match.groups()
        try:
            if (days == "?") == (weekdays == "?"):
                raise ValueError("one of day-of-month and day-of-week is ?")
            return Cron(
                _values(minutes, 0, 59),
                _values(hours, 0, 23),
                _values(days.replace("?", "*"), 1, 31),
                _values(months, 1, 12),
                _values(weekdays.replace("?", "*"), 1, 7),
                _values(years, 1970, 2199),
            )
        except ValueError:
            pass
    raise ServiceError(
        "ValidationException",
        f"Parameter ScheduleExpression is not valid. Found {expression}; names, L, W and #"
        " are not emulated",
    )


def _values(text: str, low: int, high: int) -> list[int]:
    """The values of a field with `*`, lists, ranges and steps. Raises `ValueError`."""

    def number(word: str) -> int:
        value = int(word)
        if not low <= value <= high:
            raise ValueError(f"{value} is not within {low} to {high}")
        return value

    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        if span == "*":
            first, last = low, high
        elif "-" in span:
            first, last = (number(w) for w in span.split("-"))
        else:
            first = number(span)
            last = high if step else first
        found.update(range(first, last + 1, int(step or 1)))
    return sorted(found)
