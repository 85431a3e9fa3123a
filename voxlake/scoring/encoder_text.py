"""What the encoder reads of a text, and where each character of it came from.

Training and inference prepare texts by this one module, so a model sees in use what it was trained
on. Links become ``http`` and pseudonyms ``@user`` (the habit of the public tweet sets); a handle
stays, because names of people and companies hide in handles; emoji become words of their own.
Offsets lead from a prepared character back to the text given: entities are reported there.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

MAX_CHARACTERS = 4_000
"""Characters of a text that are looked at; the encoder reads 256 word pieces at most anyway."""

EMOJI = (
    "☀★☆☔☕☹☺♡♥♪♫⚠⚡⚽✊✌✏✨❄❣❤🌬🌹🍁🍂🍃🍕🍙🍝🍩🍱🍻🎂🎈🎉🎊🎧🎵🎶🎸"
    "🏢🏹🐆🐑🐥🐶👀👂👅👈👊👋👌👍👎👏👑👻💀💁💄💋💎💓💔💕💖💗💘💙💚💛💜💤💥💦💨💩💪💯"
    "💸📚🔥🔪🔫🖕😀😁😂😃😄😅😆😇😈😉😊😋😌😍😎😏😐😑😒😓😔😕😖😘😙😛😜😝😞😠😡😢😣😤"
    "😥😦😧😨😩😪😫😬😭😮😰😱😳😴😶😷😿🙁🙂🙃🙄🙅🙈🙊🙋🙌🙏🤐🤓🤔🤕🤗🤘🤞🤠🤢🤣🤦🤩🤪"
    "🤮🤷🧀"
)
"""Emoji with a word piece of their own in the vocabulary; others are read by their names."""

CASE_CLASSES = 6
"""Classes of ``case_id``: the vocabulary is uncased, and letter case tells names and shouting."""

_ODD = re.compile(
    r"""
    (?P<entity>&(?:amp;)*(?:\#[0-9]{1,7};|\#[xX][0-9a-fA-F]{1,6};|(?:amp|lt|gt|quot);?
        |[a-zA-Z][a-zA-Z0-9]{1,30};))
  | (?P<link>https?://\S+|\bwww\.\S+|<link>)
  | (?P<user>@?(?<!\w)[a-z0-9]{1,16}_[0-9a-f]{24}(?!\w)|<user>)
  | (?P<space>[\s\x00-\x1f\x7f]{2,}|[\x00-\x1f\x7f])
  | (?P<beyond>[^\x00-\x7f]+)
    """,
    re.VERBOSE,
)
_PLACEHOLDERS = {"link": "http", "user": "@user", "space": " "}
_REPLACED = {
    "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u00b4": "'", "\u2013": "-",
    "\u2014": "-",
}  # fmt: skip
_DROPPED = frozenset("\u2640\u2642\ufe0e\ufe0f")
_OWN_PIECE = frozenset(EMOJI)
_REPEATS = 3


class Prepared(NamedTuple):
    """``text`` for the tokenizer; its character i comes from ``given[starts[i]:ends[i]]``."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]


def prepare(text: str) -> Prepared:
    """The text as the encoder reads it. Takes any string, lone surrogates too."""
    text = text[:MAX_CHARACTERS]
    found = _ODD.search(text)
    if found is None:
        return Prepared(text, range(len(text)), range(1, len(text) + 1))
    out = _Output()
    at = 0
    while found is not None:
        out.copy(text, at, found.start())
        kind = found.lastgroup
        if kind == "beyond":
            for place in range(found.start(), found.end()):
                _beyond_ascii(out, text[place], place)
        elif kind == "entity":
            _entity(out, found)
        else:
            out.put(_PLACEHOLDERS[kind], found.start(), found.end())
        at = found.end()
        found = _ODD.search(text, at)
    out.copy(text, at, len(text))
    return Prepared("".join(out.parts), out.starts, out.ends)


def case_id(piece: str) -> int:
    """0 no letter, 1 lower or without case, 2 Title, 3 UPPER (of two letters or more), 4 mixed,
    5 one upper letter."""
    if piece.islower():
        return 1
    if piece.isupper():
        return 3 if sum(map(str.isalpha, piece)) > 1 else 5
    if not any(map(str.isalpha, piece)):
        return 0
    if piece.istitle():
        return 2
    return 4 if piece.lower() != piece else 1


def case_ids(offsets: Sequence[tuple[int, int]], prepared: str) -> list[int]:
    """The case class of each token, by its offsets in the prepared text (special tokens: 0, 0)."""
    cases: dict[str, int] = {}
    ids = []
    for start, end in offsets:
        piece = prepared[start:end]
        known = cases.get(piece)
        if known is None:
            known = cases[piece] = case_id(piece)
        ids.append(known)
    return ids


class _Output:
    """The prepared characters so far, with their origins."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.last_emoji, self.run, self.emoji_end = "", 0, -1

    def copy(self, text: str, start: int, end: int) -> None:
        if start < end:
            self.parts.append(text[start:end])
            self.starts.extend(range(start, end))
            self.ends.extend(range(start + 1, end + 1))

    def put(self, made: str, start: int, end: int) -> None:
        """Characters that all come from ``given[start:end]``."""
        self.parts.append(made)
        self.starts.extend([start] * len(made))
        self.ends.extend([end] * len(made))


def _entity(out: _Output, found: re.Match[str]) -> None:
    made, before = found.group(), ""
    while made != before and "&" in made:  # old exports encode twice
        made, before = html.unescape(made), made
    for char in made:
        if char < "\x7f":
            out.put(char if char >= " " else " ", found.start(), found.end())
        else:
            _beyond_ascii(out, char, found.start(), found.end())


def _beyond_ascii(out: _Output, char: str, at: int, end: int | None = None) -> None:
    end = at + 1 if end is None else end
    if char in _REPLACED:
        out.put(_REPLACED[char], at, end)
    elif char in _OWN_PIECE:
        _emoji(out, char, f" {char} ", at, end)
    elif char in _DROPPED or "\U0001f3fb" <= char <= "\U0001f3ff":
        return  # presentation, gender and skin of an emoji
    elif "\U0001f1e6" <= char <= "\U0001f1ff":
        out.put(chr(ord(char) - 0x1F1E6 + ord("a")), at, end)  # a flag's two letters
    else:
        category = unicodedata.category(char)
        if category == "So":
            name = unicodedata.name(char, "").lower().replace("-", " ")
            _emoji(out, char, f" {name} ", at, end)
        elif category == "Zs" or char.isspace():
            out.put(" ", at, end)
        elif category[0] != "C":
            out.put(unicodedata.normalize("NFKC", char), at, end)


def _emoji(out: _Output, char: str, made: str, at: int, end: int) -> None:
    """A word of its own; the fourth of a row and later say nothing new."""
    same = char == out.last_emoji and at <= out.emoji_end + 1
    out.run = out.run + 1 if same else 1
    out.last_emoji, out.emoji_end = char, end
    if out.run <= _REPEATS:
        out.put(made, at, end)
