"""The training script under SageMaker's contract, and the verb that runs it."""

import gzip
import json
import os
import subprocess
import sys

import pytest

from tests.test_sagemaker.conftest import (
    ROOT,
    generated_rows,
    run_training,
    write_rows,
)
from voxlake.scoring import load_model
from voxlake.scoring.model_file import read_model_file
from voxlake.training.contract import LabelledText, held_out


def test_training_learns_what_the_texts_show(trained):
    document = json.loads((trained / "output" / "metrics.json").read_text())
    model = load_model(trained / "model")
    [figures] = document["sets"]
    assert document["model"] == figures["model"] == model.id
    assert (figures["data"], figures["n"]) == ("unnamed-dev", 60)
    assert figures["macro_recall"] > 0.95
    scored = model.score_texts(["a wonderful and great plane", "awful and rude", "report from"])
    assert [score["sentiment"] for score in scored] == ["positive", "negative", "neutral"]


def test_the_same_seed_gives_the_same_file(trained, tmp_path):
    assert run_training(tmp_path).returncode == 0
    again = (tmp_path / "model" / "model.json.gz").read_bytes()
    assert again == (trained / "model" / "model.json.gz").read_bytes()


def test_a_model_file_says_what_it_was_trained_on(trained):
    assert read_model_file(trained / "model").trained == {
        "data": "unnamed",
        "texts": 240,
        "labels": {"negative": 80, "neutral": 80, "positive": 80},
        "c": 1.0,
        "min_df": 3,
        "max_features": 150_000,
        "seed": 0,
    }


def test_without_a_validation_channel_a_tenth_is_held_out(tmp_path):
    done = run_training(tmp_path, "--seed", "7", validation=False)
    assert done.returncode == 0, done.stderr
    [figures] = json.loads((tmp_path / "output" / "metrics.json").read_text())["sets"]
    assert (figures["data"], figures["n"]) == ("unnamed-held_out", 24)
    assert read_model_file(tmp_path / "model").trained["texts"] == 216


def test_the_held_out_tenth_follows_from_the_seed_and_keeps_equal_texts_together():
    rows = [LabelledText(row["text"], row["label"]) for row in generated_rows(300, seed=1)] * 2
    train, validation = held_out(rows, seed=1)
    assert not {row.text for row in train} & {row.text for row in validation}
    assert sorted(train + validation) == sorted(rows)
    assert len(validation) == 60
    assert held_out(rows, seed=1) == (train, validation)
    assert held_out(rows, seed=2) != (train, validation)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "line 2: expected JSON in UTF-8"),
        ("[1]", "line 2: expected a JSON object, found list"),
        ('{"label": "neutral"}', "line 2: expected a string in text, found NoneType"),
        ('{"text": "secret words", "label": "angry"}', "line 2: expected a label of"),
    ],
)
def test_an_unusable_row_is_named_by_file_and_line_and_never_quoted(tmp_path, line, problem):
    file = write_rows(tmp_path / "train.jsonl", generated_rows(1, seed=1))
    file.write_text(file.read_text() + line + "\n")
    done = subprocess.run(
        [sys.executable, ROOT / "sagemaker/training/train_logreg.py", "--train", file,
         "--model-dir", tmp_path / "model"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert f"train.jsonl, {problem}" in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr
    assert not (tmp_path / "model").exists()


def verb(*arguments, cwd, **variables):
    """`voxlake train` in a process of its own."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SM_", "VOXLAKE_"))}
    return subprocess.run(
        [sys.executable, "-m", "voxlake.cli", "train", *arguments],
        env=environment | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"} | variables,
        cwd=cwd, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_the_verb_trains_on_a_file_and_scores_with_the_result(tmp_path):
    write_rows(tmp_path / "mine.jsonl", generated_rows(240, seed=1))
    done = verb("--model", "logreg", "--data", "mine.jsonl", "--out", "my-model", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "macro_recall" in done.stdout
    assert "not registered (the laptop cloud is not running" in done.stdout
    assert sorted(p.name for p in (tmp_path / "my-model").iterdir()) == [
        "data.json",
        "metrics.json",
        "model.json.gz",
    ]
    model = load_model(tmp_path / "my-model")
    assert model.score_texts(["worst plane, awful"])[0]["sentiment"] == "negative"


def test_the_verb_finds_a_data_set_by_name_and_measures_on_its_dev(tmp_path):
    folder = tmp_path / "sets" / "opinions"
    folder.mkdir(parents=True)
    for part, count in (("train", 120), ("dev", 30)):
        rows = "".join(json.dumps(row) + "\n" for row in generated_rows(count, seed=count))
        (folder / f"{part}.jsonl.gz").write_bytes(gzip.compress(rows.encode()))
    done = verb(
        "--data", "opinions", "--seed", "3", "--json",
        cwd=tmp_path, VOXLAKE_DATA=str(tmp_path / "sets"), VOXLAKE_HOME=str(tmp_path / "home"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    model_dir = tmp_path / "home" / "models" / "sentiment"
    assert answer["model_dir"] == str(model_dir)
    assert answer["metrics"] == json.loads((model_dir / "metrics.json").read_text())
    assert answer["metrics"]["sets"][0]["data"] == "opinions-dev"
    # The other half judges promotions.
    tuned = json.loads((model_dir / "data.json").read_text())["sets"][1]
    assert answer["metrics"]["sets"][0]["n"] == tuned["rows"] < 30
    assert tuned["gate_sha256"] == ""
    assert read_model_file(model_dir).trained["seed"] == 3


def test_the_verb_says_where_it_looked_for_data(tmp_path):
    done = verb("--data", "nothing", cwd=tmp_path, VOXLAKE_DATA="sets")
    assert done.returncode == 1
    assert done.stderr == (
        "voxlake: expected labelled texts at nothing or sets/nothing, found neither; name a JSON "
        "lines file, or set VOXLAKE_DATA to the folder that holds your data sets\n"
    )


def test_a_failed_training_leaves_the_model_in_place(tmp_path):
    write_rows(tmp_path / "mine.jsonl", generated_rows(60, seed=1)[::3])
    (tmp_path / "my-model").mkdir()
    (tmp_path / "my-model" / "model.json.gz").write_bytes(b"the one in use")
    done = verb("--data", "mine.jsonl", "--out", "my-model", cwd=tmp_path)
    assert done.returncode == 1
    assert "training ended with exit status 1" in done.stderr
    assert "rows of all of ['negative', 'neutral', 'positive'], found ['negative']" in done.stderr
    assert (tmp_path / "my-model" / "model.json.gz").read_bytes() == b"the one in use"
