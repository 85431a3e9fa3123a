"""The classic models' own arithmetic against the libraries that train them, and their files."""

import csv
import gzip
import json

import numpy as np
import pytest
from sklearn.decomposition import LatentDirichletAllocation

from tests.test_sagemaker.conftest import ROOT
from voxlake.scoring import ModelFileError, load_model
from voxlake.scoring.bigram import END, START, UNKNOWN, BigramModel, build, count_words
from voxlake.scoring.features import FeatureSettings
from voxlake.scoring.json_file import to_bytes, write_gzipped
from voxlake.scoring.lstm import LstmFile, LstmModel
from voxlake.scoring.prepare import plain_words
from voxlake.scoring.topics import TABLE_COLUMNS, Assignment, coherence, load_topic_model
from voxlake.scoring.words import words

PACKAGED = ROOT / "sagemaker" / "models"
TERMS = ["album", "band", "coach", "goal", "song", "team"]
WEIGHTS = [[30, 20, 0, 0, 40, 1], [0, 1, 30, 40, 0, 50], [5, 5, 5, 5, 5, 5]]
TABLE = [(0, "Music", "arts", ""), (1, "Sport", "", ""), (2, "", "", "")]


def topic_folder(folder, *, weights=WEIGHTS, table=TABLE, **changes):
    """A topic model of three topics over six words, and its table."""
    document = {
        "format": 1, "name": "topics-lda", "version": "1", "terms": TERMS, "weights": weights,
        "topic_prior": [0.1] * len(weights), "word_prior": 0.01, "trained": {}, **changes,
    }  # fmt: skip
    write_gzipped(folder / "topics.json.gz", to_bytes(document))
    with open(folder / "topics.csv", "w", newline="") as file:
        csv.writer(file).writerows([TABLE_COLUMNS, *table])
    return folder


def test_topics_of_texts_agree_with_scikit_learn(tmp_path):
    rng = np.random.default_rng(0)
    counts = rng.poisson(1.0, (40, len(TERMS)))
    counts[0] = 0
    twin = LatentDirichletAllocation(
        3, doc_topic_prior=0.1, max_doc_update_iter=50, mean_change_tol=1e-9
    )
    twin.components_ = np.array(WEIGHTS) + 0.01
    twin.exp_dirichlet_component_ = np.exp(_log_expectation(twin.components_))
    twin.doc_topic_prior_, twin.n_features_in_ = 0.1, len(TERMS)
    texts = [np.repeat(TERMS, row).tolist() for row in counts]
    found = load_topic_model(topic_folder(tmp_path)).shares(texts)
    assert np.abs(found - twin.transform(counts)).max() < 1e-6
    alone = load_topic_model(tmp_path).shares(texts[3:4])
    assert np.abs(alone - found[3:4]).max() < 1e-9


def _log_expectation(weights):
    from scipy.special import digamma

    return digamma(weights) - digamma(weights.sum(axis=1, keepdims=True))


def test_a_topic_is_assigned_by_name_where_one_stands_out(tmp_path):
    model = load_topic_model(topic_folder(tmp_path))
    texts = [
        ["song", "band", "yesterday"], ["team", "goal", "goal"], ["song"], ["song", "team"], [],
        ["qwerty"], None,
    ]  # fmt: skip
    found = model.assign(texts)
    assert [one.topic for one in found] == ["Music", "Sport", None, None, None, None, None]
    assert found[4:] == [Assignment(None, 0.0)] * 3
    assert found[0].score > 0.8
    assert (model.queue("Music"), model.queue("Sport"), model.queue(None)) == ("arts", None, None)
    assert model.assign(texts[1:2]) == found[1:2]
    assert model.assign([]) == []


def test_topics_of_one_name_count_as_one_and_those_without_a_name_never_do(tmp_path):
    table = [(0, "Leisure", "", ""), (1, "Leisure", "", ""), (2, "", "", "")]
    model = load_topic_model(topic_folder(tmp_path, table=table))
    [both] = model.assign([["song", "team", "goal", "album"]])
    assert (both.topic, both.score > 0.9) == ("Leisure", True)
    model = load_topic_model(topic_folder(tmp_path, table=[(n, "", "", "") for n in range(3)]))
    assert model.assign([["song", "band"]]) == [Assignment(None, 0.0)]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (TABLE[:2], r"one line for each topic 0 to 2, found \[0, 1\]"),
        ([*TABLE[:2], ("x", "", "", "")], "a topic's number in line 4, found 'x'"),
        ([*TABLE[:2], (2, "Music", "press", "")], "one queue for the topic 'Music'"),
    ],
)
def test_a_wrong_table_is_named(tmp_path, table, expected):
    with pytest.raises(ModelFileError, match=expected):
        load_topic_model(topic_folder(tmp_path, table=table))


@pytest.mark.parametrize(
    "changes",
    [
        {"weights": [[1, 2]] * 3}, {"weights": [[-1] * 6] * 3}, {"topic_prior": [0.1]},
        {"name": "bigram"}, {"format": 2}, {"terms": []},
    ],
)  # fmt: skip
def test_a_topic_model_that_does_not_fit_is_refused(tmp_path, changes):
    with pytest.raises(ModelFileError):
        load_topic_model(topic_folder(tmp_path, **changes))


def test_coherence_rewards_words_that_meet():
    documents = [["a", "b"], ["a", "b", "x"], ["c", "d"], ["x", "c"], ["d"]]
    together, apart, unseen = coherence([["a", "b"], ["a", "d"], ["a", "qwerty"]], documents)
    assert together == pytest.approx(1.0)
    assert -1.0 < apart < 0.0
    assert unseen == -1.0


@pytest.mark.parametrize(
    ("smoothing", "discount"),
    [
        ("lidstone", 0.1), ("witten_bell", None), ("absolute_discounting", 0.75),
        ("kneser_ney", 0.75),
    ],
)  # fmt: skip
def test_probabilities_of_next_words_sum_to_one(smoothing, discount):
    texts = [["see", "you", "soon"], ["see", "the", "gate"], ["the", "gate", "rare"]] * 2
    unigrams, bigrams = count_words([*texts, ["once"]], min_count=2)
    model = build(unigrams, bigrams, smoothing, discount)
    listed = {*unigrams, START}
    for context in ("see", "gate", START, UNKNOWN):
        assert sum(model.score(word, (context,)) for word in listed) == pytest.approx(1.0)
    assert unigrams[UNKNOWN] == 1
    assert bigrams[START] == {"see": 4, "the": 2, UNKNOWN: 1}


def test_continuation_counts_are_those_of_nltk():
    from nltk.lm import KneserNeyInterpolated

    texts = [["see", "you", "soon"], ["see", "the", "gate"], ["the", "gate"]]
    unigrams, bigrams = count_words(texts, min_count=1)
    ours = build(unigrams, bigrams, "kneser_ney", 0.75)
    theirs = KneserNeyInterpolated(2, discount=0.75, vocabulary=ours.vocab, counter=ours.counts)
    for context in ([START], ["see"], ["the"], None):
        for word in ("you", "gate", END):
            assert ours.score(word, context) == theirs.score(word, context)


def test_next_words_are_the_most_probable_of_all_words():
    texts = [["see", "you", "soon"], ["see", "the", "gate"], ["the", "gate"], ["the", "crew"]]
    unigrams, bigrams = count_words(texts, min_count=1)
    listed = sorted({*unigrams, START, END})
    at = {word: number for number, word in enumerate(listed)}
    document = {
        "version": "1", "words": listed, "smoothing": "kneser_ney", "discount": 0.75,
        "unigrams": [unigrams.get(word, 0) for word in listed],
        "bigrams": {
            str(at[first]): [n for pair in found.items() for n in (at[pair[0]], pair[1])]
            for first, found in bigrams.items()
        },
    }  # fmt: skip
    model = BigramModel(document)
    for prefix, previous in (("I see", "see"), ("", None), ("qwerty", UNKNOWN)):
        everything = sorted(
            ((word, model.probability(word, previous)) for word in unigrams
             if word not in (END, UNKNOWN)),
            key=lambda pair: (-pair[1], pair[0]),
        )  # fmt: skip
        assert model.next_words(prefix, 3) == everything[:3]
    assert len(model.next_words("see", 99)) == 6
    [(bits, count)] = model.surprise(["see you soon"])
    assert (count, model.perplexity(["see you soon"])) == (4, pytest.approx(2 ** (bits / 4)))


def network_and_file():
    """An untrained torch network and the same weights for numpy."""
    torch = pytest.importorskip("torch", reason="training needs PyTorch: requirements/train.txt")
    from tests.test_sagemaker.conftest import load_script

    script = load_script("sagemaker/training/train_lstm.py")
    torch.manual_seed(0)
    network = script.Network(words=8, labels=3, dimensions=6, hidden=5, dropout=0.5).eval()
    # Half precision in the file: the same numbers on both sides.
    with torch.no_grad():
        network.embedding.weight.copy_(network.embedding.weight.half().float())
    file = LstmFile(
        task="sentiment", labels=("negative", "neutral", "positive"), version="1",
        words=["good", "bad", "gate", "the", "so", "late", "!", "plane"],
        arrays=network.arrays(), max_tokens=6, no_evidence=[0.3, 0.4, 0.3],
        settings=FeatureSettings(tokens="word"),
    )  # fmt: skip
    return network, file


def test_the_lstm_in_numpy_agrees_with_torch_whatever_the_texts_lengths(tmp_path):
    torch = pytest.importorskip("torch", reason="training needs PyTorch: requirements/train.txt")
    network, file = network_and_file()
    file.write(tmp_path)
    model = load_model(tmp_path)
    texts = ["good plane", "bad", "bad gate qwerty good plane good bad bad", "plane gate bad"]
    numbers = [model.numbers(text) for text in texts]
    assert [len(found) for found in numbers] == [2, 1, 6, 3]
    width = max(map(len, numbers))
    padded = torch.tensor([found + [0] * (width - len(found)) for found in numbers])
    with torch.no_grad():
        logits = network(padded, torch.tensor([len(found) for found in numbers]))
    expected = torch.softmax(logits, dim=1).numpy()
    assert np.abs(np.array(model.probabilities(texts)) - expected).max() < 1e-5
    assert np.abs(np.array(model.probabilities(texts[1:2])) - expected[1:2]).max() < 1e-5
    assert model.probabilities(["", "qwerty"]) == [[0.3, 0.4, 0.3]] * 2
    assert model.id == LstmModel(file).id


def test_an_lstm_file_that_does_not_fit_is_refused_and_never_unpickled(tmp_path):
    _, file = network_and_file()
    path = file.write(tmp_path)
    first = path.read_bytes()
    assert file.write(tmp_path / "again").read_bytes() == first
    file.arrays["output"] = file.arrays["output"][:2]
    file.write(tmp_path)
    with pytest.raises(ModelFileError, match="arrays of"):
        load_model(tmp_path)
    np.savez(path, about=np.array([{"format": 1}], dtype=object))
    with pytest.raises(ModelFileError):
        load_model(tmp_path)
    path.write_bytes(first[: len(first) // 2])
    with pytest.raises(ModelFileError):
        load_model(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"format": 2}', b'{"format": 1, "words": {"a": "b"}}',
                b'{"format": 1, "words": {}}'],
)  # fmt: skip
def test_a_lexicon_that_is_none_is_refused(tmp_path, content):
    (tmp_path / "lexicon.json").write_bytes(content)
    with pytest.raises(ModelFileError):
        load_model(tmp_path)


def test_names_of_reasons_in_texts_become_the_words_they_replaced():
    assert plain_words("was Cancelled Flightled, reLate Flightd, reFlight Booking Problemss") == (
        "was cancelled, related, rebookings"
    )
    assert plain_words("Late Flight Flight") == "late Flight"
    assert plain_words("a late flight") == "a late flight"


def test_words_are_cleaned_tokenised_and_reduced():
    text = "@united my flights were CANCELLED!! mail me@example.org https://t.co/x #fail 😡"
    assert words(text, "word") == ["flights", "cancelled", "mail", "#fail", "😡"]
    assert words(text, "stem") == ["flight", "cancel", "mail", "#fail", "😡"]
    assert words(text) == ["flight", "cancel", "mail", "#fail", "😡"]


def test_the_packaged_topic_model_is_small_and_names_subjects():
    folder = PACKAGED / "topics"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 2_000_000
    model = load_topic_model(folder)
    assert len(model.names) >= 5
    found = model.assign(
        [words("The team won the game, what a goal by the best player of the season!")]
    )
    assert found[0].topic is not None
    card = (folder / "MODEL_CARD.md").read_text()
    assert model.id in card
    assert json.loads((folder / "metrics.json").read_text())["model"] == model.id


def test_the_packaged_complaint_model_gives_reasons():
    folder = PACKAGED / "complaint_reason"
    model = load_model(folder)
    texts = [
        "my bag is lost, where is my luggage",
        "cancelled my flight again",
        "on hold for 2 hrs",
    ]
    assert [score["complaint_reason"] for score in model.score_texts(texts)] == [
        "Lost Luggage", "Cancelled Flight", "Customer Service Issue",
    ]  # fmt: skip
    assert model.id in (folder / "MODEL_CARD.md").read_text()
    assert json.loads((folder / "metrics.json").read_text())["model"] == model.id


def test_complaint_reasons_reach_their_figure_on_dev(shared_data):
    model = load_model(PACKAGED / "complaint_reason")
    with gzip.open(shared_data / "airline" / "dev.jsonl.gz") as lines:
        rows = [json.loads(line) for line in lines]
    rows = [row for row in rows if row["negativereason"]]
    said = model.predict([row["text"] for row in rows])
    right = sum(row["negativereason"] == label for row, label in zip(rows, said, strict=True))
    assert right / len(rows) > 0.58
