"""Seconds from PutRecords to the ticket and to the score a live page reads, on a laptop cloud.

Starts a laptop cloud of its own in a temporary folder, sends complaints at a steady rate (whatever
is due goes with one PutRecords), and looks for their tickets and scores as web_api does, by the
tables' indexes. Beside it what no such path can do without, measured in the same run: putting
records, waiting for the next look at the shard, scoring one text, looking for the result. On AWS,
Lambda looks at a shard once a second, not ten times: there half a second comes on top of the
median.

    python -m benchmarks.stream_path [--texts 800] [--rate 50] [--goal 2]

Exit status 1 where the median to a ticket or to a score is the goal (seconds) or more.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from boto3.dynamodb.conditions import Key

from localcloud.event_source.poller import POLL_S
from voxlake.cli.target import Target
from voxlake.scoring import load_model
from voxlake.tickets import load_queues
from voxlake.tickets.desk import Desk
from voxlake.tickets.items import BY_STATE
from voxlake.tickets.texts import StreamText
from voxlake.times import format_rfc3339
from voxlake.trackers import load_trackers

ROOT = Path(__file__).resolve().parents[1]
MODELS = ROOT / "sagemaker" / "models"
TRACKER = "united"
LOOK_SECONDS = 0.2
LOOK_BACK = timedelta(seconds=5)
WARM_UP = 10
PATIENCE_SECONDS = 120
TEXT = "@united you lost my bag again, worst airline ever, nobody answers me. Case {}"


@contextmanager
def laptop_cloud() -> Iterator[Target]:
    """The whole template on a laptop cloud in a folder of its own, schedules off."""
    with tempfile.TemporaryDirectory(prefix="voxlake-bench-") as home:
        os.environ["VOXLAKE_HOME"] = home

        def voxlake(*arguments: str) -> None:
            command = [sys.executable, "-m", "voxlake.cli", *arguments]
            subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)

        voxlake("up", "--fresh", "--json")
        try:
            target = Target()
            events = target.client("events")
            for rule in events.list_rules()["Rules"]:
                if rule.get("ScheduleExpression"):
                    events.disable_rule(Name=rule["Name"])
            yield target
        finally:
            voxlake("down")


@dataclass
class Looker:
    """Looks for what is new in an index again and again, and notes when it first saw it.

    Attributes:
        seen: {native id: time.perf_counter()}.
        looks: seconds that each look took.
    """

    table: Any
    index: str
    partition: tuple[str, str]
    sort: str
    seen: dict[str, float] = field(default_factory=dict)
    looks: list[float] = field(default_factory=list)

    def look(self) -> None:
        # Not from the newest on: what two shards write at once may come in another order.
        since = format_rfc3339(datetime.now(UTC) - LOOK_BACK)
        begun = time.perf_counter()
        asked: dict[str, Any] = {
            "IndexName": self.index,
            "KeyConditionExpression": Key(self.partition[0]).eq(self.partition[1])
            & Key(self.sort).gt(since),
            "ProjectionExpression": "native_id",
        }
        while True:
            page = self.table.query(**asked)
            now = time.perf_counter()
            for item in page["Items"]:
                self.seen.setdefault(item["native_id"], now)
            if "LastEvaluatedKey" not in page:
                break
            asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        self.looks.append(now - begun)

    def keep_looking(self, stop: threading.Event) -> None:
        while not stop.wait(LOOK_SECONDS):
            self.look()


def event(number: int, run: str) -> bytes:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return json.dumps(
        {
            "event_id": f"{run}-{number}",
            "event_type": "post",
            "schema_version": 1,
            "source": "api",
            "occurred_at": now,
            "author_id": f"author-{number}",
            "body": {"post_id": f"{run}-{number}", "text": TEXT.format(number), "lang": "en"},
        }
    ).encode()


def send(target: Target, run: str, texts: int, rate: float) -> tuple[dict[str, float], list[float]]:
    """Puts texts as they fall due: {native id: when its PutRecords began}, how long each took."""
    kinesis, stream = target.client("kinesis"), target.output("EventStream")
    begun: dict[str, float] = {}
    took = []
    start = time.perf_counter()
    while len(begun) < texts:
        first = len(begun)
        time.sleep(max(0.0, start + first / rate - time.perf_counter()))
        now = time.perf_counter()
        due = range(first, min(texts, max(first, int((now - start) * rate)) + 1))
        begun |= {f"{run}-{number}": now for number in due}
        records = [{"Data": event(n, run), "PartitionKey": f"author-{n}"} for n in due]
        kinesis.put_records(StreamName=stream, Records=records)
        took.append(time.perf_counter() - now)
    return begun, took


def scoring_seconds(texts: int) -> list[float]:
    """How long the function's own part takes for a text: score it, and say where it belongs."""
    trackers = load_trackers()
    desk = Desk(
        load_model(MODELS / "encoder", threads=1),
        load_model(MODELS / "complaint_reason"),
        load_queues(),
        trackers,
    )
    found = []
    for number in range(texts):
        one = StreamText(
            *(f"e{number}", "post", "2026-03-01", "api", f"p{number}", None, "somebody", "k1_0"),
            *(None, TEXT.format(number), "2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"),
            (TRACKER,),
        )
        begun = time.perf_counter()
        assert desk.cases([one], desk.read([one])), "expected a text that gets a ticket"
        found.append(time.perf_counter() - begun)
    return found[WARM_UP:] or found


def wait_for(names: Iterable[str], lookers: Sequence[Looker]) -> None:
    """Until all have seen these texts."""
    names = set(names)
    deadline = time.perf_counter() + PATIENCE_SECONDS
    while any(names - one.seen.keys() for one in lookers):
        if time.perf_counter() > deadline:
            found = ", ".join(f"{len(names & one.seen.keys())} {one.index}" for one in lookers)
            raise SystemExit(f"expected tickets and scores of {len(names)} texts, found {found}")
        time.sleep(0.1)


def p99(values: list[float]) -> float:
    """By nearest rank."""
    return sorted(values)[max(0, -(-len(values) * 99 // 100) - 1)]


def measure(target: Target, texts: int, rate: float) -> dict[str, list[float]]:
    """Seconds by what was measured."""
    tickets = Looker(target.table("TicketsTable"), BY_STATE, ("state", "open"), "opened_at")
    scores = Looker(target.table("ScoresTable"), "by_tracker", ("tracker", TRACKER), "arrived")
    lookers = (tickets, scores)
    stop = threading.Event()
    threads = [threading.Thread(target=one.keep_looking, args=(stop,)) for one in lookers]
    for thread in threads:
        thread.start()
    try:
        # The first batches find cold workers: a model to load, a client to make.
        for run, count in (("warm", WARM_UP), ("run", texts)):
            begun, took = send(target, run, count, rate)
            wait_for(begun, lookers)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    return {
        "PutRecords to ticket": [tickets.seen[name] - at for name, at in begun.items()],
        "PutRecords to score": [scores.seen[name] - at for name, at in begun.items()],
        "floor: PutRecords": took,
        "floor: next look at the shard": [POLL_S * at / 100 for at in range(101)],
        "floor: scoring a text": scoring_seconds(min(texts, 100)),
        "floor: next look for it": [LOOK_SECONDS * at / 100 for at in range(101)],
        "floor: looking for it": tickets.looks,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--texts", type=int, default=800)
    parser.add_argument("--rate", type=float, default=50.0, help="texts a second")
    parser.add_argument("--goal", type=float, default=2.0, help="seconds")
    options = parser.parse_args()
    with laptop_cloud() as target:
        measured = measure(target, options.texts, options.rate)
    print(f"{options.texts} texts, {options.rate:g}/s{'median':>27} {'p99':>10}")
    for what, values in measured.items():
        print(f"{what:<34} {median(values) * 1000:>7.0f} ms {p99(values) * 1000:>7.0f} ms")
    floor = sum(median(v) for what, v in measured.items() if what.startswith("floor"))
    print(f"{'floor in all':<34} {floor * 1000:>7.0f} ms")
    slow = [what for what in list(measured)[:2] if median(measured[what]) >= options.goal]
    for what in slow:
        print(f"{what}: expected a median below {options.goal:g} s", file=sys.stderr)
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
