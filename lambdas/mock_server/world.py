"""The network itself: which events happen at which minute. A pure function, nothing is stored.

A minute is a number of minutes since 1970. `size(minute)` says how many events it has, and
`layout` deals them to slots (a post, a comment, …, a conversation of several messages), so that
any part of the past can be looked up: a comment finds the post it answers by drawing an earlier
minute and one of that minute's post slots. What stands in a slot depends only on (seed, lane,
minute, slot): the same event_id always carries the same content and time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Any, NamedTuple

from lambdas.mock_server import brands, people, writing
from lambdas.mock_server.randomness import digest, generator

Event = dict[str, Any]

# 50 slots hold about 59 events: 30 posts, 22 comments, 31 interactions, 10 messages, 6 profiles
# and 2 edits in a hundred. Shuffled once and for all.
_SLOTS = (
    ["post"] * 17
    + ["comment"] * 13
    + ["interaction"] * 15
    + ["conversation"]
    + ["profile"] * 3
    + ["edit"]
)
Random(20150224).shuffle(_SLOTS)
# Kinds of interaction and what they aim at, with their weights.
_INTERACTIONS = (
    ("like", "post", 40),
    ("like", "comment", 6),
    ("view", "post", 26),
    ("share", "post", 12),
    ("click", "post", 9),
    ("follow", "profile", 7),
)
_INTERACTION_WEIGHTS = tuple(weight for _, _, weight in _INTERACTIONS)
_MEAN_AGE_MINUTES = 45.0
_MAX_AGE_MINUTES = 24 * 60
_SILENCE_MINUTES = 120  # how long a thin spread may go without a post


class Slot(NamedTuple):
    """A place in a minute; events is 1 besides for conversations (their turns)."""

    kind: str
    events: int


class Gist(NamedTuple):
    """What one needs to know of a post without writing it."""

    post_id: str
    author: people.Person
    brand: int | None
    mood: int


@lru_cache(maxsize=50_000)
def layout(minute: int, events: int) -> tuple[Slot, ...]:
    """Slots of a minute that add up to its number of events."""
    slots: list[Slot] = []
    left = events
    while left > 0:
        number = len(slots) + 13 * minute
        kind = _SLOTS[number % len(_SLOTS)]
        turns = min(3 + number % 4, left) if kind == "conversation" else 1
        if kind == "conversation" and turns < 2:
            kind = "post"
        slots.append(Slot(kind, turns))
        left -= turns
    return tuple(slots)


@lru_cache(maxsize=50_000)
def _posts(minute: int, events: int) -> tuple[int, ...]:
    return tuple(at for at, slot in enumerate(layout(minute, events)) if slot.kind == "post")


class World:
    """The network of one seed.

    Args:
        seed: decides the people and the brands' fortunes.
        lane: with the seed decides what happens; sets the events of different mandates apart
            (the schedule's ticks, a demo's spread).
        size: events of a minute.
        population: how many people there are.
        late_share: share of events that occurred hours or days before they are sent.
        first_minute: before it nothing is referred to.
    """

    def __init__(
        self,
        seed: int,
        lane: str,
        size: Callable[[int], int],
        *,
        population: int,
        late_share: float,
        first_minute: int = 0,
    ) -> None:
        self._seed = seed
        self.lane = lane
        self.size = size
        self._population = population
        self._late_share = late_share
        self._first_minute = first_minute

    def minute(self, minute: int) -> Iterator[tuple[Event, bool]]:
        """The events of a minute in order, each with whether it is late."""
        for number, slot in enumerate(layout(minute, self.size(minute))):
            yield from self.slot(minute, number, slot)

    def slot(self, minute: int, number: int, slot: Slot) -> Iterator[tuple[Event, bool]]:
        """The events of a slot."""
        random = generator(self._seed, self.lane, minute, number, "event")
        occurred = datetime.fromtimestamp(minute * 60 + random.randrange(60), UTC)
        late = random.random() < self._late_share
        if late:
            # Mostly phones that were offline; one in fifty has been in a drawer for long.
            hours = random.uniform(60, 4000) if random.random() < 0.02 else random.uniform(1, 48)
            occurred -= timedelta(hours=hours)
        if slot.kind == "conversation":
            events = self._conversation(minute, number, slot.events, occurred, random)
        else:
            event_type, author, body = getattr(self, f"_{slot.kind}")(minute, number, random)
            events = [self._event(event_type, minute, number, 0, occurred, author, body)]
        for event in events:
            yield event, late

    def gist(self, minute: int, number: int) -> Gist:
        """Author, subject and mood of the post in a slot."""
        random = generator(self._seed, self.lane, minute, number, "gist")
        author = people.awake_person(random, self._seed, self._population, minute)
        brand = None
        if random.random() < 0.62:
            weights = brands.attention(self._seed, minute)
            brand = random.choices(range(len(weights)), weights)[0]
        feeling = brands.mood(self._seed, brand, minute) if brand is not None else 0.1
        return Gist(
            "p" + digest(self._seed, self.lane, minute, number),
            author,
            brand,
            writing.choose_mood(random, feeling),
        )

    def _event(
        self,
        event_type: str,
        minute: int,
        number: int,
        part: int,
        occurred: datetime,
        author: str,
        body: dict[str, Any],
    ) -> Event:
        return {
            "event_id": "mock-" + digest(self._seed, self.lane, minute, number, part, "event"),
            "event_type": event_type,
            "schema_version": 1,
            "source": "mock",
            "occurred_at": f"{occurred:%Y-%m-%dT%H:%M:%SZ}",
            "author_id": author,
            "body": body,
        }

    def _earlier_post(self, minute: int, random: Random) -> tuple[int, int] | None:
        """(minute, slot) of a post before this minute: recent ones and famous ones more often."""
        for _ in range(6):
            age = 1 + int(min(random.expovariate(1 / _MEAN_AGE_MINUTES), _MAX_AGE_MINUTES))
            if random.random() < 0.3:
                age += (minute - age) % 30  # what half an hour's crowd gathers around
            rank = random.random() ** 3
            oldest = max(self._first_minute, minute - age - _SILENCE_MINUTES)
            for then in range(minute - age, oldest - 1, -1):
                posts = _posts(then, self.size(then))
                if posts:
                    return then, posts[int(len(posts) * rank)]
        return None

    def _someone(self, minute: int, random: Random) -> people.Person:
        return people.awake_person(random, self._seed, self._population, minute)

    def _post_body(self, minute: int, number: int, gist: Gist) -> dict[str, Any]:
        random = generator(self._seed, self.lane, minute, number, "text")
        friend = self._someone(minute, random).handle
        if gist.brand is None:
            language = "en"
            text = writing.small_talk(random, gist.mood, friend)
        else:
            language = gist.author.language
            shaken = brands.strongest_incident(self._seed, gist.brand, minute / 60)
            incident = shaken[0] if shaken and random.random() < shaken[1] * 1.5 else None
            text = writing.about_brand(random, gist.brand, gist.mood, language, incident, friend)
        reach = gist.author.followers**0.5 / 8
        likes = int(reach * random.paretovariate(1.2)) if random.random() < 0.7 else 0
        body = {
            "post_id": gist.post_id,
            "text": text.text,
            "lang": language,
            "hashtags": text.hashtags,
            "mentions": text.mentions,
            "like_count": min(likes, 250_000),
            "share_count": min(int(likes * random.betavariate(1.2, 8)), 50_000),
        }
        if random.random() < 0.25:
            body["place"] = gist.author.place
        return body

    def _post(self, minute: int, number: int, random: Random) -> tuple[str, str, dict]:
        gist = self.gist(minute, number)
        return "post", gist.author.handle, self._post_body(minute, number, gist)

    def _edit(self, minute: int, number: int, random: Random) -> tuple[str, str, dict]:
        earlier = self._earlier_post(minute, random)
        if earlier is None:
            return self._post(minute, number, random)
        gist = self.gist(*earlier)
        body = self._post_body(*earlier, gist)
        return "post", gist.author.handle, body | {"text": writing.edited(random, body["text"])}

    def _comment(self, minute: int, number: int, random: Random) -> tuple[str, str, dict]:
        earlier = self._earlier_post(minute, random)
        if earlier is None:
            return self._post(minute, number, random)
        gist = self.gist(*earlier)
        author = self._someone(minute, random)
        # Comments mostly share the feeling of the post.
        mood = gist.mood if random.random() < 0.65 else writing.choose_mood(random, 0.0)
        body: dict[str, Any] = {
            "comment_id": "c" + digest(self._seed, self.lane, minute, number, "comment"),
            "parent_id": gist.post_id,
            "thread_id": gist.post_id,
            "channel_id": gist.author.handle,
            "text": writing.reply(random, mood, gist.author.handle),
            "like_count": int(random.paretovariate(1.3)) - 1,
        }
        return "comment", author.handle, body

    def _interaction(self, minute: int, number: int, random: Random) -> tuple[str, str, dict]:
        earlier = self._earlier_post(minute, random)
        if earlier is None:
            return self._post(minute, number, random)
        gist = self.gist(*earlier)
        kind, target_type, _ = random.choices(_INTERACTIONS, _INTERACTION_WEIGHTS)[0]
        target = gist.author.handle if target_type == "profile" else gist.post_id
        if target_type == "comment":
            target = self._earlier_comment(*earlier)
            if target is None:
                target_type, target = "post", gist.post_id
        return (
            "interaction",
            self._someone(minute, random).handle,
            {
                "interaction_id": "i"
                + digest(self._seed, self.lane, minute, number, "interaction"),
                "kind": kind,
                "target_type": target_type,
                "target_id": target,
            },
        )

    def _earlier_comment(self, minute: int, number: int) -> str | None:
        """A comment sent in the same minute as a post, if any."""
        if minute < self._first_minute + 4 * _MEAN_AGE_MINUTES:
            return None  # in a young world a comment's slot may hold a post instead
        slots = layout(minute, self.size(minute))
        for at in range(number, len(slots)):
            if slots[at].kind == "comment":
                return "c" + digest(self._seed, self.lane, minute, at, "comment")
        return None

    def _profile(self, minute: int, number: int, random: Random) -> tuple[str, str, dict]:
        person = self._someone(minute, random)
        age_days = max(0, minute - person.joined_minute) / 1440
        joined = datetime.fromtimestamp(person.joined_minute * 60, UTC)
        return (
            "profile",
            person.handle,
            {
                "handle": person.handle,
                "display_name": person.display_name,
                "bio": person.bio,
                "location": person.place,
                "followers": int(person.followers * (1 + age_days / 2000)),
                "following": person.following,
                "joined_at": f"{joined:%Y-%m-%dT%H:%M:%SZ}",
                "verified": person.verified,
            },
        )

    def _conversation(
        self, minute: int, number: int, turns: int, ended: datetime, random: Random
    ) -> list[Event]:
        weights = brands.attention(self._seed, minute)
        brand = random.choices(range(len(weights)), weights)[0]
        mood = writing.choose_mood(random, brands.mood(self._seed, brand, minute) + 0.2)
        customer = self._someone(minute, random).handle
        identity = "t" + digest(self._seed, self.lane, minute, number, "conversation")
        gaps = [random.randrange(8, 90) for _ in range(turns - 1)]
        at = ended - timedelta(seconds=sum(gaps))
        events: list[Event] = []
        context = None
        said = writing.conversation(random, brand, mood, turns)
        for turn, ((agent, text), gap) in enumerate(zip(said, [*gaps, 0], strict=True)):
            speaker = brands.BRANDS[brand].handle if agent else customer
            body = {"conversation_id": identity, "turn": turn + 1, "speaker": speaker, "text": text}
            if context is not None:
                body["context"] = context
            events.append(self._event("message", minute, number, turn, at, speaker, body))
            context = text
            at += timedelta(seconds=gap)
        return events
