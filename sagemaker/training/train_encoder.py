"""Trains the encoder: one MiniLM-L6 with heads for sentiment, emotions, main emotion, entities.

Runs under SageMaker's training contract, there and on a laptop: SM_CHANNEL_TRAIN and (optional)
SM_CHANNEL_VALIDATION are folders of JSON lines files, by data set where there are several; what a
row holds tells its task (docs/data.md). The model goes to SM_MODEL_DIR, metrics.json to
SM_OUTPUT_DATA_DIR; a run that was killed goes on from --checkpoint-dir. ``--init DIR`` adapts a
trained model to new labels: what it said of the new texts in its other tasks is kept.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
if (checkout := HERE.parents[1] / "voxlake").is_dir():
    # In a checkout; in a training container the voxlake package lies beside this file.
    sys.path.insert(0, str(checkout.parent))

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch is loaded

import numpy as np  # noqa: E402
import torch  # noqa: E402
from encoder import batches, loop, measure, start, tasks  # noqa: E402
from encoder.export import export  # noqa: E402

from voxlake.errors import VoxlakeError  # noqa: E402
from voxlake.scoring.errors import LabelledDataError  # noqa: E402
from voxlake.training import contract  # noqa: E402

EPOCHS = {
    "sentiment": 3.0, "emotions": 7.0, "main_emotion": 5.0, "entities": 10.0, "fine_emotions": 1.0,
}  # fmt: skip
"""Passes over each task's rows: small sets more often, the auxiliary one once."""


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Hyperparameters, and the contract's folders from the environment."""
    parser = contract.contract_parser(__doc__, os.environ)
    parser.add_argument("--init", type=Path, help="a trained encoder's folder to adapt")
    parser.add_argument("--teacher", type=Path, action="append", default=[], help="checkpoint")
    parser.add_argument("--epochs", type=float, default=1.0, help="factor on every task's passes")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--rate", type=float, help="peak learning rate")
    parser.add_argument("--balance", type=float, help="1: macro recall, 0: accuracy; 0.5 adapting")
    parser.add_argument("--longest", type=int, default=96, help="word pieces of a training text")
    parser.add_argument("--threads", type=int, default=0, help="0: as many as there are cores")
    parser.add_argument("--every", type=int, default=500, help="steps between checkpoints")
    return contract.parse(parser, argv)


Sets = dict[tuple[str, str], list[tasks.Example]]


def read_channel(channel: str | Path, part: str, data_name: str) -> Sets:
    """Examples by (data set, task). A folder of data sets holds train and dev files of each.

    Raises LabelledDataError.
    """
    found: Sets = {}
    for name, path in tasks.files(Path(channel), data_name):
        other = {"train": "dev", "dev": "train"}[part]
        if path.name.startswith((f"{other}.", "test.")):
            continue
        for one in tasks.read_examples(name, path):
            found.setdefault((name, one.task), []).append(one)
    if not found:
        raise LabelledDataError(channel, None, "labelled rows", "none")
    return found


def soft_labels(teachers: list[torch.nn.Module], data: dict, names: set[str]) -> dict:
    """By task, for each example: the teachers' mean probabilities of it in every named task; of
    entities the last teacher's alone, since a mean of spans that disagree names nothing."""
    soft = {}
    for task, encoded in data.items():
        rows: list[dict] = [{} for _ in encoded]
        for number, teacher in enumerate(teachers, start=1):
            asked = names if number == len(teachers) else names - {"entities"}
            for row, logits in zip(rows, measure.predict_all(teacher, asked, encoded), strict=True):
                for wanted, values in logits.items():
                    chances = torch.from_numpy(measure.probabilities(wanted, values))
                    share = 1 if wanted == "entities" else len(teachers)
                    row[wanted] = row.get(wanted, 0.0) + chances / share
        soft[task] = rows
    return soft


def main(argv: list[str] | None = None) -> None:
    """Reads the channels, trains, measures, writes the model and its metrics."""
    args = arguments(argv)
    began = time.monotonic()
    torch.set_num_threads(args.threads or os.cpu_count() or 1)
    torch.manual_seed(args.seed)  # new heads begin at random
    train = read_channel(args.train, "train", args.data_name)
    part = "dev" if args.validation else "held_out"
    if args.validation:
        validation = read_channel(args.validation, "dev", args.data_name)
    else:
        split = {name: contract.held_out(rows, args.seed) for name, rows in train.items()}
        train = {name: kept for name, (kept, _) in split.items()}
        validation = {name: held for name, (_, held) in split.items() if held}
    everything = [one for rows in validation.values() for one in rows]
    rows_of: dict[str, list[tasks.Example]] = {}
    for (_, task), rows in sorted(train.items()):
        rows_of.setdefault(task, []).extend(tasks.without(rows, everything))
    if args.init:
        model, tokenizer, about = start.from_folder(args.init)
        base = f"{about['name']}-{about['version']}"
    else:
        model, tokenizer, base = start.published()
    encode = batches.encode
    data = {task: encode(rows, tokenizer, args.longest) for task, rows in rows_of.items()}
    counts = {task: len(rows) for task, rows in data.items()}
    print(f"training {base} on {counts}", flush=True)

    settings = loop.Settings(
        batch_size=args.batch_size,
        seed=args.seed,
        balance=args.balance if args.balance is not None else 0.5 if args.init else 1.0,
        **({"rate": args.rate} if args.rate else {}),
    )
    soft = _soft(args, model, data)
    model = loop.train(
        model,
        data,
        {task: EPOCHS[task] * args.epochs for task in data},
        settings,
        soft=soft,
        checkpoints=Path(args.checkpoint_dir) if args.checkpoint_dir else None,
        every=args.every,
        watch=loop.progress(),
    )

    measured = []
    thresholds = about["thresholds"]["emotions"] if args.init else None
    for (name, task), rows in sorted(validation.items()):
        if task not in tasks.LABELS:
            continue
        held = encode(rows, tokenizer, args.longest)
        chosen = None
        if task == "emotions":
            chances = measure.probabilities(task, np.stack(measure.predict(model, task, held)))
            chosen = measure.choose(np.array([one.target for one in held]), chances)
            thresholds = dict(zip(tasks.LABELS[task], chosen, strict=True))
        measured.append(measure.figures(model, task, held, chosen, data=f"{name}-{part}"))
    trained = {
        "data": args.data_name,
        "base": base,
        "examples": counts,
        "labels": {
            task: dict(Counter(one.label for one in rows).most_common())
            for task, rows in rows_of.items()
            if rows[0].label
        },
        "settings": {**vars(settings), "epochs": args.epochs, "longest": args.longest},
    }
    model_id = export(
        model,
        tokenizer,
        Path(args.model_dir),
        version=args.version,
        thresholds=thresholds or dict.fromkeys(tasks.LABELS["emotions"], 0.5),
        trained=trained,
    )
    if args.checkpoint_dir:  # what a later run takes for its teacher
        torch.save(model.state_dict(), Path(args.checkpoint_dir) / "averaged.pt")
    contract.write_metrics(args, model_id, [{**one, "model": model_id} for one in measured])
    print(f"model {model_id}, trained in {time.monotonic() - began:.0f} s", flush=True)


def _soft(args: argparse.Namespace, model, data: dict) -> dict | None:
    """Soft labels of other trained models, or when adapting, of the model as it was.

    An adapted model keeps only what the new labels do not speak of.
    """
    if args.init:
        # The main emotion is read from the emotions.
        names = {"sentiment", "emotions", "entities"} - set(data)
        return soft_labels([model], data, names) if names else None
    teachers = []
    for path in args.teacher:
        teacher = start.published()[0]
        teacher.load_state_dict(torch.load(path, weights_only=True))
        teachers.append(teacher)
    names = {"sentiment", "emotions", "entities"}
    return soft_labels(teachers, data, names) if teachers else None


if __name__ == "__main__":
    try:
        main()
    except VoxlakeError as error:
        sys.exit(f"train_encoder: {error}")
