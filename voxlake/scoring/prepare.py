"""From a text to the tokens a model sees.

Everything that identifies a person or an address becomes a placeholder, so a text gets the same
score before and after its handles were pseudonymised, and with any pseudonym key.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice

from voxlake.text.masking import mask
from voxlake.text.normalise import normalise

USER, LINK, NUMBER, CAPITALS, ELONGATED = "<user>", "<link>", "<number>", "<caps>", "<long>"
NEGATED = "not_"

# Longer texts are cut: no post is that long, and the cost of one stays bounded. Counted in tokens
# because a pseudonym is longer than the handle it stands for.
MAX_TOKENS = 4_000
# A "word" of a thousand letters is noise; its beginning is enough.
MAX_WORD = 40
# A negation reaches at most this many words, and never over punctuation.
NEGATION_REACH = 3

# Links to profiles hold handles or their pseudonyms, with or without a scheme; "@930" is a time.
_LINK_OR_HANDLE = re.compile(
    r"(?P<link>https?://\S+|www\.\S+|(?<![\w-])(?:[\w-]{1,63}\.){1,6}[a-z]{2,10}/\S*)"
    r"|(?P<user>@(?![0-9]{1,4}(?!\w))\w+|(?<!\w)[a-z0-9]{1,16}_[0-9a-f]{24}(?!\w))",
    re.IGNORECASE,
)
# Every repetition that may fail after matching is bounded: the scan stays linear on any input.
_TOKEN = re.compile(
    r"""
    (?P<placeholder><(?:user|link|number|email|phone|card)>)
  | (?P<heart><3|</3)
  | (?P<emoticon>
        (?<!\w)[<>]?[:;=][\-o'^]?[()\[\]{}dDpPoO/\\|*@$3]{1,8}(?!\w)
      | (?<!\w)[xX][dD]{1,8}(?!\w)
      | (?<!\w)[()\[\]]{1,4}[\-o']?[:;=](?!\w)
      | \^[_.]?\^ | -_{1,4}- | [oO]_[oO]
    )
  | (?P<hashtag>\#\w+)
  | (?P<number>\d+(?:[.,:]\d+)*)
  | (?P<word>[^\W\d_]+(?:'[^\W\d_]+)*)
  | (?P<ellipsis>\.{2,})
  | (?P<bang>[!?]+)
  | (?P<stop>[.,;:()])
  | (?P<symbol>[\u203c\u2049\u2190-\u2bff\u3030\u303d\U0001f000-\U0001f3fa\U0001f400-\U0001faff])
    """,
    re.VERBOSE,
)
# Entities encoded twice are common in old exports, and the cleansed zone has decoded once already.
_DECODINGS = 3
_HASHTAG_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+|\d+")
_REPEATED = re.compile(r"(.)\1{2,}")
_NOSE = re.compile(r"(?<=[:;=])[\-o'^](?=.)|(?<=[()\[\]])[\-o'](?=[:;=])")
_APOSTROPHES = {0x2018: "'", 0x2019: "'", 0x60: "'", 0xB4: "'"}
_NEGATION = re.compile(
    "no|not|never|none|nobody|nothing|neither|nor|cannot|without|hardly|barely|"
    "(?:do|does|did|is|are|was|were|wo|would|ca|could|should|have|has|had|ai)nt|.*n't",
)

# Somebody searched the airline tweets for "cancel", "late" and "booking" and put the names of
# complaint reasons in their place, in any word ("was Cancelled Flightled", "reLate Flightd"). So a
# model could read the reason off the text, as it never can off a real tweet.
_PUT_IN = {
    "Cancelled Flight": "cancel",
    "Late Flight": "late",
    "Flight Booking Problems": "booking",
}
_PUT_IN_NAMES = re.compile("|".join(_PUT_IN))


def plain_words(text: str) -> str:
    """The text with "cancel", "late" and "booking" where names of complaint reasons replaced them.

    Exact but for the letters' case: no such name was in the tweets before ("Late Flight" itself
    had become "Late Flight Flight").
    """
    return _PUT_IN_NAMES.sub(lambda found: _PUT_IN[found[0]], text)


def anonymous(text: str) -> str:
    """The normalised, masked text with `<user>` for every handle and `<link>` for every link.

    Equal for a text as it was written and as the cleansed zone holds it, under any key.
    """
    for _ in range(_DECODINGS):
        text = normalise(text)
        if "&" not in text:
            break
    text = mask(text).translate(_APOSTROPHES)
    return _LINK_OR_HANDLE.sub(lambda m: f" {LINK if m.lastgroup == 'link' else USER} ", text)


def tokens(text: str) -> list[str]:
    """The tokens of a text in order, at most about MAX_TOKENS.

    Lower-case words (`not_` before those in reach of a negation, letters repeated more than twice
    cut to two after a `<long>`), hashtags and their parts, emoji, emoticons without noses,
    punctuation that carries feeling, placeholders; `<caps>` at the end when some words shout.
    """
    found: list[str] = []
    reach = words = shouted = 0
    for match in islice(_TOKEN.finditer(anonymous(text)), MAX_TOKENS):
        kind, token = match.lastgroup, match.group()
        if kind == "word":
            word, elongated, negation = _word(token)
            if elongated:
                found.append(ELONGATED)
            words += 1
            shouted += len(token) > 2 and token.isupper()
            found.append(NEGATED + word if reach else word)
            reach = NEGATION_REACH if negation else max(reach - 1, 0)
        elif kind == "hashtag":
            found.extend(_hashtag(token))
        elif kind == "number":
            found.append(NUMBER)
        elif kind in ("stop", "bang", "ellipsis"):
            reach = 0
            found.append(_punctuation(token))
        elif kind == "emoticon":
            found.append(_emoticon(token))
        else:
            found.append(token)
    if 0 < shouted < words:
        found.append(CAPITALS)
    return found


@lru_cache(maxsize=50_000)
def _word(word: str) -> tuple[str, bool, bool]:
    """(the word in lower case with repetitions cut, whether any was cut, whether it negates)."""
    lower = word.lower()
    cut = _REPEATED.sub(r"\1\1", lower)[:MAX_WORD]
    return cut, cut != lower, _NEGATION.fullmatch(cut) is not None


def _hashtag(tag: str) -> list[str]:
    """The hashtag itself and its parts: `#WorstDayEver` -> `#worstdayever worst day ever`."""
    parts = [NUMBER if part.isdigit() else part.lower() for part in _HASHTAG_PART.findall(tag[1:])]
    return [tag.lower()[:MAX_WORD], *(part[:MAX_WORD] for part in parts)]


def _punctuation(run: str) -> str:
    """One token for a run of marks: `!` `!!` `?` `??` `?!` `...`, others as they are."""
    if len(run) == 1:
        return run
    kinds = set(run)
    return "..." if "." in kinds else "?!" if len(kinds) == 2 else run[:2]


def _emoticon(face: str) -> str:
    """Without a nose, in lower case, repetitions as one: `:-)))` -> `:)`."""
    face = _NOSE.sub("", face.lower())
    return "".join(mark for mark, after in zip(face, face[1:] + "\0", strict=True) if mark != after)
