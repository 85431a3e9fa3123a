"""One's own labelled texts, from CSV, JSON lines or CoNLL, to rows of the form."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from voxlake.datasets.errors import DatasetError, NoRowsError, RowError
from voxlake.datasets.form import ENTITY_TYPES, LABEL_KEY, LABELS, Task, split_rows
from voxlake.datasets.originals.entities import WNUT_TYPES, sentences

_TOKEN = re.compile(r"\w+|[^\w\s]")
_LONGEST_CELL = 1 << 24


@dataclass(frozen=True)
class Mapping:
    """How a file's columns become a row's keys.

    labels: {label in the file: label of the form}; one that is not in it stays as it is.
    separator: what parts several labels in one cell. keep: columns taken over as they are.
    skip: leave unusable rows out instead of raising.
    """

    task: Task
    text_column: str = "text"
    label_column: str | None = None
    id_column: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    separator: str = ","
    keep: tuple[str, ...] = ()
    skip: bool = False

    @property
    def label(self) -> str | None:
        """The column of the labels: the one named, or the form's own key."""
        return self.label_column or LABEL_KEY.get(self.task)


class Converted(NamedTuple):
    """The rows, and how many were left out (Mapping.skip)."""

    rows: list[dict]
    left_out: int


def convert(file: str, text: str, mapping: Mapping) -> Converted:
    """The rows of a file, told apart by its name: .csv, .tsv, .jsonl or .conll.

    Raises RowError naming the line of the first row that is not usable, unless mapping.skip.
    """
    rows, left_out, first = [], 0, None
    for number, source in _sources(file, text):
        try:
            if isinstance(source, RowError):
                raise source
            row = _row(file, number, source, mapping)
        except RowError as error:
            if not mapping.skip:
                raise
            first = first or error
            left_out += 1
            continue
        row["id"] = row["id"] or f"{file.partition('.')[0]}-{len(rows) + left_out + 1:06}"
        rows.append(row)
    if not rows:
        raise NoRowsError(file, first)
    return Converted(rows, left_out)


def split_own(rows: list[dict], task: Task, dev_share: float) -> dict[str, list[dict]]:
    """{"train": rows, "dev": rows}: each label is parted alike, equal texts stay together."""

    def stratum(row: dict) -> str:
        value = row.get(LABEL_KEY.get(task, ""), "")
        return value if isinstance(value, str) else json.dumps(sorted(set(value or ())))

    parts = split_rows(rows, {"dev": dev_share}, stratum)
    if not parts["dev"]:
        # So few of each label that no stratum gives one up.
        parts = split_rows(rows, {"dev": dev_share}, lambda row: "")
    return parts


def _sources(file: str, text: str) -> Iterator[tuple[int, dict | RowError]]:
    """(line, what it holds or why it cannot be read)."""
    name = file.removesuffix(".gz")
    if name.endswith((".csv", ".tsv")):
        yield from _csv(file, text, "\t" if name.endswith(".tsv") else None)
    elif name.endswith((".jsonl", ".ndjson")):
        for number, line in enumerate(text.split("\n"), start=1):
            if line.strip():
                yield number, _json(file, number, line)
    elif name.endswith((".conll", ".bio")):
        types = tuple(dict.fromkeys((*ENTITY_TYPES, *WNUT_TYPES)))
        for number, (tokens, tags) in enumerate(sentences(file, text.encode(), types), start=1):
            yield number, {"text": " ".join(tokens), "tokens": tokens, "tags": tags}
    else:
        raise DatasetError(f"{file}: expected a name ending in .csv, .tsv, .jsonl or .conll")


def _csv(file: str, text: str, delimiter: str | None) -> Iterator[tuple[int, dict | RowError]]:
    header = text.split("\n", 1)[0]
    delimiter = delimiter or max(",;\t", key=header.count)
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if None in cells or None in cells.values():
                count = len(reader.fieldnames or ())
                cells = RowError(file, reader.line_num, f"{count} columns", "more or fewer")
            yield reader.line_num, cells
    except csv.Error as error:
        raise RowError(file, reader.line_num, "CSV", str(error)) from None


def _json(file: str, number: int, line: str) -> dict | RowError:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return RowError(file, number, "a JSON object", "something else")
    if not isinstance(row, dict):
        return RowError(file, number, "a JSON object", type(row).__name__)
    return row


def _row(file: str, number: int, source: dict, mapping: Mapping) -> dict:
    text = _cell(file, number, source, mapping.text_column, "--text-column")
    if not isinstance(text, str) or not text.strip():
        raise RowError(file, number, f"a text in {mapping.text_column}", "none")
    row = {"id": "", "text": text.strip()}
    if mapping.id_column:
        row["id"] = str(_cell(file, number, source, mapping.id_column, "--id-column"))
    if mapping.task == Task.entities:
        row |= _entities(file, number, source, text, mapping)
    elif mapping.task != Task.text:
        value = _cell(file, number, source, mapping.label, "--label-column")
        row[LABEL_KEY[mapping.task]] = _label(file, number, value, mapping)
    for column in mapping.keep:
        row[column] = _cell(file, number, source, column, "--keep")
    return row


def _cell(file: str, number: int, source: dict, column: str, option: str) -> object:
    if column not in source:
        found = ", ".join(map(str, source))[:200]
        raise RowError(file, number, f"a column {column!r}", found, f"name it by {option}")
    return source[column]


def _label(file: str, number: int, value: object, mapping: Mapping) -> object:
    if mapping.task == Task.complaint_reason:
        given = "" if value is None else str(value).strip()
        return mapping.labels.get(given, given) or None
    allowed = LABELS[mapping.task]
    if mapping.task == Task.emotions:
        each = value if isinstance(value, list) else str(value or "").split(mapping.separator)
        given = [str(one).strip() for one in each if str(one).strip()]
    else:
        given = ["" if value is None else str(value).strip()]
    found = [mapping.labels.get(one, one) for one in given]
    for one, raw in zip(found, given, strict=True):
        if one not in allowed:
            raise RowError(
                file,
                number,
                f"a label of {', '.join(allowed)}",
                repr(raw[:40]),
                f"map it by --map {raw[:40]}=LABEL, or leave such rows out by --skip",
            )
    if mapping.task == Task.emotions:
        return [label for label in allowed if label in found]
    return found[0]


def _entities(file: str, number: int, source: dict, text: str, mapping: Mapping) -> dict:
    if "tokens" in source and "tags" in source:
        tokens, tags = source["tokens"], source["tags"]
        if not (isinstance(tokens, list) and isinstance(tags, list) and len(tokens) == len(tags)):
            raise RowError(file, number, "tokens and tags, lists of one length", "something else")
        return {"tokens": tokens, "tags": [_tag(file, number, tag, mapping) for tag in tags]}
    column = mapping.label_column or "entities"
    spans = _cell(file, number, source, column, "--label-column")
    return _from_spans(file, number, text, spans, mapping)


def _tag(file: str, number: int, tag: str, mapping: Mapping) -> str:
    if tag == "O":
        return tag
    mark, _, kind = str(tag).partition("-")
    return f"{mark}-{_entity_type(file, number, kind, mapping)}"


def _entity_type(file: str, number: int, given: object, mapping: Mapping) -> str:
    kind = mapping.labels.get(str(given), str(given))
    if kind not in (*ENTITY_TYPES, *WNUT_TYPES):
        raise RowError(
            file,
            number,
            f"an entity of {', '.join(ENTITY_TYPES)}",
            repr(str(given)[:40]),
            f"map it by --map {str(given)[:40]}=TYPE, or leave such rows out by --skip",
        )
    return kind


def _from_spans(file: str, number: int, text: str, spans: object, mapping: Mapping) -> dict:
    """Tokens and tags of [{start, end, label}], offsets in characters of the text."""
    places = [match.span() for match in _TOKEN.finditer(text)]
    tags = ["O"] * len(places)
    try:
        spans = sorted((int(s["start"]), int(s["end"]), s["label"]) for s in spans or ())
    except (KeyError, TypeError, ValueError):
        raise RowError(file, number, "entities of start, end and label", "another") from None
    for start, end, given in spans:
        kind = _entity_type(file, number, given, mapping)
        covered = [i for i, (s, e) in enumerate(places) if s < end and e > start]
        if not 0 <= start < end <= len(text) or not covered or any(tags[i] != "O" for i in covered):
            raise RowError(
                file, number, f"entities inside the text, none over another, at {start}", "another"
            )
        for place, i in enumerate(covered):
            tags[i] = f"{'I' if place else 'B'}-{kind}"
    return {"tokens": [text[s:e] for s, e in places], "tags": tags}
