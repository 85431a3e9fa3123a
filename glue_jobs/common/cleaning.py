"""From the contract's fields to a cleansed table's: masked, normalised, pseudonymised.

Two twins do the same. Lines of plain ASCII without anything to mask go by Spark's own expressions;
the others go through the domain's Python, in batches. ``must_go_by_python`` decides, and a test
holds the twins together row by row.
"""

from __future__ import annotations

import hashlib

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from glue_jobs.common.cleaning_by_python import CELLS, IDENTITIES, TEXTS, CleaningRules, cleaner
from glue_jobs.common.landing import ENVELOPE, body_fields
from voxlake.ids import PSEUDONYM_HEX_DIGITS
from voxlake.tables import TABLE_OF_EVENT_TYPE, Table
from voxlake.text.clean import NATIVE_WHITE_SPACE, needs_python

BEYOND_PLAIN = "[^ -~]"
"""Finds what is no printable ASCII."""

SUSPECT = r"[^ -%'-\-/:-?A-~]"
"""Finds what is not plain, and & @ . and digits, in one character class: a text without these needs
no Python for sure (a test holds that), and most texts are looked through this once."""

EVENT = "_event"
_IN_EVENT = tuple(name for name in ENVELOPE if name != "event_id")
_ODD_IDENTITY = r"[^!-~]"
_BLOCK_BYTES = 64  # of SHA-256, as HMAC pads its key to
_KEY_COLUMNS = ("_ipad", "_opad")


def with_cleaning(lines: DataFrame, rules: CleaningRules) -> DataFrame:
    """Cleans texts and identities.

    Args:
        lines: decoded landing lines of any type (see ``landing.lines``).

    Returns:
        The lines with the contract's fields, cleaned, in one struct, ``_event``; null in lines
        that are no events. Only event_id stays a column.
    """
    marked = lines.withColumn("_by_python", must_go_by_python(rules))
    cells = F.when(F.col("_by_python"), F.struct("source", "target_type", *CELLS))
    both = marked.withColumn("_cleaned", cleaner(rules)(cells))
    native = native_cells(rules)
    names = (*_IN_EVENT, *body_fields().names)
    chosen = {
        name: F.when(F.col("_by_python"), F.col(f"_cleaned.{name}")).otherwise(native[name])
        if name in native
        else F.col(name)
        for name in names
    }
    event = F.struct(*[column.alias(name) for name, column in chosen.items()])
    # One struct moves as one block of bytes through shuffle, sort and cache; thirty columns, most
    # of them null in any line, are taken apart and put together again each time.
    return (
        with_key(both, rules)
        .withColumn(EVENT, F.when(_is_event(), event))
        .drop("_by_python", "_cleaned", *_KEY_COLUMNS, *names)
    )


def cleansed(lines: DataFrame, table: Table) -> DataFrame:
    """Rows of one event table as they are published.

    Args:
        lines: see ``with_cleaning``.

    Returns:
        The table's columns and dt.
    """
    place = F.lit(None).cast("string").alias("place")  # stays in landing
    flat = lines.select("event_id", "dt", "arrival", "shard", "sequence", f"{EVENT}.*", place)
    return flat.select(*table.column_names, "dt")


def must_go_by_python(rules: CleaningRules) -> Column:
    """Whether a line, of whatever type, holds anything that only the domain's Python handles.

    Somewhat more than that, for less: Python is right about every line.
    """
    # All at once: what is found across a seam goes to Python as well.
    people, text = F.concat_ws("", *IDENTITIES, "target_id", "mentions"), F.concat_ws(" ", *TEXTS)
    by_python = (
        text.contains("&") | text.rlike(BEYOND_PLAIN) | text.rlike(needs_python(rules.kept_handles))
    )
    # Letter case and white space beyond ASCII are Python's.
    return _is_event() & (people.rlike(_ODD_IDENTITY) | (text.rlike(SUSPECT) & by_python))


def native_cells(rules: CleaningRules) -> dict[str, Column]:
    """What becomes of texts and identities where Python is not needed; over ``with_key``."""
    cells = {name: _collapsed(F.col(name)) for name in TEXTS}
    cells["author_id"] = _pseudonym(rules.key_id, F.col("author_id"))
    # A line has one of these at most that its table takes: hashed by one expression.
    is_profile = F.col("target_type") == "profile"
    of_table = {
        "handle": F.col("_table") == TABLE_OF_EVENT_TYPE["profile"],
        "speaker": F.col("_table") == TABLE_OF_EVENT_TYPE["message"],
        "target_id": (F.col("_table") == TABLE_OF_EVENT_TYPE["interaction"]) & is_profile,
    }
    person = F.coalesce(*[F.when(mine, F.col(name)) for name, mine in of_table.items()])
    pseudonym = _pseudonym(rules.key_id, person)
    for name, mine in of_table.items():
        cells[name] = F.when(mine, pseudonym)
    cells["target_id"] = F.when(of_table["target_id"], pseudonym).otherwise(F.col("target_id"))

    def mention(handle: Column) -> Column:
        bare = _bare(handle)
        is_kept = F.lower(bare).isin(*sorted(rules.kept_handles))
        return F.when(is_kept, bare).otherwise(_pseudonym(rules.key_id, handle))

    return cells | {"mentions": F.transform("mentions", mention)}


def with_key(rows: DataFrame, rules: CleaningRules) -> DataFrame:
    """The rows with HMAC's two padded keys, ``_ipad`` and ``_opad``.

    Joined in as data: as a literal the key would stand in every plan that Spark logs.
    """
    key = rules.key if len(rules.key) <= _BLOCK_BYTES else hashlib.sha256(rules.key).digest()
    padded = key.ljust(_BLOCK_BYTES, b"\0")
    pads = tuple(bytearray(byte ^ pad for byte in padded) for pad in (0x36, 0x5C))
    key_row = rows.sparkSession.createDataFrame([pads], "_ipad BINARY, _opad BINARY")
    return rows.join(F.broadcast(key_row))


def _is_event() -> Column:
    return F.col("_table").isin(*TABLE_OF_EVENT_TYPE.values())


def _bare(handle: Column) -> Column:
    """Without leading @; ``F.ltrim`` takes no characters in Spark 3.5."""
    return F.call_function("ltrim", F.lit("@"), handle)


def _collapsed(text: Column) -> Column:
    """White space of plain text as ``clean_text`` leaves it; replaced only where there is some."""
    spaced = F.regexp_replace(text, NATIVE_WHITE_SPACE, " ")
    return F.trim(F.when(text.contains("  "), spaced).otherwise(text))


def _pseudonym(key_id: str, identity: Column) -> Column:
    """``Pseudonymiser.pseudonym`` for ASCII identities: HMAC-SHA256 out of two hashes."""
    plain = F.concat(F.col("source"), F.lit(":"), F.lower(_bare(identity)))
    message = plain.cast("binary")  # UTF-8
    inner = F.unhex(F.sha2(F.concat(F.col("_ipad"), message), 256))
    # Bytes, as of text Spark counts the characters first.
    digest = F.sha2(F.concat(F.col("_opad"), inner), 256).cast("binary")
    shortened = F.substring(digest, 1, PSEUDONYM_HEX_DIGITS).cast("string")
    return F.concat(F.lit(f"{key_id}_"), shortened)
