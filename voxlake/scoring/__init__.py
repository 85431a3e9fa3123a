"""Scoring texts with a packaged model: text preparation, features, model files, metrics.

A linear model needs numpy only; the encoder also onnxruntime, tokenizers and py3langid. The same
code runs in the command line, in Lambda, in Spark and in the model server.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from voxlake.scoring import encoder_file
from voxlake.scoring.classic import load_classic
from voxlake.scoring.classifier import Classifier
from voxlake.scoring.errors import ModelFileError, UnknownHeadError
from voxlake.scoring.model import LABELS, LinearModel

if TYPE_CHECKING:
    from voxlake.scoring.encoder import Encoder

__all__ = ["LABELS", "LinearModel", "ModelFileError", "UnknownHeadError", "load_model"]


def load_model(path: str | Path, *, threads: int = 1) -> Classifier | Encoder:
    """The model of a folder: an encoder where `encoder.json` lies, else a classic one.

    Both have `id`, `heads` and `score_texts(texts, heads)`, but for bigram and topic models, which
    have no heads (voxlake.scoring.classic). threads: how many cores one call of an encoder may
    take. Raises ModelFileError when there is no model or it cannot be read.
    """
    folder = Path(path)
    if folder.name == encoder_file.FILE_NAME:
        folder = folder.parent
    if (folder / encoder_file.FILE_NAME).is_file():
        from voxlake.scoring.encoder import Encoder

        return Encoder(folder, threads=threads)
    return load_classic(path)
