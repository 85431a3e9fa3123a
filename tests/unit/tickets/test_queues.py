"""The queues' file, and sorting by it."""

from __future__ import annotations

import copy

import pytest
import yaml

from tests.unit.tickets.kit import FakeEncoder, reason_of
from voxlake.text.post_length import LIMIT, weighted_length
from voxlake.tickets import load_queues
from voxlake.tickets.errors import QueuesError
from voxlake.tickets.queues import Hours, SortingWeights
from voxlake.tickets.sorting import QueueSorter, Sorted
from voxlake.trackers import load_trackers

NAMES = {
    "baggage_issue": "Baggage Issue",
    "customer_experience": "Customer Experience",
    "delay_and_customer_service": "Delay and Customer Service",
    "extra_charges": "Extra Charges",
    "online_booking": "Online Booking",
    "reschedule_and_refund": "Reschedule and Refund",
    "reservation_issue": "Reservation Issue",
    "seating_preferences": "Seating Preferences",
    "unsorted": "General Enquiries",
}


def test_the_packaged_queues_are_the_eight_and_unsorted():
    queues = load_queues()
    assert {queue.id: queue.name for queue in queues.queues} == NAMES
    assert [queue.id for queue in queues.sorted_into] == list(NAMES)[:-1]
    assert len({queue.prefix for queue in queues.queues}) == 9


def test_every_reply_names_ticket_and_hours_within_a_post():
    for queue in load_queues().queues:
        reply = queue.reply("BAG-5RW1J0-GBC0A", "en")
        assert "BAG-5RW1J0-GBC0A" in reply
        assert queue.hours.text in reply
        assert weighted_length(reply) <= LIMIT
        assert queue.reply("BAG-5RW1J0-GBC0A", "tlh") is None


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        (Hours("UTC", "Mon-Sun", "00:00", "24:00"), "24/7"),
        (Hours("America/New_York", "Mon-Fri", "08:00", "20:00"), "Mon-Fri 08:00-20:00 New York"),
        (Hours("UTC", "Sat", "09:00", "12:30"), "Sat 09:00-12:30 UTC"),
    ],
)
def test_hours_are_said_for_people(hours, text):
    assert hours.text == text


@pytest.fixture
def document():
    queue = {
        "id": "lending",
        "name": "Lending",
        "prefix": "LND",
        "description": "A book is late.",
        "keywords": ["book"],
        "reasons": [],
        "replies": {"en": "{queue}: {ticket_id}"},
        "hours": {"timezone": "UTC", "days": "Mon-Fri", "open": "09:00", "close": "17:00"},
    }
    return {
        "queues": [queue, {**copy.deepcopy(queue), "id": "unsorted", "prefix": "GEN"}],
        "needs_reply": {"weights": {"bias": -1, "negative": 3}, "complaint": 0.5, "question": 0.5},
        "sorting": {
            "reason": 0,
            "similarity": 1,
            "keywords": 1,
            "temperature": 0.1,
            "threshold": 0.4,
        },
    }


def load(document, tmp_path):
    path = tmp_path / "queues.yaml"
    path.write_text(yaml.safe_dump(document))
    return load_queues(path)


def test_another_domain_brings_its_own_queues(document, tmp_path):
    document |= {"answers_for": ["aurora_air"], "own_authors": {"x": ["4711"]}}
    queues = load(document, tmp_path)
    assert [queue.id for queue in queues.sorted_into] == ["lending"]
    own = queues.own_accounts(load_trackers())
    assert own.handles == {"auroraair"}
    assert own.is_us("x", "4711")
    assert not own.is_us("youtube", "4711")
    assert not own.addressed_in("@united my book")


def change(path, value):
    def apply(document):
        *way, last = path
        for part in way:
            document = document[part]
        document[last] = value

    return apply


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (change(["queues", 0, "id"], "Lending!"), "queue Lending!: expected an id of lower-case"),
        (change(["queues", 0, "prefix"], "BAGGAGE"), "queue lending: expected prefix of 2 to 4"),
        (change(["queues", 1, "prefix"], "LND"), "expected each prefix once, found 'LND' twice"),
        (change(["queues", 1, "id"], "other"), "expected the queue 'unsorted' and another one"),
        (change(["queues", 0, "extra"], 1), "queue lending: expected description, hours, id,"),
        (change(["queues", 0, "keywords"], "book"), "queue lending: expected a list of keywords"),
        (change(["queues", 0, "description"], " "), "queue lending: expected description as text"),
        (
            change(["queues", 0, "replies"], {"en": "hello {name} {ticket_id}"}),
            "queue lending: replies.en: expected only ticket_id, queue, hours in braces, found 'na",
        ),
        (
            change(["queues", 0, "replies"], {"en": "hello"}),
            "queue lending: replies.en: expected {ticket_id}, found none",
        ),
        (
            change(["queues", 0, "replies"], {"en": "{ticket_id}" + "x" * 270}),
            "queue lending: expected replies of at most 280 characters when filled in, found 287",
        ),
        (
            change(["queues", 0, "replies"], {"en": "{ticket_id"}),
            "queue lending: replies.en: expected braces in pairs",
        ),
        (change(["queues", 0, "replies"], {}), "queue lending: expected replies as {language"),
        (
            change(["queues", 0, "hours", "open"], 540),
            "queue lending: expected hours.open of HH:MM in quotes, found 540",
        ),
        (
            change(["queues", 0, "hours", "close"], "08:00"),
            "queue lending: expected hours.open before hours.close",
        ),
        (
            change(["needs_reply", "complaint"], 1.5),
            "needs_reply: expected complaint from 0 to 1, found 1.5",
        ),
        (
            change(["needs_reply", "weights", "anguish"], 1),
            "needs_reply.weights: expected numbers for bias, negative,",
        ),
        (
            change(["sorting", "temperature"], 0),
            "sorting: expected temperature and a weight above 0",
        ),
        (change(["sorting"], None), "sorting: expected reason, similarity, keywords,"),
        (change(["queues"], []), "expected the queue 'unsorted' and another one"),
        (change(["queues"], None), "expected a mapping with a list 'queues'"),
    ],
)
def test_a_wrong_file_is_refused_naming_queue_and_field(document, tmp_path, broken, message):
    broken(document)
    with pytest.raises(QueuesError) as error:
        load(document, tmp_path)
    assert str(error.value).startswith(message)


def test_an_unknown_queue_or_tracker_is_named_with_those_there_are(document, tmp_path):
    with pytest.raises(QueuesError, match="expected one of lending, unsorted, found 'nothing'"):
        load(document, tmp_path).named("nothing")
    with pytest.raises(QueuesError, match="answers_for: expected ids of trackers"):
        load(document | {"answers_for": ["nobody"]}, tmp_path).own_accounts(load_trackers())


WEIGHTS = SortingWeights(reason=1, similarity=0.5, keywords=0.5, temperature=0.1, threshold=0.4)


def test_reason_meaning_and_keywords_are_weighed_and_little_evidence_stays_unsorted():
    sorter = QueueSorter(load_queues(), FakeEncoder().embed, WEIGHTS)
    found = sorter.sort(
        ["my bag is gone", "what a seat, no aisle", "hm"],
        [reason_of("Lost Luggage"), None, reason_of(None)],
    )
    assert [one.queue for one in found] == ["baggage_issue", "seating_preferences", "unsorted"]
    assert [0 <= one.score <= 1 for one in found] == [True] * 3
    assert found[2].score < WEIGHTS.threshold
    assert sorter.sort([], []) == []


def test_a_text_is_sorted_alike_whatever_comes_with_it():
    sorter = QueueSorter(load_queues(), FakeEncoder().embed, WEIGHTS)
    alone = sorter.sort(["my bag, my seat"], [None])
    beside = sorter.sort(["late", "my bag, my seat", "refund"], [None] * 3)
    assert [alone[0]] == beside[1:2]
    assert isinstance(alone[0], Sorted)
