"""Handles in texts: pseudonyms that join with authors; trackers' own handles stay as written."""

from __future__ import annotations

import re
from collections.abc import Iterable

from voxlake.ids import Pseudonymiser

# X and most networks: ASCII letters, digits, underscore. YouTube: letters of any script, also
# with . - · inside, https://support.google.com/youtube/answer/11585688
_WORD_HANDLE = r"[A-Za-z0-9_]+"
_YOUTUBE_HANDLE = r"\w(?:[\w.·-]*\w)?"
_HANDLES = {
    "youtube": re.compile(rf"@({_YOUTUBE_HANDLE})"),
    "": re.compile(rf"@({_WORD_HANDLE})"),
}
_MENTIONS = {
    "youtube": re.compile(rf"(?<!\w)@({_YOUTUBE_HANDLE})"),
    "": re.compile(rf"(?<!\w)@({_WORD_HANDLE})"),
}
_PROFILE_LINK = re.compile(
    r"(?P<site>\b(?:twitter|x|instagram|facebook|tiktok|youtube|threads)\.(?:com|net)/)"
    r"(?!(?:i|intent|share|hashtag|search|home|explore|watch|shorts|results|playlist|channel|p|reel"
    r"|groups|events|status|user|c)\b)(?P<handle>\w[\w.-]*)",
    re.IGNORECASE,
)
# "3 @ 5", "@930 am": numbers this short are times and prices, not accounts.
_SHORT_NUMBER = re.compile(r"[0-9]{1,4}")
_HASHTAG = re.compile(r"(?<![\w&/])#(\w*[^\W\d_]\w*)")


def pseudonymise_handles(
    text: str, source: str, pseudonymiser: Pseudonymiser, kept_handles: frozenset[str]
) -> str:
    """The text with every @handle as ``@<pseudonym>``, and handles in profile links likewise.

    Args:
        text: normalised and masked (so that no @ of an e-mail address is left).
        source: the event's source; pseudonyms of one handle differ between sources.
        kept_handles: lower-case, without @; these stay as written.

    A handle is replaced wherever its @ stands, also within a word or link; numbers of up to four
    digits stay (times, prices).
    """

    def replaced(handle: str) -> str:
        if handle.lower() in kept_handles or _SHORT_NUMBER.fullmatch(handle):
            return handle
        return pseudonymiser.pseudonym(source, handle)

    if "@" in text:
        text = _of_source(_HANDLES, source).sub(lambda found: "@" + replaced(found[1]), text)
    if ".com/" in text.lower() or ".net/" in text.lower():
        text = _PROFILE_LINK.sub(lambda found: found["site"] + replaced(found["handle"]), text)
    return text


def pseudonymise_mention(
    handle: str, source: str, pseudonymiser: Pseudonymiser, kept_handles: frozenset[str]
) -> str:
    """A mentioned handle (with or without @) as the ``mentions`` column has it: no @."""
    bare = handle.strip().lstrip("@")
    return bare if bare.lower() in kept_handles else pseudonymiser.pseudonym(source, bare)


def extract_mentions(text: str, source: str = "") -> list[str]:
    """Mentioned handles without @, as written, each once (ignoring case), in order.

    The @ of an e-mail address is none: it follows a word character.
    """
    return _distinct(
        found
        for found in _of_source(_MENTIONS, source).findall(text)
        if not _SHORT_NUMBER.fullmatch(found)
    )


def extract_hashtags(text: str) -> list[str]:
    """Hashtags without #, as written, each once (ignoring case), in order; all digits is none."""
    return _distinct(_HASHTAG.findall(text))


def _of_source(patterns: dict[str, re.Pattern[str]], source: str) -> re.Pattern[str]:
    return patterns.get(source, patterns[""])


def _distinct(names: Iterable[str]) -> list[str]:
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(name.lower(), name)
    return list(first.values())
