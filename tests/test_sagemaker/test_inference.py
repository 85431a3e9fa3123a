"""The server's entry points, and the archive that brings them to SageMaker."""

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile

import pytest

from tests.test_sagemaker.conftest import ROOT, load_script
from voxlake.scoring.errors import UnreadableLineError

JSON_LINES = "application/jsonlines"
ROWS = [
    {"event_id": "b", "dt": "2015-02-22", "text": "Thanks, I love it!"},
    {"event_id": "a", "dt": "2015-02-23", "text": ""},
    {"event_id": "é\n\ud800", "dt": "2015-02-22", "text": "worst flight ever\u2028😡 \ud83d"},
]


@pytest.fixture(scope="module")
def server():
    return load_script("sagemaker/inference/inference.py")


@pytest.fixture(scope="module")
def packer():
    return load_script("sagemaker/inference/pack.py")


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def answer(server, model, body):
    prediction = server.predict_fn(server.input_fn(body, JSON_LINES), model)
    return server.output_fn(prediction, JSON_LINES)


@pytest.mark.parametrize("encode", [str, str.encode, lambda body: bytearray(body.encode())])
def test_each_line_is_answered_in_order_under_its_own_ids(server, packaged, encode):
    output = answer(server, packaged, encode(lines(ROWS)))
    expected = [
        {"event_id": row["event_id"], "dt": row["dt"], **packaged.score_texts([row["text"]])[0]}
        for row in ROWS
    ]
    assert [json.loads(line) for line in output.split("\n")] == expected
    assert [row["sentiment"] for row in expected] == ["positive", "neutral", "negative"]


def test_splitting_the_input_into_requests_changes_nothing(server, packaged):
    together = answer(server, packaged, lines(ROWS))
    # AssembleWith Line: a line break after each response.
    assert together == "\n".join(answer(server, packaged, lines([row])) for row in ROWS)


def test_empty_requests_and_empty_lines_give_no_scores(server, packaged):
    assert answer(server, packaged, "") == ""
    assert len(answer(server, packaged, "\n" + lines(ROWS[:1]) + "\r\n\n").split("\n")) == 1


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"nonsense", "expected JSON in UTF-8"),
        (b'{"event_id": "\xff"}', "expected JSON in UTF-8"),
        (b"[" * 100_000, "expected JSON in UTF-8"),
        (b"7", "expected an object, found int"),
        (b'{"event_id": 1, "dt": "d", "text": "t"}', "expected a string in event_id, found int"),
        (b'{"event_id": "1", "text": "t"}', "expected a string in dt, found nothing"),
        (b'{"event_id": "1", "dt": "d", "text": 5}', "expected a string in text, found int"),
    ],
)
def test_an_unreadable_line_fails_the_request_and_is_named(server, line, problem):
    body = lines(ROWS[:1]).encode() + line + b"\n"
    with pytest.raises(UnreadableLineError) as caught:
        server.input_fn(body, JSON_LINES)
    assert caught.value.line == 2
    assert problem in str(caught.value)


def test_other_content_types_are_refused(server):
    with pytest.raises(ValueError, match="expected application/jsonlines, found text/csv"):
        server.input_fn("a,b", "text/csv")
    with pytest.raises(ValueError, match="expected application/jsonlines, found application/json"):
        server.output_fn([], "application/json")
    assert server.output_fn([], "*/*") == ""
    assert server.input_fn("", "application/jsonlines; charset=utf-8") == []


def test_the_archive_holds_the_model_and_all_the_server_imports(packer):
    names = list(packer.members())
    assert names == sorted(names)
    assert {"model.json.gz", "metrics.json", "MODEL_CARD.md", "code/inference.py"} <= set(names)
    assert "code/voxlake/scoring/model.py" in names
    assert not [name for name in names if "requirements" in name or "/cli/" in name]


def test_the_same_files_give_the_same_archive(packer, tmp_path):
    first = packer.archive(packer.members())
    os.utime(ROOT / "sagemaker/inference/inference.py")
    assert packer.archive(packer.members()) == first
    script = ROOT / "sagemaker/inference/pack.py"
    subprocess.run(
        [sys.executable, script, "--out", tmp_path / "new" / "model.tar.gz"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    assert (tmp_path / "new" / "model.tar.gz").read_bytes() == first
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(first))) as packed:
        assert {(m.mtime, m.mode, m.uid) for m in packed.getmembers()} == {(0, 0o644, 0)}


def test_a_model_without_weights_is_not_packed(packer, tmp_path):
    with pytest.raises(FileNotFoundError, match="expected the model's weights"):
        packer.members(tmp_path)


SERVE = """
import sys
known = set(sys.modules)
import json, inference
model = inference.model_fn(sys.argv[1])
rows = inference.input_fn(sys.stdin.buffer.read(), "application/jsonlines")
output = inference.output_fn(inference.predict_fn(rows, model), "application/jsonlines")
loaded = {name.split(".")[0] for name in set(sys.modules) - known}
foreign = sorted(loaded - set(sys.stdlib_module_names) - {"numpy", "voxlake", "inference"})
import voxlake
print(json.dumps({"output": output, "foreign": foreign, "voxlake": voxlake.__file__}))
"""


def test_the_unpacked_archive_serves_by_itself_with_numpy_alone(packer, packaged, tmp_path):
    with tarfile.open(fileobj=io.BytesIO(packer.archive(packer.members()))) as packed:
        packed.extractall(tmp_path, filter="data")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", SERVE, str(tmp_path)],
        input=lines(ROWS), env=environment | {"PYTHONPATH": str(tmp_path / "code")},
        cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    served = json.loads(done.stdout)
    assert served["foreign"] == []
    assert served["voxlake"] == str(tmp_path / "code" / "voxlake" / "__init__.py")
    scores = [json.loads(line) for line in served["output"].split("\n")]
    assert [row["event_id"] for row in scores] == [row["event_id"] for row in ROWS]
    assert {row["model"] for row in scores} == {packaged.id}


def test_the_sagemaker_folder_is_no_package():
    assert not list((ROOT / "sagemaker").rglob("__init__.py"))
