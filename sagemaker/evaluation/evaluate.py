"""Measures a model on labelled texts: `python sagemaker/evaluation/evaluate.py NAME=FILE ...`.

Writes metrics.json, {"model": id, "sets": [figures a data set]} with the figures that
voxlake.scoring.metrics describes, and prints them in short.
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
from voxlake.scoring import SentimentModel, load_model
from voxlake.scoring.labelled import read_labelled
from voxlake.scoring.metrics import metrics

MODEL = Path(__file__).resolve().parents[1] / "models" / "sentiment"


def evaluate(model: SentimentModel, name: str, path: Path) -> dict:
    """The figures of a model on a file or folder of labelled texts. Raises LabelledDataError."""
    rows = read_labelled(path)
    scores = model.score_texts([row.text for row in rows])
    return metrics(
        [row.label for row in rows],
        [score["sentiment"] for score in scores],
        data=name,
        model=model.id,
    )


def main(argv: list[str] | None = None) -> None:
    """Measures on each data set and writes metrics.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="+", metavar="NAME=FILE", help="labelled JSON lines")
    parser.add_argument("--model", type=Path, default=MODEL, help="a model's folder")
    parser.add_argument("--out", type=Path, help="metrics.json to write; printed if unsaid")
    args = parser.parse_args(argv)
    named = [item.partition("=") for item in args.data]
    for name, equals, path in named:
        if not (name and equals and path):
            parser.error(f"expected NAME=FILE, found {name}{equals}{path}")
    model = load_model(args.model)
    sets = [evaluate(model, name, Path(path)) for name, _, path in named]
    document = json.dumps({"model": model.id, "sets": sets}, indent=2) + "\n"
    if args.out:
        args.out.write_text(document)
    else:
        sys.stdout.write(document)
    for figures in sets:
        print(
            f"{figures['data']}: {figures['n']:,} texts, macro recall "
            f"{figures['macro_recall']:.4f}, macro F1 {figures['macro_f1']:.4f}, accuracy "
            f"{figures['accuracy']:.4f}",
            file=sys.stderr,
        )


if __name__ == "__main__":
    try:
        main()
    except VoxlakeError as error:
        sys.exit(f"evaluate: {error}")
