"""A mandate as the records to put on the stream, generated as they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import orjson

from lambdas.mock_server.faults import malformed
from lambdas.mock_server.mandate import Mandate
from lambdas.mock_server.people import network_activity
from lambdas.mock_server.randomness import generator
from lambdas.mock_server.settings import Settings
from lambdas.mock_server.world import Slot, World, layout

_APPS = ("web", "android 5.2", "ios 17.3", "deck 2")
# Slots from here on are outside every minute's layout: what stands there is only sent broken.
_BROKEN_SLOTS = 1_000_000


# A thin spread has busy and silent minutes: one event a minute leaves no room for a conversation.
_LEAST_EVENTS = 12


class Record(NamedTuple):
    """A record for the stream.

    Attributes:
        data: the bytes.
        partition_key: the author, so that a person's events keep their order.
        event_type: of a valid event, else None.
    """

    data: bytes
    partition_key: str
    event_type: str | None
    late: bool
    duplicate: bool


class _Minute(NamedTuple):
    events: int
    duplicates: int
    malformed: int


def records(mandate: Mandate, settings: Settings) -> Iterator[Record]:
    """The records of a mandate: a pure function of both."""
    if mandate.events is None:
        return _tick(mandate, settings)
    return _spread(mandate, settings)


def _tick(mandate: Mandate, settings: Settings) -> Iterator[Record]:
    def shares(minute: int) -> _Minute:
        random = generator(mandate.seed, "tick", minute, "size")
        size = max(
            1, round(settings.events_per_tick * network_activity(minute) * random.uniform(0.9, 1.1))
        )
        duplicates = int(size * settings.duplicate_share + random.random())
        broken = int(size * settings.malformed_share + random.random())
        events = max(1, size - duplicates - broken)
        return _Minute(events, min(duplicates, size - events), max(0, size - events - duplicates))

    world = _world(settings, f"tick {mandate.seed}", lambda minute: shares(minute).events)
    yield from _minute(
        world, mandate, settings, mandate.minute, shares(mandate.minute), mandate.minute
    )


def _spread(mandate: Mandate, settings: Settings) -> Iterator[Record]:
    last = mandate.minute
    first = last - (mandate.hours or 24) * 60 + 1
    total = mandate.events or 0
    duplicates = min(round(total * settings.duplicate_share), total - 1)
    broken = min(round(total * settings.malformed_share), total - 1 - duplicates)
    parts = [
        _dealt(amount, first, last, least)
        for amount, least in (
            (total - duplicates - broken, _LEAST_EVENTS),
            (duplicates, 1),
            (broken, 1),
        )
    ]
    # The time is part of the lane: another spread is other events, not mostly the same ones.
    lane = f"spread {mandate.seed} {first} {last}"
    world = _world(settings, lane, lambda minute: parts[0].get(minute, 0), first)
    for minute in range(first, last + 1):
        shares = _Minute(*(part.get(minute, 0) for part in parts))
        yield from _minute(world, mandate, settings, minute, shares, first)


def _dealt(total: int, first: int, last: int, least: int) -> dict[int, int]:
    """Deals a number to minutes by how busy the network is, `least` or more to a minute that gets
    any (the last to get some may get fewer); the sum is exact.
    """
    weights = [network_activity(minute) for minute in range(first, last + 1)]
    whole = sum(weights)
    dealt: dict[int, int] = {}
    passed = done = 0.0
    for minute, weight in zip(range(first, last + 1), weights, strict=True):
        passed += weight
        due = total if minute == last else round(total * passed / whole)
        if due > done:
            dealt[minute] = int(min(max(due - done, least), total - done))
            done += dealt[minute]
    return dealt


def _world(settings: Settings, lane: str, size: Callable[[int], int], first: int = 0) -> World:
    # People and the brands' fortunes are the network's; what a mandate's seed decides is what
    # happens among them. So several mandates tell one story.
    return World(
        settings.seed,
        lane,
        size,
        population=settings.population,
        late_share=settings.late_share,
        first_minute=first,
    )


def _minute(
    world: World, mandate: Mandate, settings: Settings, minute: int, shares: _Minute, first: int
) -> Iterator[Record]:
    for event, late in world.minute(minute):
        yield _record(event, late, False)
    random = generator(mandate.seed, world.lane, minute, "faults")
    for _ in range(shares.duplicates):
        event, late = _sent_before(world, minute, first, random)
        yield _record(event, late, True)
    for number in range(shares.malformed):
        slot = Slot(random.choice(("post", "comment", "interaction", "profile")), 1)
        event, _ = next(world.slot(minute, _BROKEN_SLOTS + number, slot))
        yield Record(malformed(event, random), event["author_id"], None, False, False)


def _sent_before(world: World, minute: int, first: int, random: Any) -> tuple[dict, bool]:
    """An event of the mandate up to this minute, mostly a recent one."""
    then = max(first, minute - int(random.expovariate(1 / 20)))
    # A thin spread has empty minutes: the nearest one before, else (at its beginning) after.
    for candidate in (*range(then, first - 1, -1), *range(then + 1, minute + 1)):
        slots = layout(candidate, world.size(candidate))
        if slots:
            number = random.randrange(len(slots))
            return random.choice(list(world.slot(candidate, number, slots[number])))
    return next(world.slot(minute, _BROKEN_SLOTS, Slot("post", 1)))


def _record(event: dict[str, Any], late: bool, duplicate: bool) -> Record:
    # What a sender adds and how it prints follows from the event, so a repeat is the same bytes.
    mark = int(event["event_id"][-4:], 16)
    if mark % 5 == 0:
        event["app"] = _APPS[mark % len(_APPS)]
    data = orjson.dumps(event, option=orjson.OPT_INDENT_2 if mark % 200 == 7 else None)
    return Record(data, event["author_id"], event["event_type"], late, duplicate)
