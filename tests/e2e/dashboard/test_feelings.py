"""Feelings: a video or a tracker, bars that grow, the chart, the latest texts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.dashboard.pages import VIDEO, until
from tests.servers.web_api import Video, text


def order(page) -> list[str]:
    return page.locator("#bars li").evaluate_all("rows => rows.map(r => r.dataset.emotion)")


def width(page, emotion: str) -> float:
    return page.locator(f"#bars [data-emotion={emotion}] .bar-fill").evaluate(
        "fill => fill.getBoundingClientRect().width"
    )


def test_a_video_is_asked_for_and_its_bars_grow_and_change_places(open_page, api):
    page = open_page()
    expect(page.get_by_text("How does this comment section feel?")).to_be_visible()
    page.get_by_label("YouTube video").fill(f"https://www.youtube.com/watch?v={VIDEO}&t=10s")
    page.get_by_role("button", name="Read comments").click()
    expect(page.get_by_text("Waiting for the first comments…")).to_be_visible()
    texts = api.videos[VIDEO].texts
    texts += [text(i, sentiment="negative", emotions=["anger"]) for i in range(6)]
    texts += [text(6, sentiment="positive", emotions=["joy", "love"])]
    expect(page.locator("#figure-total")).to_have_text("7")
    expect(page.locator("#bars li").first).to_contain_text("anger")
    expect(page.locator("#figure-negative")).to_have_text("86%")
    early = width(page, "joy")
    texts += [text(i, sentiment="positive", emotions=["joy"]) for i in range(7, 27)]
    expect(page.locator("#bars li").first).to_contain_text("joy")
    expect(page.locator("[data-emotion=joy]")).to_contain_text("77.8%")
    assert order(page)[:3] == ["joy", "anger", "love"]
    until(page, lambda: width(page, "joy") > 2 * early)
    expect(page.locator("#feed > li").first).to_contain_text("This is comment 26")
    assert page.url.endswith(f"#/video/{VIDEO}")
    asked = [r for r, _ in api.log if r.path == f"/v1/videos/{VIDEO}"]
    assert asked[0].method == "POST"


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (Video("quota_spent", resumes_at="2999-01-01T08:00:00Z"), "quota is spent; reading goes"),
        (Video("no_key"), "No YouTube key is set"),
        (Video("off"), "switched off"),
        (Video("not_found"), "YouTube knows no such video"),
        (Video("failed", detail="The platform said no"), "it is tried again. The platform said no"),
        (Video("done"), "All read · 0 comments"),
    ],
    ids=lambda value: getattr(value, "state", ""),
)
def test_every_state_of_a_video_is_said(open_page, api, state, said):
    api.videos[VIDEO] = state
    page = open_page(f"#/video/{VIDEO}")
    expect(page.locator("#source-state")).to_contain_text(said)
    expect(page.locator("#feed-empty")).to_be_visible()


def test_what_is_no_video_gives_a_message_and_no_call(open_page, api):
    page = open_page()
    field = page.get_by_label("YouTube video")
    field.fill("https://example.com/watch?v=dQw4w9WgXcQ")
    field.press("Enter")
    expect(page.get_by_text("That is no YouTube video.")).to_be_visible()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    field.fill("dQw4")
    expect(page.locator("#video-error")).to_be_empty()
    assert not [r for r, _ in api.log if r.path.startswith("/v1/videos")]


def test_addresses_of_videos_are_read_as_people_paste_them(open_page):
    written = {
        VIDEO: VIDEO,
        f"  {VIDEO} ": VIDEO,
        f"youtu.be/{VIDEO}?si=x": VIDEO,
        f"https://m.youtube.com/watch?app=desktop&v={VIDEO}": VIDEO,
        f"https://www.youtube.com/shorts/{VIDEO}": VIDEO,
        f"https://www.youtube.com/live/{VIDEO}?t=1": VIDEO,
        "https://www.youtube.com/@somebody": None,
        f"https://youtube.com.example.org/watch?v={VIDEO}": None,
        "javascript:alert(1)": None,
        "": None,
    }
    found = open_page().evaluate(
        "async (all) => { const { videoId } = await import('./js/youtube.js');"
        " return all.map(videoId); }",
        list(written),
    )
    assert dict(zip(written, found, strict=True)) == written


def test_a_tracker_is_picked_and_followed(open_page, api):
    page = open_page()
    page.get_by_role("list", name="Trackers").get_by_role("link", name="Aurora Air").click()
    expect(page.get_by_role("heading", name="Aurora Air")).to_be_visible()
    expect(page.get_by_label("or a tracker")).to_have_value("aurora_air")
    expect(page.get_by_text("Nothing was said about it lately.")).to_be_visible()
    api.tracked["aurora_air"].append(text(1, "on time again", emotions=["trust"]))
    expect(page.locator("#feed > li")).to_contain_text(["on time again"])


def test_ten_thousand_comments_stay_smooth(open_page, api):
    page = open_page(f"#/video/{VIDEO}")
    expect(page.get_by_text("Waiting for the first comments…")).to_be_visible()
    emotions = [["joy"], ["anger", "disgust"], ["trust"], []]
    tones = ["positive", "negative", "neutral", "neutral"]
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def busy() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(m["value"] for m in metrics if m["name"] == "TaskDuration")

    def arrive(first: int, last: int) -> tuple[float, int]:
        """Seconds that the page was busy, and how many elements it then has."""
        before = busy()
        api.videos[VIDEO].texts += [
            text(i, sentiment=tones[i % 4], emotions=emotions[i % 4]) for i in range(first, last)
        ]
        expect(page.locator("#figure-total")).to_have_text(f"{last:,}", timeout=30_000)
        expect(page.locator("#feed > li").first).to_contain_text(f"This is comment {last - 1}")
        return busy() - before, page.evaluate("document.querySelectorAll('*').length")

    page.evaluate("frameGaps.length = 0")
    first, _ = arrive(0, 2_000)
    arrive(2_000, 8_000)
    last, elements = arrive(8_000, 10_000)
    assert page.locator("#feed > li").count() == 100
    assert elements < 1_500
    # The last two thousand cost what the first did, give or take the machine's mood.
    assert last < 3 * first + 0.5
    longest, gaps = max(page.evaluate("longTasks"), default=0), sorted(page.evaluate("frameGaps"))
    late = sum(gap > 100 for gap in gaps)
    print(
        f"busy {first:.2f} s and {last:.2f} s, {elements} elements, longest task {longest:.0f} ms, "
        f"frames {len(gaps)}, longest gap {gaps[-1]:.0f} ms, over 100 ms {late}"
    )
    assert longest < 1_000
    assert late < len(gaps) / 4
    # What is measured would be seen.
    page.evaluate(
        "() => setTimeout(() => { const end = performance.now() + 120;"
        " while (performance.now() < end); })"
    )
    until(page, lambda: max(page.evaluate("longTasks"), default=0) >= 100)
    expect(page.locator("[data-emotion=joy]")).to_contain_text("25.0%2,500")


def test_a_pause_holds_everything_until_it_ends(open_page, api):
    api.videos[VIDEO].texts += [text(1)]
    page = open_page(f"#/video/{VIDEO}")
    expect(page.locator("#figure-total")).to_have_text("1")
    page.get_by_role("button", name="Pause").click()
    api.videos[VIDEO].texts += [text(2)]
    asked = api.calls(f"/v1/videos/{VIDEO}")
    page.wait_for_timeout(1_500)
    assert api.calls(f"/v1/videos/{VIDEO}") <= asked + 1
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#figure-total")).to_have_text("2")


def test_the_chart_keeps_few_columns_however_long_the_time(open_page):
    rows = open_page().evaluate(
        """async () => {
          const { Timeline } = await import('./js/tally.js');
          const line = new Timeline();
          for (let i = 0; i < 5000; i += 1) line.add(1.7e9 + i * 4000, 'positive');
          line.add(1.6e9, 'negative');
          return line.rows();
        }"""
    )
    assert len(rows) <= 62
    assert sum(row[1] for row in rows) == 5000
    assert [row for row in rows if row[3]] == [[rows[0][0], 0, 0, 1]]
    assert re.fullmatch(r"\d+", str(rows[0][0]))
