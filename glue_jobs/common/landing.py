"""Landing objects as one frame of lines: every kind in one pass, nothing dropped.

A line that cannot be read stays a row, bound for the quarantine table, so that what the ledger
says was received is what is accounted for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import (
    StringType,
    StructField,
    StructType,
    _parse_datatype_string,  # StructType.fromDDL is younger than Glue 5.1's Spark
)

from voxlake.errors import UNKNOWN_EVENT_TYPE
from voxlake.events.landing import QUARANTINE_LINE_DDL, landing_event_spark_schema
from voxlake.ledger.items import SEQUENCE_DIGITS
from voxlake.ledger.keys import QUARANTINE_KIND
from voxlake.quarantine import QuarantineReason
from voxlake.tables import TABLE_OF_EVENT_TYPE

STAYS_IN_LANDING = frozenset({"place", "display_name", "location"})
"""Body fields that go no further; they are not even parsed."""

CORRUPT = "_corrupt"
_KEY_PARTS = 4  # kind, ingest_date=…, ingest_hour=…, file
_QUARANTINE_TABLE = "quarantine"
_UTC_TEXT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z\z"

ENVELOPE = ("event_id", "schema_version", "source", "occurred_at", "author_id")
DELIVERY = ("arrival", "shard", "sequence")
REASON = ("reason", "field", "event_type", "detail")


@cache
def body_fields() -> StructType:
    """The bodies of all event types in one struct: a name has the same type in each.

    Raises:
        ValueError: two event types give a name different types.
    """
    merged: dict[str, StructField] = {}
    for event_type in TABLE_OF_EVENT_TYPE:
        event = _parse_datatype_string(landing_event_spark_schema(event_type))["event"].dataType
        for field in event["body"].dataType:
            known = merged.setdefault(field.name, field)
            if known.dataType != field.dataType:
                raise ValueError(
                    f"body.{field.name}: expected one type in all events, found "
                    f"{known.dataType} and {field.dataType} ({event_type}); read them apart"
                )
    return StructType([f for name, f in merged.items() if name not in STAYS_IN_LANDING])


@cache
def line_schema() -> StructType:
    """Schema of a line of any kind; what a kind does not have is null."""
    event = _parse_datatype_string(landing_event_spark_schema("post"))["event"].dataType
    envelope = [field for field in event if field.name != "body"]
    top = [
        field
        for field in _parse_datatype_string(QUARANTINE_LINE_DDL)
        if field.name not in ("stream", "data")
    ]
    return StructType(
        [
            *top,
            StructField("event", StructType([*envelope, StructField("body", body_fields())])),
            StructField(CORRUPT, StringType()),
        ]
    )


def read_objects(spark: SparkSession, root: str, keys: Sequence[str]) -> DataFrame:
    """Raw lines of landing objects with ``_object``, the key.

    What follows a damaged place in an object is left out without an error: who reads compares
    the lines with the ledger's count (see ``damaged_objects``).
    """
    return (
        spark.read.schema(line_schema())
        .option("mode", "PERMISSIVE")
        .option("columnNameOfCorruptRecord", CORRUPT)
        .option("ignoreCorruptFiles", "true")
        .json([root + key for key in keys])
        .withColumn("_object", F.substring_index("_metadata.file_path", "/", -_KEY_PARTS))
    )


def lines(raw: DataFrame, redelivered: Mapping[str, Iterable[tuple[int, int]]]) -> DataFrame:
    """Decodes raw lines.

    Args:
        raw: as ``read_objects`` gives it.
        redelivered: {object: stretches of sequence numbers (both ends within) that objects
            already processed hold}, see ``voxlake.ledger.rules.overlaps``.

    Returns:
        One row a line: the contract's fields flat (times as timestamps), and
        ``_object``; ``_type``: event type it counts as (``unknown`` where unreadable);
        ``_table``: table it belongs into; ``_id``: what makes it the same row again;
        ``_covered``: whether it was delivered before; ``dt``.
    """
    marked = raw.select(
        "*",
        F.substring_index("_object", "/", 1).alias("_kind"),
        instant(F.col("arrival")).alias("_arrival"),
        instant(F.col("event.occurred_at")).alias("_occurred"),
    ).withColumn("_problem", _problem())
    readable = F.col("_problem").isNull()
    is_event = readable & (F.col("_kind") != QUARANTINE_KIND)
    found = marked.select(
        "_object",
        *_delivery(readable),
        *_reason(readable, is_event),
        _type(readable, is_event).alias("_type"),
        _table(is_event).alias("_table"),
        F.col("_occurred").alias("occurred_at"),
        *[
            F.col(f"event.{name}").alias(name)
            for name in ENVELOPE
            if name not in ("event_id", "occurred_at")
        ],
        *[F.col(f"event.body.{name}").alias(name) for name in body_fields().names],
    ).withColumn("joined_at", F.col("joined_at").cast("timestamp"))
    is_event_row = F.col("_table") != _QUARANTINE_TABLE
    found = found.withColumn(
        "dt",
        F.when(is_event_row, F.col("occurred_at"))
        .otherwise(F.col("arrival"))
        .cast("date")
        .cast("string"),
    ).withColumn("_id", F.when(is_event_row, F.col("event_id")).otherwise(quarantine_id()))
    return _covered(found, redelivered)


def instant(text: Column) -> Column:
    """``text.cast("timestamp")``, for half of what it costs where the text is a time in UTC.

    Spark compiles two regular expressions for each zone it meets; without one it takes the
    session's, which is UTC (see session.py).
    """
    bare = F.when(text.rlike(_UTC_TEXT), F.substring_index(text, "Z", 1)).otherwise(text)
    return bare.cast("timestamp")


def quarantine_id() -> Column:
    """Identity of a quarantined record: shard and sequence, else the line its detail names."""
    by_line = F.regexp_extract("detail", r"line (\S+)$", 1)
    return F.coalesce(F.concat("shard", F.lit("/"), "sequence"), by_line)


def _problem() -> Column:
    """What keeps a line from being used; null where nothing does."""
    is_quarantine = F.col("_kind") == QUARANTINE_KIND
    found = F.when(F.col(CORRUPT).isNotNull(), F.lit("not the JSON of a landing line"))
    for name, bad in {
        "shard": F.col("shard").isNull(),
        "sequence": ~F.coalesce(F.col("sequence").rlike(r"^[0-9]{1,60}$"), F.lit(False)),
        "arrival": F.col("_arrival").isNull(),
        "reason": is_quarantine & F.col("reason").isNull(),
        "event.event_id": ~is_quarantine & F.col("event.event_id").isNull(),
        "event.event_type": ~is_quarantine & ~F.col("event.event_type").eqNullSafe(F.col("_kind")),
        "event.occurred_at": ~is_quarantine & F.col("_occurred").isNull(),
        "event.author_id": ~is_quarantine & F.col("event.author_id").isNull(),
    }.items():
        found = found.when(bad, F.lit(f"{name} missing or unusable"))
    return found


def _delivery(readable: Column) -> list[Column]:
    """Arrival, shard and sequence; of an unreadable line what it and its object's key tell."""
    in_text = F.regexp_extract(CORRUPT, r'"sequence"\s*:\s*"([0-9]{1,60})"', 1)
    sequence = F.coalesce("sequence", F.when(in_text != "", in_text))
    of_key = F.regexp_extract("_object", r"/([^/]+)-[0-9]+-[0-9]+\.json\.gz$", 1)
    hour = F.concat(
        F.regexp_extract("_object", "ingest_date=([^/]+)", 1),
        F.lit(" "),
        F.regexp_extract("_object", "ingest_hour=([^/]+)", 1),
        F.lit(":00:00"),
    )
    return [
        F.coalesce(F.col("_arrival"), hour.cast("timestamp")).alias("arrival"),
        F.coalesce("shard", of_key).alias("shard"),
        F.when(readable, F.col("sequence"))
        .when(sequence.rlike(r"^[0-9]{1,60}$"), sequence)
        .alias("sequence"),
    ]


def _reason(readable: Column, is_event: Column) -> list[Column]:
    unreadable = F.lit(QuarantineReason.UNREADABLE_LINE.value)
    where = F.concat(F.col("_problem"), F.lit("; line "), F.col("_object"), F.lit(":"), _digest())
    return [
        F.when(is_event, F.col("event.event_id"))
        .when(readable, F.col("event_id"))
        .alias("event_id"),
        F.when(readable, F.col("reason")).otherwise(unreadable).alias("reason"),
        F.when(readable, F.col("field")).otherwise(F.lit("")).alias("field"),
        F.when(is_event, F.col("_kind"))
        .when(readable, F.col("event_type"))
        .otherwise(F.lit(UNKNOWN_EVENT_TYPE))
        .alias("event_type"),
        F.when(readable, F.col("detail")).otherwise(where).alias("detail"),
    ]


def _digest() -> Column:
    """What tells unreadable lines of an object apart without keeping their text."""
    text = F.coalesce(CORRUPT, F.to_json(F.struct("shard", "sequence", "arrival")))
    return F.substring(F.sha2(text, 256), 1, 16)


def _type(readable: Column, is_event: Column) -> Column:
    known = F.when(F.col("event_type").isin(*TABLE_OF_EVENT_TYPE), F.col("event_type"))
    of_line = F.when(is_event, F.col("_kind")).when(readable, known)
    return F.coalesce(of_line, F.lit(UNKNOWN_EVENT_TYPE))


def _table(is_event: Column) -> Column:
    tables = F.create_map(*[F.lit(part) for pair in TABLE_OF_EVENT_TYPE.items() for part in pair])
    return F.coalesce(F.when(is_event, tables[F.col("_kind")]), F.lit(_QUARANTINE_TABLE))


def _covered(found: DataFrame, redelivered: Mapping[str, Iterable[tuple[int, int]]]) -> DataFrame:
    stretches = [
        (
            key,
            [
                (str(first).zfill(SEQUENCE_DIGITS), str(last).zfill(SEQUENCE_DIGITS))
                for first, last in of_key
            ],
        )
        for key, of_key in redelivered.items()
    ]
    if not stretches:
        return found.withColumn("_covered", F.lit(False))
    # Sequence numbers have up to 56 digits, more than Spark's decimals: padded text compares.
    known = found.sparkSession.createDataFrame(
        stretches, "_object STRING, _done ARRAY<STRUCT<first: STRING, last: STRING>>"
    )
    padded = F.lpad("sequence", SEQUENCE_DIGITS, "0")
    within = F.exists("_done", lambda done: padded.between(done["first"], done["last"]))
    return (
        found.join(F.broadcast(known), "_object", "left")
        .withColumn("_covered", F.coalesce(within, F.lit(False)))
        .drop("_done")
    )
