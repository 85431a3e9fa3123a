"""The page with the real web_api behind it, over tables in moto."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from moto import mock_aws
from playwright.sync_api import expect

from lambdas.web_api.app import make_app
from tests.e2e.browser import WATCH, chromium
from tests.servers.api import Answer, Request
from tests.servers.web_api import WebApi
from tests.unit.lambdas import api_kit


class RealApi(WebApi):
    """Serves the page, and answers /v1/ by the function's own application."""

    def __init__(self) -> None:
        super().__init__()
        self.app = make_app(api_kit.make_services)

    def respond(self, request: Request) -> Answer:
        if not request.path.startswith("/v1/"):
            return super().respond(request)
        body = json.loads(request.body) if request.body else None
        answer = api_kit.call(self.app, request.method, request.path, body, query=request.params)
        return Answer(answer.status, answer.body, answer.headers)


@pytest.fixture
def api(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        api_kit.make_tables()
        with RealApi() as found:
            yield found


def test_the_page_and_the_real_api_understand_each_other(api):
    for number in range(3):
        said = ("great <b>flight</b>", "bad seat", "so bad")[number]
        at = api_kit.NOW - timedelta(minutes=3 - number)
        api_kit.put_text(number, said, at, thread_id=api_kit.VIDEO)
    ticket_id = api_kit.put_ticket(1)
    with chromium() as browser:
        page = browser.new_page()
        page.add_init_script(WATCH)
        page.goto(api.url)
        page.get_by_label("YouTube video").fill(f"https://youtu.be/{api_kit.VIDEO}")
        page.keyboard.press("Enter")
        expect(page.locator("#figure-total")).to_have_text("3")
        expect(page.locator("#feed > li")).to_contain_text(["so bad", "bad seat", "great <b>"])
        expect(page.locator("#source-state")).to_contain_text("Asked for")
        page.get_by_role("link", name="Tickets").click()
        page.get_by_role("button", name=ticket_id).click()
        page.get_by_label("Note").fill("found")
        page.get_by_role("button", name="Close ticket").click()
        expect(page.get_by_text("Nobody waits for an answer.")).to_be_visible()
        page.goto(f"{api.url}/ticket.html#{ticket_id}")
        expect(page.locator("#found-words")).to_contain_text("This is settled")
        page.get_by_label("Ticket number").fill(ticket_id[:-1] + "?")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("looks like")
        assert page.evaluate("refused") == []
