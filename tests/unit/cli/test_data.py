"""`voxlake data` against a local HTTP server: what comes whole counts, nothing else does."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from voxlake.cli import data as verb
from voxlake.cli import download as downloading
from voxlake.cli.dataset_store import LOCK
from voxlake.cli.training_data import find_data
from voxlake.datasets import CATALOG, Original

_SPEC = importlib.util.spec_from_file_location(
    "dataset_samples", Path(__file__).parents[1] / "datasets" / "samples.py"
)
samples = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(samples)


@pytest.fixture
def server():
    """Serves `files` {path: bytes}; `ways` {path: [how each request in turn goes wrong]}."""
    state = SimpleNamespace(files={}, ways={}, requests=[])

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):
            state.requests.append((self.path, self.headers.get("Range")))
            way = (state.ways.get(self.path) or ["whole"]).pop(0)
            body = state.files.get(self.path)
            if way == "redirect":
                self.answer(302, b"", {"Location": self.path + "-moved"})
            elif way == "busy":
                self.answer(503, b"busy")
            elif way == "page":
                self.answer(200, b"<html>log in</html>", {"Content-Type": "text/html"})
            elif body is None:
                self.answer(404, b"none")
            elif way == "gzip":
                self.answer(200, gzip.compress(body), {"Content-Encoding": "gzip"})
            elif way == "unsized":
                self.close_connection = True
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)
            elif way == "broken":
                self.close_connection = True
                self.send_response(200)
                self.send_header("ETag", '"v1"')
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2])
            elif way == "whole" and self.headers.get("If-Range") == '"v1"':
                start = int(self.headers["Range"][6:-1])
                self.answer(206, body[start:], {"ETag": '"v1"'})
            else:
                self.answer(200, body, {"ETag": '"v1"'})

        def answer(self, status, body, headers=None):
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
    state.url = f"http://127.0.0.1:{running.server_port}"
    yield state
    running.shutdown()
    running.server_close()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The data folder, empty."""
    folder = tmp_path / "sets"
    monkeypatch.setenv("VOXLAKE_DATA", str(folder))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(downloading, "PAUSE_SECONDS", 0.0)
    return folder


@pytest.fixture
def served(server, home, monkeypatch):
    """Puts the catalog's set of that name on the server; without sums unless told."""

    def serve(name: str, *, sums: bool = False) -> SimpleNamespace:
        files = samples.SAMPLES[name]()
        server.files.update({f"/{file}": content for file, content in files.items()})
        originals = tuple(
            Original(
                o.name,
                (f"{server.url}/{o.name}",),
                hashlib.sha256(files[o.name]).hexdigest() if sums else None,
            )
            for o in CATALOG[name].originals
        )
        monkeypatch.setitem(CATALOG, name, replace(CATALOG[name], originals=originals))
        return server

    return serve


def run(*words: str):
    return CliRunner().invoke(verb.data, words, catch_exceptions=True)


def rows(path: Path) -> list[dict]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.mark.parametrize("name", CATALOG)
def test_every_set_of_the_catalog_is_fetched_converted_and_its_terms_printed(name, served, home):
    served(name)
    done = run("get", name)
    assert done.exit_code == 0, done.exception
    shown = " ".join(done.output.split())
    assert CATALOG[name].terms in shown
    assert "seen first here, recorded" in shown
    assert left(home) == sorted([LOCK, name])
    assert left(home / name) == ["dev.jsonl.gz", "source.json", "test.jsonl.gz", "train.jsonl.gz"]
    assert rows(home / name / "train.jsonl.gz")


def test_json_tells_the_whole_story(served, home):
    server = served("wnut17", sums=True)
    found = json.loads(run("get", "wnut17", "--json").stdout)
    content = server.files["/wnut17train.conll"]
    assert found["folder"] == str(home / "wnut17")
    assert found["terms"] == CATALOG["wnut17"].terms
    assert found["originals"][0] == {
        "name": "wnut17train.conll",
        "address": f"{server.url}/wnut17train.conll",
        "sha256": hashlib.sha256(content).hexdigest(),
        "held_by": "as published",
    }
    assert [(s["name"], s["rows"], s["taken_out"]) for s in found["splits"]] == [
        ("train", 2, 0),
        ("dev", 1, 0),
        ("test", 1, 0),
    ]
    assert not (home / LOCK).exists()


def test_a_text_in_two_splits_is_taken_out_of_train(served, home):
    served("tweeteval_sentiment")
    assert "2 rows, 1 taken out" in run("get", "tweeteval_sentiment").output
    assert len(rows(home / "tweeteval_sentiment" / "train.jsonl.gz")) == 2


def test_what_is_there_is_verified_and_nothing_is_fetched(served, home):
    server = served("wnut17")
    run("get", "wnut17")
    server.requests.clear()
    done = run("get", "wnut17")
    assert done.exit_code == 0
    assert "already there and unchanged" in done.output
    assert server.requests == []


def test_a_file_changed_since_is_an_error_and_again_mends_it(served, home):
    served("wnut17")
    run("get", "wnut17")
    (home / "wnut17" / "dev.jsonl.gz").write_bytes(b"other")
    done = run("get", "wnut17")
    assert "expected dev.jsonl.gz as it was written, found it changed" in str(done.exception)
    assert run("get", "wnut17", "--again").exit_code == 0
    assert rows(home / "wnut17" / "dev.jsonl.gz")


def test_again_never_replaces_a_folder_with_other_files(served, home):
    served("wnut17")
    (home / "wnut17").mkdir(parents=True)
    (home / "wnut17" / "thesis.txt").write_text("mine")
    done = run("get", "wnut17", "--again")
    assert "found thesis.txt in it" in str(done.exception)
    assert left(home / "wnut17") == ["thesis.txt"]


def test_a_broken_download_is_resumed_where_it_broke(served, home):
    server = served("wnut17")
    many = server.files["/wnut17train.conll"] * 10_000
    server.files["/wnut17train.conll"] = many
    server.ways["/wnut17train.conll"] = ["broken", "whole"]
    assert run("get", "wnut17").exit_code == 0
    first, second = (said for path, said in server.requests if path == "/wnut17train.conll")
    assert first is None
    # Whole chunks are kept; what of the last one came is asked for once more.
    came = len(many) // 2
    assert second == f"bytes={came - came % downloading.CHUNK_BYTES}-"
    assert len(rows(home / "wnut17" / "train.jsonl.gz")) == 20_000


def test_a_file_that_changed_while_it_broke_is_started_over(served, home):
    server = served("wnut17")
    server.files["/wnut17train.conll"] *= 10_000
    server.ways["/wnut17train.conll"] = ["broken", "changed"]
    assert run("get", "wnut17").exit_code == 0
    assert len(rows(home / "wnut17" / "train.jsonl.gz")) == 20_000


def test_a_download_that_keeps_breaking_leaves_nothing(served, home):
    server = served("wnut17")
    server.files["/emerging.dev.conll"] *= 64
    server.ways["/emerging.dev.conll"] = ["broken"] * downloading.ATTEMPTS
    done = run("get", "wnut17")
    assert "broke off 4 times before the file was whole" in str(done.exception)
    assert left(home) == []


def test_a_busy_server_is_asked_again(served, home):
    server = served("wnut17")
    server.ways["/wnut17train.conll"] = ["busy", "busy", "whole"]
    assert run("get", "wnut17").exit_code == 0


def test_a_redirect_is_followed_and_a_packed_answer_unpacked(served, home):
    server = served("wnut17")
    server.files["/wnut17train.conll-moved"] = server.files.pop("/wnut17train.conll")
    server.ways["/wnut17train.conll"] = ["redirect"]
    server.ways["/emerging.dev.conll"] = ["gzip"]
    assert run("get", "wnut17").exit_code == 0
    assert len(rows(home / "wnut17" / "train.jsonl.gz")) == 2


def test_wrong_bytes_are_one_clear_error_and_leave_nothing(served, home):
    server = served("wnut17", sums=True)
    server.files["/wnut17train.conll"] += b"more\tO\n"
    done = run("get", "wnut17")
    assert isinstance(done.exception, downloading.ChecksumError)
    assert "(published)" in str(done.exception)
    assert left(home) == []


def test_the_sum_seen_first_holds_from_then_on(served, home):
    server = served("wnut17")
    assert run("get", "wnut17").exit_code == 0
    before = (home / "wnut17" / "train.jsonl.gz").read_bytes()
    server.files["/wnut17train.conll"] += b"more\tO\n"
    done = run("get", "wnut17", "--again")
    assert isinstance(done.exception, downloading.ChecksumError)
    assert f"recorded at first use in {home / LOCK}" in str(done.exception)
    assert (home / "wnut17" / "train.jsonl.gz").read_bytes() == before
    server.files["/wnut17train.conll"] = samples.wnut17()["wnut17train.conll"]
    assert "as recorded at first use" in run("get", "wnut17", "--again").output


def test_a_file_of_another_format_is_not_recorded(served, home):
    server = served("wnut17")
    server.files["/wnut17train.conll"] = b"no tabs here\n"
    done = run("get", "wnut17")
    assert "wnut17train.conll, line 1: expected a token, a tab" in str(done.exception)
    assert left(home) == []


def test_a_missing_file_and_a_log_in_page_are_told_apart(served, home):
    server = served("wnut17")
    del server.files["/emerging.dev.conll"]
    assert "found the answer 404 Not Found" in str(run("get", "wnut17").exception)
    server.ways["/wnut17train.conll"] = ["page"]
    assert "found a web page" in str(run("get", "wnut17").exception)
    assert left(home) == []


def test_an_answer_without_a_length_counts_only_with_a_published_sum(served, home):
    server = served("wnut17")
    server.ways["/wnut17train.conll"] = ["unsized"]
    assert "does not say how long the file is" in str(run("get", "wnut17").exception)
    server = served("wnut17", sums=True)
    server.ways["/wnut17train.conll"] = ["unsized"]
    assert run("get", "wnut17").exit_code == 0


def test_the_next_address_is_tried_when_one_does_not_have_the_file(server, tmp_path, home):
    server.files["/new"] = b"content"
    found = downloading.download([f"{server.url}/old", f"{server.url}/new"], tmp_path / "part")
    assert found.content == b"content"
    assert found.address == f"{server.url}/new"
    assert left(tmp_path) == []


def test_a_dead_proxy_is_named(served, home, monkeypatch):
    served("wnut17")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("NO_PROXY", "")
    assert "the proxy that HTTPS_PROXY or HTTP_PROXY names" in str(run("get", "wnut17").exception)


def test_originals_brought_by_hand_need_no_network(served, home, tmp_path):
    server = served("wnut17", sums=True)
    brought = tmp_path / "brought"
    brought.mkdir()
    for file, content in samples.wnut17().items():
        (brought / file).write_bytes(content)
    assert run("get", "wnut17", "--originals", str(brought)).exit_code == 0
    assert server.requests == []
    (brought / "emerging.dev.conll").unlink()
    done = run("get", "wnut17", "--again", "--originals", str(brought))
    assert "expected emerging.dev.conll" in str(done.exception)


def test_out_names_the_folder(served, home, tmp_path):
    served("wnut17")
    assert run("get", "wnut17", "--out", str(tmp_path / "here")).exit_code == 0
    assert "train.jsonl.gz" in left(tmp_path / "here")


def test_an_unknown_name_lists_the_known_ones(home):
    assert "expected a data set of airline, btc" in str(run("get", "nope").exception)


def test_list_says_what_is_here(served, home):
    served("wnut17")
    run("get", "wnut17")
    found = {row["name"]: row for row in json.loads(run("list", "--json").stdout)}
    assert {name for name, row in found.items() if row["here"]} == {"wnut17"}
    assert found["airline"]["tasks"] == ["sentiment", "complaint_reason"]
    assert run("list").exit_code == 0


def test_convert_writes_a_folder_that_train_finds(home, tmp_path):
    own = tmp_path / "reviews.csv"
    lines = [f"so good {n},up\nso bad {n},down" for n in range(40)]
    own.write_text("review,feeling\n" + "\n".join(lines) + "\n")
    words = "--text-column review --label-column feeling --map up=positive --map down=negative"
    found = json.loads(run("convert", str(own), *words.split(), "--json").stdout)
    assert found == {
        "folder": str(home / "reviews"),
        "rows": {"train": 72, "dev": 8},
        "left_out": 0,
    }
    row = rows(home / "reviews" / "train.jsonl.gz")[0]
    assert row == {"id": "reviews-000001", "text": "so good 0", "label": "positive"}
    found = find_data("reviews")
    assert (found.train, found.dev) == tuple(
        home / "reviews" / f"{split}.jsonl.gz" for split in ("train", "dev")
    )


def test_convert_never_replaces_a_fetched_set(served, home, tmp_path):
    served("wnut17")
    run("get", "wnut17")
    own = tmp_path / "wnut17.jsonl"
    own.write_text('{"text": "good", "label": "positive"}\n')
    assert "found a fetched data set" in str(run("convert", str(own)).exception)


def test_convert_names_the_encoding_to_try(home, tmp_path):
    own = tmp_path / "own.csv"
    own.write_bytes("text,label\ncaf\xe9,positive\n".encode("cp1252"))
    assert "name the file's encoding by --encoding" in str(run("convert", str(own)).exception)
    done = run("convert", str(own), "--encoding", "cp1252", "--dev-share", "0")
    assert done.exit_code == 0
    assert rows(home / "own" / "train.jsonl.gz")[0]["text"] == "café"


def test_the_verb_is_registered_and_fails_in_one_line(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "voxlake.cli", "data", "get", "nope"],
        env=os.environ | {"VOXLAKE_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("voxlake: expected a data set of airline")
    assert done.stderr.count("\n") == 1
