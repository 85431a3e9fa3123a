"""The page as a whole: connection, health, stored markup, keyboard, colours, widths."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.dashboard.pages import BAG, VIDEO, until
from tests.servers.web_api import Video, text, ticket

MARKUP = '<img src=x onerror="window.ran=1"><script>window.ran=1</script><b>bold</b>'


def test_while_the_api_is_down_the_page_says_so_and_comes_back_by_itself(open_page, api):
    api.videos[VIDEO].texts += [text(i, emotions=["joy"]) for i in range(3)]
    page = open_page(f"#/video/{VIDEO}")
    expect(page.locator("#figure-total")).to_have_text("3")
    api.down = True
    down = page.get_by_role("region", name="Connection")
    expect(down).to_contain_text("voxlake cannot be reached. Trying again in")
    expect(page.locator("#figure-total")).to_have_text("3")
    api.videos[VIDEO].texts.append(text(3))
    api.down = False
    down.get_by_role("button", name="Try now").click()
    expect(page.locator("#figure-total")).to_have_text("4")
    expect(down).to_be_hidden()


def test_trying_again_waits_longer_each_time_and_as_long_as_asked(open_page):
    waits = open_page().evaluate(
        "async () => { const { backOff } = await import('./js/connection.js');"
        " return [1, 2, 3, 4, 9].map((n) => backOff(n, 0, 0.5)).concat(backOff(1, 17, 0)); }"
    )
    assert waits == [1, 2, 4, 8, 30, 17]


def test_the_pipelines_health_is_shown(open_page, api):
    api.health = {"status": "late", "stream": {"lag_seconds": 400}, "replies": {"mode": "dry_run"}}
    page = open_page("#/pipeline")
    expect(page.get_by_role("link", name="Pipeline: Late")).to_be_visible()
    expect(page.locator("#pipeline")).to_contain_text("Behind the stream7 min")
    expect(page.locator("#pipeline")).to_contain_text("Dry run")


def test_stored_text_never_runs(open_page, api):
    said = text(1, MARKUP, emotions=["joy", MARKUP])
    api.videos[VIDEO] = Video("failed", [said], detail=MARKUP)
    api.names["aurora_air"] = MARKUP
    api.add({**ticket(BAG, "baggage_issue", MARKUP), "queue_name": MARKUP, "reason": MARKUP})
    api.tickets[BAG]["history"][0]["note"] = MARKUP
    page = open_page(f"#/video/{VIDEO}")
    expect(page.locator(".said-text")).to_have_text(MARKUP)
    page.goto(f"{api.url}/#/tickets")
    page.get_by_role("button", name=BAG).click()
    expect(page.locator("#ticket-text")).to_have_text(MARKUP)
    expect(page.locator("#ticket-history")).to_contain_text(MARKUP)
    page.goto(f"{api.url}/ticket.html#{BAG}")
    expect(page.locator("#found-queue")).to_have_text(MARKUP)
    assert page.evaluate("window.ran") is None
    assert page.locator("main img, main script, b").count() == 0
    assert page.evaluate("refused") == []


def test_markup_that_got_in_all_the_same_would_be_refused(open_page):
    page = open_page()
    # The trackers fill what is about to be replaced.
    until(page, lambda: page.evaluate("document.querySelectorAll('#picks > *').length") > 0)
    page.evaluate("markup => { document.getElementById('start').innerHTML = markup; }", MARKUP)
    until(page, lambda: page.evaluate("refused.length") > 0)
    assert page.evaluate("window.ran") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_preference(open_page, api, scheme):
    page = open_page(color_scheme=scheme)
    sum_of_rgb = page.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
        ".reduce((a, b) => a + b)"
    )
    assert sum_of_rgb > 600 if scheme == "light" else sum_of_rgb < 150


def test_the_keyboard_alone_reaches_everything(open_page, api):
    api.add(ticket(BAG, "baggage_issue", "where is my bag"))
    page = open_page()
    expect(page.get_by_role("link", name="Aurora Air")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("YouTube video")).to_be_focused()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "3px"
    page.keyboard.type(VIDEO)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"Video {VIDEO}")).to_be_visible()
    page.goto(f"{api.url}/#/tickets")
    name = page.get_by_role("button", name=BAG)
    expect(name).to_be_visible()
    page.get_by_label("State").focus()
    page.keyboard.press("Tab")
    expect(name).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name=BAG)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name=BAG)).to_be_hidden()
    expect(name).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_finding_of_axe(open_page, api, scheme):
    from axe_playwright_python.sync_playwright import Axe

    api.videos[VIDEO].texts += [
        text(i, sentiment=s, emotions=["joy", "anger", "surprise"])
        for i, s in enumerate(("positive", "neutral", "negative"))
    ]
    api.add(*(ticket(f"{BAG[:-1]}{n}", "baggage_issue", "my bag") for n in range(2)))
    page = open_page(f"#/video/{VIDEO}", color_scheme=scheme, reduced_motion="reduce")
    expect(page.locator("#figure-total")).to_have_text("3")
    expect(page.locator("#feed > li")).to_have_count(3)
    page.locator("#timeline-table summary").click()
    found = {"live": _serious(Axe().run(page))}
    page.goto(f"{api.url}/#/tickets")
    page.locator("#tickets button").first.click()
    expect(page.locator("#ticket-history li")).to_have_count(1)
    found["ticket"] = _serious(Axe().run(page))
    page.goto(f"{api.url}/#/pipeline")
    expect(page.locator("#pipeline dd")).to_have_count(1)
    found["pipeline"] = _serious(Axe().run(page))
    page.goto(f"{api.url}/ticket.html?id={BAG[:-1]}!")
    expect(page.get_by_role("alert")).to_contain_text("looks like")
    found["public"] = _serious(Axe().run(page))
    assert found == {"live": [], "ticket": [], "pipeline": [], "public": []}


def _serious(results) -> list[str]:
    return [
        f"{v['id']}: {v['nodes'][0]['html']}"
        for v in results.response["violations"]
        if v["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("wide", [360, 768, 1920])
def test_nothing_is_wider_than_the_window(open_page, api, wide):
    long = "a" * 300
    api.videos[VIDEO].texts += [text(1, long, sentiment="negative", emotions=["anger"])]
    api.add(ticket(BAG, "baggage_issue", long))
    page = open_page(f"#/video/{VIDEO}", viewport={"width": wide, "height": 700})
    expect(page.locator("#feed > li")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(f"{api.url}/#/tickets")
    expect(page.locator("#tickets tr")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
