"""A tiny untrained encoder in the form of the packaged one, and labelled rows it can learn."""

from __future__ import annotations

import random
import sys
from pathlib import Path

from tests.test_sagemaker.conftest import FILLER, ROOT, WORDS, generated_rows, write_rows

TRAINING = ROOT / "sagemaker" / "training"
NAMES = {"PER": ["Ana", "Bo"], "LOC": ["Oslo", "Rome"], "ORG": ["Acme", "Initech"]}


def training_code() -> None:
    """Makes `encoder` importable, as it is for the script beside it."""
    if str(TRAINING) not in sys.path:
        sys.path.insert(0, str(TRAINING))


def tiny_tokenizer():
    """Words of the rows whole, letters for any other."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    words = {word.lower() for group in (*WORDS.values(), *NAMES.values(), FILLER) for word in group}
    words = {part for word in words for part in word.replace("#", "# ").split()}
    letters = "abcdefghijklmnopqrstuvwxyz0123456789@#.,!?<>&'\"😂"
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *(f"##{one}" for one in letters)]
    pieces += sorted(words - set(pieces))
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def write_tiny_encoder(folder: Path, seed: int = 0) -> Path:
    """An untrained encoder of two layers as a model folder (about 60 kB)."""
    training_code()
    import torch
    from encoder.export import export
    from encoder.network import Encoder, Size
    from encoder.start import sentence_heads
    from encoder.tasks import LABELS

    torch.manual_seed(seed)
    tokenizer = tiny_tokenizer()
    size = Size(
        vocabulary=tokenizer.get_vocab_size(), positions=64, width=32, layers=2, heads=2, inner=64
    )
    model = Encoder(size, sentence_heads(), len(LABELS["entities"]))
    thresholds = dict.fromkeys(LABELS["emotions"], 0.5)
    export(model, tokenizer, folder, version="tiny", thresholds=thresholds, trained={})
    return folder


def entity_rows(count: int, seed: int) -> list[dict]:
    """Rows in which names are known by the word."""
    rng = random.Random(seed)
    rows = []
    for number in range(count):
        tokens = rng.choices(["the", "plane", "was", "for", "today"], k=4)
        tags = ["O"] * 4
        kind = rng.choice(sorted(NAMES))
        place = rng.randrange(5)
        tokens.insert(place, rng.choice(NAMES[kind]))
        tags.insert(place, f"B-{kind}")
        rows.append({"id": str(number), "text": " ".join(tokens), "tokens": tokens, "tags": tags})
    return rows


def emotion_rows(count: int, seed: int) -> list[dict]:
    """Rows with several emotions, by the words of the sentiment rows."""
    felt = {"negative": ["anger", "disgust"], "neutral": [], "positive": ["joy", "love"]}
    return [
        {"id": row["id"], "text": row["text"], "labels": felt[row["label"]]}
        for row in generated_rows(count, seed)
    ]


def write_sets(folder: Path, train: int = 96, dev: int = 30) -> Path:
    """Sets of three tasks as `train` and `dev` files in a folder each."""
    for part, count, seed in (("train", train, 1), ("dev", dev, 2)):
        for name, rows in (
            ("feelings", generated_rows(count, seed)),
            ("emotions", emotion_rows(count, seed)),
            ("names", entity_rows(count, seed)),
        ):
            write_rows(folder / name / f"{part}.jsonl", rows)
    return folder
