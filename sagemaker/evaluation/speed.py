"""Measures what a model costs: `python sagemaker/evaluation/speed.py --model DIR --task TASK FILE`.

FILE holds labelled texts. Prints {"size_mb", "texts_s", "p50_ms", "p99_ms", "cold_start_s"} as
JSON. One thread: what one core does; in processor seconds, so that other work beside it counts
little.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

if (checkout := Path(__file__).resolve().parents[2] / "voxlake").is_dir():
    sys.path.insert(0, str(checkout.parent))

from voxlake.errors import VoxlakeError

BATCH = 32
TEXTS = 512
SINGLE = 300
COLD_STARTS = 3
_NOT_SERVED = ("metrics.json", "seeds.json", "data.json", "promotion.json", "MODEL_CARD.md")
_ONE_CORE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}


class SpeedError(VoxlakeError):
    """A measuring process failed."""


def measure(folder: Path, task: str, file: Path) -> dict:
    """The costs of a model, measured in processes of their own."""
    command = [sys.executable, __file__, "--model", str(folder), "--task", task, str(file)]
    # The median: the first start of all reads the files from disk.
    cold = [float(_output([*command, "--cold"])) for _ in range(COLD_STARTS)]
    found = json.loads(_output(command))
    return {**found, "cold_start_s": round(statistics.median(cold), 2)}


def _output(command: list[str]) -> str:
    environment = {**os.environ, **_ONE_CORE}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise SpeedError(f"measuring speed ended with exit status {done.returncode}: {last}")
    return done.stdout


def cold_start(folder: Path, task: str) -> float:
    """Seconds from nothing imported to the first text scored; the interpreter's start not in it."""
    start = time.process_time()
    from voxlake.scoring.gold import Gold
    from voxlake.scoring.judged import load_judged

    load_judged(folder).predict(task, [Gold("what a great day, thanks!", None, False)])
    return time.process_time() - start


def warm(folder: Path, task: str, file: Path) -> dict:
    """Texts a second in batches of 32 sorted by length, and milliseconds of single texts."""
    from voxlake.scoring.gold import read_gold
    from voxlake.scoring.judged import load_judged

    model = load_judged(folder)
    rows = read_gold(file, task).rows[:TEXTS]
    ordered = sorted(rows, key=lambda row: len(row.text))
    model.predict(task, rows[:BATCH])
    start = time.process_time()
    for at in range(0, len(ordered), BATCH):
        model.predict(task, ordered[at : at + BATCH])
    rate = len(ordered) / (time.process_time() - start)
    times = []
    for row in rows[:SINGLE]:
        start = time.process_time()
        model.predict(task, [row])
        times.append((time.process_time() - start) * 1000)
    times.sort()
    size = sum(p.stat().st_size for p in folder.rglob("*") if p.name not in _NOT_SERVED)
    return {
        "size_mb": round(size / 1e6, 2),
        "texts_s": round(rate),
        "p50_ms": round(statistics.median(times), 2),
        "p99_ms": round(times[min(len(times) - 1, int(len(times) * 0.99))], 2),
    }


def main(argv: list[str] | None = None) -> None:
    """Prints what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--task", required=True)
    parser.add_argument("--cold", action="store_true", help="print the cold start alone")
    args = parser.parse_args(argv)
    if args.cold:
        print(cold_start(args.model, args.task))
    else:
        print(json.dumps(warm(args.model, args.task, args.file)))


if __name__ == "__main__":
    main()
