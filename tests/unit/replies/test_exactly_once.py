"""Two hundred tickets through two hundred faults: the server's own log counts the replies."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta

import pytest

from lambdas.reply_sender import sending
from tests.servers import x
from tests.servers.api import Answer, Fault
from tests.unit.replies.kit import Killed, laboratory, make_ticket

TICKETS = FAULTS = 200
FAULT_KINDS = {
    "throttled": Fault(Answer(429, {"title": "Too Many Requests", "status": 429})),
    "unavailable": x.UNAVAILABLE,
    "dropped": x.DROPS,
    "posted, then 502": x.POSTED_THEN_BROKEN,
    "posted, then dropped": x.POSTED_THEN_DROPS,
    "posted, then no JSON": x.POSTED_THEN_NOT_JSON,
    "killed before posting": None,
    "killed after posting": None,
    "received again": None,
}
POSTING = [kind for kind in FAULT_KINDS if kind.startswith("posted")]
POSTING += ["killed after posting", "received again"]


class Trouble:
    """Stands between the sender and X, and lets each ticket's first attempts go wrong."""

    def __init__(self, lab, plan):
        self.lab, self.plan, self.done = lab, plan, Counter()

    def __call__(self, poster):
        self.poster = poster
        return self

    def ready(self):
        self.poster.ready()

    def find(self, words, **more):
        return self.poster.find(words, **more)

    def post(self, text, to):
        kind = self.plan[to].pop(0) if self.plan.get(to) else None
        if kind:
            self.done[kind] += 1
        if kind == "killed before posting":
            raise Killed
        if fault := FAULT_KINDS.get(kind):
            self.lab.server.next_fault(fault)
        made = self.poster.post(text, to)
        if kind == "killed after posting":
            raise Killed
        if kind == "received again":
            # The message was given to Lambda, answered, and is delivered once more all the same.
            message = self.lab.queue.messages[0]
            self.lab.queue.seen.clear()
            self.lab.queue.send_message(
                QueueUrl="",
                MessageBody=message.body,
                MessageGroupId=message.group,
                MessageDeduplicationId=f"again {to}",
            )
        return made


@pytest.fixture
def lab(cloud):
    """X refuses the same words twice, for a while and not reliably: here it does not, and its
    timelines lag."""
    for made in laboratory(REPLIES_PER_AUTHOR_DAY="1"):
        made.server.takes_duplicates = True
        made.server.lag = timedelta(seconds=40)
        yield made


def troubled(lab, tickets, faults, kinds=tuple(FAULT_KINDS), seed=11):
    """Any number of a ticket's attempts fail before anything is posted, one as it is posted."""
    chance = random.Random(seed)
    plan = {ticket["native_id"]: [] for ticket in tickets}
    fresh = iter(chance.sample(list(plan), len(plan)))
    for number in range(faults):
        kind = kinds[number % len(kinds)]
        if kind in POSTING:
            plan[next(fresh)].append(kind)
        else:
            plan[chance.choice(list(plan))].insert(0, kind)
    lab.poster = Trouble(lab, plan)
    return lab.poster


def replies_by_post(lab):
    return Counter(post["in_reply_to"] for post in lab.server.replies())


def test_each_ticket_gets_exactly_one_reply_through_two_hundred_faults(lab):
    lab.server.windows["post"].limit = 60
    tickets = [make_ticket(number) for number in range(TICKETS)]
    trouble = troubled(lab, tickets, FAULTS)
    for ticket in tickets:
        lab.ask(ticket)
    lab.run()

    assert trouble.done.total() == FAULTS
    assert set(trouble.done) == set(FAULT_KINDS)
    assert replies_by_post(lab) == {ticket["native_id"]: 1 for ticket in tickets}
    assert not lab.queue.dead
    posted = {post["in_reply_to"]: post for post in lab.server.replies()}
    for ticket in tickets:
        found = lab.ticket(ticket)
        post = posted[ticket["native_id"]]
        assert ticket["ticket_id"] in post["text"]
        assert (found["state"], found["reply_post_id"]) == ("replied", post["id"])
        assert found["replied_at"][:19] >= post["created_at"][:19]
        assert [entry["what"] for entry in found["history"]] == ["opened", "replied"]
    assert lab.tally() == {"sent": TICKETS}


@pytest.mark.parametrize("without", ["look-up", "intent", "settling"])
def test_without_one_of_its_guards_somebody_gets_two_replies(lab, monkeypatch, without):
    """The test above can fail, and this is what it would see."""
    tickets = [make_ticket(number) for number in range(3)]
    troubled(lab, tickets, 3, kinds=["posted, then dropped"])
    match without:
        case "look-up":
            monkeypatch.setattr(sending.Sender, "_look_up", lambda *_: False)
        case "intent":
            monkeypatch.setattr(sending.items, "sending", _as_if_not_out)
        case "settling":
            lab.settings = lab.settings.model_copy(update={"settle_seconds": 0})
    for ticket in tickets:
        lab.ask(ticket)
    lab.run()
    assert max(replies_by_post(lab).values()) > 1


def _as_if_not_out(ticket, request, text, at, write=sending.items.sending):
    update = write(ticket, request, text, at)
    update["ExpressionAttributeValues"][":replies"][request.key]["state"] = "waiting"
    return update
