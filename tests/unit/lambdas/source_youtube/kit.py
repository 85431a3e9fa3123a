"""Runs of source_youtube, and what came of them."""

from __future__ import annotations

from dataclasses import replace

from lambdas.source_youtube.handler import read
from tests.unit.lambdas.source_kit import Hurry

VIDEO = "dQw4w9WgXcQ"


def a_run(application, clock, hurry=None):
    return read(application, (hurry or Hurry()).patience(), clock).result()


def changed(application, **settings):
    return replace(application, settings=application.settings.model_copy(update=settings))


def ids(server, video=VIDEO):
    return sorted(
        f"youtube-{one.id}-{one.updated:%Y-%m-%dT%H:%M:%SZ}" for one in server.comments(video)
    )


def paths(server):
    return [request.path.rsplit("/", 1)[1] for request, _ in server.log]
