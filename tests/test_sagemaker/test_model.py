"""The numpy model against scikit-learn, and what a score looks like."""

import gzip
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from tests.test_sagemaker.conftest import ROOT, WORDS, generated_rows, load_script
from voxlake.errors import VoxlakeError
from voxlake.scoring import LABELS, LinearModel, ModelFileError, load_model
from voxlake.scoring.features import FeatureSettings, features
from voxlake.scoring.model_file import read_model_file, write_model_file
from voxlake.scoring.prepare import tokens
from voxlake.training.contract import LabelledText

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)
TEXTS = [
    "I love this, thanks so much!!",
    "worst airline ever, never again :(",
    "The gate opens at 10:30 on Monday",
    "love love love love love " * 300,
    "not bad, not bad at all 😍",
    "@someone see https://a.example #GreatDay",
]


def scikit_learn_twin(file):
    """scikit-learn's own classes with the numbers of a model file."""
    vectoriser = TfidfVectorizer(
        analyzer=lambda text: features(tokens(text), file.settings),
        vocabulary={term: at for at, term in enumerate(file.terms)},
        sublinear_tf=True,
    )
    vectoriser.idf_ = np.array(file.idf)
    classifier = LogisticRegression()
    classifier.classes_ = np.array(LABELS)
    classifier.coef_, classifier.intercept_ = np.array(file.weights), np.array(file.intercept)
    return lambda texts: classifier.predict_proba(vectoriser.transform(texts))


def test_the_packaged_model_agrees_with_scikit_learn(packaged):
    file = read_model_file(ROOT / "sagemaker/models/sentiment")
    found = np.array(packaged.probabilities(TEXTS))
    assert np.abs(found - scikit_learn_twin(file)(TEXTS)).max() < 1e-12
    rounded = [list(score["sentiment_scores"].values()) for score in packaged.score_texts(TEXTS)]
    assert np.abs(np.array(rounded) - found).max() < 1e-6


def test_the_packaged_model_agrees_with_scikit_learn_on_real_tweets(packaged, shared_data):
    with gzip.open(shared_data / "tweeteval_sentiment" / "dev.jsonl.gz") as lines:
        texts = [json.loads(line)["text"] for line in lines][:500]
    twin = scikit_learn_twin(read_model_file(ROOT / "sagemaker/models/sentiment"))
    assert np.abs(np.array(packaged.probabilities(texts)) - twin(texts)).max() < 1e-6


def test_a_model_just_fitted_gives_what_its_file_gives(tmp_path):
    training = load_script("sagemaker/training/train_logreg.py")
    rows = [LabelledText(row["text"], row["label"]) for row in generated_rows(240, seed=3)]
    choice = FeatureSettings()
    vectoriser, classifier = training.fit(rows, choice, min_df=2)
    trained = {"labels": dict.fromkeys(LABELS, 80)}
    file = training.to_model_file(
        vectoriser,
        classifier,
        choice,
        task="sentiment",
        labels=LABELS,
        version="1",
        trained=trained,
        decimals=12,
    )
    write_model_file(file, tmp_path)
    texts = [row["text"] for row in generated_rows(60, seed=4)]
    expected = classifier.predict_proba(
        vectoriser.transform([features(tokens(text), choice) for text in texts])
    )
    found = np.array(load_model(tmp_path).probabilities(texts))
    assert classifier.classes_.tolist() == list(LABELS)
    assert np.abs(found - expected).max() < 1e-6


def test_pruning_keeps_the_features_that_matter():
    training = load_script("sagemaker/training/train_logreg.py")
    rows = [LabelledText(row["text"], row["label"]) for row in generated_rows(240, seed=3)]
    vectoriser, classifier = training.fit(rows, FeatureSettings(char_max=0), max_features=20)
    terms = set(vectoriser.get_feature_names_out())
    assert len(terms) == 20
    assert classifier.coef_.shape == (3, 20)
    telling = {word for words in WORDS.values() for word in " ".join(words).split()}
    assert len(terms & telling) >= 18
    assert not terms & {"the", "and", "plane"}


def test_a_score_has_this_shape(packaged):
    [score] = packaged.score_texts(["I love this, thanks so much!!"])
    scores = score["sentiment_scores"]
    assert score == {
        "sentiment": "positive",
        "polarity": round(scores["positive"] - scores["negative"], 6),
        "sentiment_scores": {name: scores[name] for name in ("negative", "neutral", "positive")},
        "language": "und",
        "in_scope": True,
        "model": packaged.id,
    }
    assert sum(scores.values()) == pytest.approx(1, abs=2e-6)
    assert score["polarity"] > 0.8


@pytest.mark.parametrize("text", ["", "   \n", "\0\x07", "\ud800", "これは本です"])
def test_a_text_that_says_nothing_is_neutral_without_polarity(packaged, text):
    [score] = packaged.score_texts([text])
    no_evidence = read_model_file(ROOT / "sagemaker/models/sentiment").no_evidence
    assert (score["sentiment"], score["polarity"]) == ("neutral", 0.0)
    assert (score["language"], score["in_scope"]) == ("und", False)
    assert list(score["sentiment_scores"].values()) == no_evidence


def test_handles_and_links_say_nothing_of_whom_they_name(packaged):
    pseudonym = "k1_0123456789abcdef01234567"
    one, other = packaged.score_texts(
        [
            f"@{pseudonym} thanks https://a.example/1 x.com/{pseudonym}",
            "@somebody thanks http://b.example/two x.com/somebody_else",
        ]
    )
    assert one == other


@settings(deadline=None, max_examples=60)
@given(texts=st.lists(ANY_TEXT | st.sampled_from(TEXTS), min_size=1, max_size=6))
def test_a_texts_score_does_not_depend_on_its_neighbours(packaged, texts):
    together = packaged.score_texts(texts)
    assert together == [score for text in texts for score in packaged.score_texts([text])]
    for score in together:
        assert sum(score["sentiment_scores"].values()) == pytest.approx(1, abs=2e-6)
        assert -1 <= score["polarity"] <= 1


def test_scores_of_many_texts_equal_those_one_by_one(packaged):
    texts = [row["text"] for row in generated_rows(600, seed=5)]
    assert packaged.score_texts(texts) == [packaged.score_texts([text])[0] for text in texts]
    assert packaged.score_texts([]) == []


def test_a_text_of_100_kilobytes_is_scored(packaged):
    for text in ("a" * 100_000, "love " * 20_000, "😍" * 25_000, "@" * 100_000, "(:" * 50_000):
        assert packaged.score_texts([text])[0]["model"] == packaged.id


def test_a_model_file_is_the_same_after_reading_and_writing(trained, tmp_path):
    original = trained / "model" / "model.json.gz"
    copy = write_model_file(read_model_file(original), tmp_path)
    assert copy.read_bytes() == original.read_bytes()


def test_the_models_id_changes_with_any_weight(trained):
    file = read_model_file(trained / "model")
    before = LinearModel(file).id
    file.weights[0][0] += 0.001
    after = LinearModel(file).id
    assert before != after
    assert before.startswith("sentiment-logreg-1-")
    assert len(before) == len(after) == len("sentiment-logreg-1-01234567")


def changed(**changes):
    return lambda document: gzip.compress(json.dumps(document | changes).encode())


@pytest.mark.parametrize(
    ("break_it", "problem"),
    [
        (lambda document: b"not gzip", "expected gzipped JSON"),
        (lambda document: gzip.compress(b'{"format": 1')[:-4], "expected gzipped JSON"),
        (lambda document: gzip.compress(b"\xff"), "expected gzipped JSON"),
        (lambda document: gzip.compress(b"[]"), "expected a JSON object, found list"),
        (changed(format=2), "expected format 1, found format 2"),
        (changed(labels=["bad", "good"]), "expected labels"),
        (changed(settings={"unknown": 1}), "expected the keys of format 1"),
        (changed(terms=[]), "expected an idf and 3 weights a term"),
        (changed(weights=[[], []]), "expected an idf and 3 weights a term"),
        (changed(intercept=[0.0]), "expected an intercept and a no_evidence a label"),
        (changed(intercept=[0.0, "1", 2.0]), "expected finite numbers"),
    ],
)
def test_a_broken_model_file_is_refused_by_what_is_wrong(trained, tmp_path, break_it, problem):
    document = json.loads(gzip.decompress((trained / "model" / "model.json.gz").read_bytes()))
    (tmp_path / "model.json.gz").write_bytes(break_it(document))
    with pytest.raises(ModelFileError) as caught:
        load_model(tmp_path)
    assert problem in str(caught.value)
    assert isinstance(caught.value, VoxlakeError)


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(ModelFileError, match="expected a model file, found no such file"):
        load_model(tmp_path / "nowhere")
