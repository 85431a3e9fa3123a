"""Figures of a model, and those that come with the packaged one."""

import json
import re
import subprocess
import sys

import pytest

from tests.test_sagemaker.conftest import ROOT, generated_rows, write_rows
from voxlake.scoring.metrics import metrics

MODEL = ROOT / "sagemaker" / "models" / "sentiment"


def test_figures_of_known_predictions():
    truth = ["negative", "negative", "neutral", "neutral", "neutral", "positive"]
    guess = ["negative", "positive", "neutral", "neutral", "negative", "positive"]
    assert metrics(truth, guess, data="six", model="m-1") == {
        "data": "six",
        "model": "m-1",
        "n": 6,
        "macro_recall": 0.7222,
        "macro_f1": 0.6556,
        "accuracy": 0.6667,
        "per_class": {
            "negative": {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2},
            "neutral": {"precision": 1.0, "recall": 0.6667, "f1": 0.8, "support": 3},
            "positive": {"precision": 0.5, "recall": 1.0, "f1": 0.6667, "support": 1},
        },
        "confusion": {
            "negative": {"negative": 1, "neutral": 0, "positive": 1},
            "neutral": {"negative": 1, "neutral": 2, "positive": 0},
            "positive": {"negative": 0, "neutral": 0, "positive": 1},
        },
    }


def test_a_label_that_never_occurs_counts_in_no_mean():
    found = metrics(["neutral", "positive"], ["neutral", "positive"], data="two", model="m")
    assert (found["macro_recall"], found["macro_f1"], found["accuracy"]) == (1.0, 1.0, 1.0)


def test_the_script_measures_each_data_set(trained, tmp_path):
    rows = write_rows(tmp_path / "rows.jsonl", generated_rows(30, seed=9))
    options = ("--model", trained / "model", "--out", "m.json")
    done = evaluate(f"a={rows}", f"b={rows}", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "m.json").read_text())
    first, second = document["sets"]
    assert (first["data"], second["data"], first["n"]) == ("a", "b", 30)
    assert first | {"data": "b"} == second
    assert document["model"] == first["model"]


def test_the_script_names_a_file_that_is_not_there(trained, tmp_path):
    done = evaluate("a=nowhere.jsonl", "--model", trained / "model", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("evaluate: nowhere.jsonl: expected a file, found no such file")


def evaluate(*arguments, cwd):
    command = [sys.executable, ROOT / "sagemaker/evaluation/evaluate.py", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60)


def test_the_packaged_figures_are_those_of_the_packaged_model(packaged):
    document = json.loads((MODEL / "metrics.json").read_text())
    assert document["model"] == packaged.id
    assert {figures["model"] for figures in document["sets"]} == {packaged.id}
    card = (MODEL / "MODEL_CARD.md").read_text()
    assert packaged.id in card
    for figures in document["sets"]:
        pattern = rf"{figures['data']} \|.*{figures['macro_recall']:.4f}.*{figures['accuracy']:.4f}"
        assert re.search(pattern, card)


def test_the_packaged_model_is_small():
    assert (MODEL / "model.json.gz").stat().st_size < 3_000_000


@pytest.mark.parametrize("data", ["tweeteval_sentiment", "airline"])
def test_the_packaged_figures_come_out_again(packaged, shared_data, tmp_path, data):
    file = shared_data / data / "dev.jsonl.gz"
    done = evaluate(f"{data}-dev={file}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    document = json.loads((MODEL / "metrics.json").read_text())
    [expected] = [figures for figures in document["sets"] if figures["data"] == f"{data}-dev"]
    assert json.loads(done.stdout)["sets"] == [expected]
    assert expected["macro_recall"] > 0.68
