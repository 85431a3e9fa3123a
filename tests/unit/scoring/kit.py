"""A tiny encoder whose every answer can be worked out by hand."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

from tests.unit.scoring import onnx_file as onnx

LABELS = {
    "sentiment": ["negative", "neutral", "positive"],
    "emotions": [
        "anger", "anticipation", "disgust", "fear", "joy", "love", "optimism", "pessimism",
        "sadness", "surprise", "trust",
    ],
    "main_emotion": ["anger", "joy", "optimism", "sadness"],
    "entities": ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG"],
}  # fmt: skip

# word -> {label: what it adds to the logits}. For sentences it is divided by the number of tokens.
MEANS = {
    "great": {"positive": 12.0, "joy": 9.0, "main joy": 4.0},
    "awful": {"negative": 12.0, "anger": 6.0, "main anger": 4.0},
    "love": {"positive": 6.0, "love": 9.0, "joy": 9.5, "main joy": 2.0},
    "paris": {"B-LOC": 9.0},
    "ana": {"B-PER": 9.0},
    "lee": {"I-PER": 9.0},
    "acme": {"B-ORG": 9.0},
    "bank": {"I-ORG": 9.0},
}
PIECES = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", *MEANS, "i", "in", "and", "@", "_", "&", ",", "user",
    "http", "##s",
]  # fmt: skip
COLUMNS = [
    *LABELS["sentiment"], *LABELS["emotions"], *(f"main {x}" for x in LABELS["main_emotion"]),
    *LABELS["entities"],
]  # fmt: skip
WIDTH = 384


def write_encoder(folder: Path, *, heads: tuple[str, ...] = tuple(LABELS), **changes) -> Path:
    """The folder of a tiny encoder; `changes` go into its encoder.json."""
    folder.mkdir(parents=True, exist_ok=True)
    content = _graph(heads)
    (folder / "model.onnx").write_bytes(content)
    _tokenizer().save(str(folder / "tokenizer.json"))
    about = {
        "format": 1,
        "name": "encoder",
        "version": "tiny",
        "labels": {head: LABELS[head] for head in heads},
        "thresholds": {"emotions": dict.fromkeys(LABELS["emotions"], 0.6)},
        "max_tokens": 32,
        "languages": ["en"],
        "files": {"model.onnx": hashlib.sha256(content).hexdigest()},
        "trained": {},
    }
    (folder / "encoder.json").write_text(json.dumps(about | changes))
    return folder


def _graph(heads: tuple[str, ...]) -> bytes:
    """Sentence logits are the mean of the words' rows, entities' the row of each word."""
    words = np.zeros((len(PIECES), len(COLUMNS)), dtype=np.float32)
    for word, adds in MEANS.items():
        for label, amount in adds.items():
            words[PIECES.index(word), COLUMNS.index(label)] = amount
    words[:, COLUMNS.index("O")] = 1.0
    cases = np.zeros((6, len(COLUMNS)), dtype=np.float32)
    cases[3, COLUMNS.index("B-ORG")] = 2.0  # an unknown word in capitals is an organisation
    constants = {
        "words": words,
        "cases": cases,
        "last": np.array([2], dtype=np.int64),
        "tokens": np.array([1], dtype=np.int64),
        "widen": np.eye(len(COLUMNS), WIDTH, dtype=np.float32) + np.float32(0.01),
    }
    nodes = [
        onnx.node("Gather", ["words", "input_ids"], "by_word"),
        onnx.node("Gather", ["cases", "case_ids"], "by_case"),
        onnx.node("Add", ["by_word", "by_case"], "hidden"),
        onnx.node("Cast", ["attention_mask"], "mask", to=onnx.FLOAT),
        onnx.node("Unsqueeze", ["mask", "last"], "weights"),
        onnx.node("Mul", ["by_word", "weights"], "seen"),
        onnx.node("ReduceSum", ["seen", "tokens"], "sum", keepdims=0),
        onnx.node("ReduceSum", ["weights", "tokens"], "count", keepdims=0),
        onnx.node("Div", ["sum", "count"], "mean"),
        onnx.node("MatMul", ["mean", "widen"], "wide"),
        onnx.node("LpNormalization", ["wide"], "embedding", axis=-1, p=2),
    ]
    outputs = [onnx.value("embedding", onnx.FLOAT, ["batch", WIDTH])]
    for head in heads:
        prefix = "main " if head == "main_emotion" else ""
        chosen = [COLUMNS.index(prefix + label) for label in LABELS[head]]
        constants[f"of_{head}"] = np.eye(len(COLUMNS), dtype=np.float32)[:, chosen]
        source = "hidden" if head == "entities" else "mean"
        nodes.append(onnx.node("MatMul", [source, f"of_{head}"], head))
        places = ["batch", "tokens"] if head == "entities" else ["batch"]
        outputs.append(onnx.value(head, onnx.FLOAT, [*places, len(chosen)]))
    inputs = [
        onnx.value(name, onnx.INT64, ["batch", "tokens"])
        for name in ("input_ids", "attention_mask", "case_ids")
    ]
    return onnx.model(nodes, inputs, outputs, constants)


def _tokenizer():
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    vocabulary = {piece: number for number, piece in enumerate(PIECES)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer
