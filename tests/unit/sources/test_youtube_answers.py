"""What YouTube's answers mean, and when its day begins."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from tests.servers.youtube import error
from voxlake.sources.errors import (
    ApiUnavailableError,
    ItemClosedError,
    KeyRefusedError,
    MalformedPageError,
    PageTokenRefusedError,
    QuotaSpentError,
    RequestRefusedError,
)
from voxlake.sources.youtube_answers import next_reset, page_of, quota_day, refusal

NOW = datetime(2026, 2, 24, 20, 0, tzinfo=UTC)


def read(status, body, *, with_token=False):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return refusal(status, data, with_token=with_token, now=NOW)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(403, "quotaExceeded"), QuotaSpentError),
        (error(403, "dailyLimitExceeded"), QuotaSpentError),
        (error(429, "rateLimitExceeded", detail="RATE_LIMIT_EXCEEDED"), ApiUnavailableError),
        (error(403, "rateLimitExceeded"), ApiUnavailableError),
        (error(400, "badRequest", "API key expired.", "API_KEY_INVALID"), KeyRefusedError),
        (error(400, "keyInvalid"), KeyRefusedError),
        (error(403, "accessNotConfigured", detail="SERVICE_DISABLED"), KeyRefusedError),
        (error(403, "forbidden", detail="API_KEY_IP_ADDRESS_BLOCKED"), KeyRefusedError),
        (error(401, "authError"), KeyRefusedError),
        (error(403, "commentsDisabled"), ItemClosedError),
        (error(403, "forbidden"), ItemClosedError),
        (error(404, "videoNotFound"), ItemClosedError),
        (error(404, "somethingElse"), ItemClosedError),
        (error(400, "invalidPageToken"), RequestRefusedError),
        (error(500, "backendError"), ApiUnavailableError),
        (error(503, "quotaLater"), ApiUnavailableError),
        (error(400, "incompatibleParameters"), RequestRefusedError),
    ],
    ids=lambda value: (
        getattr(value, "__name__", None) or value.body["error"]["errors"][0]["reason"]
    ),
)
def test_an_error_answer_becomes_the_error_that_says_what_to_do(answer, kind):
    assert type(read(answer.status, answer.body)) is kind


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"error": "no"}', b'{"error": {"errors": 3}}']
)
def test_a_body_of_any_shape_is_read(body):
    assert type(read(502, body)) is ApiUnavailableError
    assert type(read(401, body)) is KeyRefusedError
    assert type(read(418, body)) is RequestRefusedError


@pytest.mark.parametrize("reason", ["invalidPageToken", "processingFailure", "badRequest"])
def test_a_bad_request_with_a_token_means_the_token(reason):
    answer = error(400, reason)
    assert type(read(400, answer.body, with_token=True)) is PageTokenRefusedError


def test_a_success_that_is_no_json_is_a_malformed_page():
    with pytest.raises(MalformedPageError, match="found 6 bytes"):
        page_of(200, b"<html>", with_token=False, now=NOW)


@pytest.mark.parametrize(
    ("now", "day", "reset"),
    [
        ("2026-02-24T20:00:00Z", "2026-02-24", "2026-02-25T08:00:00+00:00"),
        ("2026-02-25T07:59:59Z", "2026-02-24", "2026-02-25T08:00:00+00:00"),
        ("2026-02-25T08:00:00Z", "2026-02-25", "2026-02-26T08:00:00+00:00"),
        # The days on which summer time begins and ends.
        ("2026-03-08T09:00:00Z", "2026-03-08", "2026-03-09T07:00:00+00:00"),
        ("2026-11-01T08:00:00Z", "2026-11-01", "2026-11-02T08:00:00+00:00"),
    ],
)
def test_youtubes_day_begins_at_midnight_pacific_time(now, day, reset):
    instant = datetime.fromisoformat(now)
    assert (quota_day(instant), next_reset(instant).isoformat()) == (day, reset)


def test_a_spent_quota_says_when_it_is_full_again():
    spent = read(403, error(403, "quotaExceeded").body)
    assert spent.until == datetime(2026, 2, 25, 8, tzinfo=UTC)
    assert "2026-02-25T08:00:00+00:00" in str(spent)
