"""State machines do what the states language says, under their role."""

import itertools
import json

import pytest
from botocore.exceptions import ClientError

from localcloud.stepfunctions import choice, definition, intrinsics, paths
from localcloud.stepfunctions.errors import InvalidDefinitionError, PathError

from .conftest import allow, eventually, make_function, make_role


class FakeGlue:
    """Job runs that take the states a test lays out, one for each look."""

    name = "glue"

    def __init__(self):
        self.states = ["SUCCEEDED"]
        self.started, self.stopped = [], []
        self.actions = {
            "StartJobRun": self.start_run,
            "GetJobRun": self.get_run,
            "BatchStopJobRun": self.stop_run,
        }

    def start_run(self, request):
        self.started.append(request.params)
        return {"JobRunId": f"jr_{len(self.started)}"}

    def get_run(self, request):
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        run = {"Id": request.params["RunId"], "JobName": "job", "JobRunState": state}
        return {"JobRun": {**run, "StartedOn": 1767323046.5, "ErrorMessage": "no space"}}

    def stop_run(self, request):
        self.stopped += request.params["JobRunIds"]
        return {}


NUMBERS = itertools.count()


class Machines:
    """Makes a machine of some states and runs it."""

    def __init__(self, cloud):
        self.cloud = cloud
        self.states = cloud.client("stepfunctions")

    def start(self, states, data=None, *, statements=(), **more):
        name = f"machine-{next(NUMBERS)}"
        role = make_role(self.cloud, name, "states.amazonaws.com", list(statements))
        machine = {"StartAt": next(iter(states)), "States": states, **more}
        arn = self.states.create_state_machine(
            name=name, definition=json.dumps(machine), roleArn=role
        )["stateMachineArn"]
        return self.states.start_execution(
            stateMachineArn=arn, input=json.dumps({} if data is None else data)
        )["executionArn"]

    def run(self, states, data=None, **options):
        """The output, or the (status, error, cause) of an execution that failed."""
        arn = self.start(states, data, **options)

        def ended():
            found = self.states.describe_execution(executionArn=arn)
            return None if found["status"] == "RUNNING" else found

        found = eventually(ended)
        if found["status"] == "SUCCEEDED":
            return json.loads(found["output"])
        return found["status"], found.get("error"), found.get("cause")


@pytest.fixture
def machines(cloud):
    return Machines(cloud)


@pytest.fixture
def glue(cloud):
    fake = FakeGlue()
    for action, answer in fake.actions.items():
        cloud.application.actions["glue", action] = answer
    return fake


def test_pass_shapes_its_data(machines):
    states = {
        "P": {
            "Type": "Pass",
            "InputPath": "$.in",
            "Parameters": {
                "who.$": "$.name",
                "run.$": "$$.Execution.Input.in.name",
                "fixed": [1, {"deep.$": "$.name"}],
            },
            "ResultPath": "$.out.put",
            "Next": "Q",
        },
        "Q": {"Type": "Pass", "Result": 1, "ResultPath": None, "OutputPath": "$.out", "Next": "R"},
        "R": {"Type": "Pass", "Result": [1, 2], "ResultPath": "$.b", "End": True},
    }
    assert machines.run(states, {"in": {"name": "Ann"}, "keep": True}) == {
        "put": {"who": "Ann", "run": "Ann", "fixed": [1, {"deep": "Ann"}]},
        "b": [1, 2],
    }


ZERO = {"Variable": "$.n", "NumericEquals": 0}


@pytest.mark.parametrize(
    ("rule", "data", "expected"),
    [
        (ZERO, {"n": 0}, True),
        (ZERO, {"n": False}, False),
        ({"Variable": "$.n", "NumericGreaterThanEquals": 2}, {"n": 1.5}, False),
        ({"Variable": "$.a.s", "StringEquals": "a"}, {"a": {"s": "a"}}, True),
        ({"Variable": "$.b", "BooleanEquals": True}, {"b": False}, False),
        ({"Variable": "$.x", "IsPresent": False}, {}, True),
        ({"And": [ZERO, {"Variable": "$.m", "NumericEquals": 0}]}, {"n": 0, "m": 1}, False),
        ({"Or": [ZERO, {"Variable": "$.m", "NumericEquals": 1}]}, {"n": 9, "m": 1}, True),
        ({"Not": ZERO}, {"n": 0}, False),
    ],
)
def test_a_rule_holds(rule, data, expected):
    assert choice.holds(rule, data, {}) is expected


def test_a_choice_takes_its_default_or_fails(machines):
    rule = {"Variable": "$.n", "NumericEquals": 1, "Next": "S"}
    states = {"C": {"Type": "Choice", "Choices": [rule]}, "S": {"Type": "Succeed"}}
    assert machines.run(states, {"n": 1}) == {"n": 1}
    assert machines.run(states, {"n": 2})[:2] == ("FAILED", "States.NoChoiceMatched")
    assert machines.run(states, {})[:2] == ("FAILED", "States.Runtime")
    states["C"]["Default"] = "F"
    states["F"] = {"Type": "Fail", "Error": "NoTea", "Cause": "sold out"}
    assert machines.run(states, {"n": 2}) == ("FAILED", "NoTea", "sold out")


def test_intrinsic_functions():
    data = {"a": {"run_id": "r"}, "n": 3}
    expected = {
        r"States.JsonMerge($.a, States.StringToJson('\{\"step\":\"plan\"\}'), false)": {
            "run_id": "r",
            "step": "plan",
        },
        r"States.Format('{}-{} \{literal\} it\'s', $.a.run_id, $.n)": "r-3 {literal} it's",
        "States.Format('{}', $$.State.Name)": "Here",
        "$.a.run_id": "r",
    }
    context = {"State": {"Name": "Here"}}
    assert {e: intrinsics.evaluate(e, data, context) for e in expected} == expected
    for wrong in ("States.Format('{}')", "$.absent", "States.StringToJson('{')"):
        with pytest.raises(PathError):
            intrinsics.evaluate(wrong, data, context)


def test_a_reference_path_makes_the_objects_on_its_way():
    assert paths.place("$.a.b", {"a": 1, "c": 2}, 3) == {"a": {"b": 3}, "c": 2}


INVOKE = "arn:aws:states:::lambda:invoke"


def lambda_task(arn, **options):
    parameters = {"FunctionName": arn, "Payload.$": "$"}
    return {"Type": "Task", "Resource": INVOKE, "Parameters": parameters, "End": True, **options}


def test_a_function_is_invoked_and_its_payload_selected(cloud, machines):
    arn = make_function(cloud, "double", "def handler(e, c):\n    return {'n': e['n'] * 2}\n")
    task = lambda_task(
        arn,
        ResultSelector={"twice.$": "$.Payload.n", "status.$": "$.StatusCode"},
        ResultPath="$.result",
    )
    grant = allow("lambda:InvokeFunction", arn)
    assert machines.run({"T": task}, {"n": 4}, statements=[grant]) == {
        "n": 4,
        "result": {"twice": 8, "status": 200},
    }


def test_a_role_that_may_not_invoke_fails_the_execution(cloud, machines):
    arn = make_function(cloud, "private", "def handler(e, c):\n    return 1\n")
    status, error, cause = machines.run({"T": lambda_task(arn)})
    assert (status, error) == ("FAILED", "Lambda.AWSLambdaException")
    assert "lambda:InvokeFunction" in cause
    assert "AccessDeniedException" in cause


def test_an_error_of_a_handler_is_retried_by_its_type_and_then_caught(cloud, machines, tmp_path):
    arn = make_function(
        cloud,
        "flaky",
        f"""
        class Busy(Exception): pass
        def handler(event, context):
            with open({str(tmp_path / "calls")!r}, "a+") as file:
                file.write("x")
                file.seek(0)
                count = len(file.read())
            if event["fails"] >= count:
                raise Busy("call %d" % count)
            return count
        """,
    )
    retry = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 1}]
    catch = [{"ErrorEquals": ["Busy"], "ResultPath": "$.error", "Next": "Caught"}]
    states = {
        "T": lambda_task(arn, Retry=retry, Catch=catch, OutputPath="$.Payload"),
        "Caught": {"Type": "Pass", "OutputPath": "$.error.Error", "End": True},
    }
    grant = allow("lambda:InvokeFunction", arn)
    assert machines.run(states, {"fails": 1}, statements=[grant]) == 2
    assert machines.run(states, {"fails": 99}, statements=[grant]) == "Busy"
    assert (tmp_path / "calls").read_text() == "x" * 5


GLUE_TASK = {
    "Type": "Task",
    "Resource": "arn:aws:states:::glue:startJobRun.sync",
    "Parameters": {"JobName": "job", "Arguments": {"--run_id.$": "$.run_id"}},
    "End": True,
}
GLUE = allow(["glue:StartJobRun", "glue:GetJobRun", "glue:BatchStopJobRun"])


def test_a_job_run_is_waited_for_and_is_the_result(machines, glue):
    glue.states = ["RUNNING", "RUNNING", "SUCCEEDED"]
    output = machines.run({"T": GLUE_TASK}, {"run_id": "r1"}, statements=[GLUE])
    assert (output["Id"], output["JobRunState"]) == ("jr_1", "SUCCEEDED")
    assert output["StartedOn"] == "2026-01-02T03:04:06.500Z"
    assert glue.started == [{"JobName": "job", "Arguments": {"--run_id": "r1"}}]


def test_a_failed_job_run_is_tried_again_and_then_its_cause_is_the_run(machines, glue):
    glue.states = ["FAILED"]
    retry = [{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    states = {"T": {**GLUE_TASK, "Retry": retry}}
    status, error, cause = machines.run(states, {"run_id": "r1"}, statements=[GLUE])
    assert (status, error) == ("FAILED", "States.TaskFailed")
    assert json.loads(cause)["ErrorMessage"] == "no space"
    assert len(glue.started) == 2


def test_a_role_without_the_job_s_grant_fails_as_on_aws(machines, glue):
    status, error, cause = machines.run({"T": GLUE_TASK}, {"run_id": "r1"})
    assert (status, error) == ("FAILED", "Glue.AccessDeniedException")
    assert "glue:StartJobRun" in cause
    assert glue.started == []


def test_a_task_beyond_its_timeout_stops_the_job(machines, glue):
    glue.states = ["RUNNING"]
    states = {"T": {**GLUE_TASK, "TimeoutSeconds": 1}}
    found = machines.run(states, {"run_id": "r1"}, statements=[GLUE])
    assert found[:2] == ("FAILED", "States.Timeout")
    assert glue.stopped == ["jr_1"]


def test_an_execution_beyond_its_machine_s_timeout_is_timed_out(machines, glue):
    glue.states = ["RUNNING"]
    found = machines.run({"T": GLUE_TASK}, {"run_id": "r"}, statements=[GLUE], TimeoutSeconds=1)
    assert found[:2] == ("TIMED_OUT", "States.Timeout")


def test_stopping_an_execution_stops_its_job(machines, glue):
    glue.states = ["RUNNING"]
    arn = machines.start({"T": GLUE_TASK}, {"run_id": "r1"}, statements=[GLUE])
    eventually(lambda: glue.started)
    machines.states.stop_execution(executionArn=arn, error="Enough", cause="by hand")
    found = machines.states.describe_execution(executionArn=arn)
    assert [found[k] for k in ("status", "error", "cause")] == ["ABORTED", "Enough", "by hand"]
    eventually(lambda: glue.stopped == ["jr_1"])


def test_the_history_tells_what_happened(cloud, machines, glue):
    arn = machines.start(
        {"T": {**GLUE_TASK, "Next": "S", "End": False}, "S": {"Type": "Succeed"}},
        {"run_id": "r1"},
        statements=[GLUE],
    )
    describe = machines.states.describe_execution
    eventually(lambda: describe(executionArn=arn)["status"] == "SUCCEEDED")
    events = machines.states.get_execution_history(executionArn=arn)["events"]
    assert [e["type"] for e in events] == [
        "ExecutionStarted",
        "TaskStateEntered",
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskSucceeded",
        "TaskStateExited",
        "SucceedStateEntered",
        "SucceedStateExited",
        "ExecutionSucceeded",
    ]
    assert events[1]["stateEnteredEventDetails"] == {"name": "T", "input": '{"run_id": "r1"}'}
    assert [e["id"] for e in events] == list(range(1, 11))


def test_the_end_of_an_execution_is_an_event(cloud, machines, tmp_path):
    arn = make_function(
        cloud,
        "listen",
        f"""
        import json
        def handler(event, context):
            open({str(tmp_path / "event")!r}, "w").write(json.dumps(event["detail"]))
        """,
    )
    cloud.client("lambda").add_permission(
        FunctionName="listen",
        StatementId="e",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
    )
    events = cloud.client("events")
    pattern = {"source": ["aws.states"], "detail": {"status": ["FAILED"]}}
    events.put_rule(Name="r", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="r", Targets=[{"Id": "t", "Arn": arn}])
    machines.run({"F": {"Type": "Fail", "Error": "Bad", "Cause": "why"}})
    path = tmp_path / "event"
    eventually(lambda: path.exists() and path.read_text())
    detail = json.loads(path.read_text())
    assert [detail[k] for k in ("status", "error", "cause")] == ["FAILED", "Bad", "why"]


def task(resource, **rest):
    return {"Type": "Task", "Resource": resource, "End": True, **rest}


@pytest.mark.parametrize(
    ("state", "named"),
    [
        (task("arn:aws:states:::lambda:invoke.waitForTaskToken"), "waitForTaskToken"),
        (task("arn:aws:states:::ecs:runTask.sync"), "ecs:runTask.sync"),
        (task("arn:aws:states:::aws-sdk:s3:getObject"), "aws-sdk:s3:getObject"),
        (task(INVOKE, HeartbeatSeconds=5), "HeartbeatSeconds"),
        (task(INVOKE, Retry=[{"ErrorEquals": ["x"], "JitterStrategy": "FULL"}]), "JitterStrategy"),
        (task(INVOKE, Parameters={"a.$": "States.UUID()"}), "States.UUID"),
        (task(INVOKE, Parameters={"a.$": "$.x[0]"}), "[0]"),
        ({"Type": "Pass", "Next": "Nowhere"}, "Nowhere"),
        ({"Type": "Map", "End": True}, "Map"),
        ({"Type": "Parallel", "End": True}, "Parallel"),
        ({"Type": "Wait", "Seconds": 1, "End": True}, "Wait"),
        ({"Type": "Choice", "Choices": [{"Variable": "$", "IsNull": True, "Next": "S"}]}, "IsNull"),
    ],
)
def test_what_is_not_emulated_is_refused_by_name(state, named):
    with pytest.raises(InvalidDefinitionError) as caught:
        definition.parse(json.dumps({"StartAt": "S", "States": {"S": state}}))
    assert named in str(caught.value)
    assert "/States/S" in str(caught.value)


def test_a_machine_can_be_updated_described_listed_and_deleted(cloud, machines):
    machines.run({"P": {"Type": "Pass", "End": True}})
    client = machines.states
    entry = client.list_state_machines()["stateMachines"][-1]
    arn = entry["stateMachineArn"]
    changed = json.dumps({"StartAt": "Q", "States": {"Q": {"Type": "Succeed"}}})
    client.update_state_machine(stateMachineArn=arn, definition=changed)
    found = client.describe_state_machine(stateMachineArn=arn)
    assert (found["definition"], found["type"]) == (changed, "STANDARD")
    assert found["name"] == entry["name"]
    with pytest.raises(ClientError) as caught:
        client.update_state_machine(stateMachineArn=arn, definition='{"States": {}}')
    assert caught.value.response["Error"]["Code"] == "InvalidDefinition"
    with pytest.raises(ClientError) as caught:
        client.list_tags_for_resource(resourceArn=arn)
    assert "ListTagsForResource is not emulated" in str(caught.value)
    client.delete_state_machine(stateMachineArn=arn)
    with pytest.raises(ClientError) as caught:
        client.start_execution(stateMachineArn=arn)
    assert caught.value.response["Error"]["Code"] == "StateMachineDoesNotExist"
