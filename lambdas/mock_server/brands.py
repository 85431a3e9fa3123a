"""The invented brands people talk about, what they say about each, and how its mood moves.

Mood is a pure function of seed and time: two slow waves and a fast one per brand, plus incidents
(an outage, a prize) that last some hours, pull the mood and draw a crowd.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from lambdas.mock_server.phrases_general import _lines
from lambdas.mock_server.randomness import generator


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that happens to a brand.

    Attributes:
        sign: 1 good, -1 bad.
        hashtag: what the crowd tags it with.
        texts: what the crowd says.
    """

    sign: int
    hashtag: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Brand:
    """A brand; name and handle are those of voxlake's tracker file."""

    name: str
    handle: str
    things: tuple[str, ...]
    texts: dict[int, tuple[str, ...]]
    incidents: tuple[Incident, ...]

    @property
    def hashtag(self) -> str:
        return self.name.replace(" ", "")


BRANDS = (
    Brand(
        "Aurora Air",
        "auroraair",
        _lines("""
            the morning flight to Lisbon
            the lounge
            online check-in
            the window seat
            the new cabin
            the baggage desk
            the night flight
            the miles programme
            the crew
            the boarding app
        """),
        {
            1: _lines("""
                landed early with {brand}, smooth flight and a smiling crew
                {brand} upgraded us for our wedding day, crying with joy
                {brand} found my lost teddy and mailed it home, lovely people
                best legroom I ever had, thanks {brand}
                {brand} rebooked me in two minutes, brilliant
                the captain of {brand} showed my son the cockpit, happiest kid ever
            """),
            0: _lines("""
                boarding {brand} at gate 14, next stop Oslo
                {brand} adds a flight to Vienna in summer
                how many bags does {brand} allow
                flying {brand} on Tuesday, window or aisle
                which terminal does {brand} use in Madrid
            """),
            -1: _lines("""
                {brand} cancelled my flight by text at the gate
                four hours on the tarmac with {brand} and not even water
                my suitcase is in another country, thanks {brand}
                {brand} overbooked again and left a family behind
                seat broken, screen broken, mood broken: {brand}
                missed my sister's wedding because of {brand}, never again
                the line at the counter of {brand} has not moved in an hour
            """),
        },
        (
            Incident(
                -1,
                "AuroraStranded",
                _lines("""
                {brand} grounded everything, thousands of us sleep on the airport floor
                no staff, no hotel, no information: {brand} is a disaster tonight
                stranded with two kids, {brand} does not answer the phone
                {brand} says weather, every other airline flies, liars
            """),
            ),
            Incident(
                1,
                "FlyAurora",
                _lines("""
                {brand} flies home the volunteers for free, what a great gesture
                so proud of our airline, {brand} won the safety prize
                {brand} gives everybody their fee back, fantastic move
            """),
            ),
        ),
    ),
    Brand(
        "Kestrel Mobile",
        "kestrelmobile",
        _lines("""
            the family plan
            roaming
            the 5G signal
            the prepaid card
            the router
            number porting
            the bill
            the shop on Main Street
            voicemail
            the data pack
        """),
        {
            1: _lines("""
                full bars in the middle of the forest, wow {brand}
                {brand} halved my bill without being asked, love them
                ported my number to {brand} in an hour, flawless
                video calls from the train without a hiccup, great network {brand}
                the shop of {brand} repaired grandma's phone for free, so kind
            """),
            0: _lines("""
                does {brand} support dual SIM
                {brand} puts up a mast behind the school
                my plan with {brand} renews in June
                which frequency does {brand} use out here
                what is the code for the voicemail of {brand}
            """),
            -1: _lines("""
                no signal since Monday, {brand} sends me emojis
                {brand} raised the price in the middle of my contract
                roaming bill of 300 for one map, shame on you {brand}
                dropped calls all day, {brand} is useless for work
                {brand} cut me off although I paid, furious
                twelve minutes of music, then {brand} hung up
            """),
        },
        (
            Incident(
                -1,
                "KestrelDown",
                _lines("""
                whole town offline, {brand} is down again
                cannot even call an ambulance, {brand} this is dangerous
                {brand} outage hour five and their status page says all good
                no network, no card payments, no answer, horrible day with {brand}
            """),
            ),
            Incident(
                1,
                "KestrelGigabit",
                _lines("""
                {brand} doubled everybody's speed overnight, amazing
                downloading at a gigabit, thank you {brand}, best day
                {brand} connects all village schools for free, wonderful
            """),
            ),
        ),
    ),
    Brand(
        "Fennel Foods",
        "fennelfoods",
        _lines("""
            the oat yoghurt
            the frozen dumplings
            the veggie box
            the tomato soup
            the delivery service
            the chocolate spread
            the gluten-free bread
            the lunch menu
            the recipe cards
            the chilli crisps
        """),
        {
            1: _lines("""
                the pumpkin curry from {brand} is heaven in a bowl
                {brand} delivered early and everything was fresh, delighted
                my toddler eats vegetables now, thank you {brand}
                no plastic in the box this time, great job {brand}
                can we talk about the dumplings of {brand}, so delicious
            """),
            0: _lines("""
                is the soup of {brand} vegan
                {brand} opens a store next to the post office
                cooking with a {brand} box tonight
                how long does the bread of {brand} keep
                {brand} changed the packaging of the oats
            """),
            -1: _lines("""
                mould in the bread of {brand}, two days before the date, disgusting
                {brand} shrank the pack and kept the price, what a cheek
                the box of {brand} arrived warm, all of it in the bin
                found plastic in my salad, {brand} answered with a coupon, gross
                {brand} forgot half of my order for the third time
                the new recipe of {brand} tastes like cardboard, so sad
            """),
        },
        (
            Incident(
                -1,
                "FennelRecall",
                _lines("""
                {brand} recalls the soup after people fell ill, scary
                we ate that, now my son is sick, {brand} how could you
                {brand} knew for a week and said nothing, outrageous
                throwing away everything by {brand}, trust is gone
            """),
            ),
            Incident(
                1,
                "FennelShares",
                _lines("""
                {brand} gives ten thousand meals to the food bank, beautiful
                respect, {brand}, that is what a good company looks like
                free breakfast by {brand} for every school here, love it
            """),
            ),
        ),
    ),
    Brand(
        "Brightbank",
        "brightbank",
        _lines("""
            the app
            instant transfers
            the savings account
            the mortgage desk
            the travel card
            the branch in the arcade
            the fee for withdrawals
            two-factor login
            the budget view
            the youth account
        """),
        {
            1: _lines("""
                {brand} spotted the fraud before I did, so grateful
                opened an account with {brand} in six minutes, super easy
                {brand} gave us the mortgage, we are getting a house, overjoyed
                the budget view of {brand} saved me real money, brilliant
                kind voice, clear words: thanks to the lady at {brand}
            """),
            0: _lines("""
                what is the rate for savings at {brand} now
                {brand} closes at four on Fridays
                new card by {brand} arrives next week
                does {brand} work with this watch
                reading the small print of {brand}
            """),
            -1: _lines("""
                {brand} froze my account on payday, I cannot buy food
                {brand} takes a fee for taking a fee, shameless
                locked out by {brand}, the code never comes
                {brand} closed our branch, my father cannot bank any more, awful
                declined at the till with money in the account, thanks {brand}
                three forms, two calls, one rejection: {brand} is hopeless
            """),
        },
        (
            Incident(
                -1,
                "BrightbankOut",
                _lines("""
                salaries vanished, {brand} says wait, I am scared
                {brand} app down all day, rent is due, nightmare
                my balance shows zero, {brand} please explain this disaster
                nobody picks up at {brand}, queue of 90 minutes, I am furious
            """),
            ),
            Incident(
                1,
                "NoMoreFees",
                _lines("""
                {brand} drops every fee for students, finally, great news
                wow, {brand} pays back the fees of last year, impressed
                well done {brand}, the best decision a bank ever made
            """),
            ),
        ),
    ),
    Brand(
        "Orbit Games",
        "orbitgames",
        _lines("""
            Starfarer II
            the season pass
            the new expansion
            the matchmaking
            the soundtrack
            the co-op mode
            the launcher
            the winter event
            the level editor
            the beta
        """),
        {
            1: _lines("""
                Starfarer II by {brand} made me cry happy tears, masterpiece
                {brand} listened and fixed the matchmaking, legends
                three in the morning and I cannot stop playing, thanks {brand}
                that boss fight! {brand}, you are brilliant
                co-op with my brother across the ocean, best evening, {brand}
            """),
            0: _lines("""
                {brand} patch notes are out, 4 GB
                servers of {brand} restart at nine
                which class do you play in the new one by {brand}
                {brand} shows a trailer on Friday
                looking for two more for the raid, {brand} fans
            """),
            -1: _lines("""
                {brand} deleted my save after 90 hours, I feel sick
                lag, crash, lag, crash: great launch, {brand}, not
                {brand} sells the ending as extra content, greedy
                cheaters everywhere and {brand} does nothing, so annoying
                refund denied by {brand} after six minutes of play, pathetic
                banned for no reason, {brand} support is a bot, hate it
            """),
        },
        (
            Incident(
                -1,
                "OrbitOffline",
                _lines("""
                login servers of {brand} dead on launch day, what a joke
                took a day off for this, {brand}, queue position 41,000
                {brand} leaked our passwords, unbelievable
                biggest disappointment of the year, {brand}
            """),
            ),
            Incident(
                1,
                "OrbitFreeWeekend",
                _lines("""
                {brand} made the expansion free for everybody, best studio alive
                what a show by {brand}, that trailer is gorgeous
                {brand} won game of the year, so well deserved
            """),
            ),
        ),
    ),
)

INCIDENT_BLOCK_HOURS = 8
INCIDENT_CHANCE = 0.12


@lru_cache(maxsize=4096)
def incident(seed: int, brand: int, block: int) -> tuple[Incident, float, float] | None:
    """The incident that begins in a block of eight hours: (incident, start, decay), or None.

    start is in hours since 1970, decay the hours after which a third of it is left.
    """
    random = generator(seed, "incident", brand, block)
    if random.random() > INCIDENT_CHANCE:
        return None
    return (
        random.choice(BRANDS[brand].incidents),
        (block + random.random()) * INCIDENT_BLOCK_HOURS,
        random.uniform(1.5, 5.0),
    )


def strongest_incident(seed: int, brand: int, hour: float) -> tuple[Incident, float] | None:
    """What shakes a brand at a time: (incident, strength in 0-1), or None in quiet times.

    Args:
        hour: hours since 1970, with fraction.
    """
    best = None
    block = int(hour // INCIDENT_BLOCK_HOURS)
    for begun in range(block - 2, block + 1):
        found = incident(seed, brand, begun)
        if found and hour >= found[1]:
            strength = math.exp(-(hour - found[1]) / found[2])
            if strength > 0.05 and (best is None or strength > best[1]):
                best = (found[0], strength)
    return best


@lru_cache(maxsize=64)
def _waves(seed: int, brand: int) -> tuple[tuple[float, float, float], ...]:
    random = generator(seed, "mood", brand)
    return tuple(
        (amplitude, period_hours * random.uniform(0.8, 1.2), random.uniform(0, 2 * math.pi))
        for amplitude, period_hours in ((0.35, 210.0), (0.25, 60.0), (0.12, 9.0))
    )


@lru_cache(maxsize=16384)
def mood(seed: int, brand: int, minute: int) -> float:
    """Mood towards a brand from -1 to 1 at a minute since 1970."""
    hour = minute / 60
    value = sum(
        amplitude * math.sin(2 * math.pi * hour / period + phase)
        for amplitude, period, phase in _waves(seed, brand)
    )
    shaken = strongest_incident(seed, brand, hour)
    if shaken:
        value += shaken[0].sign * 1.2 * shaken[1]
    return max(-1.0, min(1.0, value))


@lru_cache(maxsize=16384)
def attention(seed: int, minute: int) -> tuple[float, ...]:
    """Relative share of talk each brand gets at a minute: incidents draw crowds."""
    weights = []
    for brand in range(len(BRANDS)):
        shaken = strongest_incident(seed, brand, minute / 60)
        weights.append((1.0 + 0.25 * (brand % 3)) * (1 + (4 * shaken[1] if shaken else 0)))
    return tuple(weights)
