"""What reply_sender does about a request: sends, waits, refuses, records, and what it leaves."""

from __future__ import annotations

import json
from datetime import timedelta

import boto3
import pytest

from lambdas.common.settings import SettingsError
from lambdas.reply_sender import handler as reply_sender
from tests.servers import x
from tests.servers.api import Answer, Fault
from tests.unit.replies.kit import (
    NOW,
    REPLIES,
    SAID,
    Queue,
    laboratory,
    make_settings,
    make_ticket,
)
from voxlake.replies import items
from voxlake.tickets import load_queues
from voxlake.tickets.ids import make_ticket_id


@pytest.fixture
def lab(cloud):
    yield from laboratory()


def answered(lab, *tickets, **asking):
    for ticket in tickets:
        lab.ask(ticket, **asking)
    lab.run()
    return [lab.ticket(ticket) for ticket in tickets]


def table():
    return boto3.resource("dynamodb").Table(REPLIES)


def why(ticket):
    return ticket["history"][-1]["note"]


def test_a_ticket_is_answered_by_its_queues_template_below_the_post(lab):
    ticket = make_ticket(1)
    (found,) = answered(lab, ticket)
    (post,) = lab.server.replies()
    assert post["in_reply_to"] == ticket["native_id"]
    assert post["text"] == load_queues().named("baggage_issue").reply(ticket["ticket_id"], "en")
    assert not {"lost", "case", "4711", "zanzibar"} & set(post["text"].lower().split())
    assert (found["state"], found["replied_at"], found["reply_post_id"], found["revision"]) == (
        "replied",
        "2026-02-24T20:00:00.000000Z",
        post["id"],
        3,
    )
    assert found["updated_at"] == found["replied_at"]
    assert found["history"][-1] == {
        "what": "replied",
        "who": "reply_sender",
        "at": "2026-02-24T20:00:00.000000Z",
        "note": f"post {post['id']}",
    }
    # The intent is written before X is asked, the result before the message is deleted.
    entry = found["replies"]["template"]
    assert (entry["state"], entry["tries"], entry["text"]) == ("sent", 1, post["text"])


def test_the_template_is_in_the_customers_language_where_there_is_one(lab):
    answered(lab, make_ticket(1, language="es"), make_ticket(2, language="xx"))
    assert [post["text"].split()[0] for post in lab.server.replies()] == ["Sentimos", "We"]


def test_asking_twice_and_again_later_answers_once(lab):
    ticket = make_ticket(1)
    for _ in range(3):
        answered(lab, ticket)
        lab.clock.pass_(minutes=6)
    assert len(lab.server.replies()) == 1
    assert lab.tally() == {"sent": 1}


def test_an_agents_words_go_out_with_the_tickets_id_under_the_agents_name(lab):
    ticket = make_ticket(1)
    answered(lab, ticket)
    for _ in range(2):
        (found,) = answered(lab, ticket, by="agent:kim", text="We found it, it is on its way.")
        lab.clock.pass_(minutes=6)
    first, second = lab.server.replies()
    assert second["text"] == f"We found it, it is on its way. {ticket['ticket_id']}"
    assert second["in_reply_to"] == ticket["native_id"]
    assert found["history"][-1]["who"] == "agent:kim"
    # The time to first reply is the first one's.
    assert found["reply_post_id"] == first["id"]


@pytest.mark.parametrize(
    ("changed", "note", "state"),
    [
        ({"sentiment": "positive"}, "praise", "suppressed"),
        ({"said": "RT @auroraair: your bag is lost"}, "repost", "suppressed"),
        ({"confidence": 0.69}, "unsure: 0.69", "open"),
        ({"source": "youtube"}, "not_on_x: youtube", "open"),
        ({"state": "closed"}, "not_open: closed", "closed"),
        ({"state": "suppressed"}, "not_open: suppressed", "suppressed"),
        (
            {"occurred_at": "2026-02-23T19:59:59.000000Z"},
            "too_late: 2026-02-23T19:59:59.000000Z",
            "open",
        ),
    ],
)
def test_what_must_not_be_answered_is_refused_with_its_reason_on_the_ticket(
    lab, changed, note, state
):
    (found,) = answered(lab, make_ticket(1, **changed))
    assert (why(found), found["state"]) == (note, state)
    assert found["history"][-1]["who"] == "reply_sender"
    assert lab.server.log == []
    reason = note.partition(":")[0]
    assert lab.tally() == {"refused": 1, f"refused_{reason}": 1}


def test_an_agent_may_answer_what_the_rules_leave_to_people(lab):
    doubtful = make_ticket(1, confidence=0.2)
    assert why(answered(lab, doubtful)[0]) == "unsure: 0.20"
    (found,) = answered(lab, doubtful, by="agent:kim")
    assert (found["state"], len(lab.server.replies())) == ("replied", 1)


def test_who_opted_out_is_answered_by_nobody(lab):
    ticket = make_ticket(1)
    table().put_item(Item=items.opt_out_item("x", ticket["author_id"], by="agent:kim", at=NOW))
    (found,) = answered(lab, ticket)
    assert (found["state"], why(found)) == ("suppressed", "opted_out")
    (found,) = answered(lab, ticket, by="agent:kim", text="Sorry!")
    assert why(found) == "opted_out"
    assert lab.server.log == []


def test_limits_hold_for_an_author_an_hour_and_a_day(cloud):
    limits = {"REPLIES_PER_AUTHOR_DAY": "1", "REPLIES_PER_HOUR": "2", "REPLIES_PER_DAY": "3"}
    for lab in laboratory(**limits):
        tickets = [make_ticket(number) for number in (1, 2, 3)]
        again = make_ticket(4, author_id=tickets[0]["author_id"])
        assert [why(found)[:4] for found in answered(lab, tickets[0], again)] == ["post", "auth"]
        assert [why(found)[:4] for found in answered(lab, *tickets[1:])] == ["post", "hour"]
        lab.clock.pass_(hours=1)
        more = [make_ticket(number) for number in (5, 6)]
        assert [why(found)[:4] for found in answered(lab, *more)] == ["post", "day_"]
        assert len(lab.server.replies()) == 3
        # A refusal counts for nothing: what was taken for it was given back.
        day = lab.replies_item("LIMIT#live#DAY#2026-02-24")
        assert day["used"] == 3
        assert day["expires_at"] > NOW.timestamp()


def test_a_stopped_sender_sends_nothing_and_uses_up_no_receives(lab):
    ticket = make_ticket(1)
    table().update_item(**items.stop(by="kim", at=NOW))
    lab.ask(ticket)
    for _ in range(40):
        lab.invoke()
        lab.clock.pass_(minutes=16)
    assert (lab.server.log, lab.queue.dead, len(lab.queue.messages)) == ([], [], 1)
    assert lab.ticket(ticket)["state"] == "open"
    table().update_item(**items.start())
    lab.run()
    assert len(lab.server.replies()) == 1


def test_throttling_waits_for_xs_reset_and_uses_up_no_receives(lab):
    """A day of it: 5 posts in 24 hours, and a short window beside it."""
    lab.server.windows["post_day"].limit = 5
    lab.server.windows["post"].limit = 2
    tickets = [make_ticket(n, occurred_at="2026-02-24T23:00:00.000000Z") for n in range(8)]
    found = answered(lab, *tickets)
    assert [ticket["state"] for ticket in found] == ["replied"] * 8
    assert lab.queue.dead == []
    # The last answer of a window says so: nobody asks X in vain.
    assert [status for request, status in lab.server.log if status == 429] == []
    assert lab.clock() - NOW > timedelta(hours=24)


def test_a_throttled_post_is_not_looked_for(lab):
    lab.server.next_fault(
        Fault(Answer(429, {"title": "Too Many Requests"}, {"x-rate-limit-reset": "1771963500"})),
        after=1,
    )
    answered(lab, make_ticket(1))
    assert [request.path for request, _ in lab.server.log] == [
        "/2/users/me",
        "/2/tweets",
        "/2/tweets",
    ]
    # 1771963500 is 20:05 and X's clock may differ from ours.
    assert lab.server.replies()[0]["created_at"][:19] == "2026-02-24T20:05:01"


def test_a_refusal_for_good_is_on_the_ticket(lab):
    gone, open_ = make_ticket(1), make_ticket(2)
    lab.server.closed.add(gone["native_id"])
    found, other = answered(lab, gone, open_)
    assert found["state"] == "open"
    assert why(found).startswith("refused_by_x: status 403 you attempted to reply to a tweet that")
    assert other["state"] == "replied"


@pytest.mark.parametrize("answer", [x.UNAUTHORIZED, x.READ_ONLY], ids=["401", "403"])
def test_refused_keys_wait_for_a_person_and_are_read_again(lab, answer):
    """Also those put there after the function began to run."""
    ticket = make_ticket(1)
    lab.server.next_fault(Fault(answer), after=1)
    secrets = boto3.client("secretsmanager")
    lab.ask(ticket)
    assert lab.invoke()
    account = lab.replies_item("ACCOUNT")
    assert account["paused_until"] == "2026-02-24T20:15:00.000000Z"
    assert "check the account and the keys" in account["paused_why"]
    keys = json.loads(secrets.get_secret_value(SecretId="x")["SecretString"])
    lab.server.writers = {"new-access": "99"}
    secrets.put_secret_value(
        SecretId="x", SecretString=json.dumps(keys | {"access_token": "new-access"})
    )
    lab.run()
    assert lab.ticket(ticket)["state"] == "replied"


def test_keys_of_another_account_send_nothing(cloud):
    for lab in laboratory(X_ACCOUNT_ID="7"):
        lab.ask(make_ticket(1))
        assert lab.invoke()
        assert "found those of 99" in lab.replies_item("ACCOUNT")["paused_why"]
        assert {request.path for request, _ in lab.server.log} == {"/2/users/me"}


def test_an_answer_that_never_comes_is_found_in_our_timeline_on_a_later_page(lab):
    ticket = make_ticket(1)
    lab.server.page_size = 1
    lab.server.next_fault(x.POSTED_THEN_HANGS, after=1)
    lab.ask(ticket)
    assert lab.invoke()
    for number in range(3):
        lab.server.add_post("something else", lab.clock(), author="99", number=number)
    lab.run()
    (post,) = lab.server.replies()
    assert lab.ticket(ticket)["reply_post_id"] == post["id"]


def test_a_duplicate_that_x_refuses_is_the_one_that_is_out(lab):
    """X had taken the reply, and only the second attempt says so."""
    ticket = make_ticket(1)
    text = load_queues().named("baggage_issue").reply(ticket["ticket_id"], "en")
    lab.server.add_post(text, lab.clock(), author="99", in_reply_to=ticket["native_id"])
    (found,) = answered(lab, ticket)
    assert (found["state"], len(lab.server.replies())) == ("replied", 1)


def test_a_ticket_closed_while_its_reply_is_sent_stays_closed_and_says_what_was_sent(lab):
    ticket = make_ticket(1)

    class Closing:
        def __init__(self, poster):
            self.poster, self.ready = poster, poster.ready

        def post(self, text, to):
            made = self.poster.post(text, to)
            boto3.resource("dynamodb").Table("tickets-table").update_item(
                Key={"pk": ticket["pk"]},
                UpdateExpression="SET #s = :closed, revision = revision + :one",
                ExpressionAttributeNames={"#s": "state"},
                ExpressionAttributeValues={":closed": "closed", ":one": 1},
            )
            return made

    lab.poster = Closing
    (found,) = answered(lab, ticket)
    assert (found["state"], found["replies"]["template"]["state"]) == ("closed", "sent")
    assert found["reply_post_id"] == lab.server.replies()[0]["id"]


def test_a_dry_run_records_what_would_be_sent_and_nothing_leaves(cloud):
    for lab in laboratory(REPLIES_MODE="dry_run", REPLIES_PER_HOUR="1"):
        first, second = answered(lab, make_ticket(1), make_ticket(2))
        assert lab.server.log == []
        text = load_queues().named("baggage_issue").reply(first["ticket_id"], "en")
        assert (first["state"], first["history"][-1]) == (
            "open",
            {
                "what": "reply_dry_run",
                "who": "reply_sender",
                "at": "2026-02-24T20:00:00.000000Z",
                "note": text,
            },
        )
        assert first["replies"]["template"]["state"] == "dry_run"
        assert "replied_at" not in first
        # Limits are those of a live run, so that it shows what one would do.
        assert why(second) == "hour_limit"
        assert lab.tally() == {"dry_run": 1, "refused": 1, "refused_hour_limit": 1}


def test_words_that_do_not_fit_are_refused_with_their_length(lab):
    (found,) = answered(lab, make_ticket(1), by="agent:kim", text="x" * 264)
    assert why(found).startswith("no_words: expected at most 280 characters as X counts them")
    assert lab.server.log == []


@pytest.mark.parametrize(
    "body",
    ["not json", "{}", json.dumps({"ticket_id": make_ticket_id("BAG", NOW, "x", "none")})],
)
def test_a_message_that_can_never_be_answered_is_a_dead_letter_at_once(lab, body):
    lab.queue.send_message(MessageBody=body, MessageGroupId="x", MessageDeduplicationId="1")
    ticket = make_ticket(1)
    lab.ask(ticket)
    before = lab.clock()
    lab.run()
    assert [message.body for message in lab.queue.dead] == [body]
    assert lab.ticket(ticket)["state"] == "replied"
    assert lab.clock() - before < timedelta(seconds=5)


def test_an_outage_keeps_a_message_for_an_hour_and_then_makes_it_a_dead_letter(lab):
    ticket = make_ticket(1)
    lab.server.faults = dict.fromkeys(range(1, 100), x.UNAVAILABLE)
    lab.ask(ticket)
    before = lab.clock()
    lab.run()
    assert len(lab.queue.dead) == 1
    assert lab.clock() - before > timedelta(minutes=45)
    assert lab.ticket(ticket)["state"] == "open"


def test_what_lies_behind_a_waiting_message_is_not_kept_from_the_next_batch(lab):
    lab.batch = 5
    tickets = [make_ticket(number) for number in range(3)]
    lab.server.next_fault(x.UNAVAILABLE, after=1)
    for ticket in tickets:
        lab.ask(ticket)
    assert lab.invoke()
    head, *behind = lab.queue.messages
    assert head.visible_at > lab.clock()
    assert all(message.visible_at == lab.clock() for message in behind)
    lab.run()
    assert [lab.ticket(ticket)["state"] for ticket in tickets] == ["replied"] * 3


def test_what_it_logs_and_counts_holds_no_words_of_customers(lab, capsys):
    answered(lab, make_ticket(1), make_ticket(2, confidence=0.1))
    logged = capsys.readouterr().out
    assert "zanzibar" in SAID
    assert "zanzibar" not in logged
    assert "good-consumer_secret" not in logged


def test_live_without_a_secret_is_an_error_of_the_settings(lab):
    with pytest.raises(SettingsError, match=r"X_POSTING_SECRET: .*live replies need the ARN"):
        make_settings(lab.server, "")


def test_a_dry_run_has_no_way_to_x(cloud):
    for lab in laboratory(REPLIES_MODE="dry_run", X_POSTING_SECRET=""):
        assert isinstance(lab.queue, Queue)
        assert lab.application().sender.poster is None
        assert reply_sender.answer({"Records": []}, lab.application()) == {"batchItemFailures": []}
