"""Embedded metrics, the outbox, saved queries, admin routes, errors by protocol."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from localcloud import state
from localcloud.core import Cloud
from localcloud.errors import ServiceError
from localcloud.protocol import serialise_error
from localcloud.request import Principal, Request
from tests.localcloud.core.conftest import code_of


def emf(dimensions: list[list[str]], **values: Any) -> str:
    names = [{"Name": n, "Unit": "Count"} for n in values if n != "service"]
    directive = {"Namespace": "voxlake", "Dimensions": dimensions, "Metrics": names}
    now = int(datetime.now(UTC).timestamp() * 1000)
    return json.dumps({"_aws": {"Timestamp": now, "CloudWatchMetrics": [directive]}, **values})


def test_embedded_metrics_become_cloudwatch_metrics(cloud: Cloud):
    line = emf([["service"]], service="consumer", RecordsLanded=[3, 4], RecordsReceived=9)
    assert cloud.metrics(line) == 3
    now = datetime.now(UTC)
    points = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="voxlake", MetricName="RecordsLanded",
        Dimensions=[{"Name": "service", "Value": "consumer"}],
        StartTime=now - timedelta(minutes=5), EndTime=now + timedelta(minutes=1),
        Period=60, Statistics=["Sum", "SampleCount"],
    )["Datapoints"]  # fmt: skip
    assert [(p["Sum"], p["SampleCount"]) for p in points] == [(7.0, 2.0)]


def test_lines_in_another_format_hold_no_metric(cloud: Cloud):
    lines = [
        "",
        "plain text",
        '{"message": "_aws CloudWatchMetrics"}',
        '{"_aws": "CloudWatchMetrics"',
    ]
    assert [cloud.metrics(line) for line in lines] == [0, 0, 0, 0]


def test_messages_to_people_lie_in_the_outbox(cloud: Cloud):
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="alarms")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="ops@example.org")
    sns.subscribe(TopicArn=topic, Protocol="sms", Endpoint="+15555550100")
    message = json.dumps({"default": "long", "sms": "short"})
    # As boto3 allows and Airflow does; alarms name the topic by TopicArn.
    sent = sns.publish(TargetArn=topic, Subject="alarm", Message=message, MessageStructure="json")[
        "MessageId"
    ]
    lines = [json.loads(x) for x in (cloud.state_dir / "outbox.jsonl").read_text().splitlines()]
    for line in lines:
        del line["at"]
    common = {"topic": topic, "subject": "alarm", "message_id": sent}
    assert lines == [
        {"protocol": "email", "to": "ops@example.org", "message": "long", **common},
        {"protocol": "sms", "to": "+15555550100", "message": "short", **common},
    ]


def test_saved_queries_are_kept(cloud: Cloud):
    logs = cloud.client("logs")
    made = logs.put_query_definition(name="errors", queryString="fields @message")
    listed = logs.describe_query_definitions()["queryDefinitions"]
    assert [(q["queryDefinitionId"], q["queryString"]) for q in listed] == [
        (made["queryDefinitionId"], "fields @message")
    ]


def test_admin_routes_answer_in_json(cloud: Cloud):
    assert state.get(cloud.endpoint, "/_localcloud/health")["status"] == "ok"
    assert state.get(cloud.endpoint, "/_localcloud/status")["endpoint"] == cloud.endpoint
    assert "no such route" in state.get(cloud.endpoint, "/_localcloud/else")["error"]
    assert "assembly" in state.get(cloud.endpoint, "/_localcloud/deploy", b"{}")["error"]


def test_errors_take_the_form_of_the_protocol(cloud: Cloud):
    def response(service: str) -> str:
        request = Request(
            service=service, action="X", principal=Principal("root", "", "1"), method="POST",
            path="/", query={}, headers={}, body=b"", environ={},
        )  # fmt: skip
        return serialise_error(request, ServiceError("Code", "a < b")).body.decode()

    assert json.loads(response("kinesis")) == {"__type": "Code", "message": "a < b"}
    assert "<Error><Code>Code</Code><Message>a &lt; b</Message>" in response("s3")
    assert "<ErrorResponse><Error><Type>Sender</Type><Code>Code</Code>" in response("sns")


def test_a_broken_action_names_its_place_in_the_log(cloud: Cloud, caplog):
    def fails(request: Request) -> None:
        raise RuntimeError("boom")

    cloud.application.actions["ssm", "GetParameter"] = fails
    try:
        code, status, message = code_of(lambda: cloud.client("ssm").get_parameter(Name="x"))
    finally:
        del cloud.application.actions["ssm", "GetParameter"]
    assert (code, status) == ("InternalFailure", 500)
    assert message.startswith("RuntimeError: boom")
    assert "boom" in caplog.text


def test_of_many_conditional_writes_at_once_one_wins(cloud: Cloud):
    dynamodb = cloud.client("dynamodb")
    dynamodb.create_table(
        TableName="leases", BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
    )  # fmt: skip

    def take(place: tuple[int, int]) -> str:
        lease, owner = place
        item = {"pk": {"S": str(lease)}, "owner": {"N": str(owner)}}
        return code_of(
            lambda: dynamodb.put_item(
                TableName="leases", Item=item, ConditionExpression="attribute_not_exists(pk)"
            )
        )[0]

    with ThreadPoolExecutor(16) as pool:
        codes = list(pool.map(take, [(lease, owner) for lease in range(10) for owner in range(16)]))
    assert codes.count("") == 10
    assert codes.count("ConditionalCheckFailedException") == 150
