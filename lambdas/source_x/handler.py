"""Entry point of source_x: a schedule's event in, what was read out."""

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
from lambdas.common.x_client import XSession, x_client
from lambdas.source_x.reading import Reader, listened, logger
from lambdas.source_x.settings import Settings
from voxlake.sources.x import SOURCE
from voxlake.trackers import Trackers, load_trackers

metrics = Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "voxlake"))


@dataclass(frozen=True)
class Application:
    """What outlives a run."""

    settings: Settings
    table: SourceTable
    writer: KinesisWriter
    secrets: Any
    trackers: Trackers


@cache
def _application() -> Application:
    settings = read_settings(Settings, os.environ)
    return Application(
        settings,
        SourceTable(boto3.client("dynamodb", config=CLIENT_CONFIG), settings.sources_table, SOURCE),
        KinesisWriter(boto3.client("kinesis", config=STREAM_CONFIG), settings.event_stream),
        boto3.client("secretsmanager", config=CLIENT_CONFIG),
        load_trackers(),
    )


def handler(event: Mapping[str, Any] | None, context: Any) -> dict[str, Any]:
    patience = Patience(lambda: context.get_remaining_time_in_millis() / 1000)
    return read(_application(), patience, lambda: datetime.now(UTC)).result()


def read(application: Application, patience: Patience, clock: Callable[[], datetime]) -> Tally:
    """One run over the trackers' queries.

    Raises:
        PutRecordsError: the stream kept refusing records.
        UnknownTrackerError: the settings name a tracker that is not there.
    """
    settings, table = application.settings, application.table
    run = Run(table, patience, clock, logger)

    def with_key(key: str) -> None:
        session = XSession(
            settings.api_url,
            connect_seconds=settings.connect_seconds,
            read_seconds=settings.read_seconds,
            clock=clock,
        )
        client = x_client(session, bearer_token=key)
        queries = listened(application.trackers, settings.trackers, table)
        Reader(settings, application.writer, client, run).read(queries)

    return run.with_key(application.secrets, settings.secret, "bearer_token", with_key, metrics)
