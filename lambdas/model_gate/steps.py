"""The steps of a training, each answering what the next one is asked with."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from lambdas.model_gate.errors import BestMovedError, MissingObjectError, TrainingRequestError
from lambdas.model_gate.settings import Settings
from lambdas.model_gate.store import SetStore, missing
from voxlake.scoring.judged import Judged, load_judged
from voxlake.scoring.promotion import decide
from voxlake.training.data import lay_out, provenance, upload_folder
from voxlake.training.gate import Comparison, compare, gate_sets
from voxlake.training.job import INIT, PREFIX, job_request, metrics_of, output_uri, read_output
from voxlake.training.registry import ModelRegistry, Version, folder_of

MODELS = ("encoder", "logreg", "lstm", "bigram", "lda", "lexicon")
_ARGUMENT = re.compile(r"[a-z][a-z0-9-]{0,40}")


@dataclass(frozen=True)
class Gate:
    """What the steps work with.

    Attributes:
        s3: a boto3 client.
        work: an empty folder of this invocation.
        now: the time, UTC; suffix: four hex digits; both make the job's name.
        clock: seconds that only grow.
    """

    settings: Settings
    s3: Any
    registry: ModelRegistry
    work: Path
    now: datetime
    suffix: str
    clock: Callable[[], float]

    def gather(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Keeps what a query found as a set to train on.

        Args:
            event: {"query": id of an Athena query of texts, "set": the set's name}.

        Returns:
            {"set", "texts": how many}.
        """
        query = str(event.get("query"))
        if not re.fullmatch(r"[0-9a-f-]{36}", query):
            raise TrainingRequestError(f"expected a query's id in `query`, found {query!r}")
        store = SetStore(self.s3, self.settings.artifacts_bucket)
        result = f"{self.settings.query_results}{query}.csv"
        texts = store.keep_texts(event["set"], result, self.work)
        return {"set": event["set"], "texts": texts}

    def prepare(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Lays the data out as training gets it, and writes down what that is.

        Args:
            event: {"model", "data": names or folders, "task"?, "hyperparameters"?, "init"?}.

        Returns:
            {"job": its name, "request": CreateTrainingJob's}.
        """
        model, names = _model(event), event.get("data") or []
        if not names:
            raise TrainingRequestError("expected one data set or more in `data`, found none")
        store = SetStore(self.s3, self.settings.artifacts_bucket)
        sets = [store.fetch(one, self.work / "sets") for one in names]
        folders = lay_out(sets, self.work / "input")
        used = provenance(sets, folders)
        arguments = {"seed": "0", "data-name": "+".join(one.name for one in sets)}
        if event.get("task"):
            arguments["task"] = event["task"]
        arguments |= _arguments(event.get("hyperparameters") or {})
        best = self.registry.best(model) if model == "encoder" else None
        if best is not None and event.get("init") != "none":
            folders["init"] = self.work / "input" / "init"
            self._unpack(best.uri, folders["init"])
            arguments["init"] = INIT
        name = f"{self.settings.group_prefix}{model}-{self.now:%Y%m%d-%H%M%S}-{self.suffix}"
        bucket = self.settings.artifacts_bucket
        request = job_request(
            self.settings.job,
            name,
            model,
            code=self.settings.training_code,
            channels={
                channel: upload_folder(self.s3, bucket, folder)
                for channel, folder in folders.items()
            },
            arguments=arguments,
        )
        self.registry.put_json(self._about(name), used)
        return {"job": name, "request": request}

    def evaluate(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Measures a trained model and the best one on the gate's half of held-out sets.

        Args:
            event: {"model", "artifact": URI of its model.tar.gz, "gate"?: names of sets, "task"?}.

        Returns:
            What is stored beside the artifact as evaluation.json (`Comparison.to_dict`).
        """
        artifact, best = _artifact(event), self.registry.best(_model(event))
        candidate = self._load(artifact, "candidate")
        if best is None:
            found = Comparison(candidate.id, None)
        else:
            named = event.get("gate") or []
            store = SetStore(self.s3, self.settings.artifacts_bucket)
            files = [
                store.fetch_dev(one, self.work / "gate")
                for one in gate_sets(candidate.tasks, named)
            ]
            in_use = self._load(best.uri, "best")
            found = compare(candidate, in_use, files, clock=self.clock, task=event.get("task"))
        self.registry.put_json(f"{folder_of(artifact)}/evaluation.json", found.to_dict())
        return found.to_dict()

    def gate(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Decides by what `evaluate` measured; nothing moves yet.

        Args:
            event: {"job": as `prepare` named it, "artifact"}.

        Returns:
            The decision, as it is stored beside the artifact as promotion.json.
        """
        artifact = _artifact(event)
        found = Comparison.from_dict(self._read(f"{folder_of(artifact)}/evaluation.json"))
        decision = decide(
            found.model,
            found.against,
            found.heads,
            found.latency_ms,
            provenance=self._read(self._about(event["job"])),
        ).to_dict()
        self.registry.put_json(f"{folder_of(artifact)}/promotion.json", decision)
        return decision

    def register(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Registers the model, and does with it what was decided.

        Without a decision (models that a person judges) it waits for `voxlake promote`. Called
        again, it finds the version that it made.

        Args:
            event: {"model", "job", "artifact"}.

        Returns:
            {"version": `logreg:3`, "model": its id, "decision"; "reasons"; "best": of now}.

        Raises:
            BestMovedError: what the model beat is not best any more.
        """
        model, artifact = _model(event), _artifact(event)
        decision = self.registry.get_json(f"{folder_of(artifact)}/promotion.json")
        version = next((v for v in self.registry.versions(model) if v.uri == artifact), None)
        if version is None:
            used = self._read(self._about(event["job"]))
            metrics = metrics_of(read_output(self._get(output_uri(artifact))))
            version = self.registry.register(
                model, artifact, metrics=metrics, data=used, job=event["job"]
            )
        best = self.registry.best(model)
        if decision and not (best and best.arn == version.arn):
            self._apply(version, best, decision)
            best = self.registry.best(model)
        return {
            "version": version.reference,
            "model": version.model_id,
            "decision": decision.get("decision", "none"),
            "reasons": decision.get("reasons", []),
            "best": best.reference if best else None,
        }

    def _apply(self, version: Version, best: Version | None, decision: dict) -> None:
        if decision["decision"] != "promoted":
            self.registry.refuse(version, decision)
            return
        against = best.model_id if best else None
        if against != decision["against"]:
            raise BestMovedError(
                f"{version.reference} was measured against {decision['against']}, found {against} "
                "best now: clear the task evaluate, so that it is measured again"
            )
        self.registry.promote(version, decision)

    def _about(self, job: str) -> str:
        return f"s3://{self.settings.artifacts_bucket}/{PREFIX}jobs/{job}.json"

    def _load(self, uri: str, name: str) -> Judged:
        self._unpack(uri, self.work / name)
        return load_judged(self.work / name)

    def _unpack(self, uri: str, folder: Path) -> None:
        try:
            self.registry.unpack(uri, folder)
        except ClientError as error:
            raise missing(uri, error) from error

    def _get(self, uri: str) -> bytes:
        try:
            return self.registry.get(uri)
        except ClientError as error:
            raise missing(uri, error) from error

    def _read(self, uri: str) -> dict:
        found = self.registry.get_json(uri)
        if not found:
            raise MissingObjectError(f"expected {uri}, found none: run the steps before this one")
        return found


def _model(event: Mapping[str, Any]) -> str:
    if event.get("model") not in MODELS:
        raise TrainingRequestError(
            f"expected a model among {', '.join(MODELS)}, found {event.get('model')!r}"
        )
    return event["model"]


def _artifact(event: Mapping[str, Any]) -> str:
    found = event.get("artifact") or ""
    if not found.startswith("s3://"):
        raise TrainingRequestError(f"expected the URI of a model in `artifact`, found {found!r}")
    return found


def _arguments(given: Mapping[str, Any]) -> dict[str, str]:
    """Hyperparameters as a script takes them; the toolkit's own and paths are not among them."""
    if wrong := [name for name in given if not _ARGUMENT.fullmatch(name)]:
        raise TrainingRequestError(
            f"expected hyperparameters named as the script's arguments, found {', '.join(wrong)}"
        )
    return {name: str(value) for name, value in given.items()}
