"""The whole way of a text out of landing, and which texts can go it in Spark alone.

A Spark job need not send every text through Python: for a text in which ``NEEDS_PYTHON`` finds
nothing, ``clean_text`` does no more than collapse white space, so the native twin is

    regexp_replace(text, NATIVE_WHITE_SPACE, ' ')  and then  trim(...)

A text in which it finds something goes through ``clean_text``. The patterns are written in what
Python's and Java's regular expressions share; ``needs_python(kept_handles)`` lets texts that
mention only kept handles go the native way too. A test holds the claim.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from voxlake.ids import Pseudonymiser
from voxlake.text.handles import pseudonymise_handles
from voxlake.text.masking import mask
from voxlake.text.normalise import normalise

NATIVE_WHITE_SPACE = r"[\t\n\x0b\f\r ]+"
"""White space among the characters that the native way may meet."""

# Entities; anything but printable ASCII and white space; seven digits near each other (phones,
# cards); links to profiles.
_ALWAYS_PYTHON = (
    r"&[#A-Za-z]"
    r"|[^\t\n\x0b\f\r -~]"
    r"|[0-9](?:[\t\n\x0b\f\r .()-]*[0-9]){6}"
    r"|\.(?:[cC][oO][mM]|[nN][eE][tT])/"
)

NEEDS_PYTHON = f"{_ALWAYS_PYTHON}|@[A-Za-z0-9_]"
"""Java and Python pattern (search, not full match) for texts that need ``clean_text``."""


def needs_python(kept_handles: Iterable[str]) -> str:
    """``NEEDS_PYTHON`` that lets mentions of kept handles pass, such as most of what people write
    to a brand; an @ after a word character (an e-mail address) never passes.
    """
    kept = "|".join(sorted(re.escape(handle) for handle in kept_handles))
    if not kept:
        return NEEDS_PYTHON
    # "@united.com" may be the rest of an address, "@united-x" a handle of a source with dashes.
    passes = rf"(?i:{kept})(?![A-Za-z0-9_.\-])|(?i:{kept})[.](?![A-Za-z0-9_.\-])"
    return rf"{_ALWAYS_PYTHON}|[A-Za-z0-9_.%+\-]@|@(?!{passes})[A-Za-z0-9_]"


def clean_text(
    text: str, source: str, pseudonymiser: Pseudonymiser, kept_handles: frozenset[str]
) -> str:
    """The text normalised, masked, and with pseudonyms for handles; see those modules.

    To be applied once, to the original text: a second pass would take a pseudonym for a handle.
    """
    return pseudonymise_handles(mask(normalise(text)), source, pseudonymiser, kept_handles)
