"""A run: the trackers' queries in turn, page by page, until all is read or something ends it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import requests
import tweepy
from aws_lambda_powertools import Logger

from lambdas.common.source_runs import BudgetSpentError, Run
from lambdas.common.source_table import SourceTable
from lambdas.common.stream_writer import EventRecord, KinesisWriter, batches
from lambdas.source_x.settings import Settings
from voxlake.errors import TerminalError
from voxlake.sources.errors import PageTokenRefusedError, RateLimitedError
from voxlake.sources.x import EXPANSIONS, PLACE_FIELDS, TWEET_FIELDS, read_search
from voxlake.sources.x_answers import next_day, page_of, utc_day, window_spent
from voxlake.sources.x_search import Search, queries, reaches
from voxlake.times import format_rfc3339
from voxlake.trackers import Trackers

logger = Logger()
PREFIX = "search#"


class UnknownTrackerError(TerminalError):
    """The settings name a tracker that trackers.yaml does not have."""


@dataclass
class Query:
    """One query and its cursor; ``version`` is None until it was first saved."""

    id: str
    text: str
    search: Search
    version: int | None = None
    touched_at: str = ""


def listened(trackers: Trackers, wanted: Iterable[str], table: SourceTable) -> list[Query]:
    """The queries of the wanted trackers, those longest not read first.

    Raises:
        UnknownTrackerError: naming the tracker.
    """
    known = {tracker.id: tracker for tracker in trackers.trackers}
    items = {item["sk"].removeprefix(PREFIX): item for item in table.items(PREFIX)}
    found = []
    for tracker_id in wanted:
        if tracker_id not in known:
            raise UnknownTrackerError(
                f"expected a tracker of {', '.join(sorted(known))}, found {tracker_id!r}; correct "
                "X_TRACKERS or add it to trackers.yaml"
            )
        for number, text in enumerate(queries(known[tracker_id]), start=1):
            query_id = f"{tracker_id}#{number}"
            item = items.get(query_id, {})
            found.append(
                Query(
                    query_id,
                    text,
                    Search.from_item(item),
                    item.get("version"),
                    item.get("touched_at", ""),
                )
            )
    return sorted(found, key=lambda query: (query.touched_at, query.id))


class Reader:
    """Reads queries with one client; what comes of it is told in the run's tally."""

    def __init__(
        self, settings: Settings, writer: KinesisWriter, client: tweepy.Client, run: Run
    ) -> None:
        self._settings = settings
        self._writer = writer
        self._client = client
        self._run = run
        self._tally = run.tally

    def read(self, waiting: Iterable[Query]) -> None:
        """Reads each query to its newest post.

        Raises:
            PutRecordsError: the stream kept refusing records; the cursor stays before them.
        """
        self._run.in_turn(waiting, self._read_query, self._save)

    def _read_query(self, query: Query) -> None:
        since_id = query.search.since_id
        if since_id is not None and not reaches(since_id, self._run.clock()):
            detail = "the last post read is older than search reaches: posts in between are missed"
            logger.warning("gap", extra={"id": query.id, "detail": detail})
        while not query.search.done:
            if self._run.patience.over():
                self._tally.stop("time")
                self._tally.unfinished += 1
                return
            self._step(query)

    def _step(self, query: Query) -> None:
        """One request, its events on the stream, and the cursor after it in the table.

        Raises:
            RateLimitedError: the answer was the last of its window; it is put and saved.
        """
        try:
            answer = self._run.patience.call(lambda: self._ask(query), self._retried)
        except PageTokenRefusedError as error:
            logger.warning("token_refused", extra={"id": query.id, "detail": str(error)})
            query.search = query.search.token_refused()
            if query.search.cut_short:
                self._tally.cut_short += 1
                logger.warning("cut_short", extra={"id": query.id})
            self._save(query)
            return
        now = self._run.clock()
        page = read_search(page_of(answer.content), now=now)
        if page.posts:
            self._run.table.use(utc_day(now), page.posts, now=now)
        for batch in batches(EventRecord.of(event) for event in page.events):
            self._writer.put(batch)
        self._tally.events += len(page.events)
        self._tally.add_malformed(page.malformed, logger, id=query.id)
        query.search = query.search.after(page)
        self._save(query)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        if until := window_spent(headers, now):
            raise RateLimitedError(
                f"expected requests to be left in X's window, found none; reading goes on after "
                f"{until.isoformat()}",
                until=until,
            )

    def _ask(self, query: Query) -> requests.Response:
        """One attempt, where the day's budget of posts allows one."""
        now = self._run.clock()
        budget = self._settings.daily_posts
        if self._run.table.used(utc_day(now)) >= budget:
            until = next_day(now)
            raise BudgetSpentError(
                f"expected posts to be left of the daily budget of {budget}, found none; reading "
                f"goes on after {until.isoformat()}, or with a larger X_DAILY_POSTS",
                until=until,
            )
        self._tally.calls += 1
        return self._client.search_recent_tweets(
            **query.search.params(query.text, now=now, first_hours=self._settings.first_hours),
            tweet_fields=list(TWEET_FIELDS),
            expansions=list(EXPANSIONS),
            place_fields=list(PLACE_FIELDS),
        )

    def _retried(self) -> None:
        self._tally.retries += 1

    def _save(self, query: Query) -> None:
        values: dict[str, Any] = dict.fromkeys(("since_id", "newest_id", "next_token", "restarts"))
        values |= query.search.to_item()
        values["touched_at"] = format_rfc3339(self._run.clock())
        query.version = self._run.table.save(PREFIX + query.id, values, version=query.version)
