"""source_youtube against a server that speaks YouTube's API."""

from __future__ import annotations

import boto3
import pytest

from lambdas.common.settings import read_settings
from lambdas.common.source_table import SourceTable
from lambdas.common.stream_writer import KinesisWriter
from lambdas.source_youtube.handler import Application
from lambdas.source_youtube.settings import Settings
from tests.servers.youtube import YoutubeServer
from tests.unit.lambdas.conftest import STREAM
from tests.unit.lambdas.source_kit import TABLE, Clock, make_secret, make_table
from tests.unit.lambdas.source_youtube.kit import VIDEO


@pytest.fixture
def server():
    with YoutubeServer() as found:
        yield found


@pytest.fixture
def secret(cloud):
    make_table()
    return make_secret({"api_key": "good-key"})


@pytest.fixture
def environment(server, secret):
    return {
        "EVENT_STREAM": STREAM,
        "SOURCES_TABLE": TABLE,
        "YOUTUBE_SECRET": secret,
        "YOUTUBE_API_URL": server.api,
        "YOUTUBE_VIDEOS": VIDEO,
        "API_READ_SECONDS": "3",
    }


@pytest.fixture
def application(environment):
    settings = read_settings(Settings, environment)
    return Application(
        settings,
        SourceTable(boto3.client("dynamodb"), TABLE, "youtube"),
        KinesisWriter(boto3.client("kinesis"), STREAM),
        boto3.client("secretsmanager"),
    )


@pytest.fixture
def clock():
    return Clock()
