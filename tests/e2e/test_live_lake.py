"""What is read, seen and worked on within seconds: the whole template on one laptop cloud.

Both sources as deployed, with keys, rights and cursors, and the page as CloudFront serves it with
the deployed API behind it. Then the 20,000 comments of a video, through to the lake.
"""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import WATCH, chromium
from tests.e2e.dashboard.pages import until
from tests.servers.x import XServer
from tests.servers.youtube import KEY_EXPIRED, QUOTA_EXCEEDED, YoutubeServer, make_thread

VIDEO = "dQw4w9WgXcQ"
COMMENTS = 20_000
LOST = "@auroraair you lost my bag again, worst airline ever, nobody answers me. Case {}"


def call(lake, output: str) -> dict:
    answer = lake.client("lambda").invoke(FunctionName=lake.output(output), Payload=b"{}")
    payload = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    return payload


def set_environment(lake, output: str, **variables: str) -> None:
    client, name = lake.client("lambda"), lake.output(output)
    present = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    client.update_function_configuration(
        FunctionName=name, Environment={"Variables": present | variables}
    )


def put_key(lake, output: str, **key: str) -> None:
    lake.client("secretsmanager").put_secret_value(
        SecretId=lake.output(output), SecretString=json.dumps(key)
    )


def end_pause(lake) -> None:
    """What waiting for midnight Pacific does."""
    lake.client("dynamodb").delete_item(
        TableName=lake.output("SourcesTable"), Key={"pk": {"S": "youtube"}, "sk": {"S": "pause"}}
    )


def landed(lake, event_type: str) -> list[str]:
    objects = lake.objects("LandingBucket", f"{event_type}/")
    lines = [line for data in objects.values() for line in gzip.decompress(data).splitlines()]
    return sorted(json.loads(line)["event"]["event_id"] for line in lines)


@pytest.fixture(scope="module")
def youtube():
    with YoutubeServer() as server:
        server.threads[VIDEO] = [make_thread(n, replies=8 if n < 65 else 0) for n in range(19_480)]
        assert len(server.comments(VIDEO)) == COMMENTS
        yield server


def test_without_keys_both_functions_do_nothing_and_say_so(lake):
    for output in ("SourceYoutubeFunction", "SourceXFunction"):
        assert call(lake, output)["stopped"] == "no_key"


def test_the_page_shows_what_is_sent_and_an_agent_closes_a_ticket(lake, tmp_path):
    """The files from the deployed distribution, the API behind it, a file sent as live traffic."""
    [address] = lake.voxlake("dashboard").stdout.split()
    warm, more = (tmp_path / name for name in ("warm.jsonl", "more.jsonl"))
    rows = [{"id": f"page-{n}", "text": LOST.format(n), "author": f"a{n}"} for n in range(40)]
    warm.write_text("\n".join(map(json.dumps, rows[:8])))
    more.write_text("\n".join(map(json.dumps, rows[8:])))
    said: list[str] = []
    with chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(20_000)
        page.add_init_script(WATCH)
        page.on("console", lambda one: said.append(one.text) if one.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(address)
        page.get_by_role("list", name="Trackers").get_by_role("link", name="Aurora Air").click()
        expect(page.get_by_text("Nothing was said about it lately.")).to_be_visible()
        total = page.locator("#figure-total")
        lake.voxlake("send", str(warm))
        expect(total).to_have_text("8", timeout=60_000)  # cold workers load their models
        sending = lake.begin("send", str(more), "--rate", "4/s")
        until(page, lambda: int(total.text_content()) > 8)
        seen = int(total.text_content())
        until(page, lambda: int(total.text_content()) > seen)
        anger = page.locator("#bars [data-emotion=anger] .bar-fill")
        assert anger.evaluate("fill => fill.getBoundingClientRect().width") > 0
        assert sending.wait(timeout=60) == 0
        expect(total).to_have_text("40", timeout=30_000)

        page.get_by_role("link", name="Tickets").click()
        page.get_by_label("Queue").select_option("Baggage Issue")
        expect(page.locator("#tickets tr")).to_have_count(40, timeout=20_000)
        page.locator("#tickets button").first.click()
        window = page.get_by_role("dialog")
        ticket_id = window.get_by_role("heading", level=2).text_content()
        window.get_by_label("Note").fill("found")
        window.get_by_role("button", name="Close ticket").click()
        expect(window).to_be_hidden()
        expect(page.locator("#tickets tr")).to_have_count(39)
        page.get_by_label("State").select_option("Closed")
        expect(page.locator("#tickets tr")).to_contain_text([ticket_id])
        page.get_by_role("link", name="Pipeline").last.click()
        expect(page.locator("#pipeline")).to_contain_text("Dry run")
        assert page.evaluate("refused") == []
    assert said == []
    closed = lake.json("tickets", "show", ticket_id)
    assert (closed["state"], closed["history"][-1]["note"]) == ("closed", "found")


def test_posts_about_a_tracker_land_once_each(lake):
    now = datetime.now(UTC)
    with XServer(lambda: datetime.now(UTC)) as server:
        posts = [
            server.add_post("@united lost my bag", now - timedelta(minutes=5), number=n)
            for n in range(120)
        ]
        set_environment(lake, "SourceXFunction", X_API_URL=server.url, X_TRACKERS="united")
        put_key(lake, "XSecretArn", bearer_token="good-token")
        assert call(lake, "SourceXFunction")["events"] == 120
        assert call(lake, "SourceXFunction")["events"] == 0
    lake.landed(40 + 120)
    found = [one for one in landed(lake, "post") if one.startswith("x-")]
    assert found == sorted(f"x-{post['id']}" for post in posts)


@pytest.mark.timeout(600)
def test_twenty_thousand_comments_are_once_each_in_the_lake_through_quotas_and_a_key_that_expired(
    lake, youtube
):
    # The stream path would take minutes for what is asked of the batch path here.
    lake.hold("TextEnricherFunction")
    function = "SourceYoutubeFunction"
    set_environment(lake, function, YOUTUBE_API_URL=youtube.api, YOUTUBE_VIDEOS=VIDEO)
    put_key(lake, "YoutubeSecretArn", api_key="good-key")
    stops = []
    for fault, calls in ((QUOTA_EXCEEDED, 40), (KEY_EXPIRED, 30), (QUOTA_EXCEEDED, 60)):
        youtube.next_fault(fault, after=calls)
        stops.append(call(lake, function)["stopped"])
        end_pause(lake)
    assert stops == ["quota_spent", "key_refused", "quota_spent"]
    while call(lake, function).get("stopped") == "time":
        pass

    lake.landed(120 + 40 + COMMENTS)
    run = lake.glue_job(lake.output("LandingToCleansedJob"), **{"--run_id": "comments"})
    assert run["JobRunState"] == "SUCCEEDED", run.get("ErrorMessage")
    rows = lake.sql("SELECT event_id FROM voxlake_cleansed.comments ORDER BY 1")
    assert [row["event_id"] for row in rows] == sorted(
        f"youtube-{c.id}-{c.updated:%Y-%m-%dT%H:%M:%SZ}" for c in youtube.comments(VIDEO)
    )
