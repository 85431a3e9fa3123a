"""The mock network: the same mandate is the same traffic, and it looks alive."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace

import boto3
import orjson
import pytest

from lambdas.common.settings import read_settings
from lambdas.common.stream_writer import (
    MAX_BYTES,
    MAX_RECORDS,
    KinesisWriter,
    PutRecordsError,
    batches,
)
from lambdas.mock_server import handler as mock_server
from lambdas.mock_server import phrases_general, phrases_languages, phrases_topics
from lambdas.mock_server.brands import BRANDS, mood
from lambdas.mock_server.faults import FAULTS
from lambdas.mock_server.mandate import MandateError, read_mandate
from lambdas.mock_server.settings import Settings
from lambdas.mock_server.traffic import Record, records
from tests.unit.lambdas.conftest import STREAM
from voxlake.errors import InvalidEventError
from voxlake.events.parse import parse_event
from voxlake.text.masking import mask
from voxlake.text.normalise import normalise
from voxlake.trackers import load_trackers

NOW = datetime(2026, 2, 24, 12, 0, 30, tzinfo=UTC)
SETTINGS = read_settings(Settings, {"EVENT_STREAM": STREAM})
SPREAD = {"events": 4000, "hours": 48, "now": "2026-02-24T12:00:30Z"}


def mandate(**payload):
    return read_mandate(payload, clock=NOW, seed=SETTINGS.seed)


@pytest.fixture(scope="module")
def spread():
    return list(records(mandate(**SPREAD), SETTINGS))


@pytest.fixture(scope="module")
def events(spread):
    return [orjson.loads(record.data) for record in spread if record.event_type]


def test_the_same_mandate_is_the_same_traffic(spread):
    assert list(records(mandate(**SPREAD), SETTINGS)) == spread
    assert list(records(mandate(), SETTINGS)) == list(records(mandate(), SETTINGS))


@pytest.mark.parametrize("other", [{"seed": 3}, {"hours": 47}, {"now": "2026-02-24T12:05:30Z"}])
def test_another_mandate_is_other_events(events, other):
    ids = {event["event_id"] for event in events}
    others = {
        orjson.loads(record.data)["event_id"]
        for record in records(mandate(**SPREAD | other), SETTINGS)
        if record.event_type
    }
    assert ids.isdisjoint(others)


def test_a_spread_sends_exactly_what_was_asked_for(spread):
    assert len(spread) == 4000
    assert sum(record.duplicate for record in spread) == 80
    assert sum(record.event_type is None for record in spread) == 20


@pytest.mark.parametrize("amount", [1, 2, 7, 60])
def test_a_small_spread_is_exact_too(amount):
    assert len(list(records(mandate(events=amount, hours=24), SETTINGS))) == amount


def test_valid_events_keep_the_contract_and_malformed_ones_do_not(spread):
    for record in spread:
        try:
            event = parse_event(record.data, arrival=NOW, max_future=timedelta(hours=24))
        except InvalidEventError:
            assert record.event_type is None
        else:
            assert (event["event_type"], event["author_id"], event["source"]) == (
                record.event_type,
                record.partition_key,
                "mock",
            )


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_breaks_the_contract(events, name):
    for event in events[:60]:
        data = FAULTS[name](event, Random(1))
        with pytest.raises(InvalidEventError):
            parse_event(data, arrival=NOW, max_future=timedelta(hours=24))


def test_an_event_id_always_means_the_same_event(spread):
    by_id: dict[str, set[bytes]] = {}
    for record in spread:
        if record.event_type:
            by_id.setdefault(orjson.loads(record.data)["event_id"], set()).add(record.data)
    assert {len(contents) for contents in by_id.values()} == {1}
    assert len(by_id) == 4000 - 80 - 20


def test_duplicates_repeat_what_was_sent_before(spread):
    seen = set()
    for record in spread:
        if record.event_type and not record.duplicate:
            seen.add(record.data)
        elif record.duplicate:
            assert record.data in seen


def test_comments_and_interactions_have_a_target_that_was_sent(events):
    posts = {event["body"]["post_id"] for event in events if event["event_type"] == "post"}
    comments = {
        event["body"]["comment_id"]: event["body"]
        for event in events
        if event["event_type"] == "comment"
    }
    assert {comment["thread_id"] for comment in comments.values()} <= posts
    targets = {
        (event["body"]["target_type"], event["body"]["target_id"])
        for event in events
        if event["event_type"] == "interaction"
    }
    assert {target for kind, target in targets if kind == "post"} <= posts
    liked = {target for kind, target in targets if kind == "comment"}
    assert len(liked - comments.keys()) <= 0.05 * len(liked)


def test_edits_keep_the_post_id_and_get_an_event_id_of_their_own(events):
    by_post: dict[str, dict[str, str]] = {}
    for event in events:
        if event["event_type"] == "post":
            by_post.setdefault(event["body"]["post_id"], {})[event["event_id"]] = event["body"][
                "text"
            ]
    edited = [texts for texts in by_post.values() if len(texts) > 1]
    assert edited
    assert all(len(set(texts.values())) > 1 for texts in edited)


def test_conversations_have_turns_in_order_and_two_speakers(events):
    talks: dict[str, dict[int, dict]] = {}
    for event in events:
        if event["event_type"] == "message":
            talks.setdefault(event["body"]["conversation_id"], {})[event["body"]["turn"]] = event
    whole = [turns for turns in talks.values() if len(turns) > 1]
    assert whole
    for turns in whole:
        assert sorted(turns) == list(range(1, len(turns) + 1))
        times = [turns[turn]["occurred_at"] for turn in sorted(turns)]
        assert times == sorted(times)
        assert len({event["body"]["speaker"] for event in turns.values()}) == 2
        assert turns[2]["body"]["context"] == turns[1]["body"]["text"]


def test_late_events_reach_back_for_days(spread):
    late = [record for record in spread if record.late and not record.duplicate]
    assert 40 <= len(late) <= 160
    start = NOW - timedelta(hours=48, minutes=1)
    in_time = [
        datetime.fromisoformat(orjson.loads(record.data)["occurred_at"])
        for record in spread
        if record.event_type and not record.late
    ]
    # The turns of a conversation end in their minute.
    assert min(in_time) >= start - timedelta(minutes=9)
    assert max(in_time) <= NOW
    assert any(
        datetime.fromisoformat(orjson.loads(record.data)["occurred_at"]) < start for record in late
    )


def test_few_authors_write_much_and_the_day_has_a_rhythm(events):
    authors = Counter(event["author_id"] for event in events)
    top = sum(count for _, count in authors.most_common(len(authors) // 10))
    assert len(authors) > 300
    assert top > 0.35 * len(events)
    hours = Counter(event["occurred_at"][11:13] for event in events)
    assert max(hours.values()) > 1.8 * min(hours[f"{hour:02d}"] for hour in range(24))


def test_texts_are_varied_and_in_several_languages(events):
    posts = [event["body"] for event in events if event["event_type"] == "post"]
    assert len({post["text"] for post in posts}) > 0.75 * len(posts)
    languages = Counter(post["lang"] for post in posts)
    assert languages.most_common(1)[0][0] == "en"
    assert set(languages) == {"en", "es", "fr", "de", "pt", "ja"}
    texts = "\n".join(post["text"] for post in posts)
    assert "&amp;" in texts or "&#39;" in texts
    assert "https://example.com/" in texts
    assert any(post["mentions"] for post in posts)
    assert any(post["hashtags"] for post in posts)


def test_there_are_hundreds_of_building_blocks():
    blocks = set()

    def collect(value):
        if isinstance(value, str):
            blocks.add(value)
        elif isinstance(value, dict):
            for member in value.values():
                collect(member)
        elif isinstance(value, tuple):
            for member in value:
                collect(member)

    for module in (phrases_general, phrases_languages, phrases_topics):
        for name, value in vars(module).items():
            if name.isupper():
                collect(value)
    for brand in BRANDS:
        collect(brand.things)
        collect(brand.texts)
        for incident in brand.incidents:
            collect(incident.texts)
    assert len(blocks) > 600


def test_a_brands_texts_carry_its_tracker(events):
    trackers = load_trackers()
    names = {brand.name: brand.handle for brand in BRANDS}
    found = Counter()
    for event in events:
        if event["event_type"] == "post":
            found.update(trackers.match(normalise(event["body"]["text"])))
    assert len(found) == len(names) == 5
    assert found.total() > 300
    for brand in BRANDS:
        (tracker,) = trackers.match(f"hello {brand.name}")
        for text in (f"@{brand.handle}", f"#{brand.hashtag}"):
            assert trackers.match(text) == [tracker]
        assert brand.handle in trackers.kept_handles


def test_mood_moves_and_stays_within_its_bounds():
    week = [mood(SETTINGS.seed, 0, 29_500_000 + minute) for minute in range(0, 7 * 1440, 30)]
    assert -1 <= min(week) < -0.15
    assert 0.15 < max(week) <= 1


def test_contacts_in_texts_are_such_as_masking_finds():
    everything = list(records(mandate(events=12_000, hours=72), SETTINGS))
    texts = [
        orjson.loads(record.data)["body"].get("text", "")
        for record in everything
        if record.event_type
    ]
    masked = " ".join(mask(normalise(text)) for text in texts)
    assert {"<email>", "<phone>", "<card>"} <= set(masked.replace(",", " ").split())
    assert "@example.com" not in masked
    assert "555-01" not in masked


def test_a_tick_is_about_the_size_of_the_settings():
    sizes = [
        len(list(records(mandate(now=f"2026-02-24T{hour:02d}:00:00Z"), SETTINGS)))
        for hour in range(24)
    ]
    assert 0.85 * SETTINGS.events_per_tick < sum(sizes) / 24 < 1.15 * SETTINGS.events_per_tick
    assert max(sizes) > 1.5 * min(sizes)


def test_a_schedules_event_ticks_at_its_own_time():
    scheduled = {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "time": "2026-02-24T12:00:00Z",
        "detail": {},
    }
    assert (
        read_mandate(scheduled, clock=NOW + timedelta(minutes=9), seed=1).minute
        == read_mandate({}, clock=NOW, seed=1).minute
    )


@pytest.mark.parametrize(
    ("payload", "named"),
    [
        ({"events": 0}, "events"),
        ({"events": "many"}, "events"),
        ({"hours": 3}, "hours"),
        ({"events": 1, "now": "2026-02-24"}, "now"),
        ({"event": 5}, "event"),
    ],
)
def test_a_wrong_payload_is_named(payload, named):
    with pytest.raises(MandateError, match=named):
        mandate(**payload)


def test_requests_keep_kinesis_limits():
    small = Record(b"x" * 100, "author", "post", False, False)
    large = Record(b"x" * (2**20 - 6), "author", "post", False, False)
    cut = list(batches([small] * 1201 + [large] * 11))
    assert [len(batch) for batch in cut] == [500, 500, 205, 5, 2]
    for batch in cut:
        size = sum(len(record.data) + len(record.partition_key) for record in batch)
        assert size <= MAX_BYTES
        assert len(batch) <= MAX_RECORDS


class Throttled:
    """A stream that refuses each entry so many times before it takes it."""

    def __init__(self, refusals: dict[bytes, int]) -> None:
        self.refusals = dict(refusals)
        self.taken: list[bytes] = []
        self.requests: list[int] = []

    def put_records(self, *, StreamName: str, Records: list[dict]) -> dict:
        self.requests.append(len(Records))
        results = []
        for entry in Records:
            if self.refusals.get(entry["Data"], 0):
                self.refusals[entry["Data"]] -= 1
                results.append(
                    {
                        "ErrorCode": "ProvisionedThroughputExceededException",
                        "ErrorMessage": "slow down",
                    }
                )
            else:
                self.taken.append(entry["Data"])
                results.append({"SequenceNumber": "1", "ShardId": "shardId-000000000000"})
        return {"FailedRecordCount": sum("ErrorCode" in one for one in results), "Records": results}


def records_named(*names: bytes) -> list[Record]:
    return [Record(name, "author", "post", False, False) for name in names]


def test_only_refused_entries_are_put_again_after_growing_waits():
    stream = Throttled({b"b": 1, b"d": 3})
    waits: list[float] = []
    always_longest = SimpleNamespace(uniform=lambda low, high: high)
    writer = KinesisWriter(stream, STREAM, sleep=waits.append, random=always_longest)

    writer.put(records_named(b"a", b"b", b"c", b"d"))

    assert stream.taken == [b"a", b"c", b"b", b"d"]
    assert stream.requests == [4, 2, 1, 1]
    assert waits == [0.1, 0.2, 0.4]


def test_a_stream_that_keeps_refusing_is_an_error_that_says_so():
    stream = Throttled({b"b": 99})
    writer = KinesisWriter(stream, STREAM, max_attempts=3, sleep=lambda seconds: None)
    with pytest.raises(PutRecordsError) as raised:
        writer.put(records_named(b"a", b"b"))
    assert (raised.value.refused, raised.value.codes) == (
        1,
        ("ProvisionedThroughputExceededException",),
    )


def test_the_function_puts_its_records_on_the_stream_and_counts_them(cloud, monkeypatch, capsys):
    monkeypatch.setenv("EVENT_STREAM", STREAM)
    mock_server._application.cache_clear()
    try:
        answer = mock_server.handler({"events": 700, "hours": 6, "seed": 4}, None)
    finally:
        mock_server._application.cache_clear()

    assert answer["sent"] == 700 == sum(answer["by_type"].values()) + answer["malformed"]
    assert (answer["duplicates"], answer["malformed"]) == (14, 4)
    assert set(answer["by_type"]) == {"post", "comment", "profile", "interaction", "message"}
    client = boto3.client("kinesis")
    shard = client.list_shards(StreamName=STREAM)["Shards"][0]["ShardId"]
    iterator = client.get_shard_iterator(
        StreamName=STREAM, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    assert len(client.get_records(ShardIterator=iterator)["Records"]) == 700
    emf = next(
        json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line
    )
    assert emf["EventsSent"] == [700.0]
