"""landing_to_cleansed against a bare Spark read-and-write of the same files, and against growth.

    python benchmarks/landing_to_cleansed.py [--events 1000000] [--rows 10000000] [--rounds 1]
        [--jvm=-XX:TieredStopAtLevel=1]

First: a million events, once through the job and once through nothing but Spark's JSON reader and
Parquet writer (the floor). Second: ten thousand new events into the same three days of a table of
a tenth of the rows and of all of them. Every measurement runs in a process of its own, Spark's
start left out; memory is the peak of the process tree (JVM, driver, Python workers).

Floor and job get the same Java options, those of the laptop's Glue: no optimising compiler.
--jvm=-XX:TieredStopAtLevel=4 has it, as AWS; with 250,000 events both take 1.7 times the processor
time then.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

JVM_OPTIONS = "-XX:TieredStopAtLevel=1"  # as localcloud/glue/spark.py
GOAL_RATIO, GOAL_MEMORY_MB = 2.0, 3072
DRIVER_MEMORY = "1800m"
BATCH = 40_000  # objects of some megabytes, as a busy stream's
FLOOR_DAYS = 14
ROWS_EACH_DAY = 100_000
NEW_EVENTS = 10_000
NEW_DAYS = 3
START = datetime(2026, 1, 1, tzinfo=UTC)
TYPES = ("post",) * 8 + ("comment",) * 5 + ("interaction",) * 4 + ("message",) * 2 + ("profile",)
WORDS = tuple(
    word
    for line in (
        "the flight was late again and nobody told us anything great service thanks love this",
        "coffee why is my card declined three times today still waiting for an answer from support",
        "really bad food but friendly crew would fly again tomorrow best game of the year",
    )
    for word in line.split()
)
EXTRAS = (
    "@auroraair",
    "@brightbank",
    "@someone",
    "#fail",
    "\U0001f600",
    "&amp;",
    "caf\u00e9",
    "https://example.org/x",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
)


def events(count: int, days: int, seed: int, prefix: str):
    """Seeded events over some days: 3% repeat an earlier one."""
    from tests.unit.glue.kit import event

    rng = random.Random(seed)
    recent: list[dict] = []
    for number in range(count):
        if recent and rng.random() < 0.03:
            yield rng.choice(recent)
            continue
        kind = rng.choice(TYPES)
        body: dict = {}
        if kind in ("post", "comment", "message"):
            body["text"] = " ".join((*rng.choices(WORDS, k=14), rng.choice(EXTRAS)))
        if kind == "post":
            body |= {
                "lang": "en",
                "like_count": rng.randrange(500),
                "hashtags": ["one", "two"],
                "mentions": ["auroraair", f"u{rng.randrange(10_000)}"],
            }
        at = START + timedelta(seconds=rng.randrange(days * 86_400))
        made = event(
            f"{prefix}{number:09}",
            kind,
            at=at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            author=f"author{int(rng.paretovariate(1.1)) % 50_000}",
            **body,
        )
        if len(recent) < 2_000:
            recent.append(made)
        else:
            recent[rng.randrange(2_000)] = made
        yield made


def land(lake, source) -> None:
    """Lands events in batches, as the consumer would: a thousand a second."""
    from tests.unit.glue.kit import Record

    arrival = START + timedelta(days=FLOOR_DAYS + 1)
    batch: list[Record] = []
    for number, one in enumerate(source, start=1):
        batch.append(Record(number, one, arrival + timedelta(milliseconds=number)))
        if len(batch) == BATCH:
            lake.land(batch)
            batch = []
    lake.land(batch)


def grown_table(lake, days: int) -> None:
    """Fills posts with days of equal rows: one written by Spark, the others linked to it."""
    from pyspark.sql import functions as F

    from glue_jobs.common.frames import table_columns
    from glue_jobs.common.session import spark_session
    from voxlake.ledger import items
    from voxlake.tables import TABLES

    table = TABLES["posts"]
    spark = spark_session("grown table")
    at = F.timestamp_micros(F.lit(int(START.timestamp() * 1e6)))
    made = {
        "event_id": F.concat(F.lit("old"), F.col("id")),
        "schema_version": F.lit(1),
        "source": F.lit("mock"),
        "occurred_at": at,
        "arrival": at,
        "author_id": F.concat(
            F.lit("k1_"), F.substring(F.sha2(F.col("id").cast("string"), 256), 1, 24)
        ),
        "post_id": F.concat(F.lit("p"), F.col("id")),
        "shard": F.lit("shardId-000000000009"),
        "text": F.concat(F.lit(" ".join(WORDS[:12]) + " "), F.sha1(F.col("id").cast("string"))),
        "sequence": F.col("id").cast("string"),
    }
    rows = spark.range(ROWS_EACH_DAY).select(
        *[
            made.get(column.name, F.lit(None)).cast(column.type).alias(column.name)
            for column in table.columns
        ]
    )
    folder = lake.folder / "seed"
    rows.select(*table_columns(table)).coalesce(1).write.parquet(folder.as_uri())
    (file,) = folder.glob("*.parquet")
    for day in range(days):
        dt = (START + timedelta(days=day)).strftime("%Y-%m-%d")
        location = lake.lake.location(table, dt, "seed-0000")
        target = Path(location.removeprefix("file://"))
        target.mkdir(parents=True)
        os.link(file, target / file.name)
        lake.ledger.publish(
            items.version_item(
                database=lake.lake.database(table),
                table=table.name,
                dt=dt,
                version="seed-0000",
                location=location,
                rows=ROWS_EACH_DAY,
                size_bytes=file.stat().st_size,
                files=1,
                run_id="seed",
                published_at="2026-01-01T00:00:00.000000Z",
            )
        )


def child_floor(lake) -> float:
    """Reads each kind with its schema and writes it by day: seconds."""
    from pyspark.sql import functions as F

    from glue_jobs.common.session import spark_session
    from voxlake.events.landing import landing_event_spark_schema
    from voxlake.tables import TABLE_OF_EVENT_TYPE

    spark = spark_session("floor")
    begun = time.perf_counter()
    for kind, table in TABLE_OF_EVENT_TYPE.items():
        rows = spark.read.schema(landing_event_spark_schema(kind)).json(
            f"{lake.lake.landing}{kind}/"
        )
        flat = (
            rows.select("event.*", "arrival", "shard", "sequence")
            .select("*", "body.*")
            .drop("body")
        )
        (
            flat.withColumn("occurred_at", F.col("occurred_at").cast("timestamp"))
            .withColumn("arrival", F.col("arrival").cast("timestamp"))
            .withColumn("dt", F.col("occurred_at").cast("date").cast("string"))
            .write.mode("overwrite")
            .partitionBy("dt")
            .parquet((lake.folder / "floor" / table).as_uri())
        )
    return time.perf_counter() - begun


def child_job(lake, run_id: str) -> float:
    """One run of the job: seconds."""
    from glue_jobs.common.session import spark_session

    spark_session("job")
    begun = time.perf_counter()
    lake.cleanse(run_id)
    return time.perf_counter() - begun


@dataclass(frozen=True)
class Cost:
    """Wall seconds, processor seconds (Spark's start among these), peak memory in MiB."""

    seconds: float
    cpu_seconds: float
    memory_mb: int

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s ({self.cpu_seconds:.0f} s of processor)"


def measured(folder: Path, prefix: str, *what: str) -> Cost:
    """What a child doing one of the above costs."""
    command = [sys.executable, str(Path(__file__)), "--child", str(folder), prefix, *what]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
    peaks = [0.0, 0]
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.2):
            peaks[:] = map(max, peaks, tree_usage(child.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    out, _ = child.communicate()
    stop.set()
    watcher.join()
    if child.returncode:
        raise SystemExit(
            f"expected {' '.join(what)} to succeed, found exit status "
            f"{child.returncode}; its messages are above"
        )
    return Cost(json.loads(out.splitlines()[-1])["seconds"], peaks[0], peaks[1])


def tree_usage(root: int) -> tuple[float, int]:
    """Processor seconds and memory (MiB, shared pages counted once) of a process and all below."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    names: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            names[int(entry.name)] = stat[stat.index("(") + 1 : stat.rindex(")")]
            fields = stat.rpartition(")")[2].split()
            parents[int(entry.name)] = int(fields[1])
            ticks[int(entry.name)] = sum(map(int, fields[11:15]))
    total = spent = 0
    for pid in parents:
        above = pid
        while above not in (0, root):
            above = parents.get(above, 0)
        if above == root:
            spent += ticks[pid]
            if names[pid] == names.get(parents[pid]) == "java":
                continue  # about to become a command (Hadoop's chmod), still in its parent's memory
            try:
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError:
                continue
            total += next(
                int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")
            )
    return spent / os.sysconf("SC_CLK_TCK"), total // 1024


def main() -> None:
    """Measures and prints; exit status 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--jvm", default=JVM_OPTIONS, help="options of the Java machine")
    options = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)

    from moto.server import ThreadedMotoServer

    from tests.unit.glue import kit

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    scratch = Path(tempfile.mkdtemp(prefix="voxlake-bench-"))
    os.environ.update(kit.aws_environment(f"http://{host}:{port}"))
    os.environ.update(
        kit.spark_environment(scratch / "spark", REPOSITORY, DRIVER_MEMORY, options.jvm)
    )
    try:
        missed = against_floor(scratch, options.events, options.rounds)
        missed += against_growth(scratch, options.rows)
    finally:
        server.stop()
        shutil.rmtree(scratch)
    raise SystemExit(1 if missed else 0)


def against_floor(scratch: Path, count: int, rounds: int) -> int:
    from tests.unit.glue.kit import LakeKit

    floors, jobs = [], []
    for at in range(rounds):
        folder = scratch / f"floor{at}"
        folder.mkdir()
        lake = LakeKit(folder).create()
        land(lake, events(count, FLOOR_DAYS, 7, "e"))
        floors.append(measured(folder, lake.prefix, "floor"))
        jobs.append(measured(folder, lake.prefix, "job", "bench-1"))
        shutil.rmtree(folder)
    floor, job = (min(costs, key=lambda cost: cost.seconds) for costs in (floors, jobs))
    ratio, memory = job.seconds / floor.seconds, max(cost.memory_mb for cost in jobs)
    met = ratio <= GOAL_RATIO and memory <= GOAL_MEMORY_MB
    print(
        f"{count:,} events: bare read and write {floor}, job {job}: {ratio:.2f} times (goal "
        f"{GOAL_RATIO}); peak memory {memory} MiB (goal {GOAL_MEMORY_MB})"
        f"{'' if met else '  MISSED'}",
        flush=True,
    )
    return not met


def against_growth(scratch: Path, rows: int) -> int:
    from tests.unit.glue.kit import LakeKit

    costs: dict[int, Cost] = {}
    for size in (rows // 10, rows):
        folder = scratch / f"grown{size}"
        folder.mkdir()
        lake = LakeKit(folder).create()
        measured(folder, lake.prefix, "grow", str(max(NEW_DAYS, size // ROWS_EACH_DAY)))
        land(
            lake,
            (
                one
                for one in events(3 * NEW_EVENTS, NEW_DAYS, 11, "new")
                if one["event_type"] == "post"
            ),
        )
        costs[size] = measured(folder, lake.prefix, "job", "bench-1")
        shutil.rmtree(folder)
    small, large = (cost.seconds for cost in costs.values())
    met = large <= 1.5 * small
    print(
        f"about {NEW_EVENTS:,} new events into {NEW_DAYS} days of {ROWS_EACH_DAY:,} rows: "
        + ", ".join(f"table of {size:,} rows {cost}" for size, cost in costs.items())
        + f": {large / small:.2f} times{'' if met else '  MISSED'}",
        flush=True,
    )
    return not met


def child(folder: str, prefix: str, what: str, argument: str = "") -> None:
    """What runs in a process of its own."""
    from tests.unit.glue.kit import LakeKit

    lake = LakeKit(Path(folder), prefix)
    seconds = 0.0
    if what == "floor":
        seconds = child_floor(lake)
    elif what == "job":
        seconds = child_job(lake, argument)
    else:
        grown_table(lake, int(argument))
    print(json.dumps({"seconds": seconds}), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:])
    else:
        main()
