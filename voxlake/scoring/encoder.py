"""The encoder: sentiment, emotions, entities and an embedding of short texts, on the CPU.

A folder with `encoder.json` (see encoder_file), `model.onnx` and `tokenizer.json` is run by
onnxruntime and tokenizers; nothing is fetched. Both packages are imported when a model is loaded,
so that the module can be imported where they are not installed. Load a model once a process and
keep it; one process takes one thread unless told otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from voxlake.scoring.encoder_file import (
    ENTITIES_MODEL,
    MODEL,
    TOKENIZER,
    EncoderFile,
    read_encoder_file,
)
from voxlake.scoring.encoder_text import Prepared, case_ids, prepare
from voxlake.scoring.entities import decode
from voxlake.scoring.errors import ModelFileError, check_heads
from voxlake.scoring.language import language_of

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

INPUTS = ("input_ids", "attention_mask", "case_ids")
EMBEDDING = "embedding"
NEUTRAL = "neutral"

# Batches hold texts of like length. The padded tokens of one are bounded, so that the attention of
# long texts stays in little memory.
BATCH_TEXTS = 32
BATCH_TOKENS = 2_048
# Scores are rounded so that they do not differ between processors by noise alone.
_DECIMALS = 6


class _Text(NamedTuple):
    """One text ready for the model; `at` is its place among the texts given."""

    at: int
    prepared: Prepared
    ids: list[int]
    offsets: list[tuple[int, int]]
    word_ids: list[int | None]


class Encoder:
    """Scores and embeds texts. `id` names the model in every score, `heads` what it can tell."""

    def __init__(self, folder: str | Path, *, threads: int = 1) -> None:
        """Loads the model of a folder. Raises ModelFileError where it is not one.

        threads: how many cores one call may take.
        """
        file = read_encoder_file(folder)
        self.id, self.heads, self.labels = file.model_id, file.heads, file.labels
        self._file = file
        self._tokenizer = _tokenizer(file)
        self._session = _session(file.folder / MODEL, threads)
        sizes: dict[str, int | None] = {head: len(self.labels[head]) for head in self.heads}
        if ENTITIES_MODEL in file.files:
            path = file.folder / ENTITIES_MODEL
            self._entities = _session(path, threads)
            _check_model(self._entities, path, {"entities": sizes.pop("entities", None)})
        else:
            self._entities = self._session
        _check_model(self._session, file.folder / MODEL, {**sizes, EMBEDDING: None})

    def score_texts(
        self, texts: list[str], heads: Sequence[str] = ("sentiment",)
    ) -> list[dict[str, Any]]:
        """One score a text, in order.

        Returns dicts of, for the heads asked for, sentiment, polarity (P(positive) - P(negative)),
        sentiment_scores; emotions (labels at or above their thresholds, most probable first),
        emotion_scores; main_emotion; entities (text, label, start, end: characters of the text
        given); then language, in_scope, model. A text with nothing to read (empty, only links,
        handles or emoticons) is neutral with polarity 0 and has no emotion; a handle in it may
        still name somebody.
        Only a text's beginning is read: max_tokens word pieces of the model's description.

        Raises UnknownHeadError for a head that the model does not have.
        """
        return self._read(texts, heads)

    def score_and_embed(
        self, texts: list[str], heads: Sequence[str]
    ) -> tuple[list[dict[str, Any]], np.ndarray]:
        """`score_texts` and `embed` for little more than the price of the former.

        A text with nothing to read has a row of zeros in place of an embedding.
        """
        vectors = self._rows(texts)
        return self._read(texts, heads, vectors), vectors

    def _read(
        self, texts: list[str], heads: Sequence[str], vectors: np.ndarray | None = None
    ) -> list[dict[str, Any]]:
        """See `score_texts`. vectors: takes the embeddings of the texts that are read."""
        check_heads(self.id, self.heads, heads)
        languages = [language_of(text, self._file.languages) for text in texts]
        names = "entities" in heads
        read = [
            at
            for at, language in enumerate(languages)
            if language.readable or (names and "@" in texts[at])
        ]
        scores: list[dict[str, Any]] = [{} for _ in texts]
        for batch in self._batches(texts, read):
            outputs = self._run(batch, heads if vectors is None else (*heads, EMBEDDING))
            if vectors is not None:
                vectors[[text.at for text in batch]] = outputs.pop(EMBEDDING)
            for row, text in enumerate(batch):
                scores[text.at] = self._score(
                    texts[text.at], text, {head: outputs[head][row] for head in outputs}
                )
        return [
            {
                **(score if language.readable else self._nothing(heads, text, score)),
                "language": language.language,
                "in_scope": language.in_scope,
                "model": self.id,
            }
            for text, score, language in zip(texts, scores, languages, strict=True)
        ]

    def embed(self, texts: list[str]) -> np.ndarray:
        """float32 [texts, dimensions], each row of length 1: near rows mean alike."""
        found = self._rows(texts)
        for batch in self._batches(texts, range(len(texts))):
            found[[text.at for text in batch]] = self._run(batch, (EMBEDDING,))[EMBEDDING]
        return found

    def _rows(self, texts: list[str]) -> np.ndarray:
        """A row of zeros a text, as wide as an embedding."""
        width = next(o.shape[-1] for o in self._session.get_outputs() if o.name == EMBEDDING)
        return np.zeros((len(texts), width), dtype=np.float32)

    def _batches(self, texts: list[str], chosen: Sequence[int]) -> Iterator[list[_Text]]:
        """The chosen texts in batches of like length; their order given does not matter."""
        ready = [self._encode(at, texts[at]) for at in chosen]
        batch: list[_Text] = []
        for text in sorted(ready, key=lambda text: (len(text.ids), text.ids)):
            full = len(batch) == BATCH_TEXTS or (len(batch) + 1) * len(text.ids) > BATCH_TOKENS
            if batch and full:
                yield batch
                batch = []
            batch.append(text)
        if batch:
            yield batch

    def _encode(self, at: int, text: str) -> _Text:
        prepared = prepare(text)
        # One at a time: encode_batch would start threads of its own.
        encoding = self._tokenizer.encode(prepared.text)
        return _Text(at, prepared, encoding.ids, encoding.offsets, encoding.word_ids)

    def _run(self, batch: list[_Text], outputs: Sequence[str]) -> dict[str, np.ndarray]:
        """{output: float32 [texts, ...]} of a batch."""
        feed = padded(batch)
        found: dict[str, np.ndarray] = {}
        for session, names in self._sessions(outputs):
            found |= zip(names, session.run(names, feed), strict=True)
        return found

    def _sessions(self, outputs: Sequence[str]) -> list[tuple[InferenceSession, list[str]]]:
        """The sessions that give these outputs, and which each gives."""
        joint = [name for name in outputs if self._of(name) is self._session]
        apart = [name for name in outputs if self._of(name) is not self._session]
        pairs = [(self._session, joint), (self._entities, apart)]
        return [(session, names) for session, names in pairs if names]

    def _of(self, output: str) -> InferenceSession:
        return self._entities if output == "entities" else self._session

    def _score(self, given: str, text: _Text, logits: dict[str, np.ndarray]) -> dict[str, Any]:
        score: dict[str, Any] = {}
        for head in self.heads:
            if head not in logits:
                continue
            labels = self.labels[head]
            if head == "sentiment":
                score |= _sentiment(dict(zip(labels, _softmax(logits[head]), strict=True)))
            elif head == "emotions":
                score |= self._emotions(dict(zip(labels, _sigmoid(logits[head]), strict=True)))
            elif head == "main_emotion":
                score[head] = labels[int(np.argmax(logits[head]))]
            else:
                best = logits[head][: len(text.ids)].argmax(axis=-1).tolist()
                found = [labels[number] for number in best]
                score[head] = decode(given, text.prepared, text.offsets, text.word_ids, found)
        return score

    def _emotions(self, scores: dict[str, float]) -> dict[str, Any]:
        thresholds = self._file.emotion_thresholds
        felt = [label for label, value in scores.items() if value >= thresholds[label]]
        return {
            "emotions": sorted(felt, key=lambda label: -scores[label]),
            "emotion_scores": scores,
        }

    def _nothing(self, heads: Sequence[str], text: str, read: dict[str, Any]) -> dict[str, Any]:
        """The score of a text with nothing to read; of `read`, its score, whom handles name."""
        named = [e for e in read.get("entities", []) if text[: e["start"]].endswith("@")]
        score: dict[str, Any] = {}
        for head in self.heads:
            if head not in heads:
                continue
            if head == "sentiment":
                score |= _sentiment(
                    {label: float(label == NEUTRAL) for label in self.labels["sentiment"]}
                )
            elif head == "emotions":
                score |= {
                    "emotions": [],
                    "emotion_scores": dict.fromkeys(self.labels["emotions"], 0.0),
                }
            else:
                score[head] = None if head == "main_emotion" else named
        return score


def padded(batch: list[_Text]) -> dict[str, np.ndarray]:
    """The model's inputs for a batch, int64 [texts, tokens of the longest]."""
    shape = (len(batch), max(len(text.ids) for text in batch))
    feed = {name: np.zeros(shape, dtype=np.int64) for name in INPUTS}
    for row, text in enumerate(batch):
        length = len(text.ids)
        feed["input_ids"][row, :length] = text.ids
        feed["attention_mask"][row, :length] = 1
        feed["case_ids"][row, :length] = case_ids(text.offsets, text.prepared.text)
    return feed


def _sentiment(scores: dict[str, float]) -> dict[str, Any]:
    return {
        "sentiment": max(scores, key=scores.__getitem__),
        "polarity": round(scores["positive"] - scores["negative"], _DECIMALS),
        "sentiment_scores": scores,
    }


def _softmax(logits: np.ndarray) -> list[float]:
    powers = np.exp(logits.astype(np.float64) - float(logits.max()))
    return [round(value, _DECIMALS) for value in (powers / powers.sum()).tolist()]


def _sigmoid(logits: np.ndarray) -> list[float]:
    # Far beyond what a float32 probability can tell, and np.exp stays finite.
    values = 1.0 / (1.0 + np.exp(-np.clip(logits.astype(np.float64), -50.0, 50.0)))
    return [round(value, _DECIMALS) for value in values.tolist()]


def _session(path: Path, threads: int) -> InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # A waiting thread must not burn the core that others work on.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Without VNNI the fast kernels let 16-bit sums overflow; these cost a little and do not.
    options.add_session_config_entry("session.x64quantprecision", "1")
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no base of their own
        raise ModelFileError(path, "an ONNX model", " ".join(str(error).split())[:300]) from error


def _tokenizer(file: EncoderFile) -> Any:
    from tokenizers import Tokenizer

    path = file.folder / TOKENIZER
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises plain Exception
        raise ModelFileError(path, "a tokenizer", str(error)[:300]) from error
    tokenizer.enable_truncation(max_length=file.max_tokens)
    tokenizer.no_padding()
    return tokenizer


def _check_model(session: InferenceSession, path: Path, outputs: dict[str, int | None]) -> None:
    """Raises ModelFileError when inputs or outputs are not as the description says.

    outputs: {name: size of the last dimension, None for any}.
    """
    inputs = [each.name for each in session.get_inputs()]
    if sorted(inputs) != sorted(INPUTS):
        raise ModelFileError(path, f"the inputs {list(INPUTS)}", f"{inputs}")
    shapes = {each.name: each.shape for each in session.get_outputs()}
    for name, size in outputs.items():
        if name not in shapes:
            raise ModelFileError(path, f"an output {name}", f"{sorted(shapes)}")
        last = shapes[name][-1]
        if size is not None and isinstance(last, int) and last != size:
            raise ModelFileError(path, f"{size} labels in the output {name}", str(last))
