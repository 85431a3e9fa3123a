"""How much of a post on X a text takes.

X weighs characters: those of most alphabets count one, others (Chinese, Japanese, Korean, …) two,
an emoji two however it is put together, a link 23.
https://docs.x.com/fundamentals/counting-characters
"""

from __future__ import annotations

import re
import unicodedata

LIMIT = 280
"""Weighted characters of a post."""
LINK = 23

_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
_URL = re.compile(r"https?://\S+", re.IGNORECASE)
# X makes links of names that look like hosts too; which, its list of top-level domains says. Here
# any of them counts as the longer of its own characters and a link.
_HOST = re.compile(r"(?<![\w@.])(?:[\w-]+\.)+[a-z]{2,24}(?:/\S*)?", re.IGNORECASE)
_PICTURE = (
    r"[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe"
    r"\u2600-\u27bf\u2934\u2935\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
_MARK = r"[\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*"
_EMOJI = re.compile(
    r"[\U0001f1e6-\U0001f1ff]{2}|[0-9#*]\ufe0f?\u20e3"
    rf"|{_PICTURE}{_MARK}(?:\u200d{_PICTURE}{_MARK})*"
)


def weighted_length(text: str) -> int:
    """How much of a post's 280 a text takes; never less than X counts."""
    text, links = _URL.subn(" ", unicodedata.normalize("NFC", text))
    hosts = sum(max(0, LINK - len(host[0])) for host in _HOST.finditer(text))
    text, emoji = _EMOJI.subn("", text)
    # What stands for a link is a space of weight one.
    return sum(map(_weight, text)) + links * (LINK - 1) + hosts + 2 * emoji


def _weight(character: str) -> int:
    code = ord(character)
    return 1 if any(first <= code <= last for first, last in _LIGHT) else 2
