"""MiniLM-L6 with the project's heads, in plain torch.

The encoder is BERT's architecture with 6 layers of 384; parameter names are those of the published
weights, so that they load as they are. A head reads the sentence twice: a linear layer on the mean
of its tokens, and, for each label, a weighted mean that the label itself learns to weigh (an
emotion often hangs on one word).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from encoder.tasks import LABELS
from torch import Tensor, nn

from voxlake.scoring.encoder_text import CASE_CLASSES

_MAIN_PLACES = [LABELS["emotions"].index(label) for label in LABELS["main_emotion"]]


@dataclass(frozen=True)
class Size:
    """Sizes of the encoder; the defaults are MiniLM-L6's, tests use less."""

    vocabulary: int = 30_522
    positions: int = 512
    width: int = 384
    layers: int = 6
    heads: int = 12
    inner: int = 1_536
    dropout: float = 0.1


class Layer(nn.Module):
    """One transformer block, normalised after each half as BERT is."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.heads = size.heads
        self.scale = math.sqrt(size.width // size.heads)
        self.query = nn.Linear(size.width, size.width)
        self.key = nn.Linear(size.width, size.width)
        self.value = nn.Linear(size.width, size.width)
        self.attended = nn.Linear(size.width, size.width)
        self.attended_norm = nn.LayerNorm(size.width, eps=1e-12)
        self.widened = nn.Linear(size.width, size.inner)
        self.narrowed = nn.Linear(size.inner, size.width)
        self.norm = nn.LayerNorm(size.width, eps=1e-12)
        self.dropout = nn.Dropout(size.dropout)

    def forward(self, hidden: Tensor, blocked: Tensor) -> Tensor:
        """hidden [batch, tokens, width]; blocked [batch, 1, 1, tokens], 0 or a large negative."""
        batch, tokens, width = hidden.shape

        def split(linear: nn.Linear) -> Tensor:
            return linear(hidden).view(batch, tokens, self.heads, -1).transpose(1, 2)

        query, key, value = split(self.query), split(self.key), split(self.value)
        # Written out: this form quantises to int8 without loss, a fused one does not.
        scores = query @ key.transpose(2, 3) / self.scale + blocked
        # No dropout of the weights: on a CPU its random numbers cost a tenth of a step.
        mixed = (scores.softmax(dim=-1) @ value).transpose(1, 2).reshape(batch, tokens, width)
        hidden = self.attended_norm(hidden + self.dropout(self.attended(mixed)))
        wide = functional.gelu(self.widened(hidden))
        return self.norm(hidden + self.dropout(self.narrowed(wide)))


class SentenceHead(nn.Module):
    """Logits of one task's labels from all tokens of a sentence."""

    def __init__(self, width: int, labels: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.mean = nn.Linear(width, labels)
        self.weigh = nn.Linear(width, labels)
        self.judge = nn.Linear(width, labels)
        nn.init.zeros_(self.weigh.weight)

    def forward(self, hidden: Tensor, mean: Tensor, blocked: Tensor) -> Tensor:
        """hidden [batch, tokens, width], mean [batch, width], blocked [batch, tokens, 1]."""
        hidden = self.dropout(hidden)
        weights = (self.weigh(hidden) + blocked).softmax(dim=1)
        return _apply(self.mean, self.dropout(mean)) + (weights * self.judge(hidden)).sum(dim=1)


def _apply(linear: nn.Linear, rows: Tensor) -> Tensor:
    """``linear(rows)`` for [batch, width], exported as the same MatMul as all other layers."""
    return rows @ linear.weight.T + linear.bias


class Encoder(nn.Module):
    """The encoder and its heads: ``heads`` maps the name of a sentence task to its labels."""

    def __init__(self, size: Size, heads: dict[str, int], entity_labels: int) -> None:
        super().__init__()
        self.size = size
        self.words = nn.Embedding(size.vocabulary, size.width)
        self.positions = nn.Embedding(size.positions, size.width)
        self.cases = nn.Embedding(CASE_CLASSES, size.width)
        nn.init.zeros_(self.cases.weight)
        self.norm = nn.LayerNorm(size.width, eps=1e-12)
        self.dropout = nn.Dropout(size.dropout)
        self.layers = nn.ModuleList(Layer(size) for _ in range(size.layers))
        self.heads = nn.ModuleDict(
            {name: SentenceHead(size.width, labels, size.dropout) for name, labels in heads.items()}
        )
        self.entities = nn.Linear(size.width, entity_labels)
        self.embedding = nn.Linear(size.width, size.width)
        nn.init.eye_(self.embedding.weight)
        nn.init.zeros_(self.embedding.bias)

    def encode(self, ids: Tensor, mask: Tensor, cases: Tensor) -> Tensor:
        """Token states [batch, tokens, width]; ids, mask, cases are int64 [batch, tokens]."""
        places = torch.arange(ids.shape[1], device=ids.device)
        hidden = self.words(ids) + self.positions(places) + self.cases(cases)
        hidden = self.dropout(self.norm(hidden))
        blocked = (1.0 - mask.to(hidden.dtype))[:, None, None, :] * -1e4
        for layer in self.layers:
            hidden = layer(hidden, blocked)
        return hidden

    def mean(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """The mean state of a sentence's tokens [batch, width]."""
        weights = mask.to(hidden.dtype)[:, :, None]
        return (hidden * weights).sum(dim=1) / weights.sum(dim=1)

    def forward(
        self, ids: Tensor, mask: Tensor, cases: Tensor, only: set[str] | None = None
    ) -> dict[str, Tensor]:
        """Logits by task (``only`` these, all when None); entities are per token; embedding has
        norm 1.

        The main emotion is the strongest of its labels among the emotions: their head learns from
        twice the texts and was more often right than one of its own (macro F1 76.7 against 71.7 on
        held-out texts, both in one model).
        """
        wanted = {*self.heads, "main_emotion", "entities", "embedding"} if only is None else only
        hidden = self.encode(ids, mask, cases)
        mean = self.mean(hidden, mask)
        blocked = (1.0 - mask.to(hidden.dtype))[:, :, None] * -1e4
        outputs = {
            name: head(hidden, mean, blocked)
            for name, head in self.heads.items()
            if name in wanted or (name == "emotions" and "main_emotion" in wanted)
        }
        if "main_emotion" in wanted:
            emotions = outputs["emotions"]
            outputs["main_emotion"] = torch.cat(
                [emotions[:, place : place + 1] for place in _MAIN_PLACES], dim=1
            )
        if "entities" in wanted:
            outputs["entities"] = self.entities(self.dropout(hidden))
        if "embedding" in wanted:
            projected = _apply(self.embedding, mean).float()
            outputs["embedding"] = projected / projected.norm(dim=-1, keepdim=True)
        return {task: found for task, found in outputs.items() if task in wanted}


_PUBLISHED = {
    "attention.self.query": "query",
    "attention.self.key": "key",
    "attention.self.value": "value",
    "attention.output.dense": "attended",
    "attention.output.LayerNorm": "attended_norm",
    "intermediate.dense": "widened",
    "output.dense": "narrowed",
    "output.LayerNorm": "norm",
}


def load_published(model: Encoder, weights: dict[str, Tensor]) -> None:
    """Takes BERT weights by their published names. Raises KeyError naming one that is missing."""
    ours: dict[str, Tensor] = {
        # One segment: its type embedding is a constant, added to every position.
        "words.weight": weights["embeddings.word_embeddings.weight"],
        "positions.weight": weights["embeddings.position_embeddings.weight"]
        + weights["embeddings.token_type_embeddings.weight"][0],
        "norm.weight": weights["embeddings.LayerNorm.weight"],
        "norm.bias": weights["embeddings.LayerNorm.bias"],
    }
    for number in range(model.size.layers):
        for theirs, name in _PUBLISHED.items():
            for kind in ("weight", "bias"):
                ours[f"layers.{number}.{name}.{kind}"] = weights[
                    f"encoder.layer.{number}.{theirs}.{kind}"
                ]
    state = model.state_dict()
    state.update(ours)
    model.load_state_dict(state)
