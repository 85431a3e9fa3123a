"""Scoring texts with a packaged model: text preparation, features, model files, metrics.

Needs numpy only; the same code runs in the command line and in the model server.
"""

from voxlake.scoring.errors import ModelFileError
from voxlake.scoring.model import LABELS, SentimentModel, load_model

__all__ = ["LABELS", "ModelFileError", "SentimentModel", "load_model"]
