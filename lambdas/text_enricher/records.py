"""A batch of Kinesis records as texts. What the consumer quarantines is skipped here."""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from voxlake.errors import InvalidEventError, TerminalError
from voxlake.events.parse import parse_event
from voxlake.ids import Pseudonymiser
from voxlake.tickets.texts import StreamText, stream_text
from voxlake.trackers import Trackers


class UnexpectedRecordError(TerminalError):
    """The invocation does not hold Kinesis records: the function is wired to something else."""


@dataclass
class Texts:
    """The texts of a batch, in the records' order.

    Attributes:
        sequences: of each text, the sequence number of its record.
        arrivals: of each text, seconds since 1970.
        first: the first record's sequence number, None in an empty batch.
        skipped: records that are no valid event.
    """

    texts: list[StreamText] = field(default_factory=list)
    sequences: list[str] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    first: str | None = None
    skipped: int = 0


def read_texts(
    records: Sequence[Mapping[str, Any]],
    people: Pseudonymiser,
    trackers: Trackers,
    *,
    max_future: timedelta,
) -> Texts:
    """The texts of the records of one invocation.

    Raises:
        UnexpectedRecordError: a record is not a Kinesis record.
    """
    found = Texts()
    for record in records:
        try:
            kinesis = record["kinesis"]
            sequence = kinesis["sequenceNumber"]
            seconds = kinesis["approximateArrivalTimestamp"]
            data = a2b_base64(kinesis["data"])
            arrival = datetime.fromtimestamp(seconds, UTC)
        except (KeyError, TypeError, ValueError) as error:
            raise UnexpectedRecordError(
                f"text_enricher expects Kinesis records, found {error!r}; check the function's "
                "event source mapping"
            ) from error
        found.first = found.first or sequence
        try:
            event = parse_event(data, arrival=arrival, max_future=max_future)
        except InvalidEventError:
            found.skipped += 1
            continue
        text = stream_text(event, arrival, people, trackers)
        if text is not None:
            found.texts.append(text)
            found.sequences.append(sequence)
            found.arrivals.append(seconds)
    return found
