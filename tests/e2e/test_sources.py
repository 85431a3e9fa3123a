"""Both sources as the template deploys them: keys, rights, cursor, and the stream to landing.

The 20,000 comments of one video are read in tests/unit/lambdas/test_source_youtube.py; here a few
show that the deployed functions do the same on a laptop cloud, with their roles' rights alone.
"""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.servers.x import XServer
from tests.servers.youtube import KEY_EXPIRED, QUOTA_EXCEEDED, YoutubeServer, make_thread

VIDEO = "dQw4w9WgXcQ"


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
        server.threads[VIDEO] = [make_thread(n, replies=8 if n < 5 else 0) for n in range(260)]
        yield server


def test_without_keys_both_functions_do_nothing_and_say_so(lake):
    for output in ("SourceYoutubeFunction", "SourceXFunction"):
        assert call(lake, output)["stopped"] == "no_key"


def test_a_videos_comments_land_once_each_through_quota_errors_and_an_expired_key(lake, youtube):
    function = "SourceYoutubeFunction"
    set_environment(lake, function, YOUTUBE_API_URL=youtube.api, YOUTUBE_VIDEOS=VIDEO)
    put_key(lake, "YoutubeSecretArn", api_key="good-key")
    stops = []
    for fault, calls in ((QUOTA_EXCEEDED, 1), (KEY_EXPIRED, 1), (QUOTA_EXCEEDED, 2)):
        youtube.next_fault(fault, after=calls)
        stops.append(call(lake, function)["stopped"])
        end_pause(lake)
    assert stops == ["quota_spent", "key_refused", "quota_spent"]
    assert "stopped" not in call(lake, function)

    wanted = sorted(
        f"youtube-{c.id}-{c.updated:%Y-%m-%dT%H:%M:%SZ}" for c in youtube.comments(VIDEO)
    )
    assert len(wanted) == 300
    lake.landed(300)
    assert landed(lake, "comment") == wanted


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
    lake.landed(300 + 120)
    assert landed(lake, "post") == sorted(f"x-{post['id']}" for post in posts)
