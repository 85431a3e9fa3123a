"""A run: the followed videos in turn, page by page, until all is read or something ends it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aws_lambda_powertools import Logger

from lambdas.common.source_runs import BudgetSpentError, Run
from lambdas.common.source_table import VIDEO, SourceTable
from lambdas.common.stream_writer import EventRecord, KinesisWriter, batches
from lambdas.source_youtube.api import YoutubeApi
from lambdas.source_youtube.settings import Settings
from voxlake.sources.errors import ItemClosedError, PageTokenRefusedError
from voxlake.sources.youtube import Page, read_replies, read_threads
from voxlake.sources.youtube_answers import UNITS_PER_CALL, next_reset, quota_day
from voxlake.sources.youtube_walk import Request, Walk, next_walk
from voxlake.times import format_rfc3339, parse_rfc3339

logger = Logger()
OPEN, CLOSED = "open", "closed"


@dataclass
class Video:
    """A followed video and its cursor; ``version`` is None until it was first saved.

    ``texts_read`` counts the comments put on the stream, edited ones again.
    """

    id: str
    version: int | None = None
    walk: Walk | None = None
    walked_at: datetime | None = None
    full_walk_at: datetime | None = None
    touched_at: str = ""
    texts_read: int = 0

    @classmethod
    def from_item(cls, item: dict[str, Any]) -> Video:
        """Of an item of the table; ``sk`` alone is enough."""
        return cls(
            id=item["sk"].removeprefix(VIDEO),
            version=item.get("version"),
            walk=Walk.from_item(item["walk"]) if item.get("walk") else None,
            walked_at=parse_rfc3339(item["walked_at"]) if item.get("walked_at") else None,
            full_walk_at=parse_rfc3339(item["full_walk_at"]) if item.get("full_walk_at") else None,
            touched_at=item.get("touched_at", ""),
            texts_read=item.get("texts_read", 0),
        )


def followed(video_ids: Iterable[str], table: SourceTable) -> list[Video]:
    """Open videos among those named and those in the table, the ones longest not read first."""
    items = {item["sk"].removeprefix(VIDEO): item for item in table.items(VIDEO)}
    for video_id in video_ids:
        items.setdefault(video_id, {"sk": VIDEO + video_id})
    videos = [Video.from_item(item) for item in items.values() if item.get("state", OPEN) != CLOSED]
    return sorted(videos, key=lambda video: (video.touched_at, video.id))


class Reader:
    """Reads videos with one key; what comes of it is told in the run's tally."""

    def __init__(
        self, settings: Settings, writer: KinesisWriter, api: YoutubeApi, run: Run
    ) -> None:
        self._settings = settings
        self._writer = writer
        self._api = api
        self._run = run
        self._tally = run.tally

    def read(self, videos: Iterable[Video]) -> None:
        """Reads each video as far as it goes.

        Raises:
            PutRecordsError: the stream kept refusing records; the cursor stays before them.
        """
        self._run.in_turn(videos, self._read_video, self._save)

    def _read_video(self, video: Video) -> None:
        try:
            self._walk(video)
        except ItemClosedError as error:
            self._tally.closed += 1
            logger.warning("closed", extra={"id": video.id, "detail": str(error)})
            now = format_rfc3339(self._run.clock())
            self._save(video, state=CLOSED, closed_reason=error.reason, closed_at=now, walk=None)

    def _walk(self, video: Video) -> None:
        walk = video.walk or next_walk(
            now=self._run.clock(),
            walked_at=video.walked_at,
            full_walk_at=video.full_walk_at,
            full_every=timedelta(hours=self._settings.full_walk_hours),
            overlap=timedelta(minutes=self._settings.overlap_minutes),
        )
        while not walk.done:
            if self._run.patience.over():
                self._tally.stop("time")
                self._tally.unfinished += 1
                return
            walk = self._step(video, walk)
            if not walk.done:
                video.walk = walk
                self._save(video, walk=walk.to_item())
        began = format_rfc3339(walk.started_at)
        if walk.cut_short:
            self._tally.cut_short += 1
            logger.warning("cut_short", extra={"id": video.id})
        full = {"full_walk_at": began} if walk.full else {}
        self._save(video, walk=None, walked_at=began, **full)

    def _step(self, video: Video, walk: Walk) -> Walk:
        """One request, its events on the stream, and the walk after it."""
        request = walk.request(video.id)
        try:
            answer = self._run.patience.call(lambda: self._ask(request), self._retried)
        except PageTokenRefusedError as error:
            logger.warning("token_refused", extra={"id": video.id, "detail": str(error)})
            return walk.token_refused()
        except ItemClosedError:
            if not walk.reads_replies:
                raise
            return walk.without_thread()
        page = self._page(answer, video, walk)
        for batch in batches(EventRecord.of(event) for event in page.events):
            self._writer.put(batch)
        self._tally.events += len(page.events)
        video.texts_read += len(page.events)
        self._tally.known += page.known
        self._tally.add_malformed(page.malformed, logger, id=video.id)
        return walk.after(page)

    def _page(self, answer: Any, video: Video, walk: Walk) -> Page:
        common = {"video_id": video.id, "since": walk.since, "now": self._run.clock()}
        if walk.reads_replies:
            return read_replies(answer, **common)
        return read_threads(answer, recent_only=not walk.full, **common)

    def _ask(self, request: Request) -> Any:
        """One attempt; its units are counted before, since refused calls cost as well."""
        now = self._run.clock()
        budget = self._settings.daily_units
        if not self._run.table.use(quota_day(now), UNITS_PER_CALL, now=now, limit=budget):
            until = next_reset(now)
            raise BudgetSpentError(
                f"expected units to be left of the daily budget of {budget}, found none; reading "
                f"goes on after {until.isoformat()}, or with a larger YOUTUBE_DAILY_UNITS",
                until=until,
            )
        self._tally.calls += 1
        return self._api.get(request)

    def _retried(self) -> None:
        self._tally.retries += 1

    def _save(self, video: Video, **values: Any) -> None:
        """Saves members of the video's item; None removes one."""
        values["touched_at"] = format_rfc3339(self._run.clock())
        values["texts_read"] = video.texts_read
        video.version = self._run.table.save(VIDEO + video.id, values, version=video.version)
