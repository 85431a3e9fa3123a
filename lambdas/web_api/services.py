"""What the routes work with, made once a worker and only when first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

from lambdas.common.score_indexes import NO_TRACKER
from lambdas.common.settings import read_settings
from lambdas.common.source_table import SourceTable
from lambdas.web_api.health import Health
from lambdas.web_api.settings import Settings
from lambdas.web_api.texts import Texts
from lambdas.web_api.videos import Videos
from voxlake.scoring import load_model
from voxlake.sources.youtube import SOURCE as YOUTUBE
from voxlake.tickets import Queues, load_queues
from voxlake.tickets.store import TicketStore
from voxlake.trackers import Trackers, load_trackers

# A caller waits: retries end well within the API's half minute.
CLIENT_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 3}, connect_timeout=2, read_timeout=5
)


def now() -> datetime:
    return datetime.now(UTC)


class Services:
    """Everything behind the routes.

    Args:
        environment: of the function.
        clock: now, aware.
    """

    def __init__(self, environment: Mapping[str, str], clock: Callable[[], datetime] = now) -> None:
        self.settings = read_settings(Settings, environment)
        self.clock = clock
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """A boto3 client, made once."""
        if service not in self._clients:
            self._clients[service] = boto3.client(service, config=CLIENT_CONFIG)
        return self._clients[service]

    @cached_property
    def trackers(self) -> Trackers:
        return load_trackers()

    @cached_property
    def queues(self) -> Queues:
        return load_queues(self.settings.queues_file)

    @cached_property
    def encoder(self) -> Any:
        return load_model(self.settings.models / "encoder", threads=self.settings.threads)

    @cached_property
    def texts(self) -> Texts:
        return Texts(self._table(self.settings.scores_table), self.clock)

    @cached_property
    def tickets(self) -> TicketStore:
        return TicketStore(self._table(self.settings.tickets_table))

    @cached_property
    def videos(self) -> Videos:
        return Videos(
            SourceTable(self.client("dynamodb"), self.settings.sources_table, YOUTUBE),
            self.client("lambda"),
            self.settings.youtube_function,
            enabled=self.settings.youtube_enabled,
            clock=self.clock,
        )

    @cached_property
    def health(self) -> Health:
        return Health(
            self.client,
            self.texts,
            enricher=self.settings.enricher_function,
            state_machine=self.settings.batch_state_machine,
            trackers=[*(one.id for one in self.trackers.trackers), NO_TRACKER],
            replies_mode=self.settings.replies_mode,
            late_seconds=self.settings.late_seconds,
            down_seconds=self.settings.down_seconds,
            clock=self.clock,
        )

    def _table(self, name: str) -> Any:
        return boto3.resource("dynamodb", config=CLIENT_CONFIG).Table(name)
