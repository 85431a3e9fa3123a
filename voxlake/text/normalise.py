"""One spelling for one text: entities decoded, NFKC, no control characters, single spaces."""

from __future__ import annotations

import html
import re
import unicodedata

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")
# Joiners hold emoji and Indic or Persian letters together; between ASCII characters they only
# hide an address or a handle from the masks.
_JOINERS = "\u200c\u200d"
_HIDING_JOINER = re.compile("(?<=[!-~])[\u200c\u200d]+(?=[!-~])")


def normalise(text: str) -> str:
    """The text with HTML entities decoded once, NFKC, no control or format characters (joiners
    within emoji and scripts stay), white space collapsed to single spaces, stripped.

    Half surrogate pairs are dropped, so the result can always be encoded.
    """
    if "&" in text:
        text = html.unescape(text)
    if text.isascii():
        return " ".join(_CONTROL.sub("", text).split())
    # Removal comes first: a character between a letter and its accent would keep them apart.
    text = "".join(char for char in text if not _removed(char))
    text = _HIDING_JOINER.sub("", unicodedata.normalize("NFKC", text))
    return " ".join(text.split())


def _removed(char: str) -> bool:
    if char < "\x7f":
        return char < " " and not char.isspace()
    category = unicodedata.category(char)
    if category == "Cf":
        return char not in _JOINERS
    return category == "Cs" or (category == "Cc" and not char.isspace())
