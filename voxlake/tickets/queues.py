"""The queues: who answers what, read from queues.yaml and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from importlib import resources
from pathlib import Path
from string import Formatter
from typing import Any

import yaml

from voxlake.text.post_length import LIMIT, weighted_length
from voxlake.tickets.directed import OwnAccounts
from voxlake.tickets.errors import QueuesError
from voxlake.tickets.ids import HASH_CHARACTERS, PREFIX, TIME_CHARACTERS
from voxlake.tickets.triage import SIGNALS, Thresholds
from voxlake.trackers import Trackers

UNSORTED = "unsorted"
PLACEHOLDERS = ("ticket_id", "queue", "hours")

_ID = re.compile(r"[a-z][a-z0-9_]{0,63}")
_LANGUAGE = re.compile(r"[a-z]{2}")
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00")
_ZONE = re.compile(r"UTC|[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z_-]+){1,2}")
_DAY = "Mon|Tue|Wed|Thu|Fri|Sat|Sun"
_DAYS = re.compile(rf"(?:{_DAY})-(?:{_DAY})|(?:{_DAY})(?:,(?:{_DAY}))*")
_FIELDS = {"id", "name", "prefix", "description", "keywords", "reasons", "replies", "hours"}
_HOURS = {"timezone", "days", "open", "close"}


@dataclass(frozen=True)
class Hours:
    """When a queue's people answer. open and close: HH:MM in the time zone, close may be 24:00."""

    timezone: str
    days: str
    open: str
    close: str

    @property
    def text(self) -> str:
        """For people: `24/7`, or days, times and the zone's city."""
        if (self.days, self.open, self.close) == ("Mon-Sun", "00:00", "24:00"):
            return "24/7"
        city = self.timezone.rpartition("/")[2].replace("_", " ")
        return f"{self.days} {self.open}-{self.close} {city}"


@dataclass(frozen=True)
class Queue:
    """One queue; see queues.yaml for what the members mean. replies: {ISO 639-1: template}."""

    id: str
    name: str
    prefix: str
    description: str
    keywords: tuple[str, ...]
    reasons: tuple[str, ...]
    replies: Mapping[str, str]
    hours: Hours

    def reply(self, ticket_id: str, language: str) -> str | None:
        """The answer in a language, None where there is no template of it."""
        template = self.replies.get(language)
        if template is None:
            return None
        return template.format(ticket_id=ticket_id, queue=self.name, hours=self.hours.text)

    @cached_property
    def pattern(self) -> re.Pattern[str] | None:
        """Finds the keywords as whole words, whatever their letter case."""
        if not self.keywords:
            return None
        longest_first = sorted(self.keywords, key=lambda word: (-len(word), word))
        words = "|".join(re.escape(word) for word in longest_first)
        return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)


@dataclass(frozen=True)
class SortingWeights:
    """How much each kind of evidence counts, and from which score (0 to 1) on a text is sorted.

    temperature: of the softmax over the cosines; small ones make the nearest queue stand out.
    """

    reason: float
    similarity: float
    keywords: float
    temperature: float
    threshold: float


@dataclass(frozen=True)
class Queues:
    """All queues, and what the queues' file says besides.

    Attributes:
        needs_reply: see `voxlake.tickets.triage`.
        sorting: see `voxlake.tickets.sorting`.
        answers_for: ids of the trackers whose accounts are ours; None: all trackers.
        own_authors: {source: author ids that are ours and are no handles}.
    """

    queues: tuple[Queue, ...]
    needs_reply: Thresholds
    sorting: SortingWeights
    answers_for: tuple[str, ...] | None = None
    own_authors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def by_id(self) -> dict[str, Queue]:
        return {queue.id: queue for queue in self.queues}

    @cached_property
    def sorted_into(self) -> tuple[Queue, ...]:
        """Those that a text can be sorted into: all but `unsorted`."""
        return tuple(queue for queue in self.queues if queue.id != UNSORTED)

    def own_accounts(self, trackers: Trackers) -> OwnAccounts:
        """The accounts that we answer for.

        Raises:
            QueuesError: answers_for names a tracker that is not there.
        """
        if self.answers_for is None:
            return OwnAccounts(trackers.kept_handles, self.own_authors)
        known = {tracker.id: tracker for tracker in trackers.trackers}
        if missing := sorted(set(self.answers_for) - set(known)):
            raise QueuesError(
                f"answers_for: expected ids of trackers.yaml ({', '.join(known)}), found "
                f"{missing[0]!r}"
            )
        handles = [handle for one in self.answers_for for handle in known[one].handles]
        return OwnAccounts(handles, self.own_authors)

    def named(self, queue_id: str) -> Queue:
        """The queue of an id.

        Raises:
            QueuesError: there is none of that id; names those that there are.
        """
        try:
            return self.by_id[queue_id]
        except KeyError:
            known = ", ".join(self.by_id)
            raise QueuesError(f"expected one of {known}, found {queue_id!r}") from None


def load_queues(path: Path | str | None = None) -> Queues:
    """Queues of a YAML file; without one, of the packaged queues.yaml.

    Raises:
        QueuesError: not such a file; names the queue and the field.
    """
    if path is None:
        text = resources.files("voxlake.tickets").joinpath("queues.yaml").read_text("utf-8")
    else:
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise QueuesError(f"expected a queues file at {path}, found {error}") from error
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise QueuesError(f"expected YAML, found {error}; correct the queues file") from error
    if not isinstance(document, dict) or not isinstance(document.get("queues"), list):
        raise QueuesError(
            "expected a mapping with a list 'queues', found another shape; see the packaged "
            "queues.yaml"
        )
    queues = tuple(_queue(number, one) for number, one in enumerate(document["queues"], start=1))
    for unique in ("id", "prefix"):
        _once(unique, [getattr(queue, unique) for queue in queues])
    _once("reason", [reason for queue in queues for reason in queue.reasons])
    if not any(queue.id == UNSORTED for queue in queues) or len(queues) < 2:
        raise QueuesError(
            f"expected the queue {UNSORTED!r} and another one; {UNSORTED!r} takes what fits none"
        )
    return Queues(
        queues,
        needs_reply=_needs_reply(document.get("needs_reply")),
        sorting=_sorting(document.get("sorting")),
        answers_for=_optional_texts(document, "answers_for"),
        own_authors=_own_authors(document.get("own_authors")),
    )


def _needs_reply(value: Any) -> Thresholds:
    if not isinstance(value, dict) or set(value) != {"weights", "complaint", "question"}:
        raise QueuesError(
            f"needs_reply: expected complaint, question and weights, found {value!r}; see the "
            "packaged queues.yaml"
        )
    weights = value["weights"]
    if not isinstance(weights, dict) or (unknown := sorted(set(weights) - {"bias", *SIGNALS})):
        found = unknown[0] if isinstance(weights, dict) else weights
        raise QueuesError(
            f"needs_reply.weights: expected numbers for bias, {', '.join(SIGNALS)}, found {found!r}"
        )
    return Thresholds(
        weights={name: _number("needs_reply.weights", name, weights[name]) for name in weights},
        complaint=_number("needs_reply", "complaint", value["complaint"], 0.0, 1.0),
        question=_number("needs_reply", "question", value["question"], 0.0, 1.0),
    )


def _sorting(value: Any) -> SortingWeights:
    names = [one.name for one in fields(SortingWeights)]
    if not isinstance(value, dict) or set(value) != set(names):
        raise QueuesError(
            f"sorting: expected {', '.join(names)}, found {value!r}; see the packaged queues.yaml"
        )
    found = {name: _number("sorting", name, value[name], 0.0, 1.0) for name in names}
    if not found["temperature"] or not found["reason"] + found["similarity"] + found["keywords"]:
        raise QueuesError(f"sorting: expected temperature and a weight above 0, found {value!r}")
    return SortingWeights(**found)


def _own_authors(value: Any) -> dict[str, tuple[str, ...]]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise QueuesError(f"own_authors: expected {{source: [author ids]}}, found {value!r}")
    return {str(source): _texts("own_authors", str(source), ids) for source, ids in value.items()}


def _optional_texts(document: Mapping[str, Any], field: str) -> tuple[str, ...] | None:
    return None if document.get(field) is None else _texts(field, field, document[field])


def _number(where: str, name: str, value: Any, low: float = -1000.0, high: float = 1000.0) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise QueuesError(f"{where}: expected {name} from {low:g} to {high:g}, found {value!r}")
    return float(value)


def _queue(number: int, entry: Any) -> Queue:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
        raise QueuesError(f"queue {number}: expected a mapping with an id, found {entry!r}")
    where = f"queue {entry['id']}"
    if not _ID.fullmatch(entry["id"]):
        raise QueuesError(
            f"{where}: expected an id of lower-case letters, digits, _; at most 64 characters"
        )
    wrong = sorted(set(entry) ^ _FIELDS)
    if wrong:
        found = "none" if wrong[0] in _FIELDS else "it"
        raise QueuesError(f"{where}: expected {', '.join(sorted(_FIELDS))}; {wrong[0]!r}: {found}")
    prefix = _matching(where, "prefix", entry["prefix"], PREFIX, "2 to 4 letters A-Z")
    name = _text(where, "name", entry["name"])
    hours = _read_hours(where, entry["hours"])
    queue = Queue(
        id=entry["id"],
        name=name,
        prefix=prefix,
        description=_text(where, "description", entry["description"]),
        keywords=_texts(where, "keywords", entry["keywords"]),
        reasons=_texts(where, "reasons", entry["reasons"]),
        replies=_replies(where, entry["replies"]),
        hours=hours,
    )
    longest = f"{'X' * 4}-{'0' * TIME_CHARACTERS}-{'0' * (HASH_CHARACTERS + 1)}"
    for language in queue.replies:
        length = weighted_length(queue.reply(longest, language) or "")
        if length > LIMIT:
            raise QueuesError(
                f"{where}: expected replies of at most {LIMIT} characters when filled "
                f"in, found {length} in {language!r}; shorten it"
            )
    return queue


def _replies(where: str, value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not value:
        raise QueuesError(f"{where}: expected replies as {{language: template}}, found {value!r}")
    for language, template in value.items():
        _matching(where, "replies", language, _LANGUAGE, "languages of two letters such as en")
        _text(where, f"replies.{language}", template)
        try:
            used = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
        except ValueError as error:
            raise QueuesError(
                f"{where}: replies.{language}: expected braces in pairs: {error}"
            ) from None
        if unknown := sorted(used - set(PLACEHOLDERS)):
            raise QueuesError(
                f"{where}: replies.{language}: expected only {', '.join(PLACEHOLDERS)} in braces, "
                f"found {unknown[0]!r}"
            )
        if "ticket_id" not in used:
            # By it a reply is found again in our timeline, and so never sent twice.
            raise QueuesError(f"{where}: replies.{language}: expected {{ticket_id}}, found none")
    return dict(value)


def _read_hours(where: str, value: Any) -> Hours:
    if not isinstance(value, dict) or set(value) != _HOURS:
        raise QueuesError(
            f"{where}: expected hours with {', '.join(sorted(_HOURS))}, found {value!r}"
        )
    hours = Hours(
        timezone=_matching(where, "hours.timezone", value["timezone"], _ZONE, "Area/City or UTC"),
        days=_matching(where, "hours.days", value["days"], _DAYS, "days such as Mon-Fri"),
        open=_matching(where, "hours.open", value["open"], _TIME, "HH:MM in quotes"),
        close=_matching(where, "hours.close", value["close"], _TIME, "HH:MM in quotes"),
    )
    if hours.open >= hours.close:
        raise QueuesError(f"{where}: expected hours.open before hours.close, found {value!r}")
    return hours


def _matching(where: str, field: str, value: Any, form: re.Pattern[str], meaning: str) -> str:
    if not isinstance(value, str) or not form.fullmatch(value):
        raise QueuesError(f"{where}: expected {field} of {meaning}, found {value!r}")
    return value


def _text(where: str, field: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise QueuesError(f"{where}: expected {field} as text, found {value!r}")
    return value.strip()


def _texts(where: str, field: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise QueuesError(f"{where}: expected a list of {field}, found {value!r}")
    return tuple(_text(where, field, one) for one in value)


def _once(field: str, values: Sequence[str]) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise QueuesError(f"expected each {field} once, found {value!r} twice; change one")
        seen.add(value)
