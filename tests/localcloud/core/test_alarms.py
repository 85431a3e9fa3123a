"""Alarms: evaluated as CloudWatch documents it, told by e-mail and SMS, on the cloud's clock."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from localcloud import server, state
from localcloud.cloudwatch.alarm import ALARM, INSUFFICIENT, OK, judge
from tests.localcloud.core.conftest import SERVICES, code_of
from tests.localcloud.still_clock import StillClock

RETAIN = "the state it has"
ALL_OK, ALL_ALARM = [OK] * 4, [ALARM] * 4
# AWS's own tables: the points with the newest last, and the state by how missing ones are treated
# (missing, ignore, breaching, notBreaching).
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
DOCUMENTED = [
    (3, "0 - X - X", ALL_OK),
    (3, "0 - - - -", ALL_OK),
    (3, "- - - - -", [INSUFFICIENT, RETAIN, ALARM, OK]),
    (3, "0 X X - X", ALL_ALARM),
    (3, "- - X - -", [ALARM, RETAIN, ALARM, OK]),
    (2, "0 - X - X", ALL_ALARM),
    (2, "0 0 X 0 X", ALL_ALARM),
    (2, "0 - X - -", [OK, OK, ALARM, OK]),
    (2, "- - - - 0", [OK, OK, ALARM, OK]),
    (2, "- - - X -", [ALARM, RETAIN, ALARM, OK]),
]


@pytest.mark.parametrize(("needed", "points", "states"), DOCUMENTED)
def test_missing_points_are_treated_as_cloudwatch_documents_it(needed, points, states):
    newest_first = [{"0": False, "X": True}.get(p) for p in reversed(points.split())]
    for missing, expected in zip(
        ("missing", "ignore", "breaching", "notBreaching"), states, strict=True
    ):
        for before in (OK, ALARM, INSUFFICIENT):
            found = judge(newest_first, needed=needed, of=3, missing=missing, state=before)
            assert found == (before if expected == RETAIN else expected), (missing, before)


@pytest.fixture
def clock():
    return StillClock()


@pytest.fixture
def cloud(tmp_path, clock):
    services = [*SERVICES, "localcloud.events.service:EventsService"]
    running = server.start(tmp_path / "state", services=services, clock=clock)
    yield running.cloud
    running.stop()


@pytest.fixture
def topic(cloud):
    """A topic that CloudWatch may publish to, with a reader."""
    sns = cloud.client("sns")
    arn = sns.create_topic(Name="alarms")["TopicArn"]
    admit(cloud, arn)
    sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="ops@example.com")
    return arn


def admit(cloud, topic, service="cloudwatch.amazonaws.com"):
    statement = {"Effect": "Allow", "Principal": {"Service": service}}
    statement |= {"Action": "sns:Publish", "Resource": topic}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    cloud.client("sns").set_topic_attributes(
        TopicArn=topic, AttributeName="Policy", AttributeValue=policy
    )


def put_alarm(cloud, topic, name="errors", **changes):
    settings = {
        "AlarmName": name, "AlarmDescription": "Look at the log.", "Namespace": "app",
        "MetricName": "Errors", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1,
        "Threshold": 2, "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching", "AlarmActions": [topic], "OKActions": [topic],
    }  # fmt: skip
    settings = {k: v for k, v in {**settings, **changes}.items() if v is not None}
    cloud.client("cloudwatch").put_metric_alarm(**settings)


def put(cloud, name="Errors", **datum):
    datum = {"MetricName": name, **datum}
    cloud.client("cloudwatch").put_metric_data(Namespace="app", MetricData=[datum])


def advance(cloud, **order):
    return state.get(cloud.endpoint, "/_localcloud/clock", json.dumps(order).encode(), timeout=60)


def outbox(cloud):
    file = cloud.state_dir / "outbox.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def alarm_state(cloud, name="errors"):
    (found,) = cloud.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return found["StateValue"]


def test_people_are_told_of_changes_and_of_nothing_else(cloud, topic):
    put_alarm(cloud, topic)
    assert alarm_state(cloud) == INSUFFICIENT
    advance(cloud, advance_seconds=60)
    put(cloud, Value=5)
    found = advance(cloud, advance_seconds=600)
    assert [(c["from"], c["to"], c["at"]) for c in found["alarms"]] == [
        (OK, ALARM, "2026-01-02T03:06:00+00:00"),
        (ALARM, OK, "2026-01-02T03:09:00+00:00"),
    ]
    assert [mail["subject"] for mail in outbox(cloud)] == [
        'OK: "errors" in us-east-1',
        'ALARM: "errors" in us-east-1',
        'OK: "errors" in us-east-1',
    ]
    text = outbox(cloud)[1]["message"]
    assert "Look at the log." in text
    assert (
        "Threshold Crossed: 1 out of the last 1 datapoint [5.0 (02/01/26 03:05:00)] was greater "
        "than or equal to the threshold (2.0) (minimum 1 datapoint for OK -> ALARM transition)."
    ) in text
    history = cloud.client("cloudwatch").describe_alarm_history(
        AlarmName="errors", HistoryItemType="StateUpdate", ScanBy="TimestampAscending"
    )["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in history] == [
        "Alarm updated from INSUFFICIENT_DATA to OK",
        "Alarm updated from OK to ALARM",
        "Alarm updated from ALARM to OK",
    ]


@pytest.mark.parametrize(
    ("admitted", "mails", "action"),
    [
        ("cloudwatch.amazonaws.com", 1, "Successfully executed action"),
        ("events.amazonaws.com", 0, "Failed to execute action"),
        (None, 0, "Failed to execute action"),
    ],
)
def test_a_topic_s_key_that_does_not_admit_cloudwatch_drops_messages_silently(
    cloud, topic, admitted, mails, action
):
    statements = [{
        "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "kms:*", "Resource": "*",
    }]  # fmt: skip
    if admitted:
        statements.append({
            "Effect": "Allow", "Principal": {"Service": admitted},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*",
        })  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    key = cloud.client("kms").create_key(Policy=policy)["KeyMetadata"]["KeyId"]
    cloud.client("sns").set_topic_attributes(
        TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue=key
    )
    put_alarm(cloud, topic)
    cloudwatch = cloud.client("cloudwatch")
    cloudwatch.set_alarm_state(AlarmName="errors", StateValue=ALARM, StateReason="a trial")
    assert alarm_state(cloud) == ALARM
    assert len(outbox(cloud)) == mails
    history = cloudwatch.describe_alarm_history(HistoryItemType="Action")["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in history] == [f"{action} {topic}"]


def test_a_topic_whose_policy_does_not_admit_cloudwatch_hears_nothing(cloud, topic):
    admit(cloud, topic, "events.amazonaws.com")
    put_alarm(cloud, topic)
    cloud.client("cloudwatch").set_alarm_state(
        AlarmName="errors", StateValue=ALARM, StateReason="a trial"
    )
    assert outbox(cloud) == []


def test_alarms_over_math_see_what_get_metric_data_sees(cloud, topic):
    def stat(id, name):
        metric = {"Namespace": "app", "MetricName": name}
        return {"Id": id, "ReturnData": False,
                "MetricStat": {"Metric": metric, "Period": 300, "Stat": "Sum"}}  # fmt: skip

    share = "IF(received > 0, 100 * FILL(refused, 0) / received, 0)"
    metrics = [
        stat("received", "Received"),
        stat("refused", "Refused"),
        {"Id": "share", "Expression": share, "ReturnData": True},
    ]
    put_alarm(
        cloud, topic, Metrics=metrics, MetricName=None, Namespace=None, Statistic=None,
        Period=None, Threshold=5, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    put(cloud, "Received", Value=100)
    advance(cloud, advance_seconds=300)
    assert alarm_state(cloud) == OK
    put(cloud, "Received", Values=[50, 10], Counts=[1, 5])
    put(cloud, "Refused", StatisticValues={"Sum": 9, "SampleCount": 3, "Minimum": 1, "Maximum": 5})
    advance(cloud, advance_seconds=300)
    assert alarm_state(cloud) == ALARM
    now = cloud.clock.now()
    (result,) = cloud.client("cloudwatch").get_metric_data(
        MetricDataQueries=metrics, StartTime=now - timedelta(minutes=10), EndTime=now,
        ScanBy="TimestampAscending",
    )["MetricDataResults"]  # fmt: skip
    assert (result["Id"], result["Values"]) == ("share", [0.0, 9.0])


def test_an_alarm_may_watch_a_percentile(cloud, topic):
    put_alarm(cloud, topic, Statistic=None, ExtendedStatistic="p90", Threshold=50)
    put(cloud, Values=[10.0, 100.0], Counts=[91, 9])
    advance(cloud, advance_seconds=60)
    assert alarm_state(cloud) == OK
    put(cloud, Values=[10.0, 100.0], Counts=[89, 11])
    advance(cloud, advance_seconds=60)
    assert alarm_state(cloud) == ALARM
    now = cloud.clock.now()
    (point,) = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="app", MetricName="Errors", Period=600, ExtendedStatistics=["p50", "p90"],
        StartTime=now - timedelta(minutes=10), EndTime=now,
    )["Datapoints"]  # fmt: skip
    assert point["ExtendedStatistics"] == {"p50": 10.0, "p90": 10.0}


def test_the_band_follows_the_hour_of_the_day_and_forgets_a_day(cloud, topic):
    """Ten by day and two at night, with a ripple; at noon of the fifth day it is forty."""
    metrics = [
        {"Id": "m1", "MetricStat": {
            "Metric": {"Namespace": "app", "MetricName": "Texts"}, "Period": 3600, "Stat": "Sum"}},
        {"Id": "band", "Expression": "ANOMALY_DETECTION_BAND(m1, 3)"},
    ]  # fmt: skip
    put_alarm(
        cloud, topic, Metrics=metrics, MetricName=None, Namespace=None, Statistic=None,
        Period=None, Threshold=None, ThresholdMetricId="band", OKActions=[],
        ComparisonOperator="LessThanLowerOrGreaterThanUpperThreshold",
    )  # fmt: skip
    changes = []
    cloud.clock.sleep((24 - 3) * 3600 - 4.5 * 60)
    for hour in range(7 * 24):
        value = (10 if 8 <= hour % 24 < 20 else 2) + hour % 3 * 0.1
        put(cloud, "Texts", Value=40 if hour == 4 * 24 + 12 else value)
        changes += advance(cloud, advance_seconds=3600)["alarms"]
    assert [(change["to"], change["at"]) for change in changes] == [
        (OK, "2026-01-03T00:00:00+00:00"),
        (ALARM, "2026-01-07T13:00:00+00:00"),
        (OK, "2026-01-07T14:00:00+00:00"),
    ]
    (mail,) = outbox(cloud)
    assert "1 out of the last 1 datapoint [40.0 (" in mail["message"]
    assert "was outside the thresholds [" in mail["message"]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"Unit": "Count"}, "Unit"),
        ({"Statistic": None, "ExtendedStatistic": "tm90"}, "tm90"),
        ({"Period": 10}, "whole minutes"),
        ({"AlarmActions": ["arn:aws:automate:us-east-1:ec2:stop"]}, "arn:aws:automate"),
        ({"DatapointsToAlarm": 2}, "DatapointsToAlarm is 2"),
        ({"MetricName": None}, "MetricName"),
        (
            {"Metrics": [{"Id": "a", "Expression": "RATE(b)"}], "MetricName": None},
            "RATE with 1 arguments is not emulated",
        ),
    ],
)
def test_what_is_not_emulated_is_refused_by_name(cloud, topic, changes, named):
    code, _, message = code_of(lambda: put_alarm(cloud, topic, **changes))
    assert code == "ValidationError"
    assert named in message


def test_log_events_that_match_a_filter_are_counted(cloud, topic):
    logs = cloud.client("logs")
    logs.create_log_group(logGroupName="app")
    logs.create_log_stream(logGroupName="app", logStreamName="s")
    made = {"metricName": "Errors", "metricNamespace": "app", "metricValue": "1"}
    pattern = '{ ($.level = "ERROR") || ($.level = "CRITICAL") }'
    logs.put_metric_filter(
        logGroupName="app", filterName="f", filterPattern=pattern, metricTransformations=[made]
    )
    put_alarm(cloud, topic)
    lines = ['{"level": "ERROR"}', '{"level": "INFO"}', "ERROR", '{"level": "CRITICAL"}']
    now = int(cloud.clock.now().timestamp() * 1000)
    events = [{"timestamp": now, "message": line} for line in lines]
    logs.put_log_events(logGroupName="app", logStreamName="s", logEvents=events)
    advance(cloud, advance_seconds=60)
    assert alarm_state(cloud) == ALARM
    code, _, message = code_of(
        lambda: logs.put_metric_filter(
            logGroupName="app", filterName="g", filterPattern="ERROR -DEBUG",
            metricTransformations=[made],
        )
    )  # fmt: skip
    assert (code, "ERROR -DEBUG" in message) == ("InvalidParameterException", True)


def test_a_schedule_fires_once_in_each_step_of_the_clock(cloud, topic):
    admit(cloud, topic, "events.amazonaws.com")
    events = cloud.client("events")
    events.put_rule(Name="hourly", ScheduleExpression="rate(1 hour)")
    events.put_targets(Rule="hourly", Targets=[{"Id": "t", "Arn": topic}])
    assert advance(cloud, advance_seconds=7 * 86_400)["fired"] == {"hourly": 1}
    moved = advance(cloud, advance_seconds=86_400, step_seconds=3600)
    assert (moved["fired"], moved["offset_seconds"]) == ({"hourly": 24}, 8 * 86_400)
    assert len(outbox(cloud)) == 25


@pytest.mark.parametrize(
    ("order", "named"),
    [
        ({"advance_seconds": -1}, "advance_seconds"),
        ({"advance_seconds": 86_400 * 32}, "advance_seconds"),
        ({"advance_seconds": 86_400, "step_seconds": 60}, "at least 87 seconds"),
    ],
)
def test_the_clock_goes_neither_back_nor_too_far(cloud, order, named):
    assert named in advance(cloud, **order)["error"]


def test_metrics_of_functions_follow_the_cloud_s_clock(tmp_path):
    """A function's own clock is the host's, also when the cloud's has been moved."""
    with server.start(tmp_path, services=SERVICES) as cloud:
        advance(cloud, advance_seconds=7 * 86_400)
        line = {
            "_aws": {
                "Timestamp": int((cloud.clock.now() - cloud.clock.offset).timestamp() * 1000),
                "CloudWatchMetrics": [
                    {"Namespace": "n", "Dimensions": [[]], "Metrics": [{"Name": "Texts"}]}
                ],
            },
            "Texts": 3,
        }
        cloud.metrics(json.dumps(line))
        now = cloud.clock.now()
        (point,) = cloud.client("cloudwatch").get_metric_statistics(
            Namespace="n", MetricName="Texts", Period=60, Statistics=["Sum", "Average"],
            StartTime=now - timedelta(minutes=5), EndTime=now + timedelta(minutes=1),
        )["Datapoints"]  # fmt: skip
        assert (point["Sum"], point["Average"]) == (3.0, 3.0)
        assert now - point["Timestamp"] < timedelta(minutes=2)


def test_queues_report_what_waits_in_them(cloud, topic):
    sqs = cloud.client("sqs")
    queue = sqs.create_queue(QueueName="dead")["QueueUrl"]
    put_alarm(
        cloud, topic, Namespace="AWS/SQS", MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": "dead"}], Statistic="Maximum", Threshold=1,
    )  # fmt: skip
    advance(cloud, advance_seconds=60)
    assert alarm_state(cloud) == OK
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    advance(cloud, advance_seconds=60)
    assert alarm_state(cloud) == ALARM
    metrics = cloud.client("cloudwatch").list_metrics(Namespace="AWS/SQS")["Metrics"]
    assert [(m["MetricName"], m["Dimensions"]) for m in metrics] == [
        ("ApproximateAgeOfOldestMessage", [{"Name": "QueueName", "Value": "dead"}]),
        ("ApproximateNumberOfMessagesVisible", [{"Name": "QueueName", "Value": "dead"}]),
    ]
