"""Masks for e-mail addresses, phone and payment card numbers; texts are normalised before.

Numbers that are not phones are common in what people write to brands: flights, prices, years,
case and ticket numbers, ids of tweets. So a phone needs a shape: North American numbering (ten
digits whose area and exchange codes exist, or such digits in the usual groups), a leading +, a
British group, or a word such as "call" before it. Seven digits alone are never a phone.
"""

from __future__ import annotations

import re

EMAIL_MASK, PHONE_MASK, CARD_MASK = "<email>", "<phone>", "<card>"

# The look-behind makes a run of address characters be tried once, not once per character.
_EMAIL = re.compile(
    r"(?<![\w.+%-])(?=[.+%-]*\w)[\w.+%-]+@(?:[\w-]+\.)+(?:[^\W\d_]{2,}|xn--[\w-]+)", re.UNICODE
)

_CARD = re.compile(
    r"(?<![0-9])(?:"
    r"[0-9]{4}[ -][0-9]{4}[ -][0-9]{4}[ -][0-9]{4}(?:[ -][0-9]{1,3})?"
    r"|[0-9]{4}[ -][0-9]{6}[ -][0-9]{4,5}"
    r"|[0-9]{13,16}"
    r")(?![0-9])"
)
# Issuers' first digits and lengths; a tweet's id (18 or 19 digits) is no card.
_ISSUER = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})|5[1-5][0-9]{14}|2(?:22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}"
    r"|7[01][0-9]|720)[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|35[0-9]{14}"
    r"|6(?:011|5[0-9]{2}|4[4-9][0-9])[0-9]{12}(?:[0-9]{3})?|62[0-9]{14}(?:[0-9]{3})?"
    r"|(?:50|5[6-9]|6[0-9])[0-9]{14}"
)

_DASH = r"\-\u2010-\u2015"
_SEP = f"[ .{_DASH}]"
_START = r"(?<![\w$€£¥])(?<![0-9][.,:/])"
_PHONE = re.compile(
    # +44 20 7946 0958, +1-703-464-0200, +49 (0)170 1234567
    rf"(?<!\w)\+[1-9](?:[ .{_DASH}]?\(?[0-9]\)?){{7,14}}(?!\w)"
    # 0049 170 1234567: the prefix of many countries, in groups only (tickets begin with 00 too)
    rf"|{_START}00[1-9][0-9]{{0,2}}{_SEP}[0-9]{{1,5}}(?:{_SEP}[0-9]{{2,8}}){{1,4}}(?![\w])"
    # (631)891-5722, 1-800-433-7300, 917 703 1472, with an extension
    rf"|{_START}(?:\+?1{_SEP}?)?(?:\([2-9][0-9]{{2}}\) ?|[2-9][0-9]{{2}}{_SEP})"
    rf"[2-9][0-9]{{2}}{_SEP}[0-9]{{4}}(?![0-9])(?: ?(?:x|ext\.?) ?[0-9]{{1,5}}(?!\w))?"
    # 9148445695, 18009174929: not after #, / or =, where references and links have digits
    r"|(?<![\w$€£¥#/=&+-])(?<![0-9][.,:])1?[2-9][0-9]{2}[2-9][0-9]{6}(?![\w])(?![.,][0-9])"
    # 07700 900123, 020 7946 0958
    rf"|{_START}07[0-9]{{3}}{_SEP}?(?:[0-9]{{6}}|[0-9]{{3}}{_SEP}[0-9]{{3}})(?!\w)"
    rf"|{_START}\(?0[1-9][0-9]{{1,3}}\)?{_SEP}[0-9]{{3,4}}{_SEP}[0-9]{{3,4}}(?!\w)"
)
# "call me at 555-0142", "ph # 555 0142": any grouping will do after such a word.
_AFTER_WORD = re.compile(
    r"(?P<word>\b(?:call|calling|phone|telephone|tel|mobile|cell|text|txt|whatsapp|fax|ph)\b"
    rf"(?:[ .:#{_DASH}]|\b(?:me|us|him|her|back|is|at|on|no|number|now|my)\b){{0,12}})"
    rf"(?P<number>\(?[0-9](?:[ .(){_DASH}]{{0,2}}[0-9]){{6,14}})(?!\w)",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(?:19|20)[0-9]{2}[ .-][0-9]{2}[ .-][0-9]{2}|[0-9]{2}[ .-][0-9]{2}[ .-](?:19|20)"
)
_SEVEN_DIGITS = re.compile(rf"[0-9](?:[ .(){_DASH}]{{0,3}}[0-9]){{6}}")


def mask(text: str) -> str:
    """The text with ``<email>``, ``<card>`` and ``<phone>`` for what looks like one.

    Cards pass Luhn's check and begin as an issuer's do. The text should be normalised.
    """
    if "@" in text:
        text = _EMAIL.sub(EMAIL_MASK, text)
    if not _SEVEN_DIGITS.search(text):
        return text
    text = _mask_cards(text)
    text = _PHONE.sub(PHONE_MASK, text)
    return _AFTER_WORD.sub(_masked_after_word, text)


def passes_luhn(digits: str) -> bool:
    """Luhn's checksum over ASCII digits."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit)
        if position % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def _mask_cards(text: str) -> str:
    start = 0
    while found := _CARD.search(text, start):
        masked = _masked_card(found)
        if masked != found[0]:
            text = text[: found.start()] + masked + text[found.end() :]
            start = found.start() + len(CARD_MASK)
        else:
            # The card may begin at a later group: "order 1472 4111 1111 1111 1111".
            gap = re.search("[ -]", found[0])
            start = found.start() + gap.end() if gap else found.end()
    return text


def _masked_card(found: re.Match[str]) -> str:
    written = found[0]
    digits = re.sub("[ -]", "", written)
    if _is_card(digits):
        return CARD_MASK
    # A shorter number may follow the card: "4111 1111 1111 1111 7".
    if len(digits) in (17, 18, 19) and _is_card(digits[:16]):
        return CARD_MASK + written[19:]
    return written


def _is_card(digits: str) -> bool:
    return bool(_ISSUER.fullmatch(digits)) and passes_luhn(digits)


def _masked_after_word(found: re.Match[str]) -> str:
    return found[0] if _DATE.match(found["number"]) else found["word"] + PHONE_MASK
