"""Whether somebody asks us not to write to them: the whole text says so, and nothing else.

"Stop losing my bags" is a complaint; "@OurAir STOP" is a wish. What is looked for is a list, since
a wish that was understood wrongly leaves a customer without an answer.
"""

from __future__ import annotations

import re

_WISHES = (
    r"stop(?: it| now| that| this| please| (?:replying|writing|messaging|tweeting|texting|tagging)"
    r"(?: (?:to|at) me| me)?| (?:the )?(?:bot|auto(?:mated|matic)? (?:replies|messages)))?",
    r"(?:un ?subscribe|opt(?: me)? out|remove me|leave me alone|go away bot|no (?:more )?bots?)",
    r"no (?:more )?(?:(?:automated|automatic|auto) )?(?:replies|messages|answers|tweets)",
    r"(?:do not|don ?t|dont) (?:reply|write|answer|respond|message|tweet|contact|text)"
    r"(?: (?:to|at) me| me)?(?: again| any ?more)?",
    r"(?:deja|dejen|dejad) de (?:responder|escribir)(?:me)?|no me (?:respondas?|escribas?)|basta",
    r"arr[eê]tez?(?: de me r[eé]pondre)?|ne me r[eé]pond(?:s|ez) (?:pas|plus)",
    r"stopp|(?:bitte )?(?:nicht|keine) (?:mehr )?(?:antworten|schreiben)",
)
_POLITE = r"(?:please|pls|plz|thanks|thank you|por favor|s il vous pla[iî]t|bitte|danke|ok)"
_WISH = re.compile(
    rf"(?:{_POLITE} )*(?:{'|'.join(f'(?:{wish})' for wish in _WISHES)})(?: {_POLITE})*"
)
_NAMES = re.compile(r"[@#]\w+|https?://\S+|<link>")
_REST = re.compile(r"[^\w]+|_+")


def asks_to_stop(text: str) -> bool:
    """Whether a text (cleaned), without the names in it, only asks for an end of our replies."""
    if len(text) > 200:
        return False
    words = _REST.sub(" ", _NAMES.sub(" ", text).casefold()).strip()
    return _WISH.fullmatch(words) is not None
