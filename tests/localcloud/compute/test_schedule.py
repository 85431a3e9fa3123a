"""Schedule expressions and event patterns, as EventBridge documents them."""

from datetime import UTC, datetime

import pytest

from localcloud.errors import ServiceError
from localcloud.events import pattern, schedule

START = datetime(2026, 1, 30, 10, 7, 30, tzinfo=UTC)  # a Friday


@pytest.mark.parametrize(
    ("expression", "following"),
    [
        ("rate(1 minute)", ["2026-01-30T10:08:30", "2026-01-30T10:09:30"]),
        ("rate(2 hours)", ["2026-01-30T12:07:30", "2026-01-30T14:07:30"]),
        ("cron(0 12 * * ? *)", ["2026-01-30T12:00:00", "2026-01-31T12:00:00"]),
        ("cron(0/15 * * * ? *)", ["2026-01-30T10:15:00", "2026-01-30T10:30:00"]),
        ("cron(5,35 14 * * ? *)", ["2026-01-30T14:05:00", "2026-01-30T14:35:00"]),
        ("cron(0 10 ? * 2-6 *)", ["2026-02-02T10:00:00", "2026-02-03T10:00:00"]),
        ("cron(0 8 1 * ? *)", ["2026-02-01T08:00:00", "2026-03-01T08:00:00"]),
        ("cron(0 0 29 2 ? 2028)", ["2028-02-29T00:00:00"]),
    ],
)
def test_a_schedule_fires_at(expression, following):
    parsed, moment, found = schedule.parse(expression), START, []
    for _ in following:
        moment = parsed.after(moment)
        found.append(moment.replace(tzinfo=None).isoformat())
    assert found == following


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minutes)",
        "rate(2 minute)",
        "rate(0 minutes)",
        "cron(0 12 * * * *)",
        "cron(61 * * * ? *)",
        "cron(0 12 * * ?)",
        "cron(0 0 L * ? *)",
        "cron(0 10 ? * MON-FRI *)",
        "every minute",
    ],
)
def test_a_wrong_schedule_is_refused(expression):
    with pytest.raises(ServiceError) as caught:
        schedule.parse(expression)
    assert caught.value.code == "ValidationException"


EVENT = {
    "source": "aws.glue",
    "detail-type": "Glue Job State Change",
    "detail": {"state": "FAILED", "runs": 3, "tags": ["a", "b"], "job": {"name": "landing"}},
}


@pytest.mark.parametrize(
    ("wanted", "matching"),
    [
        ({"source": ["aws.glue", "aws.s3"]}, True),
        ({"source": ["aws.s3"]}, False),
        ({"detail": {"state": ["FAILED"], "job": {"name": ["landing"]}}}, True),
        ({"source": [{"prefix": "aws."}]}, True),
        ({"detail": {"runs": [{"prefix": "3"}]}}, False),
        ({"detail": {"error": ["x"]}}, False),
        ({"detail": {"tags": ["b", "z"]}}, True),
        ({"detail": {"runs": ["3"]}}, False),
    ],
)
def test_a_pattern_matches(wanted, matching):
    assert pattern.matches(wanted, EVENT) is matching


def test_an_operator_that_is_not_emulated_is_refused_by_name():
    with pytest.raises(ServiceError) as caught:
        pattern.parse('{"detail": {"ip": [{"cidr": "10.0.0.0/24"}]}}')
    assert caught.value.code == "InvalidEventPatternException"
    assert "cidr" in caught.value.message
    assert "/detail/ip" in caught.value.message
