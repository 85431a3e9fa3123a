"""What X's answers mean."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.servers.x import CAP_REACHED, CREDITS_DEPLETED, problem
from voxlake.sources.errors import (
    ApiUnavailableError,
    KeyRefusedError,
    PageTokenRefusedError,
    QuotaSpentError,
    RateLimitedError,
    RequestRefusedError,
)
from voxlake.sources.x_answers import refusal, window_spent

NOW = datetime(2026, 2, 24, 20, 0, tzinfo=UTC)


def read(answer, *, headers=None, with_token=False):
    data = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
    return refusal(answer.status, headers or {}, data, with_token=with_token, now=NOW)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (CAP_REACHED.answer, QuotaSpentError),
        (CREDITS_DEPLETED.answer, QuotaSpentError),
        (problem(429, "about:blank", "Too Many Requests"), RateLimitedError),
        (problem(401, "about:blank", "Unauthorized"), KeyRefusedError),
        (problem(403, "client-forbidden", "Client Forbidden"), KeyRefusedError),
        (problem(503, "about:blank", "Service Unavailable"), ApiUnavailableError),
        (problem(400, "invalid-request", "Invalid Request"), RequestRefusedError),
        (problem(302, "about:blank", "Found"), RequestRefusedError),
    ],
)
def test_an_error_answer_becomes_the_error_that_says_what_to_do(answer, kind):
    assert type(read(answer)) is kind


def test_a_bad_request_about_the_token_means_the_token():
    about = problem(400, "invalid-request", "Invalid Request", "Invalid 'next_token'")
    other = problem(400, "invalid-request", "Invalid Request", "Invalid 'query'")
    assert type(read(about, with_token=True)) is PageTokenRefusedError
    assert type(read(other, with_token=True)) is RequestRefusedError
    assert type(read(about)) is RequestRefusedError


@pytest.mark.parametrize(
    ("header", "until"),
    [
        (str(int(NOW.timestamp()) + 60), NOW + timedelta(minutes=1)),
        (str(int(NOW.timestamp()) - 60), NOW + timedelta(minutes=15)),
        (str(int(NOW.timestamp()) + 10**8), NOW + timedelta(minutes=15)),
        ("9" * 40, NOW + timedelta(minutes=15)),
        ("soon", NOW + timedelta(minutes=15)),
        (None, NOW + timedelta(minutes=15)),
    ],
)
def test_the_wait_is_the_headers_or_a_window_where_the_header_makes_no_sense(header, until):
    headers = {} if header is None else {"x-rate-limit-reset": header}
    limited = read(problem(429, "about:blank", "Too Many Requests"), headers=headers)
    assert limited.until == until
    spent = window_spent({"x-rate-limit-remaining": "0", **headers}, NOW)
    assert spent == until
    assert window_spent({"x-rate-limit-remaining": "1", **headers}, NOW) is None


@pytest.mark.parametrize("data", [b"", b"bad gateway", b'"text"', b"[1]", b'{"errors": 7}'])
def test_a_body_of_any_shape_is_read(data):
    assert type(refusal(502, {}, data, with_token=False, now=NOW)) is ApiUnavailableError
    assert type(refusal(403, {}, data, with_token=True, now=NOW)) is KeyRefusedError
