"""Examples as tensors, in batches of one task and of like lengths."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from encoder.tasks import LABELS, MULTI_LABEL, TRAINED, Example
from voxlake.scoring.encoder_text import case_ids, prepare

IGNORED = -100
_HANDLE = re.compile(r"(?<!\w)@\w+")
_POOL = 50  # batches sorted by length together: like lengths, yet other neighbours every epoch


@dataclass
class Encoded:
    """One example as numbers: ``target`` an int, a list of 0/1, or a label per piece."""

    ids: list[int]
    cases: list[int]
    target: int | list[int]
    number: int


@dataclass
class Batch:
    """Tensors [batch, tokens], the task's target, and which examples they are."""

    task: str
    ids: Tensor
    mask: Tensor
    cases: Tensor
    target: Tensor
    numbers: list[int]


def encode(examples: list[Example], tokenizer: Tokenizer, longest: int) -> list[Encoded]:
    """The examples in order, cut to ``longest`` pieces."""
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest)
    prepared = [prepare(one.text) for one in examples]
    encodings = tokenizer.encode_batch([one.text for one in prepared])
    encoded = []
    for number, (one, text, found) in enumerate(zip(examples, prepared, encodings, strict=True)):
        if one.task == "entities":
            target = piece_labels(one, text, found)
        elif one.task in MULTI_LABEL:
            target = [int(label in one.labels) for label in TRAINED[one.task]]
        else:
            target = TRAINED[one.task].index(one.label)
        encoded.append(Encoded(found.ids, case_ids(found.offsets, text.text), target, number))
    return encoded


def piece_labels(one: Example, prepared, found) -> list[int]:
    """The label of each word at its first piece, IGNORED at the others and where unsure."""
    labels, before = [], None
    index = LABELS["entities"].index
    # A handle is one unit, as it is in use: only its first piece is asked.
    handles = [(at.start() + 2, at.end()) for at in _HANDLE.finditer(prepared.text)]
    for (start, end), word in zip(found.offsets, found.word_ids, strict=True):
        within = any(begin <= start < stop for begin, stop in handles)
        if word is None or word == before or within:
            labels.append(IGNORED)
            continue
        before = word
        first, last = prepared.starts[start], prepared.ends[end - 1]
        inside = next((span for span in one.spans if first < span[1] and last > span[0]), None)
        if inside:
            opens = first <= inside[0]
            labels.append(index(f"{'B' if opens else 'I'}-{inside[2]}"))
        elif any(first < stop and last > begin for begin, stop in one.unsure):
            labels.append(IGNORED)
        else:
            labels.append(index("O"))
    return labels


def batch(task: str, members: list[Encoded]) -> Batch:
    """The members padded to the longest of them, with their targets."""
    one = padded(members)
    tokens = one.ids.shape[1]
    if task == "entities":
        target = torch.tensor([m.target + [IGNORED] * (tokens - len(m.target)) for m in members])
    else:
        kind = torch.float32 if task in MULTI_LABEL else torch.int64
        target = torch.tensor([m.target for m in members], dtype=kind)
    return Batch(task, one.ids, one.mask, one.cases, target, one.numbers)


class Padded(NamedTuple):
    """Tensors [batch, tokens] without targets, and which examples they are."""

    ids: Tensor
    mask: Tensor
    cases: Tensor
    numbers: list[int]


def padded(members: list[Encoded]) -> Padded:
    """The members padded to the longest of them."""
    tokens = max(len(one.ids) for one in members)
    ids = np.zeros((len(members), tokens), dtype=np.int64)
    mask, cases = np.zeros_like(ids), np.zeros_like(ids)
    for row, one in enumerate(members):
        ids[row, : len(one.ids)] = one.ids
        mask[row, : len(one.ids)] = 1
        cases[row, : len(one.ids)] = one.cases
    numbers = [one.number for one in members]
    return Padded(torch.from_numpy(ids), torch.from_numpy(mask), torch.from_numpy(cases), numbers)


def shuffled(encoded: list[Encoded], size: int, rng: random.Random) -> list[list[Encoded]]:
    """Every example once, in batches of like lengths in random order."""
    order = encoded[:]
    rng.shuffle(order)
    found = []
    for start in range(0, len(order), size * _POOL):
        pool = sorted(order[start : start + size * _POOL], key=lambda one: len(one.ids))
        found += [pool[at : at + size] for at in range(0, len(pool), size)]
    rng.shuffle(found)
    return found


def schedule(
    data: dict[str, list[Encoded]], epochs: dict[str, float], size: int, seed: int
) -> list[tuple[str, list[Encoded]]]:
    """All batches of a training run: each task's epochs in order, tasks mixed evenly throughout."""
    rng = random.Random(seed)
    placed = []
    for task, encoded in sorted(data.items()):
        batches: list[list[Encoded]] = []
        wanted = round(epochs[task] * len(encoded) / size)
        while len(batches) < wanted:
            batches += shuffled(encoded, size, rng)
        batches = batches[:wanted]
        placed += [
            ((number + rng.random()) / max(len(batches), 1), task, members)
            for number, members in enumerate(batches)
        ]
    placed.sort(key=lambda one: one[:2])
    return [(task, members) for _, task, members in placed]


def by_length(encoded: list[Encoded], size: int = 64) -> Iterator[Padded]:
    """For measuring: batches sorted by length."""
    order = sorted(encoded, key=lambda one: len(one.ids))
    for at in range(0, len(order), size):
        yield padded(order[at : at + size])
