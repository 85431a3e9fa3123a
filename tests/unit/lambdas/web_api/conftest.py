"""web_api over tables in moto."""

from __future__ import annotations

import pytest

from lambdas.web_api.app import make_app
from lambdas.web_api.services import Services
from tests.unit.lambdas.api_kit import make_services, make_tables


@pytest.fixture
def services(cloud) -> Services:
    make_tables()
    return make_services()


@pytest.fixture
def app(services):
    return make_app(lambda: services)
