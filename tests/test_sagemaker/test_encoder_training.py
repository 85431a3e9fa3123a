"""The encoder's training, on a tiny one: what it reads, learns, keeps and exports."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("torch", reason="training needs PyTorch: requirements/train.txt")

from tests.test_sagemaker.conftest import ROOT, write_rows
from tests.test_sagemaker.tiny_encoder import training_code, write_sets, write_tiny_encoder
from voxlake.scoring.errors import LabelledDataError

training_code()

from encoder import batches, loop, start, tasks  # noqa: E402
from encoder.measure import choose, spans  # noqa: E402

SCRIPT = ROOT / "sagemaker" / "training" / "train_encoder.py"


def command(folder, data, *more):
    return [
        sys.executable, str(SCRIPT), "--train", str(data), "--validation", str(data),
        "--init", str(folder / "start"), "--model-dir", str(folder / "model"),
        "--output-data-dir", str(folder / "output"), "--checkpoint-dir", str(folder / "kept"),
        "--epochs", "4", "--rate", "0.004", "--batch-size", "8", "--threads", "1", *more,
    ]  # fmt: skip


def train(folder, data, *more):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SM_", "PYTHONPATH"))}
    done = subprocess.run(
        command(folder, data, *more), env=environment, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "output" / "metrics.json").read_text())


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    return write_sets(tmp_path_factory.mktemp("sets"))


@pytest.fixture(scope="module")
def run(tmp_path_factory, sets):
    folder = tmp_path_factory.mktemp("run")
    write_tiny_encoder(folder / "start")
    return folder, train(folder, sets)


def test_joint_training_learns_every_task(run):
    figures = {one["task"]: one for one in run[1]["sets"]}
    assert sorted(figures) == ["emotions", "entities", "sentiment"]
    assert figures["sentiment"]["macro_recall"] > 0.9
    assert figures["emotions"]["micro_f1"] > 0.9
    assert figures["entities"]["f1"] > 0.9


def test_the_model_folder_says_what_it_is(run):
    about = json.loads((run[0] / "model" / "encoder.json").read_text())
    assert about["labels"] == {task: list(labels) for task, labels in tasks.LABELS.items()}
    assert set(about["thresholds"]["emotions"]) == set(tasks.LABELS["emotions"])
    assert about["trained"]["examples"] == {"emotions": 96, "entities": 96, "sentiment": 96}
    assert run[1]["model"] == f"encoder-1-{about['files']['model.onnx'][:8]}"


def test_a_killed_run_goes_on_to_the_same_figures(run, sets, tmp_path):
    write_tiny_encoder(tmp_path / "start")
    begun = subprocess.Popen(
        [*command(tmp_path, sets), "--every", "10"], stdout=subprocess.PIPE, text=True
    )
    kept = tmp_path / "kept" / loop.CHECKPOINT
    until = time.monotonic() + 120
    while not kept.is_file() and begun.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    begun.send_signal(signal.SIGKILL)
    begun.communicate()
    assert kept.is_file()
    assert not (tmp_path / "model" / "model.onnx").exists()
    assert train(tmp_path, sets) == run[1]


def test_adapting_changes_the_new_task_and_keeps_what_was_said_in_the_others(run, tmp_path):
    folder, general = run
    turned = {"negative": "positive", "positive": "negative", "neutral": "neutral"}
    from tests.test_sagemaker.conftest import generated_rows

    data = tmp_path / "turned"
    for part, count, seed in (("train", 96, 3), ("dev", 30, 4)):
        rows = [{**row, "label": turned[row["label"]]} for row in generated_rows(count, seed)]
        write_rows(data / f"{part}.jsonl", rows)
    (tmp_path / "start").symlink_to(folder / "model")
    adapted = train(tmp_path, data)
    [figures] = adapted["sets"]
    assert figures["macro_recall"] > 0.9
    emotions = next(one for one in general["sets"] if one["task"] == "emotions")
    model, tokenizer, about = start.from_folder(tmp_path / "model")
    from encoder import measure

    rows = tasks.read_examples("emotions", next(iter_dev(run, "emotions")))
    held = batches.encode(rows, tokenizer, 64)
    thresholds = [about["thresholds"]["emotions"][label] for label in tasks.LABELS["emotions"]]
    kept = measure.figures(model, "emotions", held, thresholds)
    assert kept["micro_f1"] > emotions["micro_f1"] - 0.1


def iter_dev(run, name):
    from tests.test_sagemaker.tiny_encoder import emotion_rows

    yield write_rows(run[0] / f"{name}-dev.jsonl", emotion_rows(30, 2))


def test_the_float_weights_come_back_from_the_int8_file(tmp_path):
    write_tiny_encoder(tmp_path, seed=3)
    import torch
    from encoder.network import Encoder

    torch.manual_seed(3)
    model, _, about = start.from_folder(tmp_path)
    torch.manual_seed(3)
    original = Encoder(model.size, start.sentence_heads(), len(tasks.LABELS["entities"]))
    for (name, was), (_, now) in zip(
        original.named_parameters(), model.named_parameters(), strict=True
    ):
        if not name.startswith(start.NOT_SERVED):
            assert torch.allclose(was, now, atol=float(was.detach().abs().max()) / 100), name
    assert about["version"] == "tiny"


def entities(text, tokens, tags):
    return tasks.example({"text": text, "tokens": tokens, "tags": tags}, "made up")


@pytest.mark.parametrize(
    "tags",
    [["O", "O", "B-PER", "O"], ["O", "B-PER", "B-PER", "O"], ["O", "B-PER", "I-PER", "O"]],
    ids=["the handle alone", "both", "one entity"],
)
def test_handles_are_labelled_alike_however_a_corpus_tags_them(tags):
    one = entities("hi @ana_b !", ["hi", "@", "ana_b", "!"], tags)
    assert (one.text, one.spans, one.unsure) == ("hi @ana_b !", ((4, 9, "PER"),), ())


def test_a_handle_without_a_tag_is_no_evidence():
    one = entities("hi @ana_b !", ["hi", "@", "ana_b", "!"], ["O"] * 4)
    assert (one.spans, one.unsure) == ((), ((4, 9),))


def test_types_without_a_head_are_no_entities_and_others_map():
    tags = ["B-corporation", "I-corporation", "O", "B-product", "B-location"]
    one = entities("Big Co sells Gizmo here", ["Big", "Co", "sells", "Gizmo", "here"], tags)
    assert one.spans == ((0, 6, "ORG"), (19, 23, "LOC"))


def test_quotes_left_by_a_csv_file_go_and_others_stay():
    rows = ['"it ""works"" now"', '"so" he said "no"', '"open']
    found = [tasks.example({"text": t, "label": "neutral"}, "x").text for t in rows]
    assert found == ['it "works" now', '"so" he said "no"', '"open']


def test_a_row_of_no_task_names_its_line(tmp_path):
    path = write_rows(tmp_path / "train.jsonl", [{"text": "a", "label": "furious"}])
    with pytest.raises(LabelledDataError, match=r"line 1: .*furious"):
        tasks.read_examples("x", path)


def test_a_text_of_the_held_out_part_is_not_trained_on_in_any_spelling():
    held = [tasks.Example("sentiment", "@ana So GOOD!! https://x.y", label="positive")]
    rows = [tasks.Example("sentiment", text, label="neutral") for text in ("so good", "so bad")]
    assert [one.text for one in tasks.without(rows, held)] == ["so bad"]


def test_a_schedule_holds_every_epoch_of_every_task_mixed_evenly():
    def rows(count):
        return [batches.Encoded([1] * (1 + n % 7), [0], 0, n) for n in range(count)]

    data = {"sentiment": rows(64), "emotions": rows(32)}
    steps = batches.schedule(data, {"sentiment": 2.0, "emotions": 1.0}, 8, seed=0)
    for task, epochs in (("sentiment", 2), ("emotions", 1)):
        seen = sorted(one.number for name, members in steps if name == task for one in members)
        assert seen == sorted(list(range(len(data[task]))) * epochs)
    halves = [[name for name, _ in part] for part in (steps[:10], steps[10:])]
    assert [half.count("emotions") for half in halves] == [2, 2]


def test_labels_become_spans_and_an_open_end_is_closed():
    index = tasks.LABELS["entities"].index
    labels = [index(x) for x in ("B-PER", "I-PER", "B-PER", "O", "I-LOC", "B-ORG")]
    assert spans(labels) == {(0, 1, "PER"), (2, 2, "PER"), (4, 4, "LOC"), (5, 5, "ORG")}


def test_a_threshold_follows_its_label_where_examples_tell():
    import numpy as np

    rng = np.random.default_rng(0)
    target = np.zeros((4000, 2), dtype=int)
    target[:2000, 0] = 1
    target[0, 1] = 1
    chances = np.where(target == 1, 0.35, 0.15) + rng.uniform(0, 0.1, target.shape)
    frequent, rare = choose(target, chances)
    assert 0.25 <= frequent <= 0.36
    assert abs(rare - frequent) < 0.05
