"""The encoder's speed as a share of its floor, on one core; its cold start and its size.

The floor is onnxruntime alone: `session.run` over texts that are tokenised and padded already.
What scoring adds is preparation, tokenising, language, decoding. Both run in turn on the same
texts, best of several rounds, so that a busy machine slows both. Times are CPU seconds.

    python -m benchmarks.scoring [--model FOLDER] [--texts 640] [--rounds 3]
    python -m benchmarks.scoring --fuzz 10000        any text is answered: counts what is not
    python -m benchmarks.scoring --other-cpu 300     labels on a CPU without VNNI (needs valgrind)
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from lambdas.common.settings import read_settings
from lambdas.mock_server.mandate import read_mandate
from lambdas.mock_server.settings import Settings
from lambdas.mock_server.traffic import records
from voxlake.cli.score import packaged_model, score_rows
from voxlake.scoring import encoder
from voxlake.scoring.encoder import Encoder
from voxlake.scoring.errors import ModelFileError

BATCH = 32
PACKAGES = (
    "onnxruntime", "tokenizers", "numpy", "py3langid", "flatbuffers", "protobuf", "packaging",
)  # fmt: skip
SCORE_ONE = (
    "import sys; from voxlake.scoring.encoder import Encoder; m = Encoder(sys.argv[1]); "
    "m.score_texts(['I love the new seats, thanks!'], m.heads)"
)
RUN_ONE = (
    "import sys, numpy as np, onnxruntime as o; s = o.InferenceSession(sys.argv[1] + '/model.onnx'"
    ", providers=['CPUExecutionProvider']); one = np.ones((1, 9), dtype=np.int64); "
    "s.run(None, dict.fromkeys(('input_ids', 'attention_mask', 'case_ids'), one))"
)


def mock_texts(count: int) -> list[str]:
    """Texts of the mock network's posts and comments."""
    mandate = read_mandate(
        {"events": count * 4, "hours": 24}, clock=datetime(2026, 2, 24, 12, tzinfo=UTC), seed=7
    )
    texts = []
    for record in records(mandate, read_settings(Settings, {"EVENT_STREAM": "events"})):
        try:
            text = json.loads(record.data)["body"]["text"]
        except (ValueError, KeyError, TypeError):
            continue  # the mock network sends broken records too
        if isinstance(text, str):
            texts.append(text)
    return texts[:count]


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of a call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def floor_batches(model: Encoder, texts: list[str]) -> list[tuple]:
    """(session, outputs, inputs) of each run that scoring these texts needs."""
    runs = []
    for batch in model._batches(texts, range(len(texts))):
        feed = encoder.padded(batch)
        for session, names in model._sessions(model.heads):
            runs.append((session, names, feed))
    return runs


def run_all(runs: list[tuple]) -> None:
    for session, names, feed in runs:
        session.run(names, feed)


def throughput(model: Encoder, texts: list[str], rounds: int) -> None:
    """Prints texts a second at batch 32 and the share of the floor."""
    runs = floor_batches(model, texts)
    ours, floor = [], []
    for _ in range(rounds):
        ours.append(seconds(lambda: score_in_batches(model, texts)))
        floor.append(seconds(lambda: run_all(runs)))
    print(f"scored texts/s at batch {BATCH} {len(texts) / min(ours):,.0f}")
    print(f"floor texts/s {len(texts) / min(floor):,.0f}")
    print(f"share {min(floor) / min(ours):.2f}")


def score_in_batches(model: Encoder, texts: list[str]) -> None:
    """As the batch path does: many texts a call, the model's own batches by length."""
    model.score_texts(texts, model.heads)


def latency(model: Encoder, texts: list[str], rounds: int) -> None:
    """Prints p50 and p99 of one text a call, each text at its best of the rounds."""
    ours, floor = [9.9] * len(texts), [9.9] * len(texts)
    singles = [floor_batches(model, [text]) for text in texts]
    for _ in range(rounds):
        for at, text in enumerate(texts):
            took = seconds(lambda text=text: model.score_texts([text], model.heads))
            ours[at] = min(ours[at], took)
            took = seconds(lambda at=at: run_all(singles[at]))
            floor[at] = min(floor[at], took)
    for name, percentile in (("p50", 50), ("p99", 99)):
        mine, bare = (float(np.percentile(times, percentile)) * 1e3 for times in (ours, floor))
        print(f"{name} of one text {mine:.2f} ms, floor {bare:.2f} ms, ratio {mine / bare:.2f}")


def cold_start(folder: Path, rounds: int) -> None:
    """Prints CPU seconds of a new process to its first score."""
    ours, floor = (
        min(child_seconds(code, folder) for _ in range(rounds)) for code in (SCORE_ONE, RUN_ONE)
    )
    print(f"cold start {ours:.2f} s, floor {floor:.2f} s, ratio {ours / floor:.2f}")


def child_seconds(code: str, folder: Path) -> float:
    """CPU seconds of `python -c code folder`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def size(folder: Path) -> None:
    """Prints what a function needs unzipped: model and packages of this machine."""
    files = [path for path in folder.iterdir() if path.suffix in (".onnx", ".json")]
    model = sum(path.stat().st_size for path in files)
    parts = {
        name: sum(
            path.stat().st_size
            for file in importlib.metadata.files(name) or ()
            if (path := Path(file.locate())).suffix != ".pyc" and path.is_file()
        )
        for name in PACKAGES
    }
    told = ", ".join(f"{name} {parts[name] / 1e6:.0f}" for name in PACKAGES)
    print(f"unzipped {(model + sum(parts.values())) / 1e6:.0f} MB: model {model / 1e6:.0f}, {told}")


PIECES = (
    "great ", "awful!!! ", "@Some_One ", "#Tag", "https://t.co/x ", "\0", "\x1b[31m", "\u202e",
    "שלום ", "مرحبا ", "\ud83d", "\udc00", "😂", "👩‍👩‍👧", "❤️", "🇫🇷", "&amp;", "&amp;lt;3",
    "&#128514;", "&#xD800;", "&bogus;", "ﷺ", "日本語", "é", "e\u0301", "\u200d", "\ufeff", "\u2028",
    "'", '"', "<user>", "k1_0123456789abcdef01234567 ", "Paris ", "NEW YORK ", " ", "\n",
    "\t", "a", "1",
)  # fmt: skip


def fuzzed(count: int, seed: int = 11) -> list[str]:
    """Texts of odd pieces and of any code points; one in a hundred of 100 kB, some of one piece."""
    rng = random.Random(seed)
    texts = []
    for number in range(count):
        if number % 100 == 0:
            texts.append((rng.choice(PIECES) * 100_000)[:100_000])
        elif number % 3 == 0:
            texts.append("".join(chr(rng.randrange(0x110000)) for _ in range(rng.randrange(60))))
        elif number % 7 == 0:
            texts.append(rng.choice(PIECES) * rng.randrange(1, 40))
        else:
            texts.append("".join(rng.choices(PIECES, k=rng.randrange(25))))
    return texts


def fuzz(model: Encoder, count: int) -> None:
    """Scores odd texts as `voxlake score` does. Raises SystemExit when one is not answered."""
    unanswered = wrong = 0
    texts = fuzzed(count)
    for start in range(0, count, 500):
        part = texts[start : start + 500]
        rows = [(at, json.dumps({"id": at, "text": text}).encode()) for at, text in enumerate(part)]
        lines, failed = score_rows(model, rows, model.heads)
        unanswered += failed + len(part) - len(lines)
        for text, line in zip(part, map(json.loads, lines), strict=True):
            entities = line.get("entities", [])
            wrong += any(text[one["start"] : one["end"]] != one["text"] for one in entities)
    print(f"fuzzed texts {count:,}, not answered {unanswered}, entities misplaced {wrong}")
    if unanswered or wrong:
        raise SystemExit(1)


def labels(model: Encoder, texts: list[str]) -> dict[str, list]:
    """{head: what it says of each text}, without the numbers."""
    scores = [model.score_texts([text], model.heads)[0] for text in texts]
    return {head: [score[head] for score in scores] for head in model.heads}


def other_cpu(folder: Path, texts: list[str]) -> None:
    """Prints how often labels agree between this CPU and the one valgrind shows a program.

    That has AVX2 and neither AVX-512 nor VNNI, so onnxruntime takes its slower kernels.
    """
    with tempfile.TemporaryDirectory(prefix="voxlake-cpu-") as work:
        given, told = Path(work) / "texts.json", Path(work) / "labels.json"
        given.write_text(json.dumps(texts))
        child = ["-m", "benchmarks.scoring", "--model", str(folder)]
        subprocess.run(
            ["valgrind", "--tool=none", "-q", sys.executable, *child,
             "--labels", str(given), str(told)],
            check=True,
        )  # fmt: skip
        theirs = json.loads(told.read_text())
    ours = json.loads(json.dumps(labels(Encoder(folder), texts)))
    for head, values in ours.items():
        agree = statistics.fmean(map(lambda a, b: a == b, values, theirs[head]))
        print(f"{head}: {agree:.2%} of {len(texts)} texts agree without VNNI")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--model", type=Path, help="an encoder's folder; the packaged one if unsaid"
    )
    parser.add_argument("--texts", type=int, default=640)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fuzz", type=int, metavar="N")
    parser.add_argument("--other-cpu", type=int, metavar="N")
    parser.add_argument("--labels", nargs=2, type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    folder = arguments.model or packaged_model()
    try:
        model = Encoder(folder)
    except ModelFileError as error:
        raise SystemExit(str(error)) from None
    if arguments.labels:
        given, told = arguments.labels
        told.write_text(json.dumps(labels(model, json.loads(given.read_text()))))
    elif arguments.fuzz:
        fuzz(model, arguments.fuzz)
    elif arguments.other_cpu:
        other_cpu(folder, mock_texts(arguments.other_cpu))
    else:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        texts = mock_texts(arguments.texts)
        throughput(model, texts, arguments.rounds)
        latency(model, texts, arguments.rounds)
        cold_start(folder, arguments.rounds)
        size(folder)


if __name__ == "__main__":
    main()
