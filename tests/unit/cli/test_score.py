"""`voxlake score`: JSON lines in, JSON lines out."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.scoring.kit import LABELS, write_encoder
from voxlake.cli.score import packaged_model, score_rows
from voxlake.scoring import load_model

ROOT = Path(__file__).resolve().parents[3]
COMMAND = [sys.executable, "-m", "voxlake.cli", "score"]


@pytest.fixture(scope="module")
def model():
    return load_model(packaged_model())


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return load_model(write_encoder(tmp_path_factory.mktemp("encoder")))


def score(body: bytes, *arguments, cwd=ROOT):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [*COMMAND, *arguments],
        input=body, env=environment, cwd=cwd, capture_output=True, timeout=60,
    )  # fmt: skip


def test_lines_are_scored_in_order(model):
    texts = {"z": "I love it, thanks!", "a": "worst flight ever", "7": "", "é": "gate 5 at noon"}
    rows = [{"id": id_, "text": text, "label": "ignored"} for id_, text in texts.items()]
    done = score("".join(json.dumps(row) + "\n" for row in rows).encode())
    assert (done.returncode, done.stderr) == (0, b"")
    scores = model.score_texts(list(texts.values()))
    expected = [{"id": id_, **one} for id_, one in zip(texts, scores, strict=True)]
    assert [json.loads(line) for line in done.stdout.splitlines()] == expected
    keys = ["id", "sentiment", "polarity", "sentiment_scores", "language", "in_scope", "model"]
    assert [list(row) for row in expected] == [keys] * 4


def test_a_bad_line_gives_an_error_in_its_place_and_status_1_at_the_end():
    body = (
        b'{"id": "1", "text": "good"}\n'
        b"\n"
        b"nonsense\n"
        b'{"id": "\xff"}\n'
        b"[1]\n"
        b'{"text": "no id"}\n'
        b'{"id": 1.5, "text": "x"}\n'
        b'{"id": true, "text": "x"}\n'
        b'{"id": "8", "text": null}\n'
        b'{"id": "9"}\n'
        b'{"id": ' + b"1" * 5000 + b', "text": "x"}\n' + b"[" * 100_000 + b"\n"
        b'{"id": 12, "text": "good"}\r\n'
    )
    done = score(body)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert done.stderr == b"voxlake: 10 of the lines could not be read\n"
    assert [row.get("line", row.get("id")) for row in found] == ["1", *range(3, 13), 12]
    assert [row["error"] for row in found if "error" in row] == [
        "expected JSON, found something else at character 1: Expecting value",
        "expected UTF-8, found another byte at position 8",
        'expected an object with "id" and "text", found an array',
        'expected "id", found none',
        'expected a string or an integer in "id", found a number',
        'expected a string or an integer in "id", found true or false',
        'expected a string in "text", found null',
        'expected "text", found none',
        "expected JSON, found a number or a nesting too long to read",
        "expected JSON, found a number or a nesting too long to read",
    ]


def test_no_input_is_no_output():
    done = score(b"")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_texts_of_100_kilobytes_control_characters_and_half_surrogates_are_scored():
    long = ["love " * 20_000, "a" * 100_000]
    texts = [*long, "\0\x01\x1b[31m", "\ud83d half", "\u2028\u2029\x85 lines"]
    body = "\n".join(json.dumps({"id": str(n), "text": t}) for n, t in enumerate(texts))
    done = score(body.encode())
    assert (done.returncode, done.stderr) == (0, b"")
    assert [json.loads(line)["id"] for line in done.stdout.split(b"\n")[:-1]] == list("01234")


def test_answers_come_while_the_input_is_still_open():
    process = subprocess.Popen(
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    with process:
        for number in range(3):
            process.stdin.write(b'{"id": %d, "text": "fine"}\n' % number)
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == number
        process.stdin.close()
        assert process.stdout.read() == b""
    assert process.returncode == 0


def test_a_reader_that_leaves_ends_it_without_a_traceback():
    process = subprocess.Popen(
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    with process:
        process.stdout.close()
        try:
            process.stdin.write(b'{"id": 1, "text": "fine"}\n' * 20_000)
            process.stdin.close()
        except BrokenPipeError:
            pass
        errors = process.stderr.read()
    assert (process.returncode, errors) == (1, b"")


def test_a_missing_model_is_one_clear_line(tmp_path):
    done = score(b"", "--model", str(tmp_path / "nowhere"))
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1
    assert b"nowhere: expected a model file, found no such file" in done.stderr


def test_the_heads_asked_for_are_told_by_a_model_that_has_them(tmp_path):
    folder = str(write_encoder(tmp_path))
    heads = "entities, sentiment,emotions,main_emotion"
    line = json.dumps({"id": 7, "text": "I love Paris"}).encode()
    done = score(line, "--model", folder, "--heads", heads)
    assert (done.returncode, done.stderr) == (0, b"")
    [expected] = load_model(folder).score_texts(["I love Paris"], LABELS)
    assert json.loads(done.stdout) == {"id": 7, **expected}
    assert expected["entities"] == [{"text": "Paris", "label": "LOC", "start": 7, "end": 12}]


def test_a_head_that_the_model_lacks_is_one_clear_line(tmp_path):
    folder = str(write_encoder(tmp_path, heads=("sentiment", "entities")))
    done = score(b"", "--model", folder, "--heads", "sentiment,mood")
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1
    assert b": expected heads of sentiment, entities, found mood;" in done.stderr


FUZZ = [
    "\0\x01\x1b[31m great", "great " * 17_000, "שלום Paris مرحبا\u202e", "\ud83d half \udc00",
    "😂" * 300, "👩‍👩‍👧❤️", "&amp;&amp;lt;3 &#128514; &#xD800; &#0; &bogus;",
    "ﷺ" * 5_000, "@" * 9_000,
]  # fmt: skip


@settings(deadline=None, max_examples=30)
@given(texts=st.lists(st.sampled_from(FUZZ) | st.text(st.characters(exclude_categories=())),
                      max_size=6))  # fmt: skip
def test_an_encoder_answers_any_text(encoder, texts):
    rows = [(at, json.dumps({"id": at, "text": text}).encode()) for at, text in enumerate(texts)]
    answers, failed = score_rows(encoder, rows, LABELS)
    assert (len(answers), failed) == (len(texts), 0)
    for answer, text in zip(map(json.loads, answers), texts, strict=True):
        for entity in answer["entities"]:
            assert entity["text"] == text[entity["start"] : entity["end"]]


ANY_LINE = st.one_of(
    st.binary(max_size=60).map(lambda line: line.replace(b"\n", b"")),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers()
        | st.text(st.characters(exclude_categories=())),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "text", "x"]), inner, max_size=3),
    ).map(lambda value: json.dumps(value).encode()),
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(lines=st.lists(ANY_LINE, max_size=8))
def test_any_line_gets_exactly_one_answer(model, lines):
    rows = list(enumerate(lines, start=1))
    answers, failed = score_rows(model, rows)
    found = [json.loads(answer) for answer in answers]
    assert len(found) == len([line for line in lines if line.strip()])
    assert failed == sum("error" in row for row in found)
    for row in found:
        assert set(row) in (
            {"line", "error"},
            {"id", "sentiment", "polarity", "sentiment_scores", "language", "in_scope", "model"},
        )
