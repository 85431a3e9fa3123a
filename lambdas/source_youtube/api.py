"""YouTube's API over HTTP.

Plain urllib3: two GET requests need none of Google's client, which is tens of megabytes, fetches
or carries a description of every Google API, and hides the time-outs.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import urllib3

from voxlake.sources.errors import ApiUnavailableError
from voxlake.sources.youtube_answers import page_of
from voxlake.sources.youtube_walk import Request


class YoutubeApi:
    """Calls the API, one attempt each.

    Args:
        key: API key; sent in a header, so it is in no URL that somebody logs.
        clock: now, aware.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        connect_seconds: float,
        read_seconds: float,
        clock: Callable[[], datetime],
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {"X-Goog-Api-Key": key, "Accept": "application/json"}
        self._clock = clock
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=connect_seconds, read=read_seconds),
            retries=False,
        )

    def get(self, request: Request) -> Any:
        """The page that a request asks for.

        Raises:
            ApiUnavailableError: no answer in time, or one that says to ask again.
            KeyRefusedError, QuotaSpentError, ItemClosedError, PageTokenRefusedError,
            RequestRefusedError, MalformedPageError: as `voxlake.sources.youtube_answers` says.
        """
        url = f"{self._base_url}/{request.path}?{urlencode(request.params)}"
        try:
            answer = self._pool.request("GET", url, headers=self._headers)
        except urllib3.exceptions.HTTPError as error:
            raise ApiUnavailableError(
                f"expected an answer from YouTube, found {type(error).__name__}; asked again"
            ) from None
        return page_of(
            answer.status,
            answer.data,
            with_token="pageToken" in request.params,
            now=self._clock(),
        )
