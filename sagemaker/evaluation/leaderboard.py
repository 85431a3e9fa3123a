"""Measures every packaged model on every set and writes the leaderboard into docs/models.md.

`python sagemaker/evaluation/leaderboard.py` reads the models in sagemaker/models/ and the dev
splits under $VOXLAKE_DATA (data/ if unset); it writes each model's metrics.json and, between the
page's two marks, the tables. What stands outside the marks is written by hand and stays.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import statistics
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

if (checkout := Path(__file__).resolve().parents[2] / "voxlake").is_dir():
    sys.path.insert(0, str(checkout.parent))

from voxlake.errors import VoxlakeError
from voxlake.scoring.judged import Judged, load_judged
from voxlake.scoring.metrics import PRIMARY

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
MODELS = REPOSITORY / "sagemaker" / "models"
PAGE = REPOSITORY / "docs" / "models.md"
BEGIN, END = "<!-- leaderboard: voxlake evaluate --all -->", "<!-- end of leaderboard -->"

# The sets of each task whose dev is measured.
SETS = {
    "sentiment": ("tweeteval_sentiment", "airline"),
    "emotions": ("semeval2018_ec",),
    "main_emotion": ("tweeteval_emotion",),
    "entities": ("btc", "wnut17"),
    "complaint_reason": ("airline",),
    "next_word": ("tweeteval_sentiment",),
    "topics": ("tweeteval_sentiment",),
}
# (task, set, model, figures, source); measured by their authors on the sets' test splits.
_TWEETEVAL = "TweetEval's leaderboard: Barbieri et al. 2020, Loureiro et al. 2022"
PUBLISHED = (
    ("sentiment", "tweeteval_sentiment", "RoBERTa-base", {"macro_recall": 0.713}, _TWEETEVAL),
    ("sentiment", "tweeteval_sentiment", "BERTweet", {"macro_recall": 0.734}, _TWEETEVAL),
    ("sentiment", "tweeteval_sentiment", "TimeLM-21", {"macro_recall": 0.737}, _TWEETEVAL),
    ("main_emotion", "tweeteval_emotion", "BERTweet", {"macro_f1": 0.793}, _TWEETEVAL),
    ("main_emotion", "tweeteval_emotion", "TimeLM-21", {"macro_f1": 0.802}, _TWEETEVAL),
    (
        "emotions",
        "semeval2018_ec",
        "SpanEmo",
        {"jaccard": 0.601, "micro_f1": 0.713, "macro_f1": 0.578},
        "Alhuzali and Ananiadou 2021",
    ),
    ("entities", "wnut17", "best of the shared task", {"f1": 0.42}, "Derczynski et al. 2017"),
)
FIGURES = {
    "sentiment": ("macro_recall", "macro_f1", "accuracy"),
    "main_emotion": ("macro_f1", "macro_recall", "accuracy"),
    "complaint_reason": ("macro_f1", "macro_recall", "accuracy"),
    "emotions": ("jaccard", "micro_f1", "macro_f1"),
    "entities": ("f1", "precision", "recall"),
    "next_word": ("perplexity",),
    "topics": ("c_npmi",),
}


class LeaderboardError(VoxlakeError):
    """There is nothing to measure, or the page has no place for it."""


def dev_file(name: str) -> Path | None:
    """The dev split of a data set, or None where it is not there."""
    folder = Path(os.environ.get("VOXLAKE_DATA", "data")) / name
    found = (folder / f"dev{suffix}" for suffix in (".jsonl.gz", ".jsonl"))
    return next((path for path in found if path.is_file()), None)


def measured(model: Judged, evaluation: ModuleType) -> list[dict]:
    """The figures of a model on every set that is there."""
    return [
        evaluation.evaluate(model, f"{name}-dev", file, task)
        for task in SETS
        if task in model.tasks
        for name in SETS[task]
        if (file := dev_file(name))
    ]


def tables(sets: Iterable[dict], seeds: dict[str, dict], costs: dict[str, dict]) -> str:
    """The page's part in Markdown.

    sets: figures of all models. seeds: by model id, {set: [main figure of each seed]}. costs: by
    model id, what speed.py gives.
    """
    sets = list(sets)
    parts: list[str] = []
    sources: dict[str, None] = {}
    for task, figures in FIGURES.items():
        rows = [one for one in sets if one["task"] == task]
        if not rows:
            continue
        parts += [f"### {task}", "", _header(("set", "model", "texts", *figures, "three seeds"))]
        lower = PRIMARY[task] == "perplexity"
        for name in SETS[task]:
            here = [one for one in rows if one["data"] == f"{name}-dev"]
            here.sort(key=lambda one: one[PRIMARY[task]] * (1 if lower else -1))
            for one in here:
                shown = [f"{one[figure]:.4f}" for figure in figures]
                spread = _spread(seeds.get(one["model"], {}).get(one["data"]))
                parts.append(_row((one["data"], one["model"], f"{one['n']:,}", *shown, spread)))
            for _, _, model, known, source in _published(task, name):
                shown = [f"{known[f]:.3f}" if f in known else "" for f in figures]
                parts.append(_row((f"{name}, test", f"*{model}*", "", *shown, "")))
                sources[source] = None
        parts.append("")
    if sources:
        parts += [
            "In italics: published, measured by their authors on the test splits, which are not "
            f"the dev splits measured here ({'; '.join(sources)}).",
            "",
        ]
    columns = ("model", "size, MB", "texts/s", "p50, ms", "p99, ms", "cold start, s")
    parts += ["### What they cost", "", _header(columns)]
    for model, cost in sorted(costs.items()):
        names = ("size_mb", "texts_s", "p50_ms", "p99_ms", "cold_start_s")
        parts.append(_row((model, *(f"{cost[name]:,}" for name in names))))
    return "\n".join(parts) + "\n"


def written(page: str, part: str) -> str:
    """The page with the part between its marks. Raises LeaderboardError where they are not."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise LeaderboardError(f"expected the lines {BEGIN} and {END} in {PAGE.name}, found none")
    return f"{before}{BEGIN}\n\n{part}\n{END}{after}"


def _published(task: str, name: str) -> list[tuple]:
    return [one for one in PUBLISHED if one[:2] == (task, name)]


def _spread(values: list[float] | None) -> str:
    if not values or len(values) < 2:
        return ""
    return f"{statistics.mean(values):.4f} ± {statistics.stdev(values):.4f}"


def _header(names: Iterable[str]) -> str:
    names = tuple(names)
    return f"{_row(names)}\n{_row('---' for _ in names)}"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _sibling(name: str) -> ModuleType:
    # By path: nothing may import `sagemaker` as a package.
    spec = importlib.util.spec_from_file_location(f"voxlake_{name}", HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _seeds(folder: Path) -> dict[str, list[float]]:
    path = folder / "seeds.json"
    return json.loads(path.read_text())["sets"] if path.is_file() else {}


def _machine() -> str:
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        text = info.read_text()
        names = [
            line.split(":", 1)[1].strip() for line in text.splitlines() if "model name" in line
        ]
        cpu = f"{names[0]}{', with' if 'vnni' in text else ', without'} VNNI" if names else cpu
    return cpu


def main(argv: list[str] | None = None) -> None:
    """Measures, writes each model's metrics.json, and the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, default=MODELS, help="a folder of model folders")
    parser.add_argument("--page", type=Path, default=PAGE)
    args = parser.parse_args(argv)
    evaluation, speed = _sibling("evaluate"), _sibling("speed")
    page = args.page.read_text()
    written(page, "")
    sets, seeds, costs = [], {}, {}
    for folder in sorted(path for path in args.models.iterdir() if path.is_dir()):
        model = load_judged(folder)
        found = measured(model, evaluation)
        if not found:
            print(f"{model.id}: no data for {', '.join(model.tasks)}; left out", file=sys.stderr)
            continue
        for figures in found:
            print(f"{model.id} on {evaluation.in_short(figures)}", file=sys.stderr, flush=True)
        document = {"model": model.id, "sets": found}
        (folder / "metrics.json").write_text(json.dumps(document, indent=2) + "\n")
        sets += found
        seeds[model.id] = _seeds(folder)
        task, name = found[0]["task"], found[0]["data"].removesuffix("-dev")
        if task != "topics":
            costs[model.id] = speed.measure(folder, task, dev_file(name))
    if not sets:
        raise LeaderboardError(
            "expected data sets under $VOXLAKE_DATA (or data/), found none: `voxlake data get`"
        )
    note = f"One core of {_machine()}; batches of 32 sorted by length.\n"
    args.page.write_text(written(page, f"{tables(sets, seeds, costs)}\n{note}"))
    print(f"wrote {args.page}", file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except VoxlakeError as error:
        sys.exit(f"leaderboard: {error}")
