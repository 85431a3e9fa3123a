"""Posts on X as our account, and looks into its timeline, with tweepy."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

import requests

from lambdas.common.source_keys import KeyMissingError, read_key
from lambdas.common.x_client import XSession, x_client
from lambdas.reply_sender.settings import Settings
from voxlake.replies.errors import AccountRefusedError, ReplyUnsureError
from voxlake.replies.x_answers import WINDOW, post_id_of, posting_refusal, window_end
from voxlake.times import format_event_time

KEYS = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
_PAGES = 32  # of 100: X shows 3,200 posts of a timeline
_SKEW = timedelta(minutes=5)


class Poster(Protocol):
    """Where replies go."""

    def ready(self) -> None: ...
    def post(self, text: str, to: str) -> tuple[str, datetime | None]: ...
    def find(self, words: str, *, since: datetime, known: set[str]) -> str | None: ...


class XPoster:
    """Our account on X. Keys are read when they are first needed, and again after X refused them.

    Args:
        secrets: Secrets Manager client.
        clock: now, aware.
    """

    def __init__(self, settings: Settings, secrets: Any, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._secrets = secrets
        self._clock = clock
        self._ready: tuple[Any, str] | None = None

    def ready(self) -> None:
        """Has keys and account at hand, so that nothing but the post itself is left to fail.

        Raises:
            VoxlakeError: see `voxlake.replies.x_answers.posting_refusal`.
        """
        self._client()

    def post(self, text: str, to: str) -> tuple[str, datetime | None]:
        """Posts a reply.

        Args:
            to: id of the post that is answered.

        Returns:
            Its id, and until when X takes no further post (None: it does).

        Raises:
            VoxlakeError: see `voxlake.replies.x_answers.posting_refusal`.
            ReplyUnsureError: X says that it posted, but not under which id.
        """
        client, _ = self._client()
        answer = self._asked(
            lambda: client.create_tweet(text=text, in_reply_to_tweet_id=to, user_auth=True)
        )
        made = post_id_of(answer.content)
        if made is None:
            raise ReplyUnsureError(
                f"expected the id of the post, found {len(answer.content)} bytes of something else",
                until=self._clock(),
            )
        return made, window_end(_lower(answer.headers), self._clock())

    def find(self, words: str, *, since: datetime, known: set[str]) -> str | None:
        """Id of the newest post of ours that holds the words, None where there is none.

        Args:
            since: older posts are not looked at.
            known: ids that are something else.

        Raises:
            VoxlakeError: see `voxlake.replies.x_answers.posting_refusal`.
        """
        client, account = self._client()
        start = format_event_time((since - _SKEW).replace(microsecond=0))
        token: str | None = None
        for _ in range(_PAGES):
            params = {"start_time": start, "max_results": 100, "pagination_token": token}
            asked = {name: value for name, value in params.items() if value is not None}
            answer = self._asked(
                lambda asked=asked: client.get_users_tweets(account, user_auth=True, **asked)
            )
            page = _json(answer, self._clock())
            for post in page.get("data") or ():
                if words in post["text"] and post["id"] not in known:
                    return post["id"]
            token = (page.get("meta") or {}).get("next_token")
            if token is None:
                return None
        raise ReplyUnsureError(
            f"expected our posts since {start} on {_PAGES} pages, found more; look for {words!r} "
            "by hand",
            until=self._clock() + WINDOW,
        )

    def _client(self) -> tuple[Any, str]:
        """A client and the id of its account.

        Raises:
            AccountRefusedError: there are no keys, or they are another account's.
        """
        if self._ready is not None:
            return self._ready
        try:
            keys = {name: self._key(name) for name in KEYS}
        except KeyMissingError as error:
            raise AccountRefusedError(str(error), until=self._clock() + WINDOW) from None
        session = XSession(
            self._settings.api_url,
            connect_seconds=self._settings.connect_seconds,
            read_seconds=self._settings.read_seconds,
            clock=self._clock,
            refused=posting_refusal,
        )
        client = x_client(session, **keys)
        answer = self._asked(lambda: client.get_me(user_auth=True))
        account = (_json(answer, self._clock()).get("data") or {}).get("id")
        wanted = self._settings.account_id
        if not account or (wanted and account != wanted):
            raise AccountRefusedError(
                f"expected keys of the account {wanted or 'that posts'}, found those of {account}; "
                "correct the secret, or account_id in infra/config.py",
                until=self._clock() + WINDOW,
            )
        self._ready = client, account
        return self._ready

    def _key(self, name: str) -> str:
        return read_key(self._secrets, self._settings.secret, name)

    def _asked(self, call: Callable[[], requests.Response]) -> requests.Response:
        try:
            return call()
        except AccountRefusedError:
            self._ready = None
            raise


def _json(answer: requests.Response, now: datetime) -> dict[str, Any]:
    try:
        page = json.loads(answer.content)
    except ValueError:
        page = None
    if not isinstance(page, dict):
        raise ReplyUnsureError(
            f"expected JSON from X, found {len(answer.content)} bytes of something else", until=now
        )
    return page


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
