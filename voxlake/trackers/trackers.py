"""Trackers as patterns that Python and Java read alike."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from voxlake.errors import TerminalError

_ID = re.compile(r"[a-z][a-z0-9_]{0,63}")
_TAG = re.compile(r"[A-Za-z0-9_]+")
_KEYWORD = re.compile(r"[!-~]+(?: [!-~]+)*")
_FIELDS = {"id", "name", "handles", "hashtags", "keywords"}


class TrackersError(TerminalError):
    """trackers.yaml does not describe trackers; the message names tracker and field."""


@dataclass(frozen=True)
class Tracker:
    """One thing followed. Handles and hashtags without @ and #, lower case."""

    id: str
    name: str
    handles: tuple[str, ...] = ()
    hashtags: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()

    @cached_property
    def pattern(self) -> str:
        """Pattern (to search with) that Java and Python take, for texts as ``clean_text`` leaves
        them. Word characters are spelled out: \\w means ASCII in Java and all scripts in Python.
        """
        parts = []
        if self.handles:
            parts.append(rf"(?<![A-Za-z0-9_])@(?:{_either(self.handles)})(?![A-Za-z0-9_])")
        if self.hashtags:
            parts.append(rf"#(?:{_either(self.hashtags)})(?![A-Za-z0-9_])")
        if self.keywords:
            parts.append(rf"(?<![A-Za-z0-9_@#])(?:{_either(self.keywords)})(?![A-Za-z0-9_])")
        return f"(?i)(?:{'|'.join(parts)})"


@dataclass(frozen=True)
class Trackers:
    """All trackers."""

    trackers: tuple[Tracker, ...]

    @cached_property
    def kept_handles(self) -> frozenset[str]:
        """Handles (lower case, no @) that stay as written in texts and mentions."""
        return frozenset(handle for tracker in self.trackers for handle in tracker.handles)

    @cached_property
    def _compiled(self) -> list[tuple[str, re.Pattern[str]]]:
        # ASCII, as Java's (?i): otherwise Python lets the long s match s.
        return sorted(
            (tracker.id, re.compile(tracker.pattern, re.ASCII)) for tracker in self.trackers
        )

    def match(self, text: str) -> list[str]:
        """Ids of the trackers a cleaned text matches, sorted."""
        return [tracker_id for tracker_id, pattern in self._compiled if pattern.search(text)]

    def spark_patterns(self) -> dict[str, str]:
        """{tracker id: Java pattern for rlike}, matching what ``match`` matches; sorted by id."""
        return {
            tracker.id: tracker.pattern for tracker in sorted(self.trackers, key=lambda one: one.id)
        }


def load_trackers(path: Path | str | None = None) -> Trackers:
    """Trackers of a YAML file; without one, of the packaged trackers.yaml.

    Raises:
        TrackersError: not such a file; names the tracker and the field.
    """
    if path is None:
        text = resources.files("voxlake.trackers").joinpath("trackers.yaml").read_text("utf-8")
    else:
        text = Path(path).read_text(encoding="utf-8")
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise TrackersError(f"expected YAML, found {error}; correct the trackers file") from error
    if not isinstance(document, dict) or not isinstance(document.get("trackers"), list):
        raise TrackersError(
            "expected a mapping with a list 'trackers', found another shape; "
            "see the packaged trackers.yaml"
        )
    trackers = tuple(
        _tracker(number, entry) for number, entry in enumerate(document["trackers"], start=1)
    )
    seen: set[str] = set()
    for tracker in trackers:
        if tracker.id in seen:
            raise TrackersError(f"expected each id once, found {tracker.id!r} twice; rename one")
        seen.add(tracker.id)
    return Trackers(trackers)


def _tracker(number: int, entry: Any) -> Tracker:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
        raise TrackersError(f"tracker {number}: expected a mapping with an id, found {entry!r}")
    where = f"tracker {entry['id']}"
    if not _ID.fullmatch(entry["id"]):
        raise TrackersError(
            f"{where}: expected an id of lower-case letters, digits, _; at most 64 characters"
        )
    unknown = set(entry) - _FIELDS
    if unknown:
        raise TrackersError(
            f"{where}: expected {', '.join(sorted(_FIELDS))}, found {sorted(unknown)[0]!r}"
        )
    tracker = Tracker(
        id=entry["id"],
        name=str(entry.get("name", entry["id"])),
        handles=_names(where, "handles", entry, _TAG, "@"),
        hashtags=_names(where, "hashtags", entry, _TAG, "#"),
        keywords=_names(where, "keywords", entry, _KEYWORD, ""),
    )
    if not (tracker.handles or tracker.hashtags or tracker.keywords):
        raise TrackersError(f"{where}: expected a handle, hashtag or keyword, found none; add one")
    return tracker


def _names(
    where: str, field: str, entry: dict[str, Any], form: re.Pattern[str], prefix: str
) -> tuple[str, ...]:
    names = entry.get(field) or []
    if not isinstance(names, list):
        raise TrackersError(f"{where}: expected a list of {field}, found {names!r}")
    found = []
    for name in names:
        bare = name.removeprefix(prefix) if isinstance(name, str) else ""
        if not form.fullmatch(bare):
            # Case-insensitive matching beyond ASCII differs between Python and Java.
            raise TrackersError(
                f"{where}: expected {field} of printable ASCII (letters, digits and _ in handles "
                f"and hashtags), found {name!r}"
            )
        found.append(bare.lower())
    return tuple(found)


def _either(names: tuple[str, ...]) -> str:
    # Longest first, so that a name does not hide one it begins.
    return "|".join(re.escape(name) for name in sorted(names, key=lambda one: (-len(one), one)))
