"""What people write: texts put together from the phrases, in the mood that is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from lambdas.mock_server import phrases_general as general
from lambdas.mock_server.brands import BRANDS, Incident
from lambdas.mock_server.people import fake_mail, fake_phone
from lambdas.mock_server.phrases_languages import LANGUAGES
from lambdas.mock_server.phrases_topics import TOPICS

# The well-known test number of a card that nobody holds.
TEST_CARD = "4111 1111 1111 1111"


@dataclass(frozen=True, slots=True)
class Text:
    """A written text.

    Attributes:
        text: as sent, possibly with HTML entities.
        hashtags, mentions: in the text, without # and @.
    """

    text: str
    hashtags: list[str]
    mentions: list[str]


def choose_mood(random: Random, mood: float) -> int:
    """1, 0 or -1; the better the mood, the more often 1."""
    positive = min(0.8, max(0.05, 0.36 + 0.38 * mood))
    negative = min(0.8, max(0.05, 0.28 - 0.38 * mood))
    drawn = random.random()
    return 1 if drawn < positive else -1 if drawn < positive + negative else 0


def about_brand(
    random: Random, brand: int, mood: int, language: str, incident: Incident | None, friend: str
) -> Text:
    """A post about a brand; during an incident mostly about that.

    Args:
        brand: index into BRANDS.
        friend: handle of somebody who may be mentioned.
    """
    subject = BRANDS[brand]
    hashtags: list[str] = []
    mentions: list[str] = []
    style = random.random()
    if style < 0.5:
        name = subject.name
    elif style < 0.85:
        name = f"@{subject.handle}"
        mentions.append(subject.handle)
    else:
        name = f"#{subject.hashtag}"
        hashtags.append(subject.hashtag)
    if language in LANGUAGES:
        core = random.choice(LANGUAGES[language][mood])
    elif incident and incident.sign == mood and random.random() < 0.8:
        core = random.choice(incident.texts)
    else:
        source = subject.texts if random.random() < 0.5 else general.ABOUT_BRAND
        core = random.choice(source[mood])
    core = core.replace("{brand}", name).replace("{thing}", random.choice(subject.things))
    parts = [core] if language in LANGUAGES else _dressed(random, core, mood, about_brand=True)
    if incident and incident.sign == mood and random.random() < 0.5:
        hashtags.append(incident.hashtag)
    elif random.random() < 0.2 and subject.hashtag not in hashtags:
        hashtags.append(subject.hashtag)
    return _finished(random, parts, mood, hashtags, mentions, friend)


def small_talk(random: Random, mood: int, friend: str) -> Text:
    """A post in English about none of the brands."""
    topic = random.choice(tuple(TOPICS))
    core = random.choice(TOPICS[topic][mood])
    hashtags = [topic] if random.random() < 0.35 else []
    parts = _dressed(random, core, mood, about_brand=False)
    return _finished(random, parts, mood, hashtags, [], friend)


def reply(random: Random, mood: int, to: str) -> str:
    """A comment; to is the handle it answers."""
    text = random.choice(general.REPLIES[mood])
    if random.random() < 0.35:
        text = f"@{to} {text}"
    if random.random() < 0.25:
        text = f"{text.rstrip('!?')}, {random.choice(general.TAILS[mood])}"
    if random.random() < 0.3:
        text = f"{text} {random.choice(general.EMOJI[mood])}"
    return _escaped(random, text)


def conversation(random: Random, brand: int, mood: int, turns: int) -> list[tuple[bool, str]]:
    """A talk with a brand's support: per turn whether the agent speaks, and the text.

    The customer begins, mostly with a complaint; the last turn of the customer tells the mood.
    """
    subject = BRANDS[brand]
    thing = random.choice(subject.things)
    opening = -1 if random.random() < 0.75 else 0
    source = subject.texts if random.random() < 0.6 else general.ABOUT_BRAND
    said = [(False, random.choice(source[opening]))]
    last_customer = turns - 1 if turns % 2 else turns - 2
    for turn in range(1, turns):
        if turn % 2:
            said.append((True, random.choice(general.AGENT_REPLIES)))
        elif turn == last_customer:
            said.append((False, random.choice(general.CUSTOMER_ENDINGS[mood])))
        else:
            said.append((False, random.choice(general.CUSTOMER_FOLLOW_UPS)))
    mail, phone = fake_mail(random), fake_phone(random)
    return [
        (
            agent,
            _escaped(
                random,
                text.replace("{brand}", subject.name)
                .replace("{thing}", thing)
                .replace("{mail}", mail)
                .replace("{phone}", phone),
            ),
        )
        for agent, text in said
    ]


def edited(random: Random, text: str) -> str:
    """A later wording of a text."""
    return random.choice(general.EDITS) + text


def _dressed(random: Random, core: str, mood: int, *, about_brand: bool) -> list[str]:
    parts = [core[0].upper() + core[1:]]
    if random.random() < 0.45:
        opener = random.choice(general.OPENERS[mood])
        parts = [opener, core if opener.endswith((":", ",", "but")) else parts[0]]
    if about_brand and random.random() < 0.45:
        parts[-1] = f"{parts[-1]}, {random.choice(general.TAILS[mood])}"
    ending = random.random()
    if ending < 0.5:
        parts[-1] += {1: "!", 0: "?", -1: "!"}[mood] if ending < 0.2 else "."
    if mood and random.random() < 0.03:
        parts = [part.upper() for part in parts]
    return parts


def _finished(
    random: Random,
    parts: list[str],
    mood: int,
    hashtags: list[str],
    mentions: list[str],
    friend: str,
) -> Text:
    if random.random() < 0.08:
        parts.append(f"cc @{friend}")
        mentions.append(friend)
    if random.random() < 0.012:
        parts.append(
            random.choice(
                (
                    f"Write to {fake_mail(random)}",
                    f"Call me: {fake_phone(random)}",
                    f"{fake_mail(random)} or {fake_phone(random)}",
                    f"they saw my card {TEST_CARD}",
                )
            )
        )
    if random.random() < 0.38:
        parts.append("".join(random.choices(general.EMOJI[mood], k=random.choice((1, 1, 1, 2, 3)))))
    inline = [tag for tag in hashtags if any(f"#{tag}" in part for part in parts)]
    parts += [f"#{tag}" for tag in hashtags if tag not in inline]
    if random.random() < 0.12:
        parts.append(f"https://example.com/{random.randrange(16**6):06x}")
    return Text(_escaped(random, " ".join(parts)), hashtags, mentions)


def _escaped(random: Random, text: str) -> str:
    """Now and then a client sends HTML entities."""
    if random.random() < 0.25:
        text = (
            text.replace("&", "&amp;")
            .replace("<", "&lt;")
            .replace(">", "&gt;")
            .replace("'", "&#39;")
            .replace('"', "&quot;")
        )
    return text
