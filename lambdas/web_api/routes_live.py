"""Routes of the live page: health, trackers, videos, scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query

from lambdas.web_api import documents
from lambdas.web_api.caller import caller
from lambdas.web_api.problems import ApiError
from lambdas.web_api.services import Services
from lambdas.web_api.texts import START, encode

Since = Annotated[str | None, Query(max_length=400, description="A cursor of an earlier answer.")]
Limit = Annotated[int, Query(ge=1, le=500, description="At most so many.")]
VideoId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{11}$", description="YouTube's id.")]
TrackerId = Annotated[str, Path(max_length=64)]


def live_router(services: Callable[[], Services]) -> APIRouter:
    """Its routes need a token."""
    routes = APIRouter(prefix="/v1", dependencies=[Depends(caller)])

    @routes.get("/health", tags=["health"])
    def health() -> documents.Health:
        """Whether what was said comes through."""
        return documents.Health.model_validate(services().health.document())

    @routes.get("/trackers", tags=["texts"])
    def trackers() -> documents.TrackerList:
        """What is followed."""
        found = [{"id": one.id, "name": one.name} for one in services().trackers.trackers]
        return documents.TrackerList.model_validate({"trackers": found})

    @routes.get("/trackers/{tracker_id}", tags=["texts"])
    def tracker_texts(
        tracker_id: TrackerId, since: Since = None, limit: Limit = 100
    ) -> documents.TextList:
        """What was said about a tracker after the cursor, the oldest first; without one the
        newest."""
        known = [one.id for one in services().trackers.trackers]
        if tracker_id not in known:
            raise ApiError(404, f"expected a tracker of {', '.join(known)}, found none of that id")
        found = services().texts.of_tracker(tracker_id, since, limit)
        return documents.TextList.model_validate(found)

    @routes.get("/videos/{video_id}", tags=["texts"])
    def video_texts(
        video_id: VideoId, since: Since = None, limit: Limit = 100
    ) -> documents.VideoTexts:
        """What was said under a video after the cursor, the oldest first; without one the
        newest. And how far its reading is."""
        found = services().texts.of_thread(video_id, since, limit)
        video = services().videos.state(video_id)
        return documents.VideoTexts.model_validate({**found, "video": video})

    @routes.post("/videos/{video_id}", tags=["texts"], status_code=202)
    def read_video(video_id: VideoId) -> documents.VideoStarted:
        """Asks for a video's comments to be read from now on; asking again changes nothing. The
        cursor stands before the first of them."""
        started = {"video": services().videos.follow(video_id), "cursor": encode(START, "")}
        return documents.VideoStarted.model_validate(started)

    @routes.post("/score", tags=["score"], response_model_exclude_unset=True)
    def score(asked: documents.ScoreRequest) -> documents.ScoreList:
        """What the model says of texts; they are not kept."""
        encoder = services().encoder
        heads = tuple(encoder.heads if asked.heads is None else dict.fromkeys(asked.heads))
        found: list[dict[str, Any]] = encoder.score_texts(list(asked.texts), heads)
        return documents.ScoreList.model_validate({"scores": found})

    return routes
