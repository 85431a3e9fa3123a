"""tweepy's client for X's API, with what it leaves out; packaged with each function.

tweepy names X's host in its code and waits for an answer for ever. A session of our own gives it
the base URL of the settings and time-outs, and turns every refusal into an error of ours before
tweepy's own handling, which fails on bodies that are not the documented JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import requests
import tweepy

from voxlake.errors import VoxlakeError
from voxlake.sources.errors import ApiUnavailableError
from voxlake.sources.x_answers import refusal


class XSession(requests.Session):
    """Sends every request to one base URL, within time-outs.

    Args:
        base_url: scheme and host, perhaps with a path before the API's own.
        clock: now, aware.
        refused: the error that an answer with another status than 2xx stands for.
    """

    def __init__(
        self,
        base_url: str,
        *,
        connect_seconds: float,
        read_seconds: float,
        clock: Callable[[], datetime],
        refused: Callable[..., VoxlakeError] = refusal,
    ) -> None:
        super().__init__()
        # Neither a proxy nor a .netrc of the machine is meant for these calls.
        self.trust_env = False
        self._base_url = base_url.rstrip("/")
        self._timeout = (connect_seconds, read_seconds)
        self._clock = clock
        self._refused = refused

    def request(self, method: str, url: str, **options: Any) -> requests.Response:  # type: ignore[override]
        """As requests does, below the base URL.

        Raises:
            ApiUnavailableError: no answer in time.
            VoxlakeError: what `refused` makes of another status than 2xx.
        """
        options |= {"timeout": self._timeout, "allow_redirects": False}
        try:
            answer = super().request(method, self._base_url + urlsplit(url).path, **options)
        except requests.RequestException as error:
            raise ApiUnavailableError(
                f"expected an answer from X, found {type(error).__name__}; asked again"
            ) from None
        if not 200 <= answer.status_code < 300:
            raise self._refused(
                answer.status_code,
                {name.lower(): value for name, value in answer.headers.items()},
                answer.content,
                with_token="next_token" in (options.get("params") or {}),
                now=self._clock(),
            )
        return answer


def x_client(session: XSession, **credentials: str) -> tweepy.Client:
    """A tweepy client that answers with responses as they came.

    Args:
        credentials: as tweepy's Client takes them: bearer_token for reading; consumer and access
            tokens for writing.
    """
    client = tweepy.Client(**credentials, return_type=requests.Response)
    client.session = session
    return client
