"""From the trained encoder to the folder that is served: int8 ONNX, tokenizer, description."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from encoder.network import Encoder
from encoder.per_token import scale_by_token
from encoder.tasks import LABELS
from tokenizers import Tokenizer
from torch import Tensor, nn

OUTPUTS = ("sentiment", "emotions", "main_emotion", "entities", "embedding")
INPUTS = ("input_ids", "attention_mask", "case_ids")
MAX_TOKENS = 256


class _Served(nn.Module):
    """The encoder with its exported outputs as a tuple."""

    def __init__(self, model: Encoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, mask: Tensor, cases: Tensor) -> tuple[Tensor, ...]:
        found = self.model(ids, mask, cases, set(OUTPUTS))
        return tuple(found[name] for name in OUTPUTS)


def export(
    model: Encoder,
    tokenizer: Tokenizer,
    folder: Path,
    *,
    version: str,
    thresholds: dict[str, float],
    trained: dict,
) -> str:
    """Writes model.onnx, tokenizer.json and encoder.json; returns the model's id."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.onnx"
    with tempfile.TemporaryDirectory(prefix="voxlake-export-") as work:
        plain = Path(work) / "plain.onnx"
        to_onnx(model, plain)
        quantise(plain, path)
    scale_by_token(path)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    about = {
        "format": 1,
        "name": "encoder",
        "version": version,
        "labels": {task: list(labels) for task, labels in LABELS.items()},
        "thresholds": {"emotions": thresholds},
        "max_tokens": min(MAX_TOKENS, model.size.positions),
        "languages": ["en"],
        "size": asdict(model.size),
        "files": {"model.onnx": digest},
        "trained": trained,
    }
    (folder / "encoder.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    return f"encoder-{version}-{digest[:8]}"


def to_onnx(model: Encoder, path: Path) -> None:
    """The float graph with any batch and length, weights under their names in the network."""
    import onnx

    example = (torch.ones((2, 9), dtype=torch.int64),) * 3
    axes = {name: {0: "batch", 1: "tokens"} for name in (*INPUTS, "entities")}
    axes |= {name: {0: "batch"} for name in OUTPUTS if name != "entities"}
    torch.onnx.export(
        _Served(model.eval()),
        example,
        str(path),
        input_names=list(INPUTS),
        output_names=list(OUTPUTS),
        dynamic_axes=axes,
        opset_version=17,
        dynamo=False,
    )
    document = onnx.load(str(path))
    rename_weights(document, model)
    onnx.save(document, str(path))


def rename_weights(document, model: Encoder) -> None:
    """Gives the graph's weights their names in the network, which adapting a model needs.

    The exporter invents names for the matrices it transposes, and writes equal ones once: those
    are told in the document's properties, {name: name of its equal}.
    """
    from onnx import helper, numpy_helper

    graph = document.graph
    known = {name: value.detach().numpy() for name, value in model.named_parameters()}
    held = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    renamed = {name: name.removeprefix("model.") for name in held}
    for name, value in held.items():
        if renamed[name] not in known:
            for ours, weights in known.items():
                if weights.ndim == 2 and np.array_equal(weights.T, value):
                    renamed[name] = f"{ours}|transposed"
                    break
    placed = {name.removesuffix("|transposed") for name in renamed.values()}
    equals = {}
    for ours, weights in known.items():
        if ours not in placed:
            for name, value in held.items():
                if np.array_equal(weights, value):
                    equals[ours] = renamed[name]
                    break
    for one in graph.initializer:
        one.name = renamed[one.name]
    for node in graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = renamed.get(name, name)
    helper.set_model_props(document, {"equals": json.dumps(equals)})


def quantise(plain: Path, path: Path) -> None:
    """Per-channel int8 of every constant matrix, and of the embeddings."""
    import logging

    from onnxruntime.quantization import QuantType, quantize_dynamic

    logging.getLogger().setLevel(logging.ERROR)  # it recommends a step that costs accuracy here
    quantize_dynamic(
        plain,
        path,
        op_types_to_quantize=["MatMul", "Gather"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        extra_options={"MatMulConstBOnly": True},
    )
