"""Ticket ids: the same for the same text, sortable, and mistyped ones are noticed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from voxlake.tickets.errors import TicketIdError
from voxlake.tickets.ids import ALPHABET, EPOCH, LAST, TicketId, make_ticket_id, parse_ticket_id

times = st.datetimes(min_value=EPOCH.replace(tzinfo=None), max_value=LAST.replace(tzinfo=None)).map(
    lambda time: time.replace(tzinfo=UTC)
)
prefixes = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=4)
ids = st.builds(make_ticket_id, prefixes, times, st.just("x"), st.text(max_size=20))


def test_an_id_is_short_and_always_the_same():
    arrived = datetime(2026, 2, 24, 12, 0, 0, 250_000, tzinfo=UTC)
    made = [make_ticket_id("BAG", arrived, "x", "17", attempt=at) for at in (0, 0, 1)]
    assert made == ["BAG-5S3CE0-HFTG6", "BAG-5S3CE0-HFTG6", "BAG-5S3CE0-A0GB3"]
    assert parse_ticket_id(made[0]) == TicketId("BAG", arrived.replace(microsecond=0), "HFTG")


@given(ids)
def test_what_is_made_is_parsed_back(ticket_id):
    assert parse_ticket_id(ticket_id).text == ticket_id


@given(prefixes, times, times)
def test_ids_of_a_queue_sort_by_time(prefix, first, second):
    assume(abs(first - second) >= timedelta(seconds=1))
    earlier, later = sorted((first, second))
    assert make_ticket_id(prefix, earlier, "x", "1") < make_ticket_id(prefix, later, "x", "2")


@given(ids, st.data())
def test_any_one_wrong_character_is_noticed(ticket_id, data):
    places = [at for at, character in enumerate(ticket_id) if character != "-"]
    at = data.draw(st.sampled_from(places))
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if at < ticket_id.index("-") else ALPHABET
    wrong = data.draw(st.sampled_from([one for one in letters if one != ticket_id[at]]))
    with pytest.raises(TicketIdError):
        parse_ticket_id(ticket_id[:at] + wrong + ticket_id[at + 1 :])


@given(ids, st.data())
def test_any_two_swapped_characters_are_noticed(ticket_id, data):
    body = ticket_id.index("-") + 1
    places = [at for at in range(body, len(ticket_id)) if ticket_id[at] != "-"]
    one, other = sorted(data.draw(st.permutations(places))[:2])
    assume(ticket_id[one] != ticket_id[other])
    swapped = list(ticket_id)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    with pytest.raises(TicketIdError):
        parse_ticket_id("".join(swapped))


@pytest.mark.parametrize(
    "typed",
    [
        "bag-5s3ce0-a0gb3",
        " BAG 5S3CE0 A0GB3 ",
        "BAG5S3CE0A0GB3",
        "BAG-5S3CEO-AOGB3",  # O for 0
        "bag–5s3ceo–a0gb3",  # dashes of a word processor
    ],
)
def test_an_id_may_be_typed_as_people_do(typed):
    assert parse_ticket_id(typed).text == "BAG-5S3CE0-A0GB3"


@pytest.mark.parametrize("typed", ["", "BAG", "5S3CE0-A0GB3", "BAG-5S3CU0-A0GB3", "🧳" * 99])
def test_what_is_no_id_is_refused_with_an_example(typed):
    with pytest.raises(TicketIdError, match=r"expected a ticket id such as BAG-\w{6}-\w{5}, found"):
        parse_ticket_id(typed)


def test_a_mistyped_id_is_told_from_what_is_no_id():
    with pytest.raises(TicketIdError) as error:
        parse_ticket_id("BAG-5S3CE0-A0GB4")
    assert str(error.value) == (
        "expected a ticket id whose check character fits, found 'BAG-5S3CE0-A0GB4': a character is "
        "wrong, or two are swapped; compare it with the one given"
    )


@pytest.mark.parametrize(
    ("prefix", "year"), [("B", 2026), ("bag", 2026), ("BAGGY", 2026), ("BAG", 2019), ("BAG", 2060)]
)
def test_an_impossible_prefix_or_time_is_refused(prefix, year):
    with pytest.raises(TicketIdError):
        make_ticket_id(prefix, datetime(year, 1, 1, tzinfo=UTC), "x", "1")
