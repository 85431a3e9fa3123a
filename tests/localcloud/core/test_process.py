"""The background process, as a user starts and stops it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from localcloud import state
from localcloud.__main__ import main


def localcloud(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, run in this process; `up` starts its own."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        status = main(list(arguments))
    return subprocess.CompletedProcess(arguments, status, stdout.getvalue(), stderr.getvalue())


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "state"
    yield folder
    localcloud("down", "--state", str(folder))


def test_up_status_and_down(folder: Path):
    up = localcloud("up", "--state", str(folder))
    assert up.returncode == 0, up.stderr
    document = json.loads((folder / "localcloud.json").read_text())
    assert set(document) == {
        "endpoint", "pid", "region", "account", "access_key_id", "secret_access_key", "started_at",
    }  # fmt: skip
    assert up.stdout == f"{document['endpoint']}\n"
    client = boto3.client(
        "sts", endpoint_url=document["endpoint"], region_name=document["region"],
        aws_access_key_id=document["access_key_id"],
        aws_secret_access_key=document["secret_access_key"],
    )  # fmt: skip
    assert client.get_caller_identity()["Account"] == document["account"] == "123456789012"
    status = localcloud("status", "--state", str(folder), "--json")
    assert json.loads(status.stdout)["pid"] == document["pid"]
    assert {"lambda", "glue", "kinesis", "s3"} <= set(json.loads(status.stdout)["services"])
    again = localcloud("up", "--state", str(folder))
    assert again.returncode == 1
    assert again.stderr.startswith("error: a laptop cloud already runs from")
    assert again.stderr.count("\n") == 1
    assert localcloud("down", "--state", str(folder)).stdout == "stopped\n"
    assert not state.alive(document["pid"])
    assert localcloud("down", "--state", str(folder)).stdout == "no laptop cloud was running\n"
    gone = localcloud("status", "--state", str(folder))
    assert (gone.returncode, gone.stderr.startswith("error: no laptop cloud runs")) == (1, True)


def test_up_after_a_kill_starts_afresh(folder: Path):
    localcloud("up", "--state", str(folder))
    document = json.loads((folder / "localcloud.json").read_text())
    (folder / "s3" / "left-over").mkdir()
    os.kill(document["pid"], signal.SIGKILL)
    up = localcloud("up", "--state", str(folder))
    assert up.returncode == 0, up.stderr
    assert not (folder / "s3" / "left-over").exists()


def test_a_taken_port_is_a_clear_error(folder: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        up = localcloud("up", "--state", str(folder), "--port", str(port))
    assert up.returncode == 1
    assert up.stderr == (
        f"error: expected port {port} of 127.0.0.1 to be free, found it in use:"
        " choose another with --port, or 0 for a free one\n"
    )


def test_a_folder_with_other_files_is_left_alone(folder: Path):
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    up = localcloud("up", "--state", str(folder))
    assert (up.returncode, "found other files" in up.stderr) == (1, True)
    assert (folder / "thesis.txt").read_text() == "mine"


def test_the_process_id_of_another_program_is_not_ours(folder: Path):
    folder.mkdir()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        state.write(folder, {"pid": other.pid, "endpoint": "http://127.0.0.1:9"})
        down = localcloud("down", "--state", str(folder))
        assert down.stdout == "no laptop cloud was running\n"
        assert other.poll() is None
        up = localcloud("up", "--state", str(folder))
        assert up.returncode == 0, up.stderr
        other.kill()


def test_rubbish_in_the_state_file_is_a_clear_error(folder: Path):
    folder.mkdir()
    (folder / "localcloud.json").write_text("{")
    status = localcloud("status", "--state", str(folder))
    assert status.returncode == 1
    assert status.stderr.startswith("error: expected the state of a laptop cloud in")


def test_deploy_reports_each_resource_and_errors_in_one_line(folder: Path, tmp_path: Path):
    from tests.localcloud.core.conftest import write_assembly

    localcloud("up", "--state", str(folder))
    good = {"Resources": {"B": {"Type": "AWS::S3::Bucket"}}}
    assembly = write_assembly(tmp_path / "good", {"one": good})
    deployed = localcloud("deploy", "--state", str(folder), "--assembly", str(assembly))
    assert deployed.stdout.split() == ["one:", "CREATE_COMPLETE", "CREATE_COMPLETE",
                                       "AWS::S3::Bucket", "B"]  # fmt: skip
    bad = {"Resources": {"B": {"Type": "AWS::X::Y"}}}
    assembly = write_assembly(tmp_path / "bad", {"two": bad})
    refused = localcloud("deploy", "--state", str(folder), "--assembly", str(assembly))
    assert (refused.returncode, refused.stderr) == (
        1, "error: two/B (AWS::X::Y): type AWS::X::Y is not supported by the laptop cloud\n"
    )  # fmt: skip
