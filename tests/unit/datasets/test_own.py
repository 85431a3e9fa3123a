"""One's own files: columns, labels, entities, and how they are parted."""

from __future__ import annotations

import pytest

from voxlake.datasets import RowError, Task
from voxlake.datasets.errors import DatasetError, NoRowsError
from voxlake.datasets.own import Mapping, convert, split_own

REVIEWS = 'review;stars;when\r\n"Lovely; truly";5;2024-05-01\r\nAwful.;1;2024-05-02\r\n'


def test_csv_columns_and_labels_are_mapped_and_the_delimiter_is_found():
    mapping = Mapping(
        Task.sentiment,
        text_column="review",
        label_column="stars",
        labels={"5": "positive", "1": "negative"},
        keep=("when",),
    )
    assert convert("mine.csv", REVIEWS, mapping).rows == [
        {
            "id": "mine-000001",
            "text": "Lovely; truly",
            "label": "positive",
            "when": "2024-05-01",
        },
        {"id": "mine-000002", "text": "Awful.", "label": "negative", "when": "2024-05-02"},
    ]


def test_an_unknown_label_names_the_line_and_the_option_but_not_the_text():
    mapping = Mapping(Task.sentiment, text_column="review", label_column="stars")
    with pytest.raises(RowError) as caught:
        convert("mine.csv", REVIEWS, mapping)
    assert str(caught.value) == (
        "mine.csv, line 2: expected a label of negative, neutral, positive, found '5' (map it by "
        "--map 5=LABEL, or leave such rows out by --skip)"
    )


def test_skip_leaves_unusable_rows_out_and_counts_them():
    text = '{"id": 7, "text": "good", "label": "positive"}\n{"text": " "}\n[]\nnot json\n'
    found = convert("own.jsonl", text, Mapping(Task.sentiment, id_column="id", skip=True))
    assert found.rows == [{"id": "7", "text": "good", "label": "positive"}]
    assert found.left_out == 3


def test_no_usable_row_is_an_error_that_says_why():
    with pytest.raises(NoRowsError) as caught:
        convert("own.csv", "a,b\n1,2\n", Mapping(Task.text, skip=True))
    assert "expected a column 'text', found a, b (name it by --text-column)" in str(caught.value)


def test_several_emotions_in_one_cell_or_list_come_in_the_forms_order():
    csv = "text,labels\none,trust | joy\ntwo,\n"
    rows = convert("own.csv", csv, Mapping(Task.emotions, separator="|")).rows
    assert [row["labels"] for row in rows] == [["joy", "trust"], []]
    listed = '{"text": "one", "felt": ["rage"]}'
    mapping = Mapping(Task.emotions, label_column="felt", labels={"rage": "anger"})
    assert convert("own.jsonl", listed, mapping).rows[0]["labels"] == ["anger"]


def test_a_complaint_reason_is_free_and_may_be_empty():
    rows = convert("own.csv", "text,negativereason\nlate,Late\nok,\n", Mapping("complaint_reason"))
    assert [row["negativereason"] for row in rows.rows] == ["Late", None]


def test_entity_spans_become_tokens_and_tags():
    line = '{"text": "  Ann Lee at Acme.", "entities": [{"start": 13, "end": 17, "label": "firm"}, {"start": 2, "end": 9, "label": "PER"}]}'  # noqa: E501
    rows = convert("own.jsonl", line, Mapping(Task.entities, labels={"firm": "ORG"})).rows
    assert rows == [
        {
            "id": "own-000001",
            "text": "Ann Lee at Acme.",
            "tokens": ["Ann", "Lee", "at", "Acme", "."],
            "tags": ["B-PER", "I-PER", "O", "B-ORG", "O"],
        }
    ]


@pytest.mark.parametrize("spans", ['[{"start": 0, "end": 99, "label": "PER"}]', '[{"at": 1}]', "7"])
def test_entity_spans_outside_the_text_are_an_error(spans):
    with pytest.raises(RowError):
        convert("own.jsonl", f'{{"text": "Ann", "entities": {spans}}}', Mapping(Task.entities))


def test_conll_files_are_read():
    rows = convert("own.conll", "Ann\tB-PER\nran\tO\n\n", Mapping(Task.entities)).rows
    assert rows[0]["text"] == "Ann ran"
    assert rows[0]["tags"] == ["B-PER", "O"]


def test_another_kind_of_file_is_an_error():
    with pytest.raises(DatasetError):
        convert("own.xlsx", "PK", Mapping(Task.text))


def test_a_ragged_csv_line_is_an_error_that_names_it():
    with pytest.raises(RowError) as caught:
        convert("own.csv", "text,label\na,positive\nb\n", Mapping(Task.sentiment))
    assert caught.value.line == 3


def test_dev_holds_its_share_of_each_label_and_no_text_of_train():
    rows = [
        {"id": str(n), "text": f"text {n // 4} {n % 2}", "label": label}
        for n, label in enumerate(["positive", "negative"] * 100)
    ]
    parts = split_own(rows, Task.sentiment, 0.1)
    texts = {name: {row["text"] for row in part} for name, part in parts.items()}
    assert not texts["train"] & texts["dev"]
    assert [row["label"] for row in parts["dev"]].count("positive") == 10
    assert len(parts["dev"]) == 20
    backwards = split_own(rows[::-1], Task.sentiment, 0.1)
    assert {r["id"] for r in backwards["dev"]} == {r["id"] for r in parts["dev"]}
