"""The page in a browser, against a server that speaks the API's contract."""

from __future__ import annotations

import pytest

from tests.e2e.browser import WATCH, chromium
from tests.e2e.dashboard.pages import VIDEO
from tests.servers.web_api import Video, WebApi


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.fixture
def api():
    with WebApi() as found:
        found.videos = {VIDEO: Video()}
        found.tracked, found.names = {"aurora_air": []}, {"aurora_air": "Aurora Air"}
        yield found


@pytest.fixture
def open_page(browser, api):
    """Opens an address of the page; the test fails on an error in its scripts."""
    contexts, errors = [], []

    def opened(address: str = "", **options):
        context = browser.new_context(**{"locale": "en-GB", "timezone_id": "UTC", **options})
        contexts.append(context)
        context.add_init_script(WATCH)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{api.url}/{address}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []
