"""The classic models, told apart by the file that lies in a model's folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from voxlake.scoring.model import LinearModel, load_model

if TYPE_CHECKING:
    from voxlake.scoring.bigram import BigramModel
    from voxlake.scoring.lexicon import LexiconModel
    from voxlake.scoring.lstm import LstmModel
    from voxlake.scoring.topics import TopicModel


def load_classic(
    path: str | Path,
) -> LinearModel | LexiconModel | LstmModel | BigramModel | TopicModel:
    """The model of a folder (a linear one also by its file). Raises ModelFileError.

    Classifiers (linear, lexicon, LSTM) have `id`, `heads` and `score_texts(texts, heads)`; the
    others `id`, `task` and what their classes say. Each needs numpy at most, the bigram model nltk.
    """
    folder = Path(path)
    # Imported when needed: a linear model needs none of what the others import.
    if (folder / "lstm.npz").is_file():
        from voxlake.scoring.lstm import load_lstm

        return load_lstm(folder)
    if (folder / "lexicon.json").is_file():
        from voxlake.scoring.lexicon import load_lexicon

        return load_lexicon(folder)
    if (folder / "bigram.json.gz").is_file():
        from voxlake.scoring.bigram import load_bigram

        return load_bigram(folder)
    if (folder / "topics.json.gz").is_file():
        from voxlake.scoring.topics import load_topic_model

        return load_topic_model(folder)
    return load_model(path)
