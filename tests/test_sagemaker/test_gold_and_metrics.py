"""Labelled rows of every task, and the figures of known predictions."""

import gzip
import json

import numpy as np
import pytest

from voxlake.scoring.errors import LabelledDataError
from voxlake.scoring.gold import entity_spans, fingerprint, in_gate, read_gold, tune_lines
from voxlake.scoring.metrics import (
    counts,
    entity_metrics,
    figure,
    metrics,
    multi_label_metrics,
    one_figure,
)


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    ("row", "task", "truth"),
    [
        ({"text": "a", "label": "neutral"}, "sentiment", "neutral"),
        ({"text": "a", "label": "anger"}, "main_emotion", "anger"),
        ({"text": "a", "labels": ["joy", "love"]}, "emotions", frozenset({"joy", "love"})),
        ({"text": "a", "labels": []}, "emotions", frozenset()),
        (
            {"text": "in Ulm", "tokens": ["in", "Ulm"], "tags": ["O", "B-LOC"]},
            "entities",
            frozenset({(3, 6, "LOC")}),
        ),
    ],
)
def test_a_row_is_told_apart_by_what_it_holds(tmp_path, row, task, truth):
    found = read_gold(write(tmp_path / "rows.jsonl", [row]))
    assert (found.task, found.rows[0].truth) == (task, truth)


def test_rows_without_the_label_asked_for_are_left_out(tmp_path):
    file = write(
        tmp_path / "rows.jsonl",
        [
            {"text": "a", "label": "negative", "negativereason": "Late"},
            {"text": "b", "label": "positive", "negativereason": None},
        ],
    )
    found = read_gold(file, "complaint_reason")
    assert [(row.text, row.truth) for row in found.rows] == [("a", "Late")]
    assert len(read_gold(file, "next_word").rows) == 2


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"label": "neutral"}, "line 1: expected a string in text"),
        ({"text": "secret", "label": "odd"}, "line 1: expected a row of a known task"),
        ({"text": "a b", "tokens": ["a"], "tags": []}, "line 1: expected as many tags as tokens"),
    ],
)
def test_an_unusable_row_is_named_and_never_quoted(tmp_path, row, problem):
    with pytest.raises(LabelledDataError) as found:
        read_gold(write(tmp_path / "rows.jsonl", [row]))
    assert problem in str(found.value)
    assert "secret" not in str(found.value)


@pytest.mark.parametrize(
    ("text", "tokens", "tags", "spans"),
    [
        # `@` and its handle are one name without the `@`, however the two are tagged.
        ("hi @ann_b!", ["hi", "@", "ann_b", "!"], ["O", "B-PER", "B-PER", "O"], {("ann_b", "PER")}),
        ("hi @ann_b!", ["hi", "@", "ann_b", "!"], ["O", "O", "B-PER", "O"], {("ann_b", "PER")}),
        ("hi @ann", ["hi", "@ann"], ["O", "B-person"], {("ann", "PER")}),
        ("New York Mets", ["New", "York", "Mets"], ["B-LOC", "I-LOC", "B-ORG"],
         {("New York", "LOC"), ("Mets", "ORG")}),
        # An I- without its B- opens a span; other types are none.
        ("at Acme", ["at", "Acme"], ["O", "I-corporation"], {("Acme", "ORG")}),
        ("read Emma", ["read", "Emma"], ["O", "B-creative-work"], set()),
        # Tokens that are not in the text replace it.
        ("&lt;Bo", ["<", "Bo"], ["O", "B-PER"], {("Bo", "PER")}),
    ],
)  # fmt: skip
def test_entity_spans(text, tokens, tags, spans):
    scored, found = entity_spans(text, tokens, tags)
    assert {(scored[start:end], kind) for start, end, kind in found} == spans


def test_a_set_has_two_halves_that_its_order_and_spelling_do_not_change(tmp_path):
    rows = [{"text": f"text number {number}", "label": "neutral"} for number in range(400)]
    file = write(tmp_path / "a.jsonl", rows)
    tuning = write(tmp_path / "tune.jsonl", [json.loads(line) for line in tune_lines(file)])
    gate = [row for row in read_gold(file).rows if row.gate]
    assert len(gate) + len(read_gold(tuning).rows) == 400
    assert 150 < len(gate) < 250
    assert not any(row.gate for row in read_gold(tuning).rows)
    assert in_gate("Thanks @united!! https://t.co/x") == in_gate("thanks")

    packed = tmp_path / "b.jsonl.gz"
    lines = [json.dumps({"label": "neutral", **row}) + " \n" for row in reversed(rows)]
    packed.write_bytes(gzip.compress("".join(lines).encode()))
    assert fingerprint(packed) == fingerprint(file)
    assert fingerprint(tuning)["gate_sha256"] == ""
    assert fingerprint(tuning)["sha256"] != fingerprint(file)["sha256"]


def test_figures_of_a_task_carry_its_name_and_main_figure():
    found = metrics(["a", "b"], ["a", "a"], data="d", model="m", labels=["a", "b"],
                    task="complaint_reason")  # fmt: skip
    assert found == {
        "data": "d", "task": "complaint_reason", "model": "m", "n": 2, "primary": "macro_f1",
        "macro_recall": 0.5, "macro_f1": 0.3333, "accuracy": 0.5,
        "per_class": {
            "a": {"precision": 0.5, "recall": 1.0, "f1": 0.6667, "support": 1},
            "b": {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1},
        },
        "confusion": {"a": {"a": 1, "b": 0}, "b": {"a": 1, "b": 0}},
    }  # fmt: skip


def test_figures_of_emotions_agree_with_scikit_learn():
    from sklearn.metrics import f1_score, jaccard_score

    labels = ["x", "y", "z"]
    truth = [{"x"}, {"x", "y"}, set(), {"z"}, set()]
    guess = [{"x", "y"}, {"y"}, set(), {"x"}, {"z"}]
    found = multi_label_metrics(
        [frozenset(t) for t in truth], [frozenset(g) for g in guess], data="d", model="m",
        labels=labels,
    )  # fmt: skip
    t, g = (
        np.array([[label in row for label in labels] for row in side]) for side in (truth, guess)
    )
    # Where neither side has a label they agree; scikit-learn counts that as 0 unless told.
    expected = jaccard_score(t, g, average="samples", zero_division=1)
    assert found["jaccard"] == pytest.approx(expected, abs=1e-4)
    assert found["micro_f1"] == pytest.approx(f1_score(t, g, average="micro"), abs=1e-4)
    assert found["macro_f1"] == pytest.approx(f1_score(t, g, average="macro"), abs=1e-4)
    assert found["per_class"]["x"] == {
        "precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2,
    }  # fmt: skip


def test_figures_of_entities_count_exact_spans():
    truth = [frozenset({(0, 3, "PER"), (5, 9, "LOC")}), frozenset()]
    guess = [frozenset({(0, 3, "PER"), (5, 8, "LOC")}), frozenset({(1, 2, "ORG")})]
    found = entity_metrics(truth, guess, data="d", model="m")
    assert {name: found[name] for name in ("f1", "precision", "recall", "primary")} == {
        "f1": 0.4, "precision": 0.3333, "recall": 0.5, "primary": "f1",
    }  # fmt: skip
    assert found["per_class"]["LOC"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1}


def test_perplexity_is_two_to_the_mean_surprise():
    sums = counts("next_word", [(6.0, 2), (2.0, 2)], ()).sum(axis=0)
    assert figure("next_word", sums) == 4.0
    assert one_figure("next_word", "perplexity", 4.0, n=2, data="d", model="m", tokens=4) == {
        "data": "d", "task": "next_word", "model": "m", "n": 2, "primary": "perplexity",
        "perplexity": 4.0, "tokens": 4,
    }  # fmt: skip
