"""Replies as deployed: stream, enricher, outbox and sender of the template in mode live, and an X.

What customers write goes in at one end; at the other a server that speaks X's API, with faults,
keeps its own log of what was posted. Two hundred faults are in tests/unit/replies/; here each kind
meets the deployed functions, their roles, the queue and its mapping once.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.app import make_app
from infra.config import RepliesConfig, load_stage
from infra.stacks.ingest import IngestStack
from infra.stacks.storage import StorageStack
from infra.stacks.stream import StreamStack
from localcloud import server
from localcloud.event_source.queues import queue_of
from tests.servers import x
from tests.servers.api import Answer, Fault, Request
from tests.unit.replies.kit import KEYS
from voxlake.ledger.items import plain
from voxlake.replies.requests import reply_request
from voxlake.tickets.items import ENRICHER

ACCOUNT = "99"
TICKETS = 20
SAID = "@united you lost my bag again, worst airline ever, nobody answers me. Case {}"
REPLIES = RepliesConfig(
    mode="live",
    account_id=ACCOUNT,
    settle_seconds=30,
    timeout_seconds=30,
    # A ticket is given up after three failures: a fault is none of its own.
    max_receives=3,
)
# By number of the request to post.
TROUBLE = {
    2: "throttled",
    4: "unavailable",
    7: "posted, then 502",
    9: "posted, then no answer in time",
    11: "posted, then dropped",
    14: "killed after posting",
    16: "asked for again while it is posted",
}
FAULTS = {
    "unavailable": x.UNAVAILABLE,
    "posted, then 502": x.POSTED_THEN_BROKEN,
    "posted, then no answer in time": x.POSTED_THEN_HANGS,
    "posted, then dropped": x.POSTED_THEN_DROPS,
}


class TroubledX(x.XServer):
    """Lets the posts that TROUBLE names go wrong; `done` has what did."""

    def __init__(self) -> None:
        super().__init__(lambda: datetime.now(UTC))
        # X refuses the same words twice, for a while and not reliably: here it does not.
        self.takes_duplicates = True
        self.path: StreamPath | None = None
        self.asked = 0
        self.done: list[str] = []

    def handle(self, request: Request) -> Answer | None:
        if (request.method, request.path) != ("POST", "/2/tweets"):
            return super().handle(request)
        self.asked += 1
        what = TROUBLE.get(self.asked, "")
        self.done += [what] if what else []
        if what == "throttled":
            headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(_soon())}
            self.next_fault(Fault(Answer(429, {"title": "Too Many Requests"}, headers)))
        elif what in FAULTS:
            self.next_fault(FAULTS[what])
        answer = super().handle(request)
        if what == "killed after posting":
            self.path.kill_the_sender()
        elif what == "asked for again while it is posted":
            self.path.ask_again(json.loads(request.body)["reply"]["in_reply_to_tweet_id"])
        return answer


def _soon() -> int:
    return int(time.time()) + 3


class StreamPath:
    """The deployed stacks, by the names of their outputs."""

    def __init__(self, cloud: Any, outputs: dict[str, str]) -> None:
        self.cloud, self.outputs = cloud, outputs
        environment = cloud.root_environment()
        self.session = boto3.Session(
            environment["AWS_ACCESS_KEY_ID"],
            environment["AWS_SECRET_ACCESS_KEY"],
            region_name=cloud.region,
        )

    def sender(self) -> Any:
        """The laptop's reply_sender, with its workers."""
        return self.cloud.services["lambda"].function(self.outputs["ReplySenderFunction"])

    def kill_the_sender(self) -> None:
        [worker] = self.sender()._busy
        os.kill(worker.process.pid, signal.SIGKILL)

    def ask_again(self, native_id: str) -> None:
        """A second message for a ticket, which SQS does not take for the first."""
        [ticket] = [one for one in self.tickets() if one["native_id"] == native_id]
        request = reply_request(ticket["ticket_id"], ENRICHER, None, datetime.now(UTC), attempt=1)
        self.cloud.client("sqs").send_message(QueueUrl=self.outputs["OutboxUrl"], **request)

    def tickets(self) -> list[dict[str, Any]]:
        dynamodb = self.session.resource("dynamodb", endpoint_url=self.cloud.endpoint)
        items = dynamodb.Table(self.outputs["TicketsTable"]).scan(ConsistentRead=True)["Items"]
        return [plain(item) for item in items if item["pk"].startswith("TICKET#")]

    def messages(self, output: str) -> list[Any]:
        """moto's messages of a queue, hidden ones too."""
        name = self.outputs[output].rpartition("/")[2]
        return list(queue_of(self.cloud, f"arn:aws:sqs:{self.cloud.region}:1:{name}")._messages)

    def pass_time(self, posted: str) -> None:
        """Messages that nobody works on and whose reply X has are hidden no longer: minutes less.

        Those whose reply X has not wait in earnest.
        """
        for message in self.messages("OutboxUrl"):
            if not self.sender()._busy and json.loads(message.body)["ticket_id"] in posted:
                message.visible_at = 0


@pytest.fixture
def troubled() -> Iterator[TroubledX]:
    with TroubledX() as running:
        running.writers = {"good-access": ACCOUNT}
        yield running


@pytest.fixture
def path(troubled, tmp_path: Path, monkeypatch) -> Iterator[StreamPath]:
    """Storage, ingest and stream of the template, replies live, X at the server's address."""
    monkeypatch.setenv("CDK_VALIDATION", "false")
    app = make_app(stage="full", out=tmp_path / "cdk.out", bundle=False)
    full = load_stage("full")
    config = replace(
        full,
        ingest=replace(full.ingest, mock_server_enabled=False),
        replies=replace(REPLIES, x_api_url=troubled.url),
    )
    staging = tmp_path / "staging"
    storage = StorageStack(app, config=config)
    ingest = IngestStack(app, config=config, storage=storage, staging=staging)
    StreamStack(app, config=config, storage=storage, ingest=ingest, staging=staging)
    assembly = app.synth().directory
    with server.start(tmp_path / "cloud") as cloud:
        cloud.services["cloudformation"].deploy(Path(assembly))
        stacks = cloud.client("cloudformation").describe_stacks()["Stacks"]
        outputs = [output for stack in stacks for output in stack.get("Outputs", [])]
        found = StreamPath(cloud, {o["OutputKey"]: o["OutputValue"] for o in outputs})
        troubled.path = found
        yield found


@pytest.mark.timeout(600)
def test_each_ticket_gets_one_reply_of_the_deployed_sender_through_every_kind_of_fault(
    path, troubled
):
    put_keys(path)
    asked = [troubled.add_post(SAID.format(n), datetime.now(UTC), number=n) for n in range(TICKETS)]
    put_events(path, asked)

    deadline = time.monotonic() + 400
    while sum(ticket["state"] == "replied" for ticket in path.tickets()) < TICKETS or path.messages(
        "OutboxUrl"
    ):
        assert time.monotonic() < deadline, (troubled.done, path.messages("OutboxUrl"))
        path.pass_time(" ".join(post["text"] for post in troubled.replies()))
        time.sleep(0.2)

    assert troubled.done == list(TROUBLE.values())
    posted = {post["in_reply_to"]: post for post in troubled.replies()}
    assert Counter(p["in_reply_to"] for p in troubled.replies()) == {p["id"]: 1 for p in asked}
    tickets = path.tickets()
    assert sorted(ticket["native_id"] for ticket in tickets) == sorted(posted)
    for ticket in tickets:
        post = posted[ticket["native_id"]]
        assert ticket["ticket_id"] in post["text"]
        assert (ticket["state"], ticket["reply_post_id"]) == ("replied", post["id"])
        assert [entry["what"] for entry in ticket["history"]] == ["opened", "replied"]
    assert path.messages("DeadRepliesUrl") == []


def put_keys(path: StreamPath) -> None:
    keys = {name: f"good-{name}" for name in KEYS} | {"access_token": "good-access"}
    path.cloud.client("secretsmanager").put_secret_value(
        SecretId=path.outputs["XPostingSecretArn"], SecretString=json.dumps(keys)
    )


def put_events(path: StreamPath, posts: list[dict[str, Any]]) -> None:
    """The posts as source_x would put them on the stream, each by another author."""
    records = [
        {
            "event_id": f"x-{post['id']}",
            "event_type": "post",
            "schema_version": 1,
            "source": "x",
            "occurred_at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "author_id": f"author-{number}",
            "body": {"post_id": post["id"], "text": post["text"], "lang": "en"},
        }
        for number, post in enumerate(posts)
    ]
    answer = path.cloud.client("kinesis").put_records(
        StreamName=path.outputs["EventStream"],
        Records=[
            {"Data": json.dumps(record).encode(), "PartitionKey": record["author_id"]}
            for record in records
        ],
    )
    assert answer["FailedRecordCount"] == 0
