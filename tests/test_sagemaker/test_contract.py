"""What every training script reads and writes: channels, splits, flags, metrics.json."""

import json

import pytest

from tests.test_sagemaker.conftest import generated_rows, write_rows
from voxlake.scoring.errors import LabelledDataError
from voxlake.training.contract import (
    LabelledText,
    contract_parser,
    flag,
    parse,
    read_split,
    write_metrics,
)


def arguments(tmp_path, *given, **environment):
    parser = contract_parser("Trains.\n\nMore.", environment)
    flag(parser, "--grid", "search")
    return parse(parser, ["--model-dir", str(tmp_path / "model"), *given])


def test_channels_and_folders_come_from_the_environment(tmp_path):
    args = arguments(
        tmp_path, SM_CHANNEL_TRAIN="in", SM_CHECKPOINT_DIR="kept", SM_OUTPUT_DATA_DIR="out"
    )
    assert (args.train, args.validation, args.checkpoint_dir, args.output_data_dir) == (
        "in", None, "kept", "out",
    )  # fmt: skip
    assert (args.data_name, args.version, args.seed, args.grid) == ("unnamed", "1", 0, False)


@pytest.mark.parametrize(
    ("given", "found"), [(["--grid"], True), (["--grid", "true"], True), (["--grid=false"], False)]
)
def test_a_flag_is_understood_alone_and_with_the_value_that_sagemaker_gives(tmp_path, given, found):
    assert arguments(tmp_path, "--train", "in", *given).grid is found


def test_without_training_data_the_usage_is_printed(tmp_path, capsys):
    with pytest.raises(SystemExit):
        arguments(tmp_path)
    assert "--train or its SM_ variable is required" in capsys.readouterr().err


def test_several_data_sets_in_a_channel_are_read_folder_by_folder(tmp_path):
    for name, text in (("b", "second"), ("a", "first")):
        rows = [{"text": f"{text} {label}", "label": label} for label in
                ("negative", "neutral", "positive")]  # fmt: skip
        write_rows(tmp_path / "train" / name / "train.jsonl", rows)
    args = arguments(tmp_path, "--train", str(tmp_path / "train"), "--data-name", "a+b")
    split = read_split(args, "sentiment")
    assert [row.text.split()[0] for row in split.train] == ["first"] * 3 + ["second"] * 3
    assert (split.labels, split.measured_on) == (
        ("negative", "neutral", "positive"), "a+b-held_out",
    )  # fmt: skip


def test_a_reason_that_was_never_trained_on_is_not_measured(tmp_path):
    rows = [{"text": f"late {n}", "negativereason": "Late Flight"} for n in range(3)]
    rows += [{"text": f"bag {n}", "complaint_reason": "Lost Luggage"} for n in range(3)]
    train = write_rows(tmp_path / "train.jsonl", [*rows, {"text": "thanks"}])
    more = [{"text": "rude", "negativereason": "Rudeness"}, *rows[:1]]
    dev = write_rows(tmp_path / "dev.jsonl", more)
    args = arguments(tmp_path, "--train", str(train), "--validation", str(dev))
    split = read_split(args, "complaint_reason")
    assert (len(split.train), split.labels) == (6, ("Late Flight", "Lost Luggage"))
    assert split.validation == [LabelledText("late 0", "Late Flight")]
    assert split.measured_on == "unnamed-dev"


@pytest.mark.parametrize(
    ("task", "rows", "expected"),
    [
        ("sentiment", generated_rows(2, seed=1), "rows of all of"),
        ("complaint_reason", [{"text": "late", "negativereason": "Late"}], "two labels or more"),
        ("complaint_reason", [{"text": "late"}], "expected rows of the task complaint_reason"),
    ],
)
def test_data_that_lacks_labels_is_refused(tmp_path, task, rows, expected):
    train = write_rows(tmp_path / "train.jsonl", rows)
    args = arguments(tmp_path, "--train", str(train), "--validation", str(train))
    with pytest.raises(LabelledDataError, match=expected):
        read_split(args, task)


def test_metrics_are_written_in_the_one_form_and_printed(tmp_path, capsys):
    args = arguments(tmp_path, "--train", "in", "--output-data-dir", str(tmp_path / "out"))
    figures = {"data": "x-dev", "n": 1200, "primary": "macro_f1", "macro_f1": 0.5}
    write_metrics(args, "m-1", [figures])
    found = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert found == {"model": "m-1", "sets": [figures]}
    assert capsys.readouterr().out == "m-1 on 1,200 texts of x-dev: macro_f1 0.5000\n"
