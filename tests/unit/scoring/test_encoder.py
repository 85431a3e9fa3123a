"""The encoder's scores, on a tiny model and, where it is packaged, on the real one."""

import json
import math
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.unit.scoring.kit import LABELS, write_encoder
from voxlake.scoring import ModelFileError, UnknownHeadError, load_model
from voxlake.scoring.encoder import Encoder

ROOT = Path(__file__).resolve().parents[3]
PACKAGED = ROOT / "sagemaker" / "models" / "encoder"
HEADS = tuple(LABELS)
PSEUDONYM = "k1_0123456789abcdef01234567"
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=120)
PARTS = st.sampled_from(
    ["great ", "Paris", "@Ana_Lee ", "Acme", " Bank", "&amp;", "&lt;3", "\U0001f602", "\ud83d",
     "\u200d", "\u202e", "שלום", "\0", "é", "ﷺ", "\U0001f1eb\U0001f1f7", f"@{PSEUDONYM} ", "ANA "]
)  # fmt: skip


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return write_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def encoder(tiny):
    return load_model(tiny)


@pytest.fixture(scope="module")
def packaged():
    if not (PACKAGED / "encoder.json").is_file():
        pytest.skip("no encoder is packaged in sagemaker/models/encoder")
    return load_model(PACKAGED)


def softmax(*logits):
    powers = [math.exp(value) for value in logits]
    return [round(power / sum(powers), 6) for power in powers]


def sigmoid(logit):
    return round(1 / (1 + math.exp(-logit)), 6)


def test_a_score_has_these_keys_and_values(encoder):
    [score] = encoder.score_texts(["I love Paris and Ana Lee"], HEADS)
    # Eight tokens with the special ones.
    negative, neutral, positive = softmax(0, 0, 6 / 8)
    felt = {"love": sigmoid(9 / 8), "joy": sigmoid(9.5 / 8)}
    assert list(score.items()) == [
        ("sentiment", "positive"),
        ("polarity", round(positive - negative, 6)),
        ("sentiment_scores", {"negative": negative, "neutral": neutral, "positive": positive}),
        ("emotions", ["joy", "love"]),
        ("emotion_scores", {label: felt.get(label, 0.5) for label in LABELS["emotions"]}),
        ("main_emotion", "joy"),
        (
            "entities",
            [
                {"text": "Paris", "label": "LOC", "start": 7, "end": 12},
                {"text": "Ana Lee", "label": "PER", "start": 17, "end": 24},
            ],
        ),
        ("language", "en"),
        ("in_scope", True),
        ("model", encoder.id),
    ]
    assert list(score["emotion_scores"]) == LABELS["emotions"]


def test_only_the_heads_asked_for_are_told_in_their_own_order(encoder):
    [score] = encoder.score_texts(["awful"], ["main_emotion", "sentiment"])
    keys = ["sentiment", "polarity", "sentiment_scores", "main_emotion"]
    assert list(score) == [*keys, "language", "in_scope", "model"]
    assert list(encoder.score_texts(["awful"])[0]) == [*keys[:3], "language", "in_scope", "model"]


NOTHING = [
    "", "  \n\t", "\0\x01", "\ud83d", "🇫🇷", "https://t.co/x1 http://a.b",
    "@someone @other", f"@{PSEUDONYM} <link>", ":-) :D xD ^_^ <3 </3 T_T", "&lt;3", "12:30 100%",
    "...!!!", "# @ ?", "RT @someone: https://t.co/1",
]  # fmt: skip


@pytest.mark.parametrize("text", NOTHING)
def test_a_text_with_nothing_to_read_is_neutral_and_out_of_scope(encoder, text):
    assert encoder.score_texts([text, "great"], HEADS)[0] == {
        "sentiment": "neutral",
        "polarity": 0.0,
        "sentiment_scores": {"negative": 0.0, "neutral": 1.0, "positive": 0.0},
        "emotions": [],
        "emotion_scores": dict.fromkeys(LABELS["emotions"], 0.0),
        "main_emotion": None,
        "entities": [],
        "language": "und",
        "in_scope": False,
        "model": encoder.id,
    }


def test_handles_alone_feel_nothing_and_still_name_somebody(encoder):
    [nothing, score] = encoder.score_texts(["", "RT @Ana: http://a.b"], HEADS)
    named = [{"text": "Ana", "label": "PER", "start": 4, "end": 7}]
    assert score == {**nothing, "entities": named}


def test_another_language_is_scored_but_marked(encoder):
    [score] = encoder.score_texts(["der Zug nach Paris kommt schon wieder zu spät"], HEADS)
    assert (score["language"], score["in_scope"]) == ("de", False)
    assert [entity["text"] for entity in score["entities"]] == ["Paris"]


def test_a_long_text_is_read_from_its_beginning(encoder):
    long = "great " + "and " * 50_000 + "awful"
    assert encoder.score_texts([long])[0]["sentiment"] == "positive"
    for text in ("a" * 100_000, "😍" * 50_000, "&" * 100_000, "@" * 100_000, "(:" * 50_000):
        assert encoder.score_texts([text], HEADS)[0]["model"] == encoder.id


@settings(deadline=None, max_examples=100)
@given(texts=st.lists(st.lists(PARTS | ANY_TEXT, max_size=8).map("".join), max_size=5))
@example(texts=["@Ana_Lee&amp;Acme"])
@example(texts=["A\ufdfaANA "])
def test_any_text_is_scored_and_its_entities_are_where_they_say(encoder, texts):
    scores = encoder.score_texts(texts, HEADS)
    assert len(scores) == len(texts)
    for text, score in zip(texts, scores, strict=True):
        assert sum(score["sentiment_scores"].values()) == pytest.approx(1, abs=2e-6)
        json.dumps(score)
        last = 0
        for entity in score["entities"]:
            assert entity["text"] == text[entity["start"] : entity["end"]]
            assert any(map(str.isalnum, entity["text"]))
            assert last <= entity["start"] < entity["end"]
            last = entity["end"]


def texts_of_many_lengths(count):
    rng = random.Random(5)
    words = ["great", "awful", "Paris", "and", "@Ana", "😂", "thing", "&amp;"]
    return [" ".join(rng.choices(words, k=rng.randrange(1, 30))) for _ in range(count)]


def same(one, other):
    """Equal but for float32 noise, which now and then tips an int8 activation to its neighbour."""
    numbers = [
        np.array([*score["sentiment_scores"].values(), *score["emotion_scores"].values()])
        for score in (one, other)
    ]
    told = [
        {k: v for k, v in score.items() if k not in ("polarity", "sentiment_scores",
                                                     "emotion_scores", "emotions")}
        for score in (one, other)
    ]  # fmt: skip
    return told[0] == told[1] and np.abs(numbers[0] - numbers[1]).max() < 1e-3


@pytest.mark.parametrize("which", ["encoder", "packaged"])
def test_a_texts_score_depends_neither_on_its_neighbours_nor_on_their_order(which, request):
    model = request.getfixturevalue(which)
    texts = texts_of_many_lengths(70)
    together = model.score_texts(texts, HEADS)
    backwards = model.score_texts(texts[::-1], HEADS)[::-1]
    alone = [model.score_texts([text], HEADS)[0] for text in texts]
    assert all(map(same, together, backwards))
    assert all(map(same, together, alone))


def test_an_embedding_has_length_1_and_is_near_its_like(encoder):
    found = encoder.embed(["great", "love, great", "awful", ""])
    assert found.shape == (4, 384)
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    assert found[0] @ found[1] > found[0] @ found[2]
    assert encoder.embed([]).shape == (0, 384)


def test_scores_and_embeddings_come_together_as_they_come_apart(encoder):
    texts = ["great", "love, great", "awful", ""]
    scores, vectors = encoder.score_and_embed(texts, HEADS)
    assert scores == encoder.score_texts(texts, HEADS)
    apart = encoder.embed(texts)
    apart[-1] = 0  # there is nothing to read
    assert vectors == pytest.approx(apart, abs=1e-5)


def test_a_head_that_the_model_lacks_is_named(tmp_path):
    model = load_model(write_encoder(tmp_path, heads=("sentiment", "main_emotion")))
    assert model.heads == ("sentiment", "main_emotion")
    with pytest.raises(UnknownHeadError) as caught:
        model.score_texts(["great"], ["sentiment", "entities"])
    assert str(caught.value) == (
        f"{model.id}: expected heads of sentiment, main_emotion, found entities; ask for one of "
        "these or name another model"
    )


def test_entities_may_lie_in_a_file_of_their_own(tiny, tmp_path, encoder):
    import hashlib

    write_encoder(tmp_path, heads=("sentiment",))
    entities = (tiny / "model.onnx").read_bytes()
    (tmp_path / "entities.onnx").write_bytes(entities)
    about = json.loads((tmp_path / "encoder.json").read_text())
    about["files"]["entities.onnx"] = hashlib.sha256(entities).hexdigest()
    about["labels"]["entities"] = LABELS["entities"]
    (tmp_path / "encoder.json").write_text(json.dumps(about))
    text, heads = "great Paris", ("sentiment", "entities")
    apart, joint = (model.score_texts([text], heads)[0] for model in (Encoder(tmp_path), encoder))
    assert apart | {"model": ""} == joint | {"model": ""}


def test_the_id_ends_in_the_weights_hash(tiny, encoder):
    digest = json.loads((tiny / "encoder.json").read_text())["files"]["model.onnx"]
    assert encoder.id == f"encoder-tiny-{digest[:8]}"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"format": 2}, "expected format 1, found format 2"),
        ({"labels": {"mood": ["good"]}}, "expected heads of"),
        ({"labels": None}, "expected the keys of format 1"),
        ({"thresholds": {"emotions": {}}}, "expected a threshold an emotion"),
        ({"files": {}}, "expected model.onnx among its files"),
        ({"files": {"model.onnx": "0" * 64}}, "expected sha256 0000"),
        ({"files": {"model.onnx": "", "gone.onnx": ""}}, "expected sha256 , found"),
        ({"labels": LABELS | {"sentiment": ["bad", "good"]}}, "expected 2 labels in the output"),
        ({"max_tokens": 1}, "expected max_tokens of 3 or more"),
    ],
)
def test_a_broken_folder_is_refused_by_what_is_wrong(tmp_path, changes, problem):
    with pytest.raises(ModelFileError) as caught:
        load_model(write_encoder(tmp_path, **changes))
    assert problem in str(caught.value)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "encoder.json"])
def test_a_damaged_file_is_named(tmp_path, name):
    import hashlib

    write_encoder(tmp_path, files={"model.onnx": hashlib.sha256(b"\0").hexdigest()})
    if name != "model.onnx":
        write_encoder(tmp_path)
    (tmp_path / name).write_bytes(b"\0")
    with pytest.raises(ModelFileError, match=name):
        load_model(tmp_path)


def test_neither_importing_nor_a_linear_model_needs_the_encoders_packages():
    code = (
        "import sys\n"
        "import voxlake.scoring, voxlake.scoring.encoder\n"
        "model = voxlake.scoring.load_model('sagemaker/models/sentiment')\n"
        "model.score_texts(['great'])\n"
        "print(sorted({'onnxruntime', 'tokenizers', 'py3langid'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
