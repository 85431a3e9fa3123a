"""Whether a text is addressed to us, and whether it asks for something: rules, no model.

Texts are as the cleansed zone has them: handles of the trackers' accounts as written, all others
as pseudonyms.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property

# RT @somebody: …, MT @somebody …; what stands before it is the author's own.
_REPOST = re.compile(r"\b(?:RT|MT)\b[ :\"“]*@\w+", re.IGNORECASE)
# “@somebody: …” as people quoted before networks did it for them; a quote may end with the text.
_QUOTE = re.compile(r"[\"“”]\s*@\w+\s*:[^\"“”]*(?:[\"“”]|$)")

_ASKS = re.compile(
    r"\?"
    r"|\b(?:please|pls|plz)\b(?!\s+(?:keep up|don't|do not)\b)"
    r"|\b(?:can|could|would|will|do|does|did|is|are|may|should)\s+(?:you|u|y'?all|i|we|it|there|my"
    r"|the|any(?:one|body)|some(?:one|body))\b"
    r"|\b(?:how|when|where|what|which|who|why)\s+(?:do|does|did|can|could|will|would|is|are|was"
    r"|were|should|many|much|long|about|time)\b"
    r"|\b(?:need|want|like|love|trying|try|wish)\s+(?:\w+\s+){0,2}?to\s+(?:know|change|get|find|book"
    r"|confirm|cancel|talk|speak|fly|dm|send|add|move|rebook|reach|locate|verify)\b"
    r"|\b(?:need|needs|want)\s+(?:a|an|the|my|your|some|you|u|help|assistance|flight)\b"
    r"|\b(?:help|assist|advise|respond|reply|follow (?:me|back))\b"
    r"|\b(?:any (?:chance|update|idea|way|word|news|suggestions?)|let (?:me|us) know"
    r"|wondering (?:if|when|how)|question)\b",
    re.IGNORECASE,
)
_URL = re.compile(r"https?://\S+|www\.\S+")
_THANKS = re.compile(
    r"\b(?:thanks?|thank you|thx|ty|thankyou|appreciate|kudos|great job|good job|love you|awesome"
    r"|the best|well done)\b",
    re.IGNORECASE,
)


class OwnAccounts:
    """The accounts that we answer for.

    Args:
        handles: without @; letter case does not matter.
        authors: {source: author ids that are ours}, where a source names authors by no handle.
    """

    def __init__(
        self, handles: Iterable[str], authors: Mapping[str, Collection[str]] | None = None
    ) -> None:
        self.handles = frozenset(handle.lstrip("@").lower() for handle in handles)
        self._authors = authors or {}

    def is_us(self, source: str, author: str) -> bool:
        """Whether an author or channel (as the source names it, no pseudonym) is one of us."""
        return author.lstrip("@").lower() in self.handles or author in self._authors.get(source, ())

    def addressed_in(self, text: str) -> bool:
        """Whether the text names one of our accounts by its handle."""
        return bool(self.handles) and self._pattern.search(text) is not None

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        longest_first: Collection[str] = sorted(self.handles, key=lambda one: (-len(one), one))
        names = "|".join(re.escape(handle) for handle in longest_first)
        return re.compile(rf"(?<![A-Za-z0-9_])@(?:{names})(?![A-Za-z0-9_])", re.IGNORECASE)


def is_repost(text: str) -> bool:
    """Whether a text passes on somebody else's: `RT @…`, or an old-style quote."""
    return _REPOST.search(text) is not None or _QUOTE.search(text) is not None


def asks(text: str) -> bool:
    """Whether a text puts a question or a request; a question mark in a link is none."""
    return _ASKS.search(_URL.sub(" ", text)) is not None


def thanks(text: str) -> bool:
    """Whether a text thanks or praises in so many words."""
    return _THANKS.search(text) is not None
