"""The invented people of the network: pure functions of seed and rank."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from lambdas.mock_server.phrases_general import BIOS, _lines
from lambdas.mock_server.randomness import generator, zipf

FIRST_NAMES = _lines("""
    Mira
    Tomas
    Ines
    Juno
    Pelle
    Amara
    Luca
    Noor
    Sven
    Dalia
    Oki
    Greta
    Hugo
    Yara
    Milo
    Selin
    Ravi
    Clara
    Bo
    Nadia
    Enzo
    Freya
    Kaito
    Lena
    Omar
    Pia
    Rosa
    Tariq
    Uma
    Viggo
    Wanda
    Zoe
""")
FIRST_WORDS = _lines("""
    quiet
    lucky
    salty
    paper
    velvet
    rusty
    silver
    sleepy
    brave
    tiny
    cosmic
    lemon
    wooden
    foggy
    polite
    electric
    crooked
    sunny
    purple
    arctic
    mellow
    honest
    spicy
    lazy
    curious
    distant
    copper
    gentle
""")
SECOND_WORDS = _lines("""
    otter
    teapot
    pixel
    lantern
    walnut
    comet
    bicycle
    heron
    pancake
    marble
    thistle
    anchor
    violin
    badger
    cactus
    puddle
    raven
    kettle
    maple
    compass
    noodle
    magpie
    turnip
    glacier
    button
    sparrow
    ladder
    pepper
""")
# City, language, hours from UTC, share of the people.
PLACES = (
    ("Port Linden", "en", -5, 14),
    ("Eastmoor", "en", 0, 14),
    ("Grand Hollow", "en", -8, 12),
    ("Millbrook", "en", -6, 10),
    ("Kestle Bay", "en", 10, 6),
    ("Old Quarry", "en", 0, 8),
    ("Sunfield", "en", -5, 8),
    ("Villarosa", "es", 1, 5),
    ("Santa Brisa", "es", -6, 4),
    ("Montclair-sur-Lac", "fr", 1, 5),
    ("Niederwald", "de", 1, 6),
    ("Porto Velho do Sul", "pt", -3, 5),
    ("Minato-no-Oka", "ja", 9, 3),
)
_PLACE_WEIGHTS = tuple(place[3] for place in PLACES)
# Share of the day's activity by local hour: little sleepers, a lunch bump, busy evenings.
ACTIVITY = (
    0.30,
    0.18,
    0.11,
    0.08,
    0.07,
    0.10,
    0.22,
    0.42,
    0.58,
    0.62,
    0.64,
    0.68,
    0.80,
    0.74,
    0.64,
    0.62,
    0.66,
    0.74,
    0.84,
    0.94,
    1.00,
    0.98,
    0.80,
    0.52,
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who writes.

    Attributes:
        rank: place in the order of how much they write; 0 writes most.
        handle: without @; also the author_id, so that mentions join with authors.
        utc_offset_hours: of where they live.
        followers: at the start of the world; grows from there.
    """

    rank: int
    handle: str
    display_name: str
    bio: str
    place: str
    language: str
    utc_offset_hours: int
    followers: int
    following: int
    joined_minute: int
    verified: bool


def fake_mail(random) -> str:
    """An address at example.com, which nobody can own."""
    return f"{random.choice(FIRST_NAMES).lower()}.{random.choice(SECOND_WORDS)}@example.com"


def fake_phone(random) -> str:
    """A number of the block 555-0100 to 555-0199, kept free for fiction."""
    last = f"555-01{random.randrange(100):02d}"
    area = random.choice((202, 212, 305, 415, 512))
    return random.choice((f"+1 {area}-{last}", f"({area}) {last}", f"{area}-{last}"))


@lru_cache(maxsize=20_000)
def person(seed: int, rank: int) -> Person:
    """The person of a rank."""
    random = generator(seed, "person", rank)
    place, language, offset, _ = random.choices(PLACES, _PLACE_WEIGHTS)[0]
    first, second = random.choice(FIRST_WORDS), random.choice(SECOND_WORDS)
    # The rank in the handle keeps handles distinct.
    handle = random.choice(
        (
            f"{first}_{second}{rank}",
            f"{second}{first.title()}{rank}",
            f"{random.choice(FIRST_NAMES).lower()}_{second}_{rank}",
        )
    )
    return Person(
        rank=rank,
        handle=handle,
        display_name=f"{random.choice(FIRST_NAMES)} {second.title()}",
        bio=random.choice(BIOS).format(mail=fake_mail(random), phone=fake_phone(random)),
        place=place,
        language=language,
        utc_offset_hours=offset,
        followers=int(random.paretovariate(1.1) * 40 + 4000 / (rank + 1)),
        following=int(random.paretovariate(1.4) * 60),
        joined_minute=19_000_000 + random.randrange(7_000_000),  # 2006 to 2019
        verified=rank < 40 and random.random() < 0.6,
    )


def activity(offset_hours: int, minute: int) -> float:
    """How awake a place is, 0 to 1, between the hours of ACTIVITY."""
    local = (minute / 60 + offset_hours) % 24
    hour = int(local)
    here, following = ACTIVITY[hour], ACTIVITY[(hour + 1) % 24]
    return here + (following - here) * (local - hour)


@lru_cache(maxsize=100_000)
def network_activity(minute: int) -> float:
    """How busy the whole network is at a minute since 1970; 1 on average over a day."""
    total = sum(_PLACE_WEIGHTS)
    now = sum(weight * activity(offset, minute) for _, _, offset, weight in PLACES) / total
    return now / (sum(ACTIVITY) / 24)


def awake_person(random, seed: int, population: int, minute: int) -> Person:
    """Somebody who writes at a minute: heavy writers more often, sleepers rarely."""
    for _ in range(4):
        found = person(seed, zipf(random.random(), population))
        if random.random() < activity(found.utc_offset_hours, minute):
            break
    return found
