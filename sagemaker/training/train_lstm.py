"""Trains an LSTM classifier: word embeddings learnt from scratch, a bidirectional LSTM, by PyTorch.

Runs under SageMaker's training contract (voxlake.training.contract), for the task sentiment (rows
with "text" and "label") or complaint_reason ("text" and "negativereason" or "complaint_reason").
Stops when the validation figure has not risen for --patience epochs and keeps the best epoch. After
every epoch all that is needed to go on is in the checkpoint folder; a run that was killed and
started again ends as if it had not been. The model is written as numpy arrays: using it needs no
torch. The same data, arguments and seed give the same model on the same machine.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

if (checkout := Path(__file__).resolve().parents[2] / "voxlake").is_dir():
    # In a checkout; in a training container the voxlake package lies beside this file.
    sys.path.insert(0, str(checkout.parent))

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch is loaded

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from voxlake.errors import VoxlakeError
from voxlake.scoring.features import FEELINGS, FORMS, FeatureSettings, text_tokens
from voxlake.scoring.lstm import OTHER, PAD, LstmFile, LstmModel, load_lstm
from voxlake.scoring.metrics import PRIMARY, metrics
from voxlake.scoring.prepare import plain_words
from voxlake.training.contract import (
    LabelledText,
    Split,
    contract_parser,
    parse,
    read_split,
    write_json,
    write_metrics,
)

TASKS = ("sentiment", "complaint_reason")
CHECKPOINT = "lstm.pt"
# Words taken out at random, so that the number for unknown words is trained too.
WORD_DROPOUT = 0.1


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Hyperparameters, and the contract's folders."""
    parser = contract_parser(__doc__, os.environ)
    parser.add_argument("--task", choices=TASKS, default="sentiment")
    parser.add_argument("--tokens", choices=(FEELINGS, *FORMS), default=FEELINGS)
    # float: a number of epochs comes as "3.0" too.
    parser.add_argument("--epochs", type=float, default=12, help="at most")
    parser.add_argument("--patience", type=int, default=2, help="epochs without a better figure")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--rate", type=float, default=2e-3, help="learning rate")
    parser.add_argument("--dimensions", type=int, default=64, help="of a word's embedding")
    parser.add_argument("--hidden", type=int, default=48, help="of the state, each direction")
    parser.add_argument("--dropout", type=float, default=0.4)
    parser.add_argument("--min-count", type=int, default=3, help="times a word must occur")
    parser.add_argument("--max-words", type=int, default=20_000, help="most frequent words kept")
    parser.add_argument("--max-tokens", type=int, default=100, help="of a text")
    parser.add_argument("--threads", type=int, default=1)
    return parse(parser, argv)


class Network(nn.Module):
    """Logits [texts, labels] from word numbers [texts, width] and lengths [texts]."""

    def __init__(
        self, words: int, labels: int, dimensions: int, hidden: int, dropout: float
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words + 2, dimensions, padding_idx=PAD)
        nn.init.normal_(self.embedding.weight, std=0.1)
        with torch.no_grad():
            self.embedding.weight[PAD].zero_()
        self.lstm = nn.LSTM(dimensions, hidden, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(4 * hidden, labels)

    def forward(self, numbers: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        embedded = self.dropout(self.embedding(numbers))
        packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        inside = torch.arange(states.shape[1])[None, :, None] < lengths[:, None, None]
        mean = states.sum(dim=1) / lengths[:, None]
        highest = states.masked_fill(~inside, -torch.inf).amax(dim=1)
        return self.output(self.dropout(torch.cat([mean, highest], dim=1)))

    def arrays(self) -> dict[str, np.ndarray]:
        """The weights as voxlake.scoring.lstm names them; embeddings in half precision."""
        state = {name: value.detach().numpy() for name, value in self.state_dict().items()}
        found = {
            "embedding": state["embedding.weight"].astype(np.float16),
            "output": state["output.weight"],
            "output_bias": state["output.bias"],
        }
        for direction, suffix in (("forward", ""), ("backward", "_reverse")):
            found[f"{direction}_input"] = state[f"lstm.weight_ih_l0{suffix}"]
            found[f"{direction}_hidden"] = state[f"lstm.weight_hh_l0{suffix}"]
            biases = (state[f"lstm.bias_{part}_l0{suffix}"] for part in ("ih", "hh"))
            found[f"{direction}_bias"] = sum(biases)
        return found


@dataclass(frozen=True)
class Examples:
    """Texts as numbers, shuffled into batches of like lengths."""

    numbers: list[list[int]]
    labels: list[int]

    def batches(self, size: int, seed: str) -> list[list[int]]:
        """Positions by batch, in an order that follows from the seed."""
        rng = random.Random(seed)
        order = list(range(len(self.numbers)))
        rng.shuffle(order)
        # Sorted within large pieces: little padding, and other neighbours in every epoch.
        piece = size * 50
        found = []
        for start in range(0, len(order), piece):
            part = sorted(order[start : start + piece], key=lambda at: len(self.numbers[at]))
            found += [part[at : at + size] for at in range(0, len(part), size)]
        rng.shuffle(found)
        return found

    def tensors(self, batch: list[int]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(numbers, lengths, labels) of a batch."""
        lengths = torch.tensor([len(self.numbers[at]) for at in batch])
        numbers = torch.full((len(batch), int(lengths.max())), PAD)
        for row, at in zip(numbers, batch, strict=True):
            row[: len(self.numbers[at])] = torch.tensor(self.numbers[at])
        return numbers, lengths, torch.tensor([self.labels[at] for at in batch])


@dataclass
class Progress:
    """Where training stands after an epoch; with the network and optimiser, a checkpoint."""

    epoch: int
    best_epoch: int
    best: float
    arrays: dict[str, np.ndarray]
    curve: list[dict]


def known_words(rows: list[list[str]], *, min_count: int, max_words: int) -> list[str]:
    """The most frequent tokens, most frequent first and then by the alphabet."""
    counts = Counter(token for row in rows for token in row)
    kept = sorted((-count, token) for token, count in counts.items() if count >= min_count)
    return [token for _, token in kept[:max_words]]


def train(args: argparse.Namespace, split: Split, texts: list[list[str]]) -> LstmFile:
    """Trains until the validation figure stops rising; `texts` are the tokens of split.train."""
    words = known_words(texts, min_count=args.min_count, max_words=args.max_words)
    at = {word: number for number, word in enumerate(words, start=2)}
    # A text without tokens teaches nothing.
    pairs = [
        ([at.get(token, OTHER) for token in tokens], split.labels.index(row.label))
        for tokens, row in zip(texts, split.train, strict=True)
        if tokens
    ]
    examples = Examples([numbers for numbers, _ in pairs], [label for _, label in pairs])
    counts = np.bincount(examples.labels, minlength=len(split.labels))

    def file(arrays: dict[str, np.ndarray], epoch: int) -> LstmFile:
        return LstmFile(
            task=args.task,
            labels=split.labels,
            words=words,
            arrays=arrays,
            version=args.version,
            max_tokens=args.max_tokens,
            no_evidence=_no_evidence(args.task, counts),
            settings=FeatureSettings(tokens=args.tokens),
            trained={
                "data": args.data_name,
                "texts": len(pairs),
                "labels": dict(zip(split.labels, counts.tolist(), strict=True)),
                "epoch": epoch,
                "rate": args.rate,
                "dropout": args.dropout,
                "batch_size": args.batch_size,
                "seed": args.seed,
            },
        )

    torch.manual_seed(args.seed)
    network = Network(len(words), len(split.labels), args.dimensions, args.hidden, args.dropout)
    optimiser = torch.optim.Adam(network.parameters(), lr=args.rate)
    # Square roots: rare labels weigh more than they are frequent, but do not rule.
    weights = torch.tensor(np.sqrt(counts.sum() / np.maximum(counts, 1)), dtype=torch.float32)
    loss_of = nn.CrossEntropyLoss(weight=weights / weights.mean())
    progress = Progress(0, 0, -1.0, {}, [])
    checkpoint = Path(args.checkpoint_dir) / CHECKPOINT if args.checkpoint_dir else None
    run = _run_digest(args, examples, words)
    if checkpoint and (restored := _restore(checkpoint, run, network, optimiser)):
        progress = restored
        print(f"going on after epoch {progress.epoch} from {checkpoint.name}", flush=True)
    validation = split.validation or split.train
    while progress.epoch < args.epochs and (
        progress.epoch - progress.best_epoch < args.patience or not progress.best_epoch
    ):
        epoch = progress.epoch + 1
        start = time.monotonic()
        loss = _one_epoch(args, examples, network, optimiser, loss_of, epoch)
        arrays = {name: array.copy() for name, array in network.arrays().items()}
        figure = _figure(args.task, LstmModel(file(arrays, epoch)), validation, split.labels)
        progress.epoch = epoch
        # JSON and the checkpoint hold what is rounded here, so a resumed run compares the same.
        figure, loss = round(figure, 6), round(loss, 6)
        progress.curve.append({"epoch": epoch, "loss": loss, PRIMARY[args.task]: figure})
        if figure > progress.best:
            progress.best_epoch, progress.best, progress.arrays = epoch, figure, arrays
        print(
            f"epoch {epoch}: loss {loss:.4f}, {PRIMARY[args.task]} {figure:.4f} "
            f"({time.monotonic() - start:.1f} s)",
            flush=True,
        )
        if checkpoint:
            _save(checkpoint, run, network, optimiser, progress)
    write_json(args.output_data_dir, "curve.json", progress.curve)
    return file(progress.arrays, progress.best_epoch)


def _one_epoch(
    args: argparse.Namespace,
    examples: Examples,
    network: Network,
    optimiser: torch.optim.Optimizer,
    loss_of: nn.Module,
    epoch: int,
) -> float:
    """The mean loss of a pass over the examples. Chance follows from seed and epoch alone, so a
    resumed run needs no state of a generator."""
    generator = torch.Generator().manual_seed(args.seed * 10_007 + epoch)
    torch.manual_seed(args.seed * 10_007 + epoch)
    network.train()
    total = 0.0
    for batch in examples.batches(args.batch_size, f"{args.seed} {epoch}"):
        numbers, lengths, labels = examples.tensors(batch)
        dropped = torch.rand(numbers.shape, generator=generator) < WORD_DROPOUT
        numbers = numbers.masked_fill(dropped & (numbers != PAD), OTHER)
        loss = loss_of(network(numbers, lengths), labels)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        total += loss.item() * len(batch)
    return total / len(examples.labels)


def _figure(
    task: str, model: LstmModel, rows: list[LabelledText], labels: tuple[str, ...]
) -> float:
    return _figures(task, model, rows, labels, data="")[PRIMARY[task]]


def _figures(
    task: str, model: LstmModel, rows: list[LabelledText], labels: tuple[str, ...], data: str
) -> dict:
    return metrics(
        [row.label for row in rows],
        model.predict([row.text for row in rows]),
        data=data,
        model=model.id,
        labels=labels,
        task=task,
    )


def _no_evidence(task: str, counts: np.ndarray) -> list[float]:
    if task == "sentiment":
        return [0.3, 0.4, 0.3]
    return [round(float(share), 4) for share in counts / counts.sum()]


def _run_digest(args: argparse.Namespace, examples: Examples, words: list[str]) -> str:
    """What a checkpoint must share with this run: settings and data, not how long it may train."""
    folders = ("train", "validation", "model_dir", "output_data_dir", "checkpoint_dir")
    free = (*folders, "epochs", "patience", "threads")
    settings = {name: value for name, value in vars(args).items() if name not in free}
    run = json.dumps([settings, words, examples.numbers, examples.labels], sort_keys=True)
    return hashlib.sha256(run.encode()).hexdigest()


def _save(
    path: Path,
    run: str,
    network: Network,
    optimiser: torch.optim.Optimizer,
    progress: Progress,
) -> None:
    state = {
        "run": run,
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "epoch": progress.epoch,
        "best_epoch": progress.best_epoch,
        "best": progress.best,
        "arrays": {name: torch.from_numpy(array) for name, array in progress.arrays.items()},
        "curve": json.dumps(progress.curve),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    # Complete or as it was: a kill may come at any moment.
    unfinished = path.with_suffix(f".{os.getpid()}.tmp")
    torch.save(state, unfinished)
    unfinished.replace(path)


def _restore(
    path: Path, run: str, network: Network, optimiser: torch.optim.Optimizer
) -> Progress | None:
    if not path.is_file():
        return None
    state = torch.load(path, weights_only=True)
    if state["run"] != run:
        print(f"{path.name} is of other data or arguments: starting anew", flush=True)
        return None
    network.load_state_dict(state["network"])
    optimiser.load_state_dict(state["optimiser"])
    return Progress(
        state["epoch"],
        state["best_epoch"],
        state["best"],
        {name: tensor.numpy() for name, tensor in state["arrays"].items()},
        json.loads(state["curve"]),
    )


def main(argv: list[str] | None = None) -> None:
    """Reads the channels, trains, writes the model and its metrics."""
    args = arguments(argv)
    start = time.monotonic()
    torch.set_num_threads(args.threads)
    torch.use_deterministic_algorithms(True)
    split = read_split(args, args.task)
    if args.task == "complaint_reason":
        plain = [row._replace(text=plain_words(row.text)) for row in split.train]
        split = split._replace(train=plain)
    settings = FeatureSettings(tokens=args.tokens)
    texts = [text_tokens(row.text, settings)[: args.max_tokens] for row in split.train]
    print(f"training on {len(texts):,} texts", flush=True)
    file = train(args, split, texts)
    path = file.write(args.model_dir)
    # Measured as it will be used: from the file, without torch.
    model = load_lstm(args.model_dir)
    print(f"{path.stat().st_size:,} bytes, model {model.id}", flush=True)
    sets = []
    if split.validation:
        data = split.measured_on
        sets.append(_figures(args.task, model, split.validation, split.labels, data))
    write_metrics(args, model.id, sets)
    print(f"trained in {time.monotonic() - start:.1f} s", flush=True)


if __name__ == "__main__":
    try:
        main()
    except VoxlakeError as error:
        sys.exit(f"train_lstm: {error}")
