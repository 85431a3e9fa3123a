"""Measures a model on labelled texts: `python sagemaker/evaluation/evaluate.py NAME=FILE ...`.

Writes metrics.json, {"model": id, "sets": [figures a data set]} with the figures that
voxlake.scoring.metrics describes, and prints them in short. Any model of this project, any task:
what a row holds tells its task, or --task does.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

if (checkout := Path(__file__).resolve().parents[2] / "voxlake").is_dir():
    # In a checkout; in a processing container the voxlake package lies beside this file.
    sys.path.insert(0, str(checkout.parent))

from voxlake.errors import VoxlakeError
from voxlake.scoring.errors import LabelledDataError
from voxlake.scoring.gold import TASKS, read_gold
from voxlake.scoring.judged import Judged, load_judged

MODEL = Path(__file__).resolve().parents[1] / "models" / "sentiment"
_NUMBERS = ("n", "tokens", "topics")


def evaluate(
    model: Judged, name: str, path: Path, task: str | None = None, *, gate_only: bool = False
) -> dict:
    """The figures of a model on a file or folder of labelled texts.

    The task is the model's own where it has one only. Raises LabelledDataError where the texts are
    none of a task the model has.
    """
    if task is None and len(model.tasks) == 1:
        task = model.tasks[0]
    gold = read_gold(path, task)
    if gold.task not in model.tasks:
        expected = f"texts of a task of {model.id} ({', '.join(model.tasks)})"
        raise LabelledDataError(path, None, expected, gold.task)
    if gate_only:
        gold = gold._replace(rows=[row for row in gold.rows if row.gate])
    return model.figures(gold, name, _progress(name, len(gold.rows)))


def in_short(figures: dict) -> str:
    """One line on a set."""
    shown = [
        f"{name.replace('_', ' ')} {value:.4f}"
        for name, value in figures.items()
        if isinstance(value, float) and name not in _NUMBERS
    ]
    return f"{figures['data']}: {figures['n']:,} texts, {', '.join(shown)}"


def _progress(name: str, total: int):
    if not sys.stderr.isatty():
        return None

    def show(done: int) -> None:
        end = "\n" if done >= total else ""
        sys.stderr.write(f"\r{name}: {done:,} of {total:,} texts{end}")
        sys.stderr.flush()

    return show


def main(argv: list[str] | None = None) -> None:
    """Measures on each data set and writes metrics.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="+", metavar="NAME=FILE", help="labelled JSON lines")
    parser.add_argument("--model", type=Path, default=MODEL, help="a model's folder")
    parser.add_argument("--task", choices=TASKS, help="where rows or model leave it open")
    parser.add_argument("--gate", action="store_true", help="only the half that judges promotions")
    parser.add_argument("--out", type=Path, help="metrics.json to write; printed if unsaid")
    args = parser.parse_args(argv)
    named = [item.partition("=") for item in args.data]
    for name, equals, path in named:
        if not (name and equals and path):
            parser.error(f"expected NAME=FILE, found {name}{equals}{path}")
    model = load_judged(args.model)
    sets = [
        evaluate(model, name, Path(path), args.task, gate_only=args.gate) for name, _, path in named
    ]
    document = json.dumps({"model": model.id, "sets": sets}, indent=2) + "\n"
    if args.out:
        args.out.write_text(document)
    else:
        sys.stdout.write(document)
    for figures in sets:
        print(in_short(figures), file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except VoxlakeError as error:
        sys.exit(f"evaluate: {error}")
