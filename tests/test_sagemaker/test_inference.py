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
from tests.unit.scoring.kit import LABELS, write_encoder
from voxlake.scoring.errors import UnreadableLineError
from voxlake.scoring.topics import Assignment

JSON_LINES = "application/jsonlines"
ROWS = [
    {"event_id": "b", "dt": "2015-02-22", "text": "Thanks, I love Paris!", "lemmas": ["fare"]},
    {"event_id": "a", "dt": "2015-02-23", "text": "", "lemmas": []},
    {
        "event_id": "é\n\ud800",
        "dt": "2015-02-22",
        "text": "awful flight\u2028😡 \ud83d",
        "lemmas": ["none"],
    },
]


@pytest.fixture(scope="module")
def server():
    return load_script("sagemaker/inference/inference.py")


@pytest.fixture(scope="module")
def packer():
    return load_script("sagemaker/inference/pack.py")


@pytest.fixture(scope="module")
def encoder_folder(tmp_path_factory):
    return write_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def models(server, encoder_folder):
    """A tiny encoder, and topics that are told by the first lemma."""
    return server.model_fn(str(encoder_folder))._replace(topics=FirstLemma())


class FirstLemma:
    """Stands for a topic model: the first lemma is the topic, `none` is none."""

    def assign(self, lemma_lists):
        return [
            Assignment(None, 0.25) if lemmas[0] == "none" else Assignment(lemmas[0], 0.75)
            for lemmas in lemma_lists
        ]


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def answer(server, model, body):
    prediction = server.predict_fn(server.input_fn(body, JSON_LINES), model)
    return server.output_fn(prediction, JSON_LINES)


@pytest.mark.parametrize("encode", [str, str.encode, lambda body: bytearray(body.encode())])
def test_each_line_is_answered_in_order_under_its_own_ids(server, models, encode):
    output = answer(server, models, encode(lines(ROWS)))
    topics = [("fare", 0.75), (None, None), (None, 0.25)]
    expected = []
    for row, (topic, share) in zip(ROWS, topics, strict=True):
        [score] = models.texts.score_texts([row["text"]], LABELS)
        ids = {"event_id": row["event_id"], "dt": row["dt"]}
        expected.append({**ids, **score, "topic": topic, "topic_score": share})
    found = [json.loads(line) for line in output.split("\n")]
    assert found == expected
    assert [row["sentiment"] for row in found] == ["positive", "neutral", "negative"]
    assert [list(row) for row in found] == [
        ["event_id", "dt", "sentiment", "polarity", "sentiment_scores", "emotions",
         "emotion_scores", "main_emotion", "entities", "topic", "topic_score", "language",
         "in_scope", "model"]
    ] * 3  # fmt: skip


def test_splitting_the_input_into_requests_changes_nothing(server, models):
    together = answer(server, models, lines(ROWS))
    # AssembleWith Line: a line break after each response.
    assert together == "\n".join(answer(server, models, lines([row])) for row in ROWS)


def test_empty_requests_and_empty_lines_give_no_scores(server, models):
    assert answer(server, models, "") == ""
    assert len(answer(server, models, "\n" + lines(ROWS[:1]) + "\r\n\n").split("\n")) == 1


def test_without_a_topic_model_no_topic_is_told(server, encoder_folder):
    models = server.model_fn(str(encoder_folder))
    assert models.topics is None
    [found] = server.predict_fn(ROWS[:1], models)
    assert (found["topic"], found["topic_score"]) == (None, None)


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
        (b'{"event_id": "1", "dt": "d", "text": "", "lemmas": "a"}', "expected a list of strings"),
        (b'{"event_id": "1", "dt": "d", "text": "", "lemmas": [1]}', "expected a list of strings"),
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


def test_the_archive_holds_the_models_and_all_the_server_imports(packer, encoder_folder, tmp_path):
    (tmp_path / "topics.csv").write_text("")
    names = list(packer.members(encoder_folder, topics=tmp_path))
    assert names == sorted(names)
    ours = {"encoder.json", "model.onnx", "tokenizer.json", "topics/topics.csv"}
    assert ours | {"code/inference.py", "code/voxlake/scoring/encoder.py"} <= set(names)
    assert not [name for name in names if "requirements" in name or "/cli/" in name]


def test_installed_packages_go_beside_the_server_without_their_tools(
    packer, encoder_folder, tmp_path
):
    for name in (
        "onnxruntime/capi/a.so", "onnxruntime/tools/t.py", "numpy/tests/t.py", "numpy/__init__.py",
        "numpy/_core/include/n.h", "bin/run", "a.dist-info/LICENSE", "x/__pycache__/y.pyc",
    ):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    names = packer.members(encoder_folder, packages=tmp_path)
    assert [name for name in names if name.startswith("code/packages/")] == [
        "code/packages/a.dist-info/LICENSE",
        "code/packages/numpy/__init__.py",
        "code/packages/onnxruntime/capi/a.so",
    ]
    with pytest.raises(FileNotFoundError, match="expected installed packages"):
        packer.members(encoder_folder, packages=tmp_path / "nowhere")


def test_the_same_files_give_the_same_archive(packer, encoder_folder, tmp_path):
    first = packer.archive(packer.members(encoder_folder))
    os.utime(ROOT / "sagemaker/inference/inference.py")
    assert packer.archive(packer.members(encoder_folder)) == first
    script = ROOT / "sagemaker/inference/pack.py"
    subprocess.run(
        [sys.executable, script, "--out", tmp_path / "new" / "model.tar.gz",
         "--model", encoder_folder],
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
foreign = sorted(loaded - set(sys.stdlib_module_names) - {"voxlake", "inference"})
import voxlake
print(json.dumps({"output": output, "foreign": foreign, "voxlake": voxlake.__file__}))
"""


def serve(packer, tmp_path, *arguments):
    """What an unpacked archive answers by itself."""
    with tarfile.open(fileobj=io.BytesIO(packer.archive(packer.members(*arguments)))) as packed:
        packed.extractall(tmp_path, filter="data")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", SERVE, str(tmp_path)],
        input=lines(ROWS), env=environment | {"PYTHONPATH": str(tmp_path / "code")},
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    served = json.loads(done.stdout)
    assert served["voxlake"] == str(tmp_path / "code" / "voxlake" / "__init__.py")
    scores = [json.loads(line) for line in served["output"].split("\n")]
    assert [row["event_id"] for row in scores] == [row["event_id"] for row in ROWS]
    return served["foreign"], scores


def test_the_unpacked_encoder_serves_by_itself(packer, models, encoder_folder, tmp_path):
    foreign, scores = serve(packer, tmp_path, encoder_folder)
    assert {"numpy", "onnxruntime", "tokenizers"} <= set(foreign)
    assert not {"torch", "nltk", "boto3", "huggingface_hub", "requests"} & set(foreign)
    assert {row["model"] for row in scores} == {models.texts.id}


def test_an_unpacked_linear_model_serves_with_numpy_alone(packer, packaged, tmp_path):
    foreign, scores = serve(packer, tmp_path, ROOT / "sagemaker" / "models" / "sentiment")
    assert foreign == ["numpy"]
    assert {row["model"] for row in scores} == {packaged.id}


def test_the_sagemaker_folder_is_no_package():
    assert not list((ROOT / "sagemaker").rglob("__init__.py"))
