"""A week of the mock network on the laptop cloud's clock, watched by the template's alarms.

The network's own mood, attention and daily rhythm decide how many texts there are of each brand and
how many are negative; the enricher's functions make metrics of them. Only the texts are not written
and not scored, so that a week takes seconds.
"""

from __future__ import annotations

import contextlib
import io
import json
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace

import pytest

from lambdas.mock_server import brands
from lambdas.mock_server.people import network_activity
from lambdas.mock_server.writing import choose_mood
from lambdas.text_enricher import moods
from localcloud import server
from localcloud.clock import move_clock
from localcloud.cloudwatch.store import minute_of
from tests.localcloud.still_clock import StillClock
from tests.unit.tickets.kit import stream_text
from voxlake.trackers import load_trackers

SERVICES = [
    "localcloud.s3.service:S3Service",
    "localcloud.sts.service:StsService",
    "localcloud.sns.service:SnsService",
    "localcloud.cloudwatch.service:CloudWatchService",
    "localcloud.cloudformation.service:CloudFormationService",
]
START = datetime(2026, 3, 2, tzinfo=UTC)
STEP_MINUTES = 5
DAYS = 7
TEXTS = 20.0  # of a brand in a step, on average
SEED = 1


@pytest.fixture(scope="module")
def assembly(tmp_path_factory):
    """The alarms of two of the trackers, their topic and their key, as the template has them."""
    from infra.app import make_app
    from infra.config import AlarmConfig, StageConfig, load_stage
    from infra.constructs.alarms import AlarmTopic
    from infra.constructs.lake_stack import LakeStack
    from infra.constructs.lake_storage import LakeKey
    from infra.constructs.tracker_alarms import TrackerAlarms

    full = load_stage("full")
    watched = AlarmConfig(
        emails=full.alarms.emails, trackers=("aurora_air", "kestrel_mobile", "united")
    )
    config = StageConfig(stage="full", storage=full.storage, ingest=full.ingest, alarms=watched)
    app = make_app(stage="full", out=tmp_path_factory.mktemp("alarms") / "cdk.out", bundle=False)
    stack = LakeStack(app, config=config, name="alarms")
    topic = AlarmTopic(
        stack,
        "Alarms",
        config=watched,
        key=LakeKey(stack, "LakeKey", config=full.storage).key,
    ).topic
    TrackerAlarms(
        stack,
        "Tracker",
        config=config,
        topic=topic,
        enricher=SimpleNamespace(service="text_enricher"),
        trackers=load_trackers().trackers,
    )
    return app.synth().directory


@pytest.fixture
def cloud(tmp_path, assembly, monkeypatch):
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "text_enricher")
    # Quiet days: nothing befalls a brand but what a test does to it.
    monkeypatch.setattr(brands, "incident", lambda *_: None)
    for function in (brands.mood, brands.attention):
        function.cache_clear()
    with server.start(tmp_path / "state", services=SERVICES, clock=StillClock(START)) as found:
        found.services["cloudformation"].deploy(assembly)
        yield found
    for function in (brands.mood, brands.attention):
        function.cache_clear()


def live(cloud, days=DAYS, *, worse=lambda tracker, day, hour: 0.0, crowd=lambda *_: 1.0):
    """Lets days pass; `worse` is taken from a tracker's mood, `crowd` multiplies its texts."""
    random = Random(SEED)
    ids = ("aurora_air", "kestrel_mobile")
    for step in range(days * 24 * 60 // STEP_MINUTES):
        minute = minute_of(START) + step * STEP_MINUTES
        when = divmod(step * STEP_MINUTES / 60, 24)
        weights = brands.attention(SEED, minute)
        scored = []
        for place, tracker in enumerate(ids):
            share = len(weights) * weights[place] / sum(weights)
            mean = TEXTS * network_activity(minute) * share * crowd(tracker, *when)
            mood = max(-1.0, brands.mood(SEED, place, minute) - worse(tracker, *when))
            text = stream_text(f"a word on {tracker}")
            text = SimpleNamespace(
                trackers=(tracker,), arrived_at=text.arrived_at, occurred_at=text.arrived_at
            )
            for _ in range(max(0, round(random.gauss(mean, mean**0.5)))):
                negative = choose_mood(random, mood) < 0
                scored.append((text, {"sentiment": "negative" if negative else "neutral"}))
        for line in emitted(scored):
            assert cloud.metrics(line) > 0
        move_clock(cloud, STEP_MINUTES * 60)
    return outbox(cloud)


def emitted(scored):
    """What the function prints, at the time at which the cloud's clock stands unmoved."""
    with contextlib.redirect_stdout(io.StringIO()) as said:
        moods.tell("voxlake", moods.negatives(scored))
    for line in said.getvalue().splitlines():
        document = json.loads(line)
        document["_aws"]["Timestamp"] = int(START.timestamp() * 1000)
        yield json.dumps(document)


def outbox(cloud):
    file = cloud.state_dir / "outbox.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_quiet_days_lead_to_no_mail(cloud):
    assert live(cloud) == []
    alarms = cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert [alarm["StateValue"] for alarm in alarms] == ["OK"] * 6


def test_a_jump_of_one_tracker_s_negative_texts_leads_to_one_mail_that_names_it(cloud):
    def worse(tracker, day, hour):
        return 1.2 if (tracker, day) == ("aurora_air", 5) and 14 <= hour < 18 else 0.0

    (mail,) = live(cloud, worse=worse)
    assert (mail["protocol"], mail["to"]) == ("email", "operator@example.com")
    assert mail["subject"].startswith('ALARM: "voxlake-full-alarms-TrackerAuroraAirMood')
    assert "Aurora Air (tracker aurora_air)" in mail["message"]
    assert "voxlake query" in mail["message"]
    assert "Threshold Crossed: 3 out of the last 5 datapoints [0." in mail["message"]
    assert "were greater than the upper thresholds [0." in mail["message"]
    told = datetime.fromisoformat(mail["at"]) - START
    assert timedelta(days=5, hours=14, minutes=45) <= told <= timedelta(days=5, hours=15)


def test_a_crowd_leads_to_one_mail_about_the_number_of_texts(cloud):
    def crowd(tracker, day, hour):
        return 4.0 if (tracker, day) == ("kestrel_mobile", 5) and 9 <= hour < 12 else 1.0

    (mail,) = live(cloud, crowd=crowd)
    assert mail["subject"].startswith('ALARM: "voxlake-full-alarms-TrackerKestrelMobileVolume')
    assert "Kestrel Mobile (tracker kestrel_mobile)" in mail["message"]


def test_a_few_texts_at_night_page_nobody(cloud, monkeypatch):
    """Five texts in a quarter of an hour, all of them negative."""
    monkeypatch.setitem(globals(), "TEXTS", 1.5)

    def worse(tracker, day, hour):
        return 2.0 if day == 5 and 2 <= hour < 6 else 0.0

    assert live(cloud, worse=worse) == []
