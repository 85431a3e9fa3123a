"""Rules of batches: what follows from a function's answer."""

import json
from datetime import UTC, datetime, timedelta

from localcloud.event_source.batch import (
    PAYLOAD_LIMIT,
    Attempt,
    after_call,
    expired_prefix,
    judge,
    lowest_failure,
    make_item,
    take_within_limit,
)
from localcloud.event_source.mapping import Settings
from localcloud.kinesis.log import Record

STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/s"
ARRIVAL = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)


def items(count, data="eA=="):
    return tuple(
        make_item(Record(n, "k", data, ARRIVAL + timedelta(seconds=n)), "shardId-0", STREAM, "role")
        for n in range(1, count + 1)
    )


def sequences(attempt):
    return [i.record.sequence for i in attempt.items]


def test_the_event_has_the_shape_that_lambda_sends():
    assert json.loads(Attempt(items(1)).payload()) == {
        "Records": [
            {
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": "k",
                    "sequenceNumber": "1",
                    "data": "eA==",
                    "approximateArrivalTimestamp": 1767323046.678,
                },
                "eventSource": "aws:kinesis",
                "eventVersion": "1.0",
                "eventID": "shardId-0:1",
                "eventName": "aws:kinesis:record",
                "invokeIdentityArn": "role",
                "awsRegion": "us-east-1",
                "eventSourceARN": STREAM,
            }
        ]
    }


def test_a_batch_ends_before_six_megabytes_of_payload():
    batch = items(20, "A" * (1 << 19))
    taken = take_within_limit(batch)
    assert len(taken) == 11
    assert len(Attempt(taken).payload()) <= PAYLOAD_LIMIT
    assert len(Attempt(batch[:12]).payload()) > PAYLOAD_LIMIT
    assert len(take_within_limit(items(1, "A" * (8 << 20)))) == 1


def test_a_partial_response_resumes_at_the_lowest_failed_sequence_number():
    batch = items(5)
    answer = {"batchItemFailures": [{"itemIdentifier": "4"}, {"itemIdentifier": "3"}]}
    assert lowest_failure(json.dumps(answer).encode(), batch) == 2
    outcome = after_call(Attempt(batch, retries=1), 2, Settings(report_failures=True))
    assert outcome.done == 2
    assert [sequences(a) for a in outcome.attempts] == [[3, 4, 5]]


def test_an_answer_without_failures_is_success_and_a_strange_one_fails_the_batch():
    batch = items(2)
    for good in (b"", b"null", b"{}", b'{"batchItemFailures": []}', b'{"batchItemFailures":null}'):
        assert lowest_failure(good, batch) is None
    for bad in ('""', "null", '"99"'):
        answer = f'{{"batchItemFailures": [{{"itemIdentifier": {bad}}}]}}'.encode()
        assert lowest_failure(answer, batch) == 0
    assert lowest_failure(b'{"batchItemFailures": [{"id": "2"}]}', batch) == 0


def test_failures_are_read_only_where_the_mapping_asks_for_them():
    answer = b'{"batchItemFailures": [{"itemIdentifier": "1"}]}'
    assert judge(Attempt(items(1)), None, answer, Settings()) is None
    assert judge(Attempt(items(1)), None, answer, Settings(report_failures=True)) == 0
    assert judge(Attempt(items(1)), "Unhandled", b"{}", Settings(report_failures=True)) == 0


def test_bisecting_costs_no_retry_and_ends_at_one_record():
    settings = Settings(bisect=True, max_retries=1)
    halves = after_call(Attempt(items(3)), 0, settings).attempts
    assert [(sequences(a), a.retries) for a in halves] == [([1], 0), ([2, 3], 0)]
    again = after_call(halves[0], 0, settings)
    assert [(sequences(a), a.retries) for a in again.attempts] == [([1], 1)]
    assert after_call(again.attempts[0], 0, settings).discard


def test_retries_end_at_the_quota_and_never_without_one():
    attempt = Attempt(items(2), retries=3)
    assert after_call(attempt, 0, Settings(max_retries=3)).discard
    assert not after_call(attempt, 0, Settings(max_retries=-1)).discard
    assert after_call(Attempt(items(2)), 0, Settings(max_retries=0)).discard


def test_records_older_than_the_limit_are_a_prefix():
    batch = items(4)
    now = ARRIVAL.timestamp() + 62.5
    assert expired_prefix(batch, now, 60) == 2
    assert expired_prefix(batch, now, -1) == 0
    assert expired_prefix(batch, now + 100, 60) == 4
