"""Kinesis shards reach functions in batches, in order, through the function's role."""

import itertools
import json
import time
from collections import defaultdict
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from .conftest import allow, eventually, make_function, make_role

READ = allow(
    ["kinesis:DescribeStream", "kinesis:GetRecords", "kinesis:GetShardIterator"],
    "arn:aws:kinesis:us-east-1:123456789012:stream/events-*",
)
WRITE = allow("s3:PutObject", "arn:aws:s3:::failures-*/aws/lambda/*")
NUMBERS = itertools.count()
# Writes each call's data to a file, then does what `{failing}` says.
CODE = """
import base64, json
def handler(event, context):
    records = event["Records"]
    data = [base64.b64decode(r["kinesis"]["data"]).decode() for r in records]
    with open({path!r}, "a") as file:
        file.write(json.dumps([records[0]["eventID"].split(":")[0], data]) + "\\n")
    bad = [r["kinesis"]["sequenceNumber"] for r, d in zip(records, data) if d.startswith("bad")]
    {failing}
"""
RAISE = "if bad: raise ValueError('bad record')"
REPORT = 'return {"batchItemFailures": [{"itemIdentifier": s} for s in bad]}'


class Consumer:
    """A stream, a function that logs its batches, and a mapping between them."""

    def __init__(self, cloud, tmp_path, *, shards=1, failing="", statements=(READ, WRITE)):
        number = next(NUMBERS)
        self.cloud, self.path = cloud, tmp_path / "calls"
        self.name, self.stream, self.bucket = (
            f"{kind}-{number}" for kind in ("consumer", "events", "failures")
        )
        self.stream_arn = f"arn:aws:kinesis:us-east-1:123456789012:stream/{self.stream}"
        self.kinesis = cloud.client("kinesis")
        self.kinesis.create_stream(StreamName=self.stream, ShardCount=shards)
        cloud.client("s3").create_bucket(Bucket=self.bucket)
        role = make_role(cloud, self.name, "lambda.amazonaws.com", list(statements))
        code = CODE.format(path=str(self.path), failing=failing)
        make_function(cloud, self.name, code, role)
        self.on_failure = {"OnFailure": {"Destination": f"arn:aws:s3:::{self.bucket}"}}

    def map(self, **options):
        self.uuid = self.cloud.client("lambda").create_event_source_mapping(
            EventSourceArn=self.stream_arn,
            FunctionName=self.name,
            **{"StartingPosition": "TRIM_HORIZON", **options},
        )["UUID"]
        return self.uuid

    def put(self, *texts, key="k"):
        rows = [{"Data": t.encode(), "PartitionKey": key} for t in texts]
        return [
            r["SequenceNumber"]
            for r in self.kinesis.put_records(StreamName=self.stream, Records=rows)["Records"]
        ]

    def calls(self):
        if not self.path.exists():
            return []
        return [json.loads(line)[1] for line in self.path.read_text().splitlines()]

    def seen(self):
        return [text for call in self.calls() for text in call]

    def failures(self):
        s3 = self.cloud.client("s3")
        found = s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return {
            o["Key"]: json.loads(s3.get_object(Bucket=self.bucket, Key=o["Key"])["Body"].read())
            for o in found
        }

    def status(self):
        return self.cloud.services["event_source"].status()["mappings"][self.uuid]


def test_records_arrive_once_in_order_and_in_batches_of_the_size_asked_for(cloud, tmp_path):
    consumer = Consumer(cloud, tmp_path)
    consumer.put(*map(str, range(25)))
    consumer.map(BatchSize=10)
    eventually(lambda: len(consumer.seen()) == 25)
    assert consumer.seen() == list(map(str, range(25)))
    assert [len(c) for c in consumer.calls()] == [10, 10, 5]


def test_a_window_gathers_what_comes_within_it(cloud, tmp_path):
    consumer = Consumer(cloud, tmp_path)
    consumer.map(BatchSize=100, MaximumBatchingWindowInSeconds=1)
    for text in "abc":
        consumer.put(text)
        time.sleep(0.15)
    eventually(lambda: consumer.calls())
    assert consumer.calls() == [["a", "b", "c"]]


def test_bisect_isolates_the_poison_record(cloud, tmp_path):
    consumer = Consumer(cloud, tmp_path, failing=RAISE)
    texts = ["a", "b", "bad", "c", "d", "e", "f", "g"]
    sequences = consumer.put(*texts)
    uuid = consumer.map(
        BatchSize=8,
        BisectBatchOnFunctionError=True,
        MaximumRetryAttempts=1,
        DestinationConfig=consumer.on_failure,
    )
    ((key, failure),) = eventually(consumer.failures).items()
    eventually(lambda: {"e", "f", "g"} <= set(consumer.seen()[8:]))
    good = [c for c in consumer.calls() if "bad" not in c]
    assert [t for call in good for t in call] == ["a", "b", "c", "d", "e", "f", "g"]
    assert [c for c in consumer.calls() if "bad" in c][-2:] == [["bad"], ["bad"]]
    assert key.startswith(f"aws/lambda/{uuid}/shardId-000000000000/{failure['timestamp'][:4]}/")
    assert failure["KinesisBatchInfo"]["startSequenceNumber"] == sequences[2]
    assert failure["KinesisBatchInfo"]["batchSize"] == 1


def test_a_partial_response_resumes_at_the_lowest_failed_record(cloud, tmp_path):
    consumer = Consumer(cloud, tmp_path, failing=REPORT)
    consumer.put("a", "b", "bad", "c", "d")
    consumer.map(
        BatchSize=5,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        MaximumRetryAttempts=1,
        DestinationConfig=consumer.on_failure,
    )
    eventually(consumer.failures)
    consumer.put("next")
    eventually(lambda: "next" in consumer.seen())
    assert consumer.calls() == [
        ["a", "b", "bad", "c", "d"],
        ["bad", "c", "d"],
        ["bad", "c", "d"],
        ["next"],
    ]


def test_a_batch_whose_retries_are_used_up_lands_whole_in_s3(cloud, tmp_path):
    consumer = Consumer(cloud, tmp_path, failing=RAISE)
    sequences = consumer.put("bad", "good")
    consumer.map(MaximumRetryAttempts=2, DestinationConfig=consumer.on_failure)
    (failure,) = eventually(consumer.failures).values()
    assert consumer.calls() == [["bad", "good"]] * 3
    payload = json.loads(failure.pop("payload"))
    assert [r["kinesis"]["sequenceNumber"] for r in payload["Records"]] == sequences
    assert payload["Records"][0]["kinesis"]["data"] == "YmFk"
    failure["requestContext"].pop("requestId")
    batch = failure.pop("KinesisBatchInfo")
    failure.pop("timestamp")
    assert failure == {
        "requestContext": {
            "functionArn": f"arn:aws:lambda:us-east-1:123456789012:function:{consumer.name}",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 3,
        },
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        },
        "version": "1.0",
    }
    assert batch["shardId"] == "shardId-000000000000"
    assert (batch["startSequenceNumber"], batch["endSequenceNumber"]) == tuple(sequences)
    assert (batch["batchSize"], batch["streamArn"]) == (2, consumer.stream_arn)
    consumer.put("after")
    eventually(lambda: "after" in consumer.seen())
    assert consumer.status()["discarded_records"] == 2


def test_a_record_that_is_too_old_is_given_up_without_a_call(cloud, tmp_path, monkeypatch):
    consumer = Consumer(cloud, tmp_path)
    now = cloud.clock.now
    monkeypatch.setattr(cloud.clock, "now", lambda: now() - timedelta(minutes=5))
    consumer.put("old")
    monkeypatch.setattr(cloud.clock, "now", now)
    consumer.put("young")
    consumer.map(MaximumRecordAgeInSeconds=60, DestinationConfig=consumer.on_failure)
    (failure,) = eventually(consumer.failures).values()
    eventually(consumer.calls)
    assert consumer.calls() == [["young"]]
    assert failure["requestContext"]["condition"] == "RecordAgeExceeded"
    assert failure["requestContext"]["approximateInvokeCount"] == 0
    assert "responseContext" not in failure


def test_a_role_that_may_not_read_the_stream_cannot_have_a_mapping(cloud, tmp_path):
    consumer = Consumer(cloud, tmp_path, statements=[WRITE])
    with pytest.raises(ClientError) as caught:
        consumer.map()
    error = caught.value.response["Error"]
    assert error["Code"] == "InvalidParameterValueException"
    assert "Cannot access stream" in error["Message"]
    assert "AccessDenied" in error["Message"]


def test_a_destination_that_the_role_may_not_write_loses_the_batch_and_says_so(cloud, tmp_path):
    consumer = Consumer(cloud, tmp_path, failing=RAISE, statements=[READ])
    consumer.map(MaximumRetryAttempts=0, DestinationConfig=consumer.on_failure)
    consumer.put("bad")
    eventually(lambda: consumer.status()["discarded_records"] == 1)
    assert consumer.failures() == {}


def test_latest_starts_after_what_is_there(cloud, tmp_path):
    consumer = Consumer(cloud, tmp_path)
    consumer.put("old")
    consumer.map(StartingPosition="LATEST")
    consumer.put("new")
    eventually(consumer.calls)
    assert consumer.seen() == ["new"]


def test_a_disabled_mapping_pauses_and_goes_on_where_it_stopped(cloud, tmp_path):
    consumer = Consumer(cloud, tmp_path)
    uuid = consumer.map()
    client = cloud.client("lambda")
    consumer.put("one")
    eventually(lambda: consumer.seen() == ["one"])
    assert client.update_event_source_mapping(UUID=uuid, Enabled=False)["State"] == "Disabled"
    consumer.put("two")
    time.sleep(0.4)
    assert consumer.seen() == ["one"]
    assert consumer.status()["state"] == "Disabled"
    client.update_event_source_mapping(UUID=uuid, Enabled=True)
    eventually(lambda: consumer.seen() == ["one", "two"])
    assert client.get_event_source_mapping(UUID=uuid)["LastProcessingResult"] == "OK"


def test_a_mapping_is_described_as_it_was_asked_for(cloud, tmp_path):
    consumer = Consumer(cloud, tmp_path)
    asked = {
        "BatchSize": 50,
        "MaximumBatchingWindowInSeconds": 2,
        "ParallelizationFactor": 1,
        "BisectBatchOnFunctionError": True,
        "MaximumRetryAttempts": 3,
        "MaximumRecordAgeInSeconds": 3600,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "DestinationConfig": consumer.on_failure,
        "MetricsConfig": {"Metrics": ["EventCount"]},
    }
    consumer.map(**asked)
    client = cloud.client("lambda")
    (found,) = client.list_event_source_mappings(FunctionName=consumer.name)["EventSourceMappings"]
    assert {k: found[k] for k in asked} == asked
    assert found["State"] == "Enabled"
    with pytest.raises(ClientError) as caught:
        consumer.map()
    assert caught.value.response["Error"]["Code"] == "ResourceConflictException"


def test_what_is_not_emulated_is_refused_by_name(cloud, tmp_path):
    consumer = Consumer(cloud, tmp_path)
    for option, named in (
        ({"TumblingWindowInSeconds": 30}, "TumblingWindowInSeconds"),
        ({"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}}, "FilterCriteria"),
        ({"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:::q"}}}, "arn:aws:sqs"),
        ({"BatchSize": 10_001}, "BatchSize"),
        ({"ParallelizationFactor": 2}, "ParallelizationFactor"),
        ({"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": 1}, "AT_TIMESTAMP"),
    ):
        with pytest.raises(ClientError) as caught:
            consumer.map(**option)
        assert named in str(caught.value)


def test_four_shards_are_read_side_by_side_each_in_order(cloud, tmp_path):
    consumer = Consumer(cloud, tmp_path, shards=4)
    consumer.map(BatchSize=200)
    expected = defaultdict(list)
    for first in range(0, 4000, 500):
        rows = [
            {"Data": str(n).encode(), "PartitionKey": str(n)} for n in range(first, first + 500)
        ]
        placed = consumer.kinesis.put_records(StreamName=consumer.stream, Records=rows)["Records"]
        for number, place in enumerate(placed, first):
            expected[place["ShardId"]].append(str(number))
    eventually(lambda: len(consumer.seen()) == 4000)
    seen = defaultdict(list)
    for line in consumer.path.read_text().splitlines():
        shard, data = json.loads(line)
        seen[shard] += data
    assert seen == expected
    assert len(expected) == 4
