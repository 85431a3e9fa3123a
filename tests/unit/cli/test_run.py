"""`run`: reading an execution's history."""

from datetime import UTC, datetime, timedelta

from voxlake.cli.run import Run, StateTime, failure, planned_run_id, state_times

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def entered(name, seconds):
    return {"timestamp": at(seconds), "stateEnteredEventDetails": {"name": name}}


def left(name, seconds, output="{}"):
    return {
        "timestamp": at(seconds),
        "stateExitedEventDetails": {"name": name, "output": output},
    }


def test_states_are_listed_in_order_with_their_times():
    history = [
        entered("Plan", 0),
        left("Plan", 1),
        entered("LandingToCleansed", 1),
        left("LandingToCleansed", 13.5),
        entered("Score", 13.5),
    ]
    assert state_times(history) == [
        StateTime("Plan", at(0), at(1)),
        StateTime("LandingToCleansed", at(1), at(13.5)),
        StateTime("Score", at(13.5), None),
    ]


def test_the_run_id_is_read_from_what_plan_returned():
    history = [left("Plan", 1, '{"Payload": {"run_id": "20260101T000000-abcdef"}}')]
    assert planned_run_id(history) == "20260101T000000-abcdef"
    assert planned_run_id([left("Plan", 1, "{}")]) is None


def test_a_failure_names_state_error_and_the_service_s_own_message():
    run = Run("arn", status="FAILED", states=[StateTime("LandingToCleansed", at(0))])
    execution = {
        "error": "States.TaskFailed",
        "cause": '{"JobRunState": "FAILED", "ErrorMessage": "LeaseError: held by another run"}',
    }
    assert failure(run, execution, []) == (
        "the run failed in LandingToCleansed: States.TaskFailed LeaseError: held by another run"
    )
