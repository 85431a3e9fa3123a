"""From the contract's fields to a cleansed table's: masked, normalised, pseudonymised.

Two twins do the same. Rows of plain ASCII without anything to mask go by Spark's own expressions;
the others go through the domain's Python, in batches. ``must_go_by_python`` decides, and a test
holds the twins together row by row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from voxlake.ids import PSEUDONYM_HEX_DIGITS, Pseudonymiser
from voxlake.tables import Table
from voxlake.text.clean import NATIVE_WHITE_SPACE, clean_text, needs_python
from voxlake.text.handles import pseudonymise_mention

if TYPE_CHECKING:
    import pyarrow

TEXTS = {
    "posts": ("text",),
    "comments": ("text",),
    "messages": ("text", "context"),
    "profiles": ("bio",),
    "interactions": (),
}
"""Columns of each table that hold text."""

IDENTITIES = {
    "posts": ("author_id",),
    "comments": ("author_id",),
    "messages": ("author_id", "speaker"),
    "profiles": ("author_id", "handle"),
    "interactions": ("author_id",),
}
"""Columns of each table that hold one identity."""

SUSPECT_CHARACTERS = ("&", "@", ".")
SUSPECT_PATTERNS = ("[^ -~]", "[0-9]")
"""Without any of these there is nothing for ``needs_python`` to find (a test holds that), and they
cost a fraction of it: Java tries a class of many ranges one range after the other."""

_ODD_IDENTITY = r"[^!-~]"
_ALL_IDENTITIES = ("author_id", "handle", "speaker")
_BLOCK_BYTES = 64  # of SHA-256, as HMAC pads its key to
_KEY_COLUMNS = ("_ipad", "_opad")


@dataclass(frozen=True)
class CleaningRules:
    """What cleaning depends on besides the row; goes to Python workers by pickling.

    Attributes:
        key_id, key: see ``voxlake.ids.Pseudonymiser``.
        kept_handles: lower-case handles that stay as written.
    """

    key_id: str
    key: bytes
    kept_handles: frozenset[str]

    def __repr__(self) -> str:
        return f"CleaningRules(key_id={self.key_id!r})"

    def pseudonymiser(self) -> Pseudonymiser:
        """The domain's pseudonymiser with this key."""
        return Pseudonymiser(self.key_id, self.key)


def with_cleaning(lines: DataFrame, rules: CleaningRules) -> DataFrame:
    """Cleans what Spark can clean, and marks the rest.

    Args:
        lines: decoded landing lines of any type (see ``landing.lines``).

    Returns:
        The lines with ``_by_python``; where it is false, texts and identities are cleaned, where
        it is true they are as they landed.
    """
    marked = lines.withColumn("_by_python", must_go_by_python(rules))
    return cleaned_natively(marked, rules)


def cleansed(lines: DataFrame, table: Table, rules: CleaningRules) -> DataFrame:
    """Rows of one event table as they are published.

    Args:
        lines: see ``with_cleaning``. They are read twice, so they should be cached.

    Returns:
        The table's columns and dt.
    """
    lines = lines.withColumn("place", F.lit(None).cast("string"))  # stays in landing
    names = [*table.column_names, "dt"]
    cleaned = lines.where(~F.col("_by_python")).select(*names)
    other = lines.where("_by_python").select(*names)
    return cleaned.unionByName(cleansed_by_python(other, table, rules))


def must_go_by_python(rules: CleaningRules) -> Column:
    """Whether a line, of whatever type, holds anything that only the domain's Python handles."""
    pattern = needs_python(rules.kept_handles)
    texts = sorted({name for of_table in TEXTS.values() for name in of_table})
    # Letter case and white space beyond ASCII are Python's.
    odd = [F.col(name).rlike(_ODD_IDENTITY) for name in (*_ALL_IDENTITIES, "target_id")]
    odd.append(F.exists("mentions", lambda one: one.isNull() | one.rlike(_ODD_IDENTITY)))
    odd += [_suspect(F.col(name)) & F.col(name).rlike(pattern) for name in texts]
    return reduce(or_, [F.coalesce(one, F.lit(False)) for one in odd])


def _suspect(text: Column) -> Column:
    characters = [text.contains(character) for character in SUSPECT_CHARACTERS]
    return reduce(or_, [*characters, *[text.rlike(pattern) for pattern in SUSPECT_PATTERNS]])


def cleaned_natively(lines: DataFrame, rules: CleaningRules) -> DataFrame:
    """The lines with texts and identities cleaned by Spark's expressions where ``_by_python`` is
    false."""
    as_landed = F.col("_by_python")
    changed: dict[str, Column] = {}
    for name in sorted({name for of_table in TEXTS.values() for name in of_table}):
        changed[name] = F.trim(F.regexp_replace(name, NATIVE_WHITE_SPACE, " "))
    for name in _ALL_IDENTITIES:
        changed[name] = _pseudonym(rules.key_id, F.col(name))
    kept = F.array(*[F.lit(handle) for handle in sorted(rules.kept_handles)])

    def mention(handle: Column) -> Column:
        bare = F.regexp_replace(handle, "^@+", "")
        is_kept = F.array_contains(kept, F.lower(bare))
        return F.when(is_kept, bare).otherwise(_pseudonym(rules.key_id, handle))

    changed["mentions"] = F.transform("mentions", mention)
    target = F.col("target_id")
    changed["target_id"] = F.when(
        F.col("target_type") == "profile", _pseudonym(rules.key_id, target)
    ).otherwise(target)
    keyed = lines.join(F.broadcast(_key_row(lines, rules)))
    return keyed.withColumns(
        {
            name: F.when(as_landed, F.col(name)).otherwise(cleaned)
            for name, cleaned in changed.items()
        }
    ).drop(*_KEY_COLUMNS)


def cleansed_by_python(rows: DataFrame, table: Table, rules: CleaningRules) -> DataFrame:
    """The rows cleaned by the domain's own functions.

    By ``mapInArrow``, mapInPandas' sibling: columns that stay as they are cross over and back
    untouched, where pandas would turn a null bigint into a float and fail at the year 2263.
    """
    texts, identities = TEXTS[table.name], IDENTITIES[table.name]
    has_mentions, has_target = table.name == "posts", table.name == "interactions"

    def clean(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        import pyarrow

        people, kept = rules.pseudonymiser(), rules.kept_handles
        for batch in batches:
            sources = batch.column("source").to_pylist()

            def changed(
                name: str, change: Callable[[Any, str], Any], batch=batch, sources=sources
            ) -> tuple[str, list[Any]]:
                values = batch.column(name).to_pylist()
                return name, [
                    None if value is None else change(value, source)
                    for value, source in zip(values, sources, strict=True)
                ]

            def cleaned(text: str, source: str) -> str:
                return clean_text(text, source, people, kept)

            def person(identity: str, source: str) -> str:
                return people.pseudonym(source, identity)

            def mentioned(handles: list[str | None], source: str) -> list[str | None]:
                return [
                    None if one is None else pseudonymise_mention(one, source, people, kept)
                    for one in handles
                ]

            columns = dict(changed(name, cleaned) for name in texts)
            columns |= dict(changed(name, person) for name in identities)
            if has_mentions:
                columns |= [changed("mentions", mentioned)]
            if has_target:
                kinds = batch.column("target_type").to_pylist()
                targets = zip(batch.column("target_id").to_pylist(), kinds, sources, strict=True)
                columns["target_id"] = [
                    people.pseudonym(source, target) if kind == "profile" and target else target
                    for target, kind, source in targets
                ]
            arrays = [
                pyarrow.array(columns[field.name], field.type)
                if field.name in columns
                else batch.column(field.name)
                for field in batch.schema
            ]
            yield pyarrow.RecordBatch.from_arrays(arrays, schema=batch.schema)

    return rows.mapInArrow(clean, rows.schema)


def _key_row(rows: DataFrame, rules: CleaningRules) -> DataFrame:
    """HMAC's two padded keys as a one-row frame.

    Joined in as data: as a literal the key would stand in every plan that Spark logs.
    """
    key = rules.key if len(rules.key) <= _BLOCK_BYTES else hashlib.sha256(rules.key).digest()
    padded = key.ljust(_BLOCK_BYTES, b"\0")
    pads = tuple(bytearray(byte ^ pad for byte in padded) for pad in (0x36, 0x5C))
    return rows.sparkSession.createDataFrame([pads], "_ipad BINARY, _opad BINARY")


def _pseudonym(key_id: str, identity: Column) -> Column:
    """``Pseudonymiser.pseudonym`` for ASCII identities: HMAC-SHA256 out of two hashes."""
    bare = F.lower(F.regexp_replace(identity, "^@+", ""))
    message = F.encode(F.concat(F.col("source"), F.lit(":"), bare), "UTF-8")
    inner = F.unhex(F.sha2(F.concat(F.col("_ipad"), message), 256))
    digest = F.sha2(F.concat(F.col("_opad"), inner), 256)
    return F.concat(F.lit(f"{key_id}_"), F.substring(digest, 1, PSEUDONYM_HEX_DIGITS))
