"""What masking and pseudonyms left in a text, so that nobody takes it for a name.

``HIDDEN`` is written in what Python's and Java's regular expressions share: a Spark job and the
model's server filter by the same pattern.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

HIDDEN = r"@?[A-Za-z0-9]{1,16}_[0-9a-f]{24}|<(?:email|phone|card)>"
"""A pseudonym, with or without its @, or a mask."""

FILLER = " "
"""Takes the place of a hidden character; none of the characters that ``HIDDEN`` matches."""

_HIDDEN = re.compile(HIDDEN)


def blanked(text: str) -> str:
    """The text with every hidden character as ``FILLER``; offsets stay."""
    return _HIDDEN.sub(lambda found: FILLER * len(found[0]), text)


def without_hidden(text: str, spans: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The spans that touch nothing hidden.

    Args:
        text: normalised and masked.
        spans: each with ``text``, and ``start`` and ``end``, its character offsets in ``text``.
    """
    shown = blanked(text)
    return [span for span in spans if shown[span["start"] : span["end"]] == span["text"]]
