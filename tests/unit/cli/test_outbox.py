"""`voxlake outbox` over the laptop cloud's file."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from voxlake.cli import outbox as verb
from voxlake.cli.target import NotRunningError

SENT = [
    {
        "at": f"2026-02-24T12:0{number}:00+00:00",
        "protocol": protocol,
        "to": to,
        "topic": "arn:aws:sns:us-east-1:123456789012:alarms",
        "subject": 'ALARM: "[bold]NoData" in us-east-1' if protocol == "email" else None,
        "message": "Reason:\n[5.0 (24/02/26)] was greater",
        "message_id": str(number),
    }
    for number, (protocol, to) in enumerate(
        [("email", "ops@example.com"), ("sms", "+15550100"), ("email", "ops@example.com")], 1
    )
]


@pytest.fixture
def sent(tmp_path, monkeypatch):
    monkeypatch.setenv("VOXLAKE_HOME", str(tmp_path))
    monkeypatch.setattr(verb.Target, "environment", lambda self: {})
    file = tmp_path / "cloud" / "outbox.jsonl"
    file.parent.mkdir()
    file.write_text("".join(json.dumps(line) + "\n" for line in SENT))
    return file


def run(*arguments):
    return CliRunner().invoke(verb.outbox, arguments)


def test_messages_are_listed_with_the_newest_first(sent):
    found = json.loads(run("--json", "--limit", "2").stdout)
    assert found == [{"number": 3, **SENT[2]}, {"number": 2, **SENT[1]}]
    text = run("--limit", "2").stdout
    assert 'ALARM: "[bold]NoData" in us-east-1' in text
    assert "+15550100" in text
    assert "2 of 3" in text


def test_a_message_is_shown_whole(sent):
    found = run("show", "1")
    assert found.exit_code == 0
    assert found.stdout.endswith("Reason:\n[5.0 (24/02/26)] was greater\n")
    assert "To:      ops@example.com (email)" in found.stdout


def test_a_number_that_is_not_there_is_an_error(sent):
    error = run("show", "4").exception
    assert str(error) == "expected a number from 1 to 3, found 4"


def test_an_empty_outbox_says_so(sent):
    sent.unlink()
    assert run().stdout.startswith("The outbox is empty")


def test_a_deployed_stage_has_no_outbox(sent):
    assert "SNS delivers its messages" in str(run("--stage", "prod").exception)


def test_without_a_laptop_cloud_its_last_outbox_is_not_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("VOXLAKE_HOME", str(tmp_path))
    assert isinstance(run().exception, NotRunningError)
