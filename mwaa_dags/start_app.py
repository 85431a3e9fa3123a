"""start_app: brings what feeds the lake up, or down.

Up: first the functions begin to read the stream, then the sources' schedules go on. Down: first
the schedules, then the functions; what is on the stream waits there for the next up.

Parameters: `state` (up or down); `sources`, parted by commas, of mock, youtube and x (left out:
up turns on those that the stage has on, down turns off all).
"""

from __future__ import annotations

from airflow.providers.standard.operators.python import BranchPythonOperator
from airflow.sdk import DAG, Param
from lake.defaults import AFTER_A_BRANCH, DAG_OPTIONS, name
from lake.switches import SwitchMappings, SwitchSchedules
from lake.tasks import done, tell_failure

RULES = {
    "mock": name("MockServerSchedule"),
    "youtube": name("SourceYoutubeSchedule"),
    "x": name("SourceXSchedule"),
}
MAPPINGS = [name("StreamConsumerMapping"), name("TextEnricherMapping")]


def first_task(state: str) -> str:
    """The task that the wanted state begins with."""
    return "functions_on" if state == "up" else "schedules_off"


with DAG(
    "start_app",
    description="Schedules and event source mappings on, or off",
    doc_md=__doc__,
    schedule=None,
    params={
        "state": Param("up", enum=["up", "down"]),
        "sources": Param(
            None,
            type=["null", "string"],
            pattern="^(mock|youtube|x)(,(mock|youtube|x))*$",
            description="Of mock, youtube and x, parted by commas; left out: see above",
        ),
    },
    **DAG_OPTIONS,
):
    up_or_down = BranchPythonOperator(
        task_id="up_or_down", python_callable=first_task, op_args=["{{ params.state }}"]
    )
    functions_on = SwitchMappings(task_id="functions_on", mappings=MAPPINGS, on=True)
    schedules_on = SwitchSchedules(
        task_id="schedules_on",
        rules=RULES,
        sources="{{ params.sources or var.json.voxlake.ScheduledSources }}",
        on=True,
    )
    schedules_off = SwitchSchedules(
        task_id="schedules_off",
        rules=RULES,
        sources="{{ params.sources or '%s' }}" % ",".join(RULES),  # noqa: UP031
        on=False,
    )
    functions_off = SwitchMappings(task_id="functions_off", mappings=MAPPINGS, on=False)

    up_or_down >> functions_on >> schedules_on
    up_or_down >> schedules_off >> functions_off
    done([schedules_on, functions_off], rule=AFTER_A_BRANCH)
    tell_failure([up_or_down, functions_on, schedules_on, schedules_off, functions_off])
