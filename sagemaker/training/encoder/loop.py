"""The training loop: losses, optimiser, averaged weights, checkpoints, resuming after a kill."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as functional
from encoder.batches import IGNORED, Batch, Encoded, batch, schedule
from encoder.network import Encoder
from encoder.tasks import MULTI_LABEL, TRAINED
from torch import Tensor, nn

CHECKPOINT = "encoder.pt"
# Judged by macro recall and by macro F1, which wants half as much.
_BALANCED = {"sentiment": 1.0, "main_emotion": 0.5}
_WEIGHTS = {"emotions": 3.0, "fine_emotions": 5.0}


@dataclass(frozen=True)
class Settings:
    """Hyperparameters. Rates are peaks: warm-up over the first share of steps, then linearly to 0.

    layer_decay: each layer below the top learns by this factor slower. average: decay of the
    moving average of weights, which is what is exported. soft_weight: of the loss against the
    teachers' soft labels, where there are any. anchor_every: each so many steps the embedding is
    held to that of the encoder it began as (0: never). balance: 1 makes the plain argmax right for
    macro recall however rare a sentiment is in the training data, 0 for accuracy.
    """

    batch_size: int = 32
    rate: float = 1e-4
    head_rate: float = 1e-3
    layer_decay: float = 0.9
    weight_decay: float = 0.01
    warm_up: float = 0.06
    smoothing: float = 0.05
    average: float = 0.999
    soft_weight: float = 1.0
    anchor_every: int = 4
    balance: float = 1.0
    seed: int = 0


class Losses:
    """The loss of a batch: of its own labels, and of the teachers' soft ones where given.

    priors: task -> share of each label in the training data. With them a label's rarity is
    learnt apart from its evidence, so the plain argmax is right for macro recall.
    """

    def __init__(self, settings: Settings, priors: dict[str, Tensor]) -> None:
        self.settings, self.priors = settings, priors

    def hard(self, one: Batch, logits: Tensor) -> Tensor:
        if one.task == "entities":
            return functional.cross_entropy(
                logits.flatten(0, 1), one.target.flatten(), ignore_index=IGNORED
            )
        if one.task in MULTI_LABEL:
            loss = functional.binary_cross_entropy_with_logits(logits, one.target)
            return _WEIGHTS[one.task] * loss
        strength = self.settings.balance * _BALANCED[one.task]
        shifted = logits + strength * self.priors[one.task].log()
        return functional.cross_entropy(
            shifted, one.target, label_smoothing=self.settings.smoothing
        )

    def soft(self, outputs: dict[str, Tensor], wanted: dict[str, Tensor]) -> Tensor:
        """Against probabilities: task -> [batch, labels], of entities [batch, tokens, labels]."""
        total = torch.zeros(())
        for task, target in wanted.items():
            logits = outputs[task].float()
            if task == "entities":  # what pads a text has no probability
                loss = -(target * logits.log_softmax(dim=-1)).sum() / target.sum()
                total = total + loss
            elif task in MULTI_LABEL:
                loss = functional.binary_cross_entropy_with_logits(logits, target)
                total = total + _WEIGHTS[task] * loss
            else:
                total = total + functional.cross_entropy(logits, target)
        return total


def groups(model: Encoder, settings: Settings) -> list[dict]:
    """Parameters with their rates: lower layers slower, norms and biases without decay."""
    found = []
    for name, parameter in model.named_parameters():
        if name.startswith(("heads.", "entities.", "cases.", "embedding.")):
            rate = settings.head_rate if not name.startswith("embedding.") else settings.rate
        else:
            depth = int(name.split(".")[1]) if name.startswith("layers.") else -1
            rate = settings.rate * settings.layer_decay ** (model.size.layers - 1 - depth)
        decay = settings.weight_decay if parameter.ndim > 1 else 0.0
        found.append({"params": [parameter], "lr": rate, "peak": rate, "weight_decay": decay})
    return found


def train(
    model: Encoder,
    data: dict[str, list[Encoded]],
    epochs: dict[str, float],
    settings: Settings,
    *,
    soft: dict[str, list[dict[str, Tensor]]] | None = None,
    checkpoints: Path | None = None,
    every: int = 500,
    watch: Callable[[int, int, float, Encoder], bool] | None = None,
) -> Encoder:
    """Trains in place and returns the averaged model.

    data: encoded examples by task; epochs by task. soft: by task, for each example in order, its
    soft labels. A run whose ``checkpoints`` folder holds its state goes on from there, to the same
    result. watch(step, steps, mean loss, averaged model) is called every ``every`` steps and may
    return True to stop.
    """
    torch.manual_seed(settings.seed)
    steps = schedule(data, epochs, settings.batch_size, settings.seed)
    priors = {task: _prior(task, data[task]) for task in _BALANCED if task in data}
    losses = Losses(settings, priors)
    optimiser = torch.optim.AdamW(groups(model, settings), betas=(0.9, 0.98), eps=1e-6, fused=True)
    averaged = copy.deepcopy(model).eval()
    anchor = copy.deepcopy(model).eval() if settings.anchor_every else None
    kept = checkpoints / CHECKPOINT if checkpoints else None
    start, running = 0, []
    if kept and kept.is_file():
        start = _resume(kept, settings, model, averaged, optimiser)
    for number in range(start, len(steps)):
        task, members = steps[number]
        one = batch(task, members)
        model.train()
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * _pace(number, len(steps), settings.warm_up)
        loss = _loss(model, one, losses, soft, anchor, number)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        _average(averaged, model, min(settings.average, (1 + number) / (10 + number)))
        running.append(loss.item())
        if (number + 1) % every == 0 or number + 1 == len(steps):
            if kept:
                _keep(kept, number + 1, settings, model, averaged, optimiser)
            mean, running = sum(running) / len(running), []
            if watch and watch(number + 1, len(steps), mean, averaged):
                break
    return averaged


def _loss(model, one, losses, soft, anchor, number) -> Tensor:
    settings = losses.settings
    wanted = _soft_targets(soft, one) if soft else {}
    anchored = anchor is not None and number % settings.anchor_every == 0
    only = {one.task, *wanted} | ({"embedding"} if anchored else set())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = model(one.ids, one.mask, one.cases, only)
    loss = losses.hard(one, outputs[one.task].float())
    if wanted:
        loss = loss + settings.soft_weight * losses.soft(outputs, wanted)
    if anchored:
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            held = anchor(one.ids, one.mask, one.cases, {"embedding"})
        loss = loss + (1.0 - (outputs["embedding"] * held["embedding"]).sum(dim=-1)).mean()
    return loss


def _soft_targets(soft: dict[str, list[dict[str, Tensor]]], one: Batch) -> dict[str, Tensor]:
    if one.task not in soft:
        return {}
    rows = [soft[one.task][number] for number in one.numbers]
    return {
        task: nn.utils.rnn.pad_sequence([row[task] for row in rows], batch_first=True).float()
        for task in rows[0]
    }


def _prior(task: str, encoded: list[Encoded]) -> Tensor:
    counts = torch.bincount(
        torch.tensor([one.target for one in encoded]), minlength=len(TRAINED[task])
    )
    return (counts + 1.0) / (counts + 1.0).sum()


def _pace(step: int, steps: int, warm_up: float) -> float:
    warm = max(1, int(steps * warm_up))
    return min((step + 1) / warm, (steps - step) / max(1, steps - warm))


@torch.no_grad()
def _average(averaged: Encoder, model: Encoder, decay: float) -> None:
    pairs = zip(averaged.parameters(), model.parameters(), strict=True)
    for mean, now in pairs:
        mean.lerp_(now, 1.0 - decay)


def _keep(path: Path, step: int, settings: Settings, model, averaged, optimiser) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {
        "step": step,
        "settings": asdict(settings),
        "model": model.state_dict(),
        "averaged": averaged.state_dict(),
        "optimiser": optimiser.state_dict(),
        "random": torch.get_rng_state(),
    }
    half_written = path.with_suffix(".part")
    torch.save(state, half_written)
    half_written.replace(path)  # a kill leaves the last whole checkpoint


def _resume(path: Path, settings: Settings, model, averaged, optimiser) -> int:
    state = torch.load(path, weights_only=True)
    if state["settings"] != asdict(settings):
        return 0  # another run's
    model.load_state_dict(state["model"])
    averaged.load_state_dict(state["averaged"])
    optimiser.load_state_dict(state["optimiser"])
    torch.set_rng_state(state["random"])
    print(f"going on from step {state['step']:,} of the checkpoint", flush=True)
    return state["step"]


def progress(every_s: float = 30.0) -> Callable[[int, int, float, Encoder], bool]:
    """A watcher that prints a line at most every so many seconds."""
    start = time.monotonic()
    last = -math.inf

    def watch(step: int, steps: int, loss: float, _: Encoder) -> bool:
        nonlocal last
        now = time.monotonic()
        if now - last >= every_s or step == steps:
            last = now
            left = (now - start) / step * (steps - step)
            print(f"step {step:,} of {steps:,}: loss {loss:.4f}; {left:,.0f} s left", flush=True)
        return False

    return watch
