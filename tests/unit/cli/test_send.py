"""`send`: what goes on the stream, within the stream's limits."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxlake.cli.send import (
    MAX_RECORD_BYTES,
    MAX_RECORDS,
    MAX_REQUEST_BYTES,
    SendError,
    Sent,
    batches,
    entries,
    parse_rate,
    put,
    send_file,
)


class Stream:
    """A stream that refuses chosen entries, once per time they are listed."""

    def __init__(self, refuse=()):
        self.refuse = list(refuse)
        self.records: list[bytes] = []
        self.requests: list[int] = []

    def put_records(self, StreamName, Records):
        self.requests.append(len(Records))
        answers = []
        for record in Records:
            if record["Data"] in self.refuse:
                self.refuse.remove(record["Data"])
                answers.append({"ErrorCode": "ProvisionedThroughputExceededException"})
            else:
                self.records.append(record["Data"])
                answers.append({"SequenceNumber": "1"})
        refused = sum("ErrorCode" in a for a in answers)
        return {"FailedRecordCount": refused, "Records": answers}


class Place:
    """A target whose only service is a stream."""

    def __init__(self, stream):
        self.stream = stream

    def client(self, _service):
        return self.stream

    def output(self, _key):
        return "events"


def entry(text: str) -> dict:
    return {"Data": text.encode(), "PartitionKey": "k"}


@pytest.mark.parametrize(
    ("rate", "per_second"), [("50/s", 50.0), ("600/m", 10.0), ("2.5", 2.5), ("", None)]
)
def test_a_rate_is_read_in_records_a_second(rate, per_second):
    assert parse_rate(rate) == per_second


@pytest.mark.parametrize("rate", ["fast", "0/s", "-1", "50/h"])
def test_a_rate_that_cannot_be_meant_is_refused(rate):
    with pytest.raises(SendError) as caught:
        parse_rate(rate)
    assert rate in str(caught.value)


@given(st.lists(st.integers(0, MAX_RECORD_BYTES - 1), max_size=40), st.integers(1, MAX_RECORDS))
def test_batches_keep_order_and_the_limits_of_a_request(sizes, most):
    given_entries = [{"Data": b"x" * size, "PartitionKey": "k"} for size in sizes]
    found = list(batches(iter(given_entries), most))
    assert [e for batch in found for e in batch] == given_entries
    for batch in found:
        assert 1 <= len(batch) <= most
        assert sum(len(e["Data"]) + 1 for e in batch) <= MAX_REQUEST_BYTES


def test_only_the_refused_entries_are_sent_again():
    stream = Stream(refuse=[b"b", b"b"])
    pauses = []
    put(stream, "events", [entry("a"), entry("b"), entry("c")], sleep=pauses.append)
    assert stream.records == [b"a", b"c", b"b"]
    assert stream.requests == [3, 1, 1]
    assert pauses == sorted(pauses)
    assert len(pauses) == 2


def test_a_stream_that_keeps_refusing_ends_in_an_error_that_names_the_code():
    stream = Stream(refuse=[b"a"] * 100)
    with pytest.raises(SendError) as caught:
        put(stream, "events", [entry("a")], sleep=lambda _s: None)
    assert "ProvisionedThroughputExceededException" in str(caught.value)


def test_a_line_of_a_post_becomes_an_event_and_nothing_else_of_it_is_taken():
    line = {
        "id": "7",
        "text": "@united thanks",
        "created_at": "2015-02-24T19:35:52Z",
        "author": "somebody",
        "label": "positive",
        "tweet_location": "a place",
        "tweet_coord": [1.5, 2.5],
    }
    [record] = entries([json.dumps(line).encode()], "x.jsonl", Sent())
    event = json.loads(record["Data"])
    assert event["event_id"] == "file-7"
    assert event["occurred_at"] == "2015-02-24T19:35:52Z"
    assert event["body"]["text"] == "@united thanks"
    for absent in ("label", "a place", "1.5"):
        assert absent not in record["Data"].decode().replace("created", "")


def test_a_record_of_exactly_one_mebibyte_is_sent_and_a_byte_more_is_refused_by_line():
    event = {"event_id": "e", "event_type": "post", "author_id": "a", "pad": ""}
    room = MAX_RECORD_BYTES - len("a") - len(json.dumps(event, separators=(",", ":")))
    lines = [json.dumps(event | {"pad": "x" * (room + more)}).encode() for more in (0, 1)]
    sent = Sent()
    found = list(entries(lines, "x.jsonl", sent))
    assert [len(e["Data"]) + 1 for e in found] == [MAX_RECORD_BYTES]
    assert [r["line"] for r in sent.refused] == [2]


def test_a_gzip_file_and_a_plain_file_send_the_same_records(tmp_path):
    lines = "".join(
        json.dumps({"id": str(i), "text": f"t{i}", "created_at": "2020-01-01T00:00:00Z"}) + "\n"
        for i in range(1203)
    ).encode()
    (tmp_path / "a.jsonl").write_bytes(lines)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines))
    plain, zipped = Stream(), Stream()
    first = send_file(Place(plain), str(tmp_path / "a.jsonl"), progress=False)
    second = send_file(Place(zipped), str(tmp_path / "a.jsonl.gz"), progress=False)
    assert plain.records == zipped.records
    assert (first.records, second.records) == (1203, 1203)
    assert plain.requests == [500, 500, 203]


def test_an_unreadable_line_is_sent_as_it_is_and_counted():
    sent = Sent()
    lines = [b'{"id": "1", "text": "half\n', b'{"id":"2","text":"t","created_at":"2020-01-01"}\n']
    found = list(entries(lines, "x.jsonl", sent))
    assert found[0]["Data"].startswith(b'{"id": "1", "text": "half')
    assert (sent.lines, sent.unreadable, len(found)) == (2, 1, 2)


def test_a_damaged_gzip_file_is_an_error_and_not_a_short_count(tmp_path):
    whole = gzip.compress(b'{"id": "1", "text": "t", "created_at": "2020-01-01"}\n' * 5000)
    (tmp_path / "cut.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SendError, match="damaged"):
        send_file(Place(Stream()), str(tmp_path / "cut.gz"), progress=False)


def test_a_missing_file_is_named():
    with pytest.raises(SendError, match="no-such-file"):
        send_file(Place(Stream()), "no-such-file.jsonl", progress=False)
