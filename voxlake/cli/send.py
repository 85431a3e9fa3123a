"""`send`: puts a file's lines on the stream, at once or as live traffic."""

from __future__ import annotations

import gzip
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from voxlake.cli.options import Json, Stage, err, out, print_json
from voxlake.cli.target import Target
from voxlake.errors import VoxlakeError

MAX_RECORDS = 500  # a PutRecords request's limits
MAX_REQUEST_BYTES = 5 * 1024 * 1024
MAX_RECORD_BYTES = 1024 * 1024  # data plus partition key
MAX_ATTEMPTS = 8


class SendError(VoxlakeError):
    """The file cannot be read, the rate cannot be understood, or the stream keeps refusing."""


@dataclass
class Sent:
    """What became of a file's lines."""

    lines: int = 0
    records: int = 0
    unreadable: int = 0
    refused: list[dict] = field(default_factory=list)
    seconds: float = 0.0

    def to_dict(self) -> dict:
        return {
            "lines": self.lines,
            "records": self.records,
            "unreadable": self.unreadable,
            "refused": self.refused,
            "seconds": round(self.seconds, 2),
        }


def send(
    file: Annotated[
        str, typer.Argument(help="JSON lines or plain text, .gz or not; - is standard input.")
    ],
    rate: Annotated[
        str, typer.Option(help="As live traffic, for example 50/s; without it, at once.")
    ] = "",
    wait: Annotated[
        bool, typer.Option("--wait", help="Return when the consumer has landed it all.")
    ] = False,
    stage: Stage = "local",
    json_: Json = False,
) -> None:
    """Puts a file on the stream: a line {id, text, created_at, author} becomes a post.

    A line that is already an event of the contract goes as it is; plain text becomes a post of now.
    An unreadable line goes too, and ends in quarantine with its reason.

    Example: voxlake send tweets.jsonl.gz --rate 50/s
    """
    target = Target(stage)
    before = landed_records(target) if wait else 0
    sent = send_file(target, file, per_second=parse_rate(rate), progress=not json_)
    if wait:
        wait_until_landed(target, before + sent.records)
    if json_:
        print_json(sent.to_dict())
    else:
        out.print(
            f"{sent.lines:,} lines read, {sent.records:,} records put on the stream "
            f"in {sent.seconds:.1f} s"
        )
        if sent.unreadable:
            out.print(
                f"{sent.unreadable:,} lines could not be read: sent as they are, for quarantine"
            )
        for refused in sent.refused[:10]:
            err.print(f"line {refused['line']}: {refused['reason']}")
    if sent.refused:
        raise SendError(
            f"{len(sent.refused)} of {sent.lines} lines were not sent: split or shorten them"
        )


def parse_rate(rate: str) -> float | None:
    """`50/s`, `600/m` or a plain number a second -> records a second; empty -> None."""
    if not rate:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(?:/(s|m))?", rate)
    if not match or float(match[1]) == 0:
        raise SendError(f"expected a rate like 50/s or 600/m, found {rate!r}")
    return float(match[1]) / (60 if match[2] == "m" else 1)


def send_file(
    target: Target, file: str, *, per_second: float | None = None, progress: bool = True
) -> Sent:
    """Sends every line; returns what became of them. Raises SendError when the stream refuses."""
    from rich.progress import (
        BarColumn,
        Progress,
        SpinnerColumn,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    sent = Sent()
    began = time.monotonic()
    client, stream = target.client("kinesis"), target.output("EventStream")
    with (
        open_lines(file) as (raw, size),
        Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=err,
            transient=True,
            disable=not progress or not sys.stderr.isatty(),
        ) as bar,
    ):
        task = bar.add_task("Sending", total=size or None)
        limit = MAX_RECORDS if per_second is None else max(1, min(MAX_RECORDS, int(per_second)))
        for batch in batches(entries(raw, file, sent), limit):
            put(client, stream, batch)
            sent.records += len(batch)
            bar.update(task, completed=raw.tell(), description=f"Sent {sent.records:,}")
            if per_second:
                pause = began + sent.records / per_second - time.monotonic()
                time.sleep(max(0.0, pause))
    sent.seconds = time.monotonic() - began
    return sent


class _Input:
    """A file opened for lines: iterates decoded-or-not byte lines, tells the bytes read so far."""

    def __init__(self, name: str):
        if name == "-":
            self.raw: BinaryIO = sys.stdin.buffer
            self.size = 0
        else:
            try:
                self.raw = Path(name).open("rb")  # noqa: SIM115 (closed by __exit__)
            except OSError as error:
                raise SendError(f"cannot read {name}: {error.strerror}") from None
            self.size = Path(name).stat().st_size
        zipped = name != "-" and self.raw.peek(2)[:2] == b"\x1f\x8b"  # type: ignore[attr-defined]
        self.lines = gzip.GzipFile(fileobj=self.raw) if zipped else self.raw

    def __enter__(self):
        return self, self.size

    def __exit__(self, *_exc):
        if self.raw is not sys.stdin.buffer:
            self.raw.close()

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self.lines
        except (EOFError, gzip.BadGzipFile, OSError) as error:
            raise SendError(f"the file ends in the middle or is damaged: {error}") from None

    def tell(self) -> int:
        return self.raw.tell() if self.size else 0


open_lines = _Input


def entries(raw, name: str, sent: Sent) -> Iterator[dict]:
    """PutRecords entries for the lines of `raw`; counts lines, unreadable and oversized ones."""
    from voxlake.sources.lines import BadLine, events_from_lines

    current = b""

    def counted() -> Iterator[bytes]:
        nonlocal current
        for current in raw:
            sent.lines += 1
            yield current

    for event in events_from_lines(counted(), name=Path(name).name, received_at=datetime.now(UTC)):
        if isinstance(event, BadLine):
            sent.unreadable += 1
            data, key = current.rstrip(b"\r\n"), "unreadable"
        else:
            data = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode(
                "utf-8", "backslashreplace"
            )
            key = str(event.get("author_id") or event.get("event_id") or "none")[:256]
        if len(data) + len(key.encode()) > MAX_RECORD_BYTES:
            reason = f"{len(data):,} bytes are more than a record's 1 MiB"
            sent.refused.append({"line": sent.lines, "reason": reason})
            continue
        yield {"Data": data, "PartitionKey": key}


def batches(entries: Iterator[dict], max_records: int) -> Iterator[list[dict]]:
    """Groups entries within the limits of one PutRecords request."""
    batch: list[dict] = []
    size = 0
    for entry in entries:
        length = len(entry["Data"]) + len(entry["PartitionKey"].encode())
        if batch and (len(batch) == max_records or size + length > MAX_REQUEST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += length
    if batch:
        yield batch


def put(
    client, stream: str, batch: list[dict], sleep: Callable[[float], None] = time.sleep
) -> None:
    """One PutRecords, its refused entries sent again with growing pauses, order within them kept.

    Raises SendError when some are still refused after the last attempt.
    """
    code = ""
    for attempt in range(MAX_ATTEMPTS):
        answer = client.put_records(StreamName=stream, Records=batch)
        if not answer["FailedRecordCount"]:
            return
        failed = [i for i, r in enumerate(answer["Records"]) if r.get("ErrorCode")]
        code = answer["Records"][failed[0]]["ErrorCode"]
        batch = [batch[i] for i in failed]
        sleep(min(5.0, 0.1 * 2**attempt))
    raise SendError(
        f"the stream refused {len(batch)} records {MAX_ATTEMPTS} times ({code}): "
        "send slower with --rate"
    )


def landed_records(target: Target) -> int:
    """Records that the consumer has landed or quarantined so far, by the ledger's objects."""
    pages = (
        target.client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=target.output("LedgerTable"),
            FilterExpression="begins_with(pk, :object)",
            ExpressionAttributeValues={":object": {"S": "OBJECT#"}},
            ProjectionExpression="records",
        )
    )
    return sum(int(item["records"]["N"]) for page in pages for item in page["Items"])


def wait_until_landed(target: Target, records: int, *, timeout: float = 300) -> int:
    """Polls the ledger until `records` have landed; returns how many have.

    Raises SendError when the count does not move for `timeout` seconds.
    """
    best, deadline = -1, time.monotonic() + timeout
    while True:
        landed = landed_records(target)
        if landed >= records:
            return landed
        if landed > best:
            best, deadline = landed, time.monotonic() + timeout
        elif time.monotonic() > deadline:
            raise SendError(
                f"expected {records:,} records to land, found {landed:,} after {timeout:.0f} s "
                "without progress: look at `voxlake status` and the consumer's log"
            )
        time.sleep(0.3)
