"""One Spark session and one moto server for all tests of a worker; a lake of its own for each."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Variables for this process and its children: moto's address, Spark's configuration."""
    from moto.server import ThreadedMotoServer

    from tests.unit.glue.kit import aws_environment, spark_environment

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line a request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    variables = aws_environment(f"http://{host}:{port}")
    variables |= spark_environment(tmp_path_factory.mktemp("spark"), REPOSITORY)
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in variables.items():
            patch.setenv(name, value)
        yield variables
    server.stop()


@pytest.fixture(scope="session")
def spark(environment: dict[str, str]):
    from glue_jobs.common.session import spark_session

    session = spark_session("tests")
    yield session
    session.stop()


@pytest.fixture
def lake(environment: dict[str, str], spark, tmp_path: Path):
    """An empty lake."""
    from tests.unit.glue.kit import LakeKit

    return LakeKit(tmp_path).create()
