"""The classic training scripts for real on tiny data: what they learn, seeds, kill and resume."""

import json
import os
import random
import signal
import subprocess
import sys

import pytest

from tests.test_sagemaker.conftest import ROOT, generated_rows, write_rows
from voxlake.scoring import load_model
from voxlake.scoring.bigram import load_bigram
from voxlake.scoring.topics import load_topic_model

REASONS = {
    "Late Flight": ["late", "delayed", "hours", "waiting"],
    "Lost Luggage": ["bag", "lost", "suitcase", "luggage"],
}
SUBJECTS = [
    ["match", "goal", "team", "coach", "league", "player"],
    ["album", "song", "band", "concert", "guitar", "singer"],
    ["phone", "battery", "screen", "charger", "camera", "app"],
]


def complaints(count, seed):
    """Rows as the airline set has them: a reason, or null where the tweet is no complaint."""
    rng = random.Random(seed)
    rows = []
    for number in range(count):
        reason = (*REASONS, None)[number % 3]
        words = rng.sample(REASONS[reason], 2) if reason else ["thanks", "crew"]
        text = " ".join(["@united", *rng.choices(["the", "plane", "my", "today"], k=4), *words])
        label = "negative" if reason else "positive"
        rows.append({"text": text, "label": label, "negativereason": reason})
    return rows


def subjects(count, seed):
    """Texts of one subject each, without labels."""
    rng = random.Random(seed)
    return [
        {"text": " ".join(["the", *rng.sample(SUBJECTS[number % 3], 4), "@someone"])}
        for number in range(count)
    ]


def command(script, folder, rows, validation, *arguments):
    """(arguments, environment) of a training script under the contract's variables."""
    write_rows(folder / "input" / "train" / "part-1.jsonl", rows)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SM_", "PYTHONPATH"))}
    environment |= {
        "SM_CHANNEL_TRAIN": str(folder / "input" / "train"),
        "SM_MODEL_DIR": str(folder / "model"),
        "SM_OUTPUT_DATA_DIR": str(folder / "output"),
        "SM_CHECKPOINT_DIR": str(folder / "checkpoints"),
        "PYTHONUNBUFFERED": "1",
    }
    if validation:
        write_rows(folder / "input" / "validation" / "part-1.jsonl", validation)
        environment["SM_CHANNEL_VALIDATION"] = str(folder / "input" / "validation")
    path = ROOT / "sagemaker" / "training" / f"train_{script}.py"
    return [sys.executable, str(path), "--data-name", "tiny", *arguments], environment


def run(script, folder, rows, validation, *arguments):
    """Runs a script to its end; returns (its output, metrics.json)."""
    argv, environment = command(script, folder, rows, validation, *arguments)
    done = subprocess.run(
        argv, env=environment, cwd=folder, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads((folder / "output" / "metrics.json").read_text())


def only_figures(document, task, primary):
    """The one set of a metrics.json, checked for the form that every model's has."""
    [figures] = document["sets"]
    assert list(figures)[:5] == ["data", "task", "model", "n", "primary"]
    assert (figures["task"], figures["primary"], figures["model"]) == (
        task, primary, document["model"],
    )  # fmt: skip
    return figures


def test_the_lexicon_learns_words_and_a_person_can_edit_them(tmp_path):
    rows, validation = generated_rows(240, seed=1), generated_rows(60, seed=2)
    _, document = run("lexicon", tmp_path, rows, validation, "--min-count", "3", "--z", "1")
    figures = only_figures(document, "sentiment", "macro_recall")
    assert (figures["data"], figures["n"]) == ("tiny-dev", 60)
    assert figures["macro_recall"] > 0.9
    model = load_model(tmp_path / "model")
    assert model.id == document["model"]
    good, bad, unknown = model.score_texts(["wonderful!", "not wonderful", "qwerty"])
    assert (good["sentiment"], good["in_scope"]) == ("positive", True)
    assert bad["polarity"] < 0 < good["polarity"]
    assert unknown["sentiment_scores"] == {"negative": 0.3, "neutral": 0.4, "positive": 0.3}
    assert unknown["in_scope"] is False

    path = tmp_path / "model" / "lexicon.json"
    lexicon = json.loads(path.read_text())
    lexicon["words"]["qwerty"] = -3
    path.write_text(json.dumps(lexicon))
    edited = load_model(tmp_path / "model")
    assert edited.score_texts(["qwerty"])[0]["sentiment"] == "negative"
    assert edited.id != model.id


def test_complaint_reasons_are_learnt_from_complaints_alone_and_without_leaked_words(tmp_path):
    rows, validation = complaints(180, seed=1), complaints(45, seed=2)
    for row in rows:
        row["text"] = row["text"].replace("late", "Late Flight")
    _, document = run(
        "logreg", tmp_path, rows, validation, "--task", "complaint_reason", "--tokens", "word"
    )
    figures = only_figures(document, "complaint_reason", "macro_f1")
    assert (figures["n"], sorted(figures["per_class"])) == (30, sorted(REASONS))
    assert figures["macro_f1"] > 0.95
    model = load_model(tmp_path / "model")
    assert (model.heads, model.labels) == (("complaint_reason",), tuple(sorted(REASONS)))
    [score] = model.score_texts(["still waiting, hours late"])
    assert score["complaint_reason"] == "Late Flight"
    assert round(sum(score["complaint_reason_scores"].values()), 4) == 1.0
    leaked, plain = model.probabilities(["so Late Flight", "so late"])
    assert leaked == plain


def test_the_grid_is_searched_within_the_training_data_and_its_choice_is_used(tmp_path):
    rows, validation = complaints(90, seed=1), complaints(30, seed=2)
    _, document = run(
        "logreg", tmp_path, rows, validation, "--task", "complaint_reason", "--grid", "true"
    )
    tried = json.loads((tmp_path / "output" / "grid.json").read_text())
    assert {"tokens", "char_max", "c", "macro_f1", "deviation"} == set(tried[0])
    assert len(tried) == 18
    best = max(one["macro_f1"] for one in tried)
    chosen = next(one for one in tried if one["macro_f1"] == best)
    model = load_model(tmp_path / "model")
    assert (model.settings.tokens, model.settings.char_max) == (
        chosen["tokens"], chosen["char_max"],
    )  # fmt: skip
    assert only_figures(document, "complaint_reason", "macro_f1")["macro_f1"] > 0.9


def lstm(folder, *arguments):
    return command(
        "lstm", folder, generated_rows(180, seed=1), generated_rows(60, seed=2),
        "--dimensions", "16", "--hidden", "12", "--min-count", "1", "--rate", "0.01", *arguments,
    )  # fmt: skip


def outcome(folder):
    """Everything that must be the same for the same seed: figures, curve and model file."""
    return (
        json.loads((folder / "output" / "metrics.json").read_text()),
        json.loads((folder / "output" / "curve.json").read_text()),
        (folder / "model" / "lstm.npz").read_bytes(),
    )


def test_a_killed_lstm_training_goes_on_and_ends_as_if_it_had_not_been_killed(tmp_path):
    long = ("--epochs", "8", "--patience", "99")
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    argv, environment = lstm(killed, *long)
    process = subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True)
    # The third epoch's line comes before its checkpoint, the second one's checkpoint is there.
    for line in process.stdout:
        if line.startswith("epoch 3:"):
            process.send_signal(signal.SIGKILL)
            break
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    assert not (killed / "model").exists()

    resumed = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=200)
    assert resumed.returncode == 0, resumed.stderr
    assert "going on after epoch" in resumed.stdout
    assert "epoch 1:" not in resumed.stdout

    argv, environment = lstm(whole, *long)
    assert subprocess.run(argv, env=environment, capture_output=True, timeout=200).returncode == 0
    assert outcome(killed) == outcome(whole)
    metrics, curve, _ = outcome(whole)
    assert [point["epoch"] for point in curve] == list(range(1, 9))
    assert only_figures(metrics, "sentiment", "macro_recall")["macro_recall"] > 0.9
    scored = load_model(whole / "model").score_texts(["a great and wonderful plane", ""])
    assert [score["sentiment"] for score in scored] == ["positive", "neutral"]


def test_the_bigram_model_learns_what_follows_and_chooses_its_smoothing_by_perplexity(tmp_path):
    rows = [{"text": "see you at the gate"}, {"text": "see you soon"}, {"text": "the gate opens"}]
    _, document = run("bigram", tmp_path, rows * 4, rows, "--min-count", "1")
    figures = only_figures(document, "next_word", "perplexity")
    tried = json.loads((tmp_path / "output" / "smoothing.json").read_text())
    assert figures["perplexity"] == min(one["perplexity"] for one in tried)
    assert (figures["n"], figures["tokens"]) == (3, 14)
    model = load_bigram(tmp_path / "model")
    assert [word for word, _ in model.next_words("I will see", 1)] == ["you"]
    first = (tmp_path / "model" / "bigram.json.gz").read_bytes()
    again = tmp_path / "again"
    run("bigram", again, rows * 4, rows, "--min-count", "1")
    assert (again / "model" / "bigram.json.gz").read_bytes() == first


def test_lda_finds_subjects_and_chooses_their_number_by_coherence(tmp_path):
    arguments = ("--topics", "2,3", "--min-df", "2", "--max-df", "0.9", "--iterations", "100")
    rows, validation = subjects(150, seed=1), subjects(60, seed=2)
    out, document = run("lda", tmp_path, rows, validation, *arguments)
    figures = only_figures(document, "topics", "c_npmi")
    found = json.loads((tmp_path / "output" / "coherence.json").read_text())
    assert figures["topics"] == int(max(found, key=found.get)) == 3
    assert figures["c_npmi"] == max(found.values())
    topics = json.loads((tmp_path / "output" / "topics.json").read_text())
    assert sorted(sorted(set(topic["top_words"][:6])) for topic in topics) == sorted(
        sorted(words) for words in SUBJECTS
    )
    assert all("@someone" not in text for topic in topics for text in topic["texts"])
    assert all(len(topic["texts"]) == 5 for topic in topics)
    model = load_topic_model(tmp_path / "model")
    [song, goal, nothing] = model.assign([["song", "band"], ["goal", "coach"], ["qwerty"]])
    assert song.topic != goal.topic
    assert nothing == (None, 0.0)

    # Started again, it takes what is finished from the checkpoints; afresh, it finds the same.
    weights = (tmp_path / "model" / "topics.json.gz").read_bytes()
    out, _ = run("lda", tmp_path, rows, validation, *arguments)
    assert out.count("taken from the checkpoint") == 2
    assert (tmp_path / "model" / "topics.json.gz").read_bytes() == weights
    again = tmp_path / "again"
    out, repeated = run("lda", again, rows, validation, *arguments)
    assert "checkpoint" not in out
    assert repeated == document


@pytest.mark.parametrize("script", ["lexicon", "bigram"])
def test_unusable_data_ends_a_script_with_one_line_that_names_it(tmp_path, script):
    argv, environment = command(script, tmp_path, [{"no text": 1}], None)
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 1
    assert done.stderr.startswith(f"train_{script}: ")
    assert "part-1.jsonl, line 1: expected" in done.stderr
    assert not (tmp_path / "model").exists()
