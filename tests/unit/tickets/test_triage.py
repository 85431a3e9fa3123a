"""What needs a reply: complaints and questions to us, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.tickets.kit import (
    FakeEncoder,
    FakeReasons,
    reason_of,
    score_of,
    scored,
    stream_text,
)
from voxlake.tickets import load_queues
from voxlake.tickets.desk import Desk
from voxlake.tickets.directed import OwnAccounts, asks, is_repost
from voxlake.tickets.triage import COMPLAINT, QUESTION, SIGNALS, Why, decide, excluded, signals
from voxlake.trackers import load_trackers

OWN = OwnAccounts(["AuroraAir"], {"x": ["4711"]})
THRESHOLDS = load_queues().needs_reply


@pytest.mark.parametrize(
    ("text", "author", "channel", "expected"),
    [
        ("@AuroraAir you lost my bag", "somebody", None, None),
        ("hey @auroraair, my bag", "somebody", None, None),
        ("they lost my bag", "somebody", None, Why.NOT_TO_US),
        ("@auroraairlines you lost my bag", "somebody", None, Why.NOT_TO_US),
        ("me@auroraair.example is no handle", "somebody", None, Why.NOT_TO_US),
        ("they lost my bag", "somebody", "auroraair", None),
        ("we are sorry @auroraair", "@AuroraAir", None, Why.OUR_OWN),
        ("we are sorry @auroraair", "4711", None, Why.OUR_OWN),
        ("pinned by the owner", "auroraair", "auroraair", Why.OUR_OWN),
        ("their own channel @auroraair", "UC1", "UC1", None),
        ("RT @auroraair: a new livery", "somebody", None, Why.REPOST),
        ("so true! RT @k1_0: @auroraair lost it", "somebody", None, Why.REPOST),
        ("“@auroraair: our fleet” hm", "somebody", None, Why.REPOST),
        ('"@auroraair: our fleet', "somebody", None, Why.REPOST),
    ],
)
def test_only_what_others_address_to_us_can_need_a_reply(text, author, channel, expected):
    assert excluded(text, OWN, source="x", author=author, channel=channel) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("is my flight on time?", True),
        ("please send a receipt", True),
        ("Need help with my booking", True),
        ("can you hold the plane", True),
        ("just landed in Rome", False),
        ("see http://a.example/?q=1", False),
        ("thanks!", False),
    ],
)
def test_a_question_or_request_is_told_from_a_statement(text, expected):
    assert asks(text) is expected


@pytest.mark.parametrize(
    ("text", "score", "kind", "why"),
    [
        ("@auroraair bad bag", scored("negative"), COMPLAINT, Why.COMPLAINS),
        ("@auroraair is it on time?", scored("neutral"), QUESTION, Why.ASKS),
        ("@auroraair just landed", scored("neutral"), None, Why.NOTHING_ASKED),
        ("@auroraair great, can you keep it up?", scored("positive"), None, Why.PRAISE),
        ("@auroraair ¿dónde está?", scored("neutral", in_scope=False), None, Why.NOT_JUDGED),
    ],
)
def test_the_verdict_names_what_decided(text, score, kind, why):
    verdict = decide(text, score, reason_of(None), THRESHOLDS)
    assert (verdict.kind, verdict.why, verdict.needs_reply) == (kind, why, kind is not None)
    assert 0 <= verdict.confidence <= 1


probability = st.floats(0, 1)


@given(
    st.text(max_size=80),
    st.fixed_dictionaries(dict.fromkeys(("negative", "neutral", "positive"), probability)),
    st.dictionaries(st.sampled_from(["anger", "joy", "love", "sadness"]), probability),
    st.sampled_from(["Lost Luggage", None]),
)
def test_praise_never_gets_a_ticket(text, scores, emotions, reason):
    score = scored("positive", sentiment_scores=scores, emotion_scores=emotions)
    verdict = decide(f"@auroraair {text}?", score, reason_of(reason), THRESHOLDS)
    assert not verdict.needs_reply


@given(st.text(max_size=80), st.sampled_from(["negative", "neutral", "positive"]))
def test_signals_are_all_there_and_between_0_and_1(text, sentiment):
    found = signals(text, scored(sentiment), reason_of("Lost Luggage"))
    assert set(found) == set(SIGNALS)
    assert all(0 <= value <= 1 for value in found.values())


@given(st.text(max_size=200))
def test_any_text_is_looked_at_without_an_error(text):
    assert is_repost(text) in (True, False)
    assert asks(text) in (True, False)


def test_the_desk_scores_all_texts_at_once_and_finds_the_cases():
    encoder = FakeEncoder()
    desk = Desk(encoder, FakeReasons(), load_queues(), load_trackers())
    texts = [
        stream_text("@auroraair bad bag, bad luggage", 1),
        stream_text("@auroraair great bag", 2),
        stream_text("bad bag, said to nobody", 3),
        stream_text("@auroraair is there a seat?", 4),
    ]
    reading = desk.read(texts)
    assert reading.scores == [score_of(text.text) for text in texts]
    cases = desk.cases(texts, reading)
    assert [(case.at, case.verdict.kind, case.sorted.queue, case.reason) for case in cases] == [
        (0, "complaint", "baggage_issue", "Lost Luggage"),
        (3, "question", "seating_preferences", None),
    ]
    assert len(encoder.scored) == 1
    assert desk.ticket_id(texts[0], cases[0]).startswith("BAG-")
    assert desk.cases([], desk.read([])) == []
