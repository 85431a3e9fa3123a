"""Landing objects of which fewer lines could be read than the ledger says they hold."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from glue_jobs.common.errors import ShortReadError
from voxlake.errors import UNKNOWN_EVENT_TYPE
from voxlake.ledger.keys import parse_object_key
from voxlake.quarantine import QuarantineReason

if TYPE_CHECKING:
    import pandas

_CHUNK_BYTES = 1 << 16
_QUARANTINE_TABLE = "quarantine"


class Damage(NamedTuple):
    """A damaged object: key, how many of its lines are lost, what is wrong with it."""

    key: str
    lost: int
    why: str


def find_damage(
    spark: SparkSession, root: str, short: Mapping[str, tuple[int, int]]
) -> list[Damage]:
    """Looks again at objects read short: damaged for good, or only read badly?

    Args:
        short: {key: (lines read, lines the ledger says)}.

    Raises:
        ShortReadError: a sound object was read short (storage failed for a moment). Were it
            taken for damaged, its lines would be lost.
    """
    if not short:
        return []
    looked_at = {
        row["path"]: row
        for row in spark.read.format("binaryFile")
        .load([root + key for key in sorted(short)])
        .select("path", "content")
        .mapInPandas(_look, "path STRING, lines BIGINT, why STRING")
        .collect()
    }
    by_key = {
        key: next(row for path, row in looked_at.items() if path.endswith(key)) for key in short
    }
    sound = {
        key: short[key]
        for key, row in by_key.items()
        if row["why"] is None and row["lines"] > short[key][0]
    }
    if sound:
        raise ShortReadError(sound)
    return [
        Damage(key, expected - found, by_key[key]["why"] or f"holds {found} of {expected} lines")
        for key, (found, expected) in sorted(short.items())
    ]


def lost_lines(like: DataFrame, damaged: list[Damage]) -> DataFrame:
    """A row for each line that a damaged object has lost, shaped as the run's lines.

    The rows are the same whenever the object is read, so that repeating a run adds none.

    Args:
        like: the run's lines with ``_status``.
    """
    rows = []
    for one in damaged:
        parts = parse_object_key(one.key)
        for number in range(1, one.lost + 1):
            where = f"{one.key}:lost#{number}"
            rows.append(
                (
                    one.key,
                    parts.shard,
                    parts.ingest_date,
                    f"{parts.ingest_date} {parts.ingest_hour}:00:00",
                    where,
                    f"the object is damaged ({one.why}); line {where}",
                )
            )
    lost = like.sparkSession.createDataFrame(
        rows, "_object STRING, shard STRING, dt STRING, hour STRING, _id STRING, detail STRING"
    )
    known = {
        "arrival": F.col("hour").cast("timestamp"),
        "reason": F.lit(QuarantineReason.UNREADABLE_LINE.value),
        "field": F.lit(""),
        "event_type": F.lit(UNKNOWN_EVENT_TYPE),
        "_type": F.lit(UNKNOWN_EVENT_TYPE),
        "_table": F.lit(_QUARANTINE_TABLE),
        "_status": F.lit("new"),
    }
    return lost.select(
        *[
            known.get(field.name, F.col(field.name) if field.name in lost.columns else F.lit(None))
            .cast(field.dataType)
            .alias(field.name)
            for field in like.schema
        ]
    )


def _look(batches: Iterator[pandas.DataFrame]) -> Iterator[pandas.DataFrame]:
    import pandas

    for batch in batches:
        looked = [
            (path, *_lines(content))
            for path, content in zip(batch["path"], batch["content"], strict=True)
        ]
        yield pandas.DataFrame(looked, columns=["path", "lines", "why"])


def _lines(content: bytes) -> tuple[int, str | None]:
    """Lines of a gzip object and what is wrong with it, None where nothing is."""
    lines, last = 0, b""
    rest = content
    while True:  # gzip members may follow each other
        member = zlib.decompressobj(wbits=31)
        data = rest
        try:
            while data and not member.eof:
                text = member.decompress(data, _CHUNK_BYTES)
                lines, last = lines + text.count(b"\n"), text[-1:] or last
                data = member.unconsumed_tail
        except zlib.error as error:
            return lines, f"not gzip: {error}" if not lines else f"gzip broken: {error}"
        if not member.eof:
            return lines, "gzip ends early"
        rest = member.unused_data
        if not rest:
            return lines + (last not in (b"", b"\n")), None
