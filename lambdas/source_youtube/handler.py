"""Entry point of source_youtube: a schedule's event in, what was read out."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Metrics

from lambdas.common.settings import read_settings
from lambdas.common.source_runs import Patience, Run, Tally
from lambdas.common.source_table import CLIENT_CONFIG, SourceTable
from lambdas.common.stream_writer import CLIENT_CONFIG as STREAM_CONFIG
from lambdas.common.stream_writer import KinesisWriter
from lambdas.source_youtube.api import YoutubeApi
from lambdas.source_youtube.reading import Reader, followed, logger
from lambdas.source_youtube.settings import Settings
from voxlake.sources.youtube import SOURCE

metrics = Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "voxlake"))


@dataclass(frozen=True)
class Application:
    """What outlives a run."""

    settings: Settings
    table: SourceTable
    writer: KinesisWriter
    secrets: Any


@cache
def _application() -> Application:
    settings = read_settings(Settings, os.environ)
    return Application(
        settings,
        SourceTable(boto3.client("dynamodb", config=CLIENT_CONFIG), settings.sources_table, SOURCE),
        KinesisWriter(boto3.client("kinesis", config=STREAM_CONFIG), settings.event_stream),
        boto3.client("secretsmanager", config=CLIENT_CONFIG),
    )


def handler(event: Mapping[str, Any] | None, context: Any) -> dict[str, Any]:
    patience = Patience(lambda: context.get_remaining_time_in_millis() / 1000)
    return read(_application(), patience, lambda: datetime.now(UTC)).result()


def read(application: Application, patience: Patience, clock: Callable[[], datetime]) -> Tally:
    """One run over the followed videos.

    Raises:
        PutRecordsError: the stream kept refusing records.
    """
    settings, table = application.settings, application.table
    run = Run(table, patience, clock, logger)

    def with_key(key: str) -> None:
        api = YoutubeApi(
            settings.api_url,
            key,
            connect_seconds=settings.connect_seconds,
            read_seconds=settings.read_seconds,
            clock=clock,
        )
        Reader(settings, application.writer, api, run).read(followed(settings.videos, table))

    return run.with_key(application.secrets, settings.secret, "api_key", with_key, metrics)
