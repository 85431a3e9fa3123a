"""A download that no server answers."""

from __future__ import annotations

import socket

import pytest

from voxlake.cli import download as downloading


@pytest.fixture(autouse=True)
def no_proxy_and_no_pause(monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(downloading, "PAUSE_SECONDS", 0.0)


def test_no_network_is_said_in_one_line_with_the_ways_out(tmp_path):
    with pytest.raises(downloading.UnreachableError) as caught:
        downloading.download(["http://127.0.0.1:9/a", "http://127.0.0.1:9/b"], tmp_path / "part")
    assert "cannot reach 127.0.0.1:9" in str(caught.value)
    assert "HTTPS_PROXY" in str(caught.value)
    assert "--originals" in str(caught.value)


def test_a_slow_server_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(downloading, "TIMEOUT_SECONDS", (0.2, 0.05))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(downloading.UnreachableError):
            downloading.download([f"http://127.0.0.1:{port}/a"], tmp_path / "part")
