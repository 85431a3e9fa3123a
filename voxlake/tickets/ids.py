"""Ticket ids that people can read out: `BAG-0RZ3K7-4TQ2X`.

The queue's prefix, the second in which the text arrived (six characters, so that the ids of a
queue sort by time), four characters of a hash, and a check character. The characters are those of
Crockford's base 32: no I, L, O or U, and where somebody types them all the same I and L are read
as 1, O as 0. Letter case, spaces and dashes do not matter.

The check character is a Reed-Solomon symbol over all that stands before it: any one wrong
character and any two swapped ones are noticed, and 31 of 32 other slips.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from voxlake.tickets.errors import TicketIdError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
TIME_CHARACTERS, HASH_CHARACTERS = 6, 4
LAST = EPOCH + timedelta(seconds=32**TIME_CHARACTERS - 1)
"""The last second that an id can hold, in January 2054."""

PREFIX = re.compile(r"[A-Z]{2,4}")
_TAIL = TIME_CHARACTERS + HASH_CHARACTERS + 1
_VALUE = {character: value for value, character in enumerate(ALPHABET)}
_MISREAD = str.maketrans("ILO", "110")
_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015_.]+")
# x^5 + x^2 + 1, a primitive polynomial of the field of 32 elements.
_POLYNOMIAL = 0b100101


@dataclass(frozen=True)
class TicketId:
    """A ticket id in its parts. `text` is how it is written everywhere.

    Attributes:
        prefix: of the queue in which the ticket was opened.
        arrived_at: UTC, whole seconds.
        code: four characters.
    """

    prefix: str
    arrived_at: datetime
    code: str

    @property
    def text(self) -> str:
        seconds = int((self.arrived_at - EPOCH).total_seconds())
        time = _digits(seconds, TIME_CHARACTERS)
        check = _check_character(self.prefix, time + self.code)
        return f"{self.prefix}-{time}-{self.code}{check}"


def make_ticket_id(
    prefix: str, arrived_at: datetime, source: str, native_id: str, *, attempt: int = 0
) -> str:
    """The id of the ticket of a text: the same input gives the same id.

    Args:
        prefix: the queue's, 2 to 4 letters A-Z.
        arrived_at: when the stream took the text; aware.
        attempt: counts up where another text has the id already.

    Raises:
        TicketIdError: no such prefix, or a time that an id cannot hold.
    """
    if not PREFIX.fullmatch(prefix):
        raise TicketIdError(
            f"expected a prefix of 2 to 4 letters A-Z, found {prefix!r}; correct the queues' file"
        )
    second = arrived_at.astimezone(UTC).replace(microsecond=0)
    if not EPOCH <= second <= LAST:
        raise TicketIdError(
            f"expected a time from {EPOCH.date()} to {LAST.date()}, found {second.isoformat()}; "
            "check the clock of whoever took the text"
        )
    digest = hashlib.sha256(f"{source}\0{native_id}\0{attempt}".encode("utf-8", "surrogatepass"))
    code = _digits(int.from_bytes(digest.digest()[:8]) % 32**HASH_CHARACTERS, HASH_CHARACTERS)
    return TicketId(prefix, second, code).text


def parse_ticket_id(text: str) -> TicketId:
    """A ticket id as somebody typed it.

    Raises:
        TicketIdError: not of the form, or the check character does not fit: it was mistyped.
    """
    written = _SEPARATORS.sub("", text.strip().upper())
    prefix, tail = written[:-_TAIL], written[-_TAIL:].translate(_MISREAD)
    if not PREFIX.fullmatch(prefix) or not all(character in _VALUE for character in tail):
        raise TicketIdError(
            f"expected a ticket id such as {_EXAMPLE}, found {text[:40]!r}; type it as it was given"
        )
    body, check = tail[:-1], tail[-1]
    if check != _check_character(prefix, body):
        raise TicketIdError(
            f"expected a ticket id whose check character fits, found {text[:40]!r}: a character "
            "is wrong, or two are swapped; compare it with the one given"
        )
    seconds = 0
    for character in body[:TIME_CHARACTERS]:
        seconds = seconds * 32 + _VALUE[character]
    return TicketId(prefix, EPOCH + timedelta(seconds=seconds), body[TIME_CHARACTERS:])


def _digits(number: int, count: int) -> str:
    characters = []
    for _ in range(count):
        number, value = divmod(number, 32)
        characters.append(ALPHABET[value])
    return "".join(reversed(characters))


def _check_character(prefix: str, body: str) -> str:
    """Sum over all symbols of symbol times a power of the field's generator, no power twice."""
    total = 0
    # Prefixes may have I, L, O and U; a letter's place in the alphabet is a symbol of its own.
    for value in [ord(letter) & 31 for letter in prefix] + [_VALUE[one] for one in body]:
        total = _times_generator(total ^ value)
    return ALPHABET[total]


def _times_generator(value: int) -> int:
    value <<= 1
    return value ^ _POLYNOMIAL if value & 32 else value


_EXAMPLE = TicketId("BAG", datetime(2026, 1, 31, 12, tzinfo=UTC), "4TQ2").text
