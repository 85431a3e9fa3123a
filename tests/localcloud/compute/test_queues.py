"""SQS queues reach functions in batches, in order within a group, through the function's role."""

from __future__ import annotations

import itertools
import json

import pytest
from botocore.exceptions import ClientError

from localcloud.event_source.mapping import Settings
from localcloud.event_source.queues import failed_ids

from .conftest import allow, eventually, make_function, make_role

NUMBERS = itertools.count()
RECEIVE = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
# Writes each call's bodies to a file, then fails the messages that begin with "bad".
CODE = """
import json
def handler(event, context):
    bodies = [r["body"] for r in event["Records"]]
    with open({path!r}, "a") as file:
        file.write(json.dumps([bodies, event["Records"][0]]) + "\\n")
    ids = [r["messageId"] for r in event["Records"]]
    bad = [at for at, body in enumerate(bodies) if body.startswith("bad")]
    {failing}
"""
REPORT = (
    'return {"batchItemFailures": [{"itemIdentifier": i} for i in ids[bad[0]:]] if bad else []}'
)


class Consumer:
    """A FIFO queue with dead letters, a function that logs its batches, and a mapping."""

    def __init__(self, cloud, tmp_path, *, failing=REPORT, actions=RECEIVE, receives=2, hidden=2):
        number = next(NUMBERS)
        self.cloud, self.sqs, self.path = cloud, cloud.client("sqs"), tmp_path / "calls"
        self.dead = self._queue(f"dead-{number}.fifo")
        arn = self.arn(self.dead)
        redrive = {"deadLetterTargetArn": arn, "maxReceiveCount": receives}
        self.url = self._queue(
            f"outbox-{number}.fifo",
            VisibilityTimeout=str(hidden),
            RedrivePolicy=json.dumps(redrive),
        )
        self.name = f"sender-{number}"
        grants = [allow(actions, self.arn(self.url))] if actions else []
        role = make_role(cloud, self.name, "lambda.amazonaws.com", grants)
        code = CODE.format(path=str(self.path), failing=failing)
        make_function(cloud, self.name, code, role, Timeout=2)

    def _queue(self, name, **attributes):
        settings = {"FifoQueue": "true", **attributes}
        return self.sqs.create_queue(QueueName=name, Attributes=settings)["QueueUrl"]

    def arn(self, url):
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return found["Attributes"]["QueueArn"]

    def map(self, **options):
        return self.cloud.client("lambda").create_event_source_mapping(
            EventSourceArn=self.arn(self.url),
            FunctionName=self.name,
            **{"FunctionResponseTypes": ["ReportBatchItemFailures"], **options},
        )

    def send(self, *bodies, group="g"):
        for body in bodies:
            self.sqs.send_message(
                QueueUrl=self.url,
                MessageBody=body,
                MessageGroupId=group,
                MessageDeduplicationId=f"{group} {body}",
            )

    def calls(self):
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        return [json.loads(line)[0] for line in lines]

    def waiting(self, url):
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(map(int, found.values()))


def test_messages_arrive_in_order_in_batches_and_are_deleted(cloud, tmp_path):
    consumer = Consumer(cloud, tmp_path)
    consumer.send(*map(str, range(7)))
    made = consumer.map(BatchSize=3)
    assert (made["BatchSize"], "StartingPosition" in made) == (3, False)
    eventually(lambda: consumer.waiting(consumer.url) == 0)
    assert consumer.calls() == [["0", "1", "2"], ["3", "4", "5"], ["6"]]
    record = json.loads(consumer.path.read_text().splitlines()[0])[1]
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"] == consumer.arn(consumer.url)
    assert record["attributes"]["MessageGroupId"] == "g"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"


def test_what_fails_comes_again_before_what_is_behind_it_and_ends_among_the_dead(cloud, tmp_path):
    consumer = Consumer(cloud, tmp_path)
    consumer.send("a", "bad", "c")
    consumer.map(BatchSize=2)
    eventually(lambda: consumer.waiting(consumer.dead) == 1)
    eventually(lambda: consumer.waiting(consumer.url) == 0)
    calls = consumer.calls()
    assert calls[0] == ["a", "bad"]
    assert [call[0] for call in calls[1:]] == ["bad", "c"]
    (dead,) = consumer.sqs.receive_message(QueueUrl=consumer.dead)["Messages"]
    assert dead["Body"] == "bad"


def test_another_group_does_not_wait_for_one_that_fails(cloud, tmp_path):
    consumer = Consumer(cloud, tmp_path, receives=9, hidden=600)
    consumer.send("bad")
    consumer.send("x", group="other")
    consumer.map(BatchSize=1)
    eventually(lambda: consumer.waiting(consumer.url) == 1)
    assert consumer.calls() == [["bad"], ["x"]]


def test_a_role_that_may_not_look_at_the_queue_cannot_have_a_mapping(cloud, tmp_path):
    consumer = Consumer(cloud, tmp_path, actions=())
    with pytest.raises(ClientError, match=r"Cannot access queue .* ReceiveMessage, DeleteMessage"):
        consumer.map()


def test_a_role_that_may_not_receive_is_told_in_the_status(cloud, tmp_path):
    consumer = Consumer(cloud, tmp_path, actions=["sqs:GetQueueAttributes"])
    uuid = consumer.map()["UUID"]
    consumer.send("a")
    status = cloud.services["event_source"].status
    eventually(lambda: "sqs:ReceiveMessage" in status()["mappings"][uuid]["last_result"])


def test_a_queue_that_hides_messages_for_less_than_the_function_takes_is_refused(cloud, tmp_path):
    consumer = Consumer(cloud, tmp_path, hidden=1)
    message = "Queue visibility timeout: 1 seconds is less than Function timeout: 2 seconds"
    with pytest.raises(ClientError, match=message):
        consumer.map()


def test_what_is_not_emulated_is_refused_by_name(cloud, tmp_path):
    consumer = Consumer(cloud, tmp_path)
    with pytest.raises(ClientError, match="not emulated for SQS mappings: MaximumRetryAttempts"):
        consumer.map(MaximumRetryAttempts=1)
    with pytest.raises(ClientError, match="expected a BatchSize of 1 to 10, found 11"):
        consumer.map(BatchSize=11)


@pytest.mark.parametrize(
    ("error", "answer", "left"),
    [
        (None, b"null", set()),
        (None, b'{"batchItemFailures": []}', set()),
        (None, b'{"batchItemFailures": [{"itemIdentifier": "b"}]}', {"b"}),
        (None, b'{"batchItemFailures": [{"itemIdentifier": "unknown"}]}', {"a", "b"}),
        (None, b'{"batchItemFailures": [{"itemIdentifier": ""}]}', {"a", "b"}),
        (None, b'{"batchItemFailures": [{}]}', {"a", "b"}),
        (None, b'"text"', {"a", "b"}),
        ("Unhandled", b"{}", {"a", "b"}),
    ],
)
def test_an_answer_says_what_stays_in_the_queue(error, answer, left):
    assert failed_ids(error, answer, {"a", "b"}, Settings(report_failures=True)) == left
