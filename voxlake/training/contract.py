"""SageMaker's training contract, as every training script of this project keeps it.

Channels come in SM_CHANNEL_TRAIN and (optional) SM_CHANNEL_VALIDATION, each a folder of JSON lines
files; the model goes to SM_MODEL_DIR, metrics.json to SM_OUTPUT_DATA_DIR; what a killed run needs
to go on is kept in SM_CHECKPOINT_DIR, or in /opt/ml/checkpoints where a training container has it.
Hyperparameters are arguments. The environment is handed in by the script.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from voxlake.scoring.errors import LabelledDataError
from voxlake.scoring.gold import read_gold
from voxlake.scoring.metrics import labels_of

CHECKPOINTS = Path("/opt/ml/checkpoints")
# Held out of the training data when there is no validation channel.
HELD_OUT_SHARE = 0.1


class LabelledText(NamedTuple):
    """One text and its label as people judged it; "" where the task has none."""

    text: str
    label: str


Row = TypeVar("Row")


class Split(NamedTuple):
    """What a run trains on and what it is measured on (early stopping included).

    labels: of the task, in the order of scores. measured_on: `<set>-dev`, or `<set>-held_out`
    where there was no validation channel.
    """

    train: list[LabelledText]
    validation: list[LabelledText]
    labels: tuple[str, ...]
    measured_on: str


def contract_parser(doc: str, env: Mapping[str, str]) -> argparse.ArgumentParser:
    """A parser with the arguments every script has; `doc`'s first line describes it."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--train", default=env.get("SM_CHANNEL_TRAIN"), help="folder or file")
    parser.add_argument(
        "--validation", default=env.get("SM_CHANNEL_VALIDATION"), help="folder or file"
    )
    parser.add_argument("--model-dir", default=env.get("SM_MODEL_DIR"))
    parser.add_argument("--output-data-dir", default=env.get("SM_OUTPUT_DATA_DIR"))
    parser.add_argument(
        "--checkpoint-dir",
        default=env.get("SM_CHECKPOINT_DIR")
        or (str(CHECKPOINTS) if CHECKPOINTS.is_dir() else None),
    )
    parser.add_argument("--data-name", default="unnamed", help="stored in the model file")
    parser.add_argument("--version", default="1", help="part of the model's id")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same model")
    return parser


def parse(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> argparse.Namespace:
    """The arguments; ends the process with status 2 and usage when train or model-dir is unsaid."""
    args = parser.parse_args(argv)
    for name in ("train", "model_dir"):
        if not getattr(args, name):
            parser.error(f"--{name.replace('_', '-')} or its SM_ variable is required")
    return args


def flag(parser: argparse.ArgumentParser, name: str, help: str) -> None:
    """A yes-or-no argument that SageMaker can give too: it always passes a value."""
    parser.add_argument(
        name, nargs="?", const=True, default=False, type=_yes, metavar="true|false", help=help
    )


def _yes(value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"expected true or false, found {value}")
    return value.lower() == "true"


def read_split(args: argparse.Namespace, task: str) -> Split:
    """The rows of the channels; without a validation channel a tenth of train is held out.

    Raises LabelledDataError when a file cannot be used, or a label of the task has no row to train
    on, or there is but one label.
    """
    train = _rows(args.train, task)
    if args.validation:
        validation = _rows(args.validation, task)
    else:
        train, validation = held_out(train, args.seed)
    name = f"{args.data_name}-{'dev' if args.validation else 'held_out'}"
    if task in ("next_word", "topics"):
        return Split(train, validation, (), name)
    labels = tuple(labels_of(task, [(row.label, row.label) for row in train]))
    found = Counter(row.label for row in train)
    if len(labels) < 2 or not set(labels) <= set(found):
        expected = f"rows of all of {list(labels)}" if len(labels) > 1 else "two labels or more"
        raise LabelledDataError(args.train, None, expected, str(sorted(found)))
    # A label that was never trained on cannot be predicted, so nothing is learnt from its rows.
    validation = [row for row in validation if row.label in found]
    return Split(train, validation, labels, name)


def _rows(path: str, task: str) -> list[LabelledText]:
    # Several data sets lie in a folder each.
    folders = (
        sorted(one for one in Path(path).iterdir() if one.is_dir()) if Path(path).is_dir() else []
    )
    return [
        LabelledText(row.text, row.truth or "")
        for part in folders or [path]
        for row in read_gold(part, task).rows
    ]


def held_out(rows: Sequence[Row], seed: int) -> tuple[list[Row], list[Row]]:
    """(train, held out): a tenth of each label's distinct texts, chosen by the seed.

    A row has `text` and `label`. Rows of equal text stay on one side.
    """
    chosen: set[str] = set()
    rng = random.Random(seed)
    for label in sorted({row.label for row in rows}):
        texts = sorted({row.text for row in rows if row.label == label})
        chosen.update(rng.sample(texts, round(len(texts) * HELD_OUT_SHARE)))
    return [r for r in rows if r.text not in chosen], [r for r in rows if r.text in chosen]


def write_json(folder: str | Path | None, name: str, document: object) -> None:
    """Writes a JSON file for people and programs into the folder; nothing without a folder."""
    if folder is None:
        return
    path = Path(folder) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_metrics(args: argparse.Namespace, model: str, sets: list[dict]) -> None:
    """metrics.json: {"model": id, "sets": [figures]}; and each set's main figure printed."""
    write_json(args.output_data_dir, "metrics.json", {"model": model, "sets": sets})
    for figures in sets:
        primary = figures["primary"]
        print(
            f"{model} on {figures['n']:,} texts of {figures['data']}: {primary} "
            f"{figures[primary]:.4f}",
            flush=True,
        )
