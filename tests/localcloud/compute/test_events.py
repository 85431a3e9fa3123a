"""Rules fire functions, state machines and topics."""

import json

import pytest
from botocore.exceptions import ClientError

from localcloud import server
from tests.localcloud.still_clock import StillClock

from .conftest import SERVICES, allow, eventually, make_function, make_role

PASS = json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})


@pytest.fixture
def clock():
    return StillClock()


@pytest.fixture
def cloud(tmp_path, clock):
    """A cloud whose clock only the test moves."""
    running = server.start(tmp_path / "state", services=SERVICES, clock=clock)
    yield running.cloud
    running.stop()


@pytest.fixture
def heard(tmp_path):
    """What the function `listen` of `listener` received, as a list."""
    path = tmp_path / "heard"
    return lambda: [json.loads(x) for x in path.read_text().splitlines()] if path.exists() else []


def listener(cloud, tmp_path, *, permitted=True):
    arn = make_function(
        cloud,
        "listen",
        f"""
        import json
        def handler(event, context):
            with open({str(tmp_path / "heard")!r}, "a") as file:
                file.write(json.dumps(event) + "\\n")
        """,
    )
    if permitted:
        cloud.client("lambda").add_permission(
            FunctionName="listen",
            StatementId="events",
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn="arn:aws:events:us-east-1:123456789012:rule/rule",
        )
    return arn


def rule(cloud, target, **options):
    events = cloud.client("events")
    arn = events.put_rule(Name="rule", **options)["RuleArn"]
    events.put_targets(Rule="rule", Targets=[{"Id": "t", **target}])
    return arn


def test_a_schedule_fires_when_the_clock_passes_it(cloud, clock, tmp_path, heard):
    arn = rule(cloud, {"Arn": listener(cloud, tmp_path)}, ScheduleExpression="cron(0/5 * * * ? *)")
    service = cloud.services["events"]
    service.tick()
    clock.sleep(29)
    service.tick()
    clock.sleep(1)
    service.tick()
    service.tick()
    (event,) = eventually(heard)
    event.pop("id")
    assert event == {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2026-01-02T03:05:00Z",
        "region": "us-east-1",
        "resources": [arn],
        "detail": {},
    }
    cloud.client("events").disable_rule(Name="rule")
    clock.sleep(600)
    service.tick()
    cloud.client("events").enable_rule(Name="rule")
    service.tick()
    clock.sleep(300)
    eventually(lambda: len(heard()) == 2)
    assert heard()[1]["time"] == "2026-01-02T03:20:00Z"


def test_a_schedule_that_was_missed_many_times_fires_once(cloud, clock, tmp_path, heard):
    rule(cloud, {"Arn": listener(cloud, tmp_path)}, ScheduleExpression="rate(1 minute)")
    cloud.services["events"].tick()
    clock.sleep(8 * 3600)
    cloud.services["events"].tick()
    cloud.services["events"].tick()
    eventually(heard)
    assert len(heard()) == 1
    assert cloud.services["events"].status()["rules"]["rule"]["fired"] == 1


def test_a_function_without_a_permission_for_the_rule_is_not_called(cloud, tmp_path, heard):
    target = {"Arn": listener(cloud, tmp_path, permitted=False)}
    rule(cloud, target, EventPattern='{"source": ["aws.glue"]}')
    cloud.emit_event("aws.glue", "Done", {"n": 1})
    status = cloud.services["events"].status
    failure = eventually(lambda: status()["rules"]["rule"]["last_failure"])
    assert "not authorized to perform lambda:InvokeFunction" in failure
    assert heard() == []


def test_an_event_of_a_service_is_delivered_with_a_constant_input(cloud, tmp_path, heard):
    target = {"Arn": listener(cloud, tmp_path), "Input": '{"step": "plan"}'}
    rule(cloud, target, EventPattern='{"source": ["aws.glue"]}')
    cloud.emit_event("aws.glue", "Glue Job State Change", {"state": "FAILED"})
    assert eventually(heard) == [{"step": "plan"}]


def test_a_state_machine_is_started_under_the_target_s_role(cloud):
    states = cloud.client("stepfunctions")
    machine = states.create_state_machine(
        name="m", definition=PASS, roleArn=make_role(cloud, "m", "states.amazonaws.com", [])
    )["stateMachineArn"]
    starter = make_role(
        cloud, "starter", "events.amazonaws.com", [allow("states:StartExecution", machine)]
    )
    target = {"Arn": machine, "RoleArn": starter}
    rule(cloud, target, EventPattern='{"source": ["aws.glue"]}')
    cloud.emit_event("aws.glue", "Done", {"n": 7})

    def execution():
        found = states.list_executions(stateMachineArn=machine, statusFilter="SUCCEEDED")
        return found["executions"]

    (found,) = eventually(execution)
    output = states.describe_execution(executionArn=found["executionArn"])["output"]
    assert json.loads(output)["detail"] == {"n": 7}
    make_role(cloud, "powerless", "events.amazonaws.com", [])
    cloud.client("events").put_targets(
        Rule="rule",
        Targets=[{**target, "Id": "t", "RoleArn": starter.replace("starter", "powerless")}],
    )
    cloud.emit_event("aws.glue", "Done", {"n": 8})
    status = cloud.services["events"].status
    failure = eventually(lambda: status()["rules"]["rule"]["last_failure"])
    assert "AccessDenied" in failure
    assert len(execution()) == 1


def test_a_topic_receives_an_event_when_its_policy_admits_the_rule(cloud):
    topic = cloud.client("sns").create_topic(Name="alarms")["TopicArn"]
    queue = cloud.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    cloud.client("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:q"
    )
    rule(cloud, {"Arn": topic}, EventPattern='{"source": ["aws.glue"]}')
    cloud.emit_event("aws.glue", "Done", {"n": 1})
    status = cloud.services["events"].status
    failure = eventually(lambda: status()["rules"]["rule"]["last_failure"])
    assert "not authorized to perform sns:Publish" in failure
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    cloud.client("sns").set_topic_attributes(
        TopicArn=topic, AttributeName="Policy", AttributeValue=policy
    )
    cloud.emit_event("aws.glue", "Done", {"n": 2})

    def messages():
        return cloud.client("sqs").receive_message(QueueUrl=queue).get("Messages")

    (message,) = eventually(messages)
    assert json.loads(json.loads(message["Body"])["Message"])["detail"] == {"n": 2}


@pytest.mark.parametrize(
    ("target", "named"),
    [
        ({"Arn": "arn:aws:sqs:us-east-1:123456789012:q"}, "arn:aws:sqs"),
        ({"Arn": "arn:aws:states:us-east-1:123456789012:stateMachine:m"}, "RoleArn"),
        (
            {"Arn": "arn:aws:lambda:us-east-1:123456789012:function:f", "InputPath": "$.detail"},
            "InputPath",
        ),
    ],
)
def test_a_target_that_cannot_be_called_is_refused_by_name(cloud, target, named):
    with pytest.raises(ClientError) as caught:
        rule(cloud, target, ScheduleExpression="rate(1 minute)")
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert named in str(caught.value)
