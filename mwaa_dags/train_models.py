"""train_models: trains a model, measures it, judges it, registers it; `best` moves to a better one.

Data sets lie in the artifacts bucket under `training/sets/NAME/`, as `voxlake data get` makes them
(docs/models.md). Training gets train and half of dev; the other half judges. A refused model is no
failed run: the decision and its reasons are stored with it.

Parameters: `model`; `data` (names of sets, or URIs of their folders under `training/`); `task` and
`hyperparameters` of the script; `gate`, names of the sets to judge on (left out: each head's own
public set); `init`, what an encoder starts from (`best`, or `none`: its base weights). Continuous
training: `repeat`, how often to run again after this run, and `until`, a time after which it does
not; with `until` alone it runs again until then.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.python import BranchPythonOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Param
from lake.defaults import AFTER_A_BRANCH, DAG_OPTIONS, answer
from lake.tasks import artifact, done, invoke, tell_failure, train

MODELS = ["encoder", "logreg", "lstm", "bigram", "lexicon"]
JOB = answer("prepare", "job")
MODEL = "{{ params.model }}"


def what_next(params: dict[str, Any]) -> str:
    """Whether to train again, by what the run was asked for."""
    repeat, until = params["repeat"], params["until"]
    if until and datetime.now(UTC) >= datetime.fromisoformat(until.replace("Z", "+00:00")):
        return "enough"
    return "train_again" if repeat or (until and repeat is None) else "enough"


class TrainAgain(TriggerDagRunOperator):
    """The DAG with the run's own parameters, once less often to repeat."""

    def execute(self, context: Any) -> Any:
        params = dict(context["params"])
        self.conf = params | {"repeat": params["repeat"] - 1 if params["repeat"] else None}
        return super().execute(context)


with DAG(
    "train_models",
    description="Train, evaluate, gate, register; again where that is asked for",
    doc_md=__doc__,
    schedule=None,
    params={
        "model": Param("logreg", enum=MODELS),
        "data": Param(["tweeteval_sentiment"], type="array", items={"type": "string"}, minItems=1),
        "task": Param(None, type=["null", "string"], description="sentiment, complaint_reason, …"),
        "hyperparameters": Param(
            {},
            type="object",
            additionalProperties={"type": ["string", "number", "boolean"]},
            description="Arguments of the script, such as epochs",
        ),
        "gate": Param([], type="array", items={"type": "string"}),
        "init": Param("best", enum=["best", "none"]),
        "repeat": Param(None, type=["null", "integer"], minimum=0, maximum=1000),
        "until": Param(None, type=["null", "string"], format="date-time"),
    },
    **DAG_OPTIONS,
):
    prepare = invoke(
        "prepare",
        "ModelGateFunction",
        '{"step": "prepare", "model": {{ params.model | tojson }}, '
        '"data": {{ params.data | tojson }}, "task": {{ params.task | tojson }}, '
        '"hyperparameters": {{ params.hyperparameters | tojson }}, '
        '"init": {{ params.init | tojson }}}',
    )
    trained = train("train", prepared_by="prepare")
    made = artifact(trained_by="train")
    evaluate = invoke(
        "evaluate",
        "ModelGateFunction",
        '{"step": "evaluate", "model": {{ params.model | tojson }}, "artifact": "%s", '  # noqa: UP031
        '"gate": {{ params.gate | tojson }}, "task": {{ params.task | tojson }}}' % made,
    )
    gate = invoke(
        "promotion_gate", "ModelGateFunction", {"step": "gate", "job": JOB, "artifact": made}
    )
    register = invoke(
        "register",
        "ModelGateFunction",
        {"step": "register", "model": MODEL, "job": JOB, "artifact": made},
    )
    again = BranchPythonOperator(
        task_id="again",
        python_callable=what_next,
    )
    enough = EmptyOperator(task_id="enough")
    train_again = TrainAgain(task_id="train_again", trigger_dag_id="train_models")

    prepare >> trained >> evaluate >> gate >> register >> again >> [train_again, enough]
    done([register, train_again, enough], rule=AFTER_A_BRANCH)
    tell_failure([prepare, trained, evaluate, gate, register, again, train_again])
