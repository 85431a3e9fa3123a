"""Kinesis's data plane: limits, order, nothing lost under concurrency, metrics."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from localcloud.core import Cloud
from tests.localcloud.core.conftest import code_of

MIB = 1 << 20


@pytest.fixture
def stream(cloud: Cloud, request: pytest.FixtureRequest) -> str:
    name = request.node.name[:100].replace("[", "-").replace("]", "")
    cloud.client("kinesis").create_stream(
        StreamName=name, StreamModeDetails={"StreamMode": "ON_DEMAND"}
    )
    return name


def read_all(cloud: Cloud, stream: str) -> list[dict[str, Any]]:
    kinesis = cloud.client("kinesis")
    records = []
    for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
        iterator = kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while True:
            answer = kinesis.get_records(ShardIterator=iterator, Limit=700)
            if not answer["Records"]:
                break
            records += [{**r, "ShardId": shard["ShardId"]} for r in answer["Records"]]
            iterator = answer["NextShardIterator"]
    return records


def test_data_and_key_of_exactly_one_mebibyte_pass_and_one_byte_more_does_not(cloud, stream):
    kinesis = cloud.client("kinesis")
    kinesis.put_record(StreamName=stream, Data=b"x" * (MIB - 3), PartitionKey="key")
    one_more = b"x" * (MIB - 2)
    single = code_of(
        lambda: kinesis.put_record(StreamName=stream, Data=one_more, PartitionKey="key")
    )
    batch = code_of(
        lambda: kinesis.put_records(
            StreamName=stream,
            Records=[
                {"Data": b"x", "PartitionKey": "k"},
                {"Data": one_more, "PartitionKey": "key"},
            ],
        )
    )
    assert single[:2] == ("ValidationException", 400)
    assert batch[:2] == ("ValidationException", 400)
    assert "records.2.member.data" in batch[2]
    assert [len(r["Data"]) for r in read_all(cloud, stream)] == [MIB - 3]


def test_put_records_refuses_more_than_500_records_and_more_than_5_mebibytes(cloud, stream):
    kinesis = cloud.client("kinesis")
    many = [{"Data": b"x", "PartitionKey": "k"}] * 501
    large = [{"Data": b"x" * (MIB - 1), "PartitionKey": "k"}] * 5
    assert code_of(lambda: kinesis.put_records(StreamName=stream, Records=many))[0] == (
        "ValidationException"
    )
    assert kinesis.put_records(StreamName=stream, Records=large)["FailedRecordCount"] == 0
    over = [*large, {"Data": b"", "PartitionKey": "k"}]
    assert code_of(lambda: kinesis.put_records(StreamName=stream, Records=over))[0] == (
        "InvalidArgumentException"
    )


def test_concurrent_writers_lose_and_reorder_nothing(cloud, stream):
    kinesis = cloud.client("kinesis")

    def put(writer: int) -> None:
        for batch in range(5):
            kinesis.put_records(
                StreamName=stream,
                Records=[
                    {"Data": f"{writer}.{batch}.{i}".encode(), "PartitionKey": f"w{writer}"}
                    for i in range(100)
                ],
            )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(8)))
    records = read_all(cloud, stream)
    sent = [f"{w}.{b}.{i}" for w in range(8) for b in range(5) for i in range(100)]
    assert Counter(r["Data"].decode() for r in records) == Counter(sent)
    for writer in range(8):
        mine = [r for r in records if r["PartitionKey"] == f"w{writer}"]
        assert [r["Data"].decode() for r in mine] == [s for s in sent if s.startswith(f"{writer}.")]
    for shard in {r["ShardId"] for r in records}:
        numbers = [int(r["SequenceNumber"]) for r in records if r["ShardId"] == shard]
        assert numbers == sorted(set(numbers))
        assert all(len(str(n)) == 56 for n in numbers)


def test_iterators_start_where_they_say(cloud, stream):
    kinesis = cloud.client("kinesis")
    put = [
        kinesis.put_record(StreamName=stream, Data=str(i).encode(), PartitionKey="k")
        for i in range(4)
    ]
    shard = put[0]["ShardId"]

    def data(**start: Any) -> list[str]:
        iterator = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard, **start)
        return [
            r["Data"].decode()
            for r in kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
        ]

    number = put[1]["SequenceNumber"]
    assert data(ShardIteratorType="AT_SEQUENCE_NUMBER", StartingSequenceNumber=number) == list(
        "123"
    )
    assert data(ShardIteratorType="AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=number) == [
        "2",
        "3",
    ]
    assert data(ShardIteratorType="LATEST") == []
    now = datetime.now(UTC)
    assert data(ShardIteratorType="AT_TIMESTAMP", Timestamp=now - timedelta(hours=1)) == list(
        "0123"
    )
    assert data(ShardIteratorType="AT_TIMESTAMP", Timestamp=now + timedelta(hours=1)) == []


def test_incoming_records_and_bytes_are_summed_at_once(cloud, stream):
    kinesis, cloudwatch = cloud.client("kinesis"), cloud.client("cloudwatch")
    for _ in range(3):
        kinesis.put_records(
            StreamName=stream, Records=[{"Data": b"12345", "PartitionKey": "ab"}] * 10
        )
    now = datetime.now(UTC)
    window = {"StartTime": now - timedelta(minutes=5), "EndTime": now + timedelta(minutes=1)}
    metric = {
        "Namespace": "AWS/Kinesis",
        "Dimensions": [{"Name": "StreamName", "Value": stream}],
    }
    points = cloudwatch.get_metric_statistics(
        MetricName="IncomingRecords", Period=60, Statistics=["Sum"], **metric, **window
    )["Datapoints"]
    assert sum(p["Sum"] for p in points) == 30
    query = {
        "Id": "bytes",
        "MetricStat": {
            "Metric": {"MetricName": "IncomingBytes", **metric},
            "Period": 60,
            "Stat": "Sum",
        },
    }
    results = cloudwatch.get_metric_data(MetricDataQueries=[query], **window)["MetricDataResults"]
    assert sum(results[0]["Values"]) == 210


def test_an_unknown_stream_is_not_found(cloud: Cloud):
    call = cloud.client("kinesis").put_record
    refused = code_of(lambda: call(StreamName="absent", Data=b"x", PartitionKey="k"))
    assert refused[:2] == ("ResourceNotFoundException", 400)
