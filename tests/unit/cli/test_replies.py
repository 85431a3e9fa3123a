"""`voxlake replies` and `voxlake tickets reply` against DynamoDB and SQS in moto."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from tests.unit.replies.kit import REPLIES, TICKETS, make_tables, make_ticket
from voxlake.cli import replies as verb
from voxlake.cli import tickets as tickets_verb
from voxlake.replies import items
from voxlake.replies.decision import Mode
from voxlake.replies.errors import ReplyTextError


class Target:
    """The verbs' target, in moto."""

    mode = "dry_run"

    def __init__(self, stage: str = "local") -> None:
        self.stage = stage

    def client(self, service: str):
        return boto3.client(service)

    def table(self, key: str):
        return boto3.resource("dynamodb").Table(
            {"TicketsTable": TICKETS, "RepliesTable": REPLIES}[key]
        )

    def output(self, key: str) -> str:
        if key == "RepliesMode":
            return self.mode
        name = {"OutboxUrl": "outbox.fifo", "DeadRepliesUrl": "dead.fifo"}[key]
        return self.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]


@pytest.fixture
def stage(monkeypatch):
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for module in (verb, tickets_verb):
        monkeypatch.setattr(module, "Target", Target)
    with mock_aws():
        make_tables()
        for name in ("outbox.fifo", "dead.fifo"):
            boto3.client("sqs").create_queue(QueueName=name, Attributes={"FifoQueue": "true"})
        yield Target()


def run(*arguments: str, app=verb.replies):
    answer = CliRunner().invoke(app, list(arguments))
    if answer.exception and not isinstance(answer.exception, SystemExit):
        raise answer.exception
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def sent(stage):
    found = stage.client("sqs").receive_message(
        QueueUrl=stage.output("OutboxUrl"), MaxNumberOfMessages=10
    )
    return [json.loads(message["Body"]) for message in found.get("Messages", [])]


def test_stop_and_start_turn_the_switch_that_the_sender_reads(stage):
    run("stop", "--by", "kim")
    found = json.loads(run("status", "--json"))
    assert (found["stopped_by"], found["stopped_at"][:4]) == ("kim", str(datetime.now(UTC).year))
    assert "mode      dry_run, stopped" in run("status")
    run("start")
    assert json.loads(run("status", "--json"))["stopped_at"] is None


def test_the_status_tells_what_was_sent_waits_and_was_refused(stage):
    now, table = datetime.now(UTC), stage.table("RepliesTable")
    for outcomes in (["dry_run"], ["dry_run"], ["refused", "refused_praise"]):
        table.update_item(**items.count(Mode.DRY_RUN, outcomes, now))
    table.update_item(**items.count(Mode.LIVE, ["sent"], now))
    tickets = [make_ticket(number) for number in range(2)]
    for ticket in tickets:
        verb.ask_for_reply(stage, ticket, None, by="agent:kim")
    found = json.loads(run("status", "--json"))
    assert found == {
        "mode": "dry_run",
        "stopped_at": None,
        "stopped_by": None,
        "paused_until": None,
        "paused_why": None,
        "waiting": 2,
        "given_up": 0,
        "sent": {"today": 0, "seven_days": 0},
        "dry_run": {"today": 2, "seven_days": 2},
        "refused": {"today": 1, "seven_days": 1},
        "reasons": {"praise": 1},
    }
    shown = run("status")
    assert "waiting   2, given up 0" in shown
    assert "          1 praise" in shown


def test_where_replies_are_off_the_status_says_so_and_asking_is_refused(stage, monkeypatch):
    monkeypatch.setattr(Target, "mode", "off")
    assert run("status") == "mode      off\n"
    with pytest.raises(verb.RepliesOffError, match="expected replies to be on, found mode off"):
        run("reply", make_ticket(1)["ticket_id"], app=tickets_verb.tickets)


def test_an_agents_words_are_put_into_the_outbox(stage):
    ticket = make_ticket(1)
    for text in (("--text", "We found it."), ()):
        run("reply", ticket["ticket_id"].lower(), *text, "--by", "kim", app=tickets_verb.tickets)
    assert [(one["ticket_id"], one["by"], one["text"]) for one in sent(stage)] == [
        (ticket["ticket_id"], "agent:kim", "We found it."),
        (ticket["ticket_id"], "agent:kim", None),
    ]


def test_words_that_no_post_holds_are_refused_before_anything_is_asked_for(stage):
    ticket = make_ticket(1)
    with pytest.raises(ReplyTextError, match="at most 280 characters as X counts them"):
        run("reply", ticket["ticket_id"], "--text", "x" * 300, app=tickets_verb.tickets)
    assert sent(stage) == []


def test_an_author_is_kept_from_replies_by_one_of_their_tickets(stage):
    ticket = make_ticket(1)
    key = items.opt_out_key("x", ticket["author_id"])
    run("opt-out", ticket["ticket_id"], "--by", "kim")
    kept = stage.table("RepliesTable").get_item(Key=key)["Item"]
    assert kept["by"] == "agent:kim"
    run("opt-in", ticket["ticket_id"])
    assert "Item" not in stage.table("RepliesTable").get_item(Key=key)
