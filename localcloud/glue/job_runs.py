"""Glue job runs: their states, and the thread that takes one from STARTING to its end."""

from __future__ import annotations

import re
import secrets
import shutil
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from localcloud.glue import spark
from localcloud.glue.arguments import UnsupportedArgumentError, parse
from localcloud.glue.credentials import client_as, job_environment, split_s3_uri
from localcloud.glue.logs import LogShipper
from localcloud.glue.process import GroupProcess

ACTIVE = frozenset({"STARTING", "RUNNING", "STOPPING"})
DEFAULT_TIMEOUT_MINUTES = 480  # Glue 5.0 and later
_POLL_SECONDS = 0.1
_SYNC_SECONDS = 1.0
_SEVERITY = {"SUCCEEDED": "INFO", "STOPPED": "INFO", "TIMEOUT": "WARN", "FAILED": "ERROR"}
_ROLE = {"service": "glue.amazonaws.com", "session_name": "GlueJobRunnerSession"}
_AWSGLUE = re.compile(r"^\s*(?:from|import)\s+awsglue\b", re.MULTILINE)


@dataclass
class JobRun:
    """One run of a job; `job` is the definition as GetJob gave it when the run started."""

    run_id: str
    job: dict[str, Any]
    arguments: dict[str, str]
    timeout_minutes: float
    started_on: datetime
    state: str = "STARTING"
    completed_on: datetime | None = None
    execution_seconds: int = 0
    error_message: str | None = None
    stop_requested: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def log_group(self) -> str:
        return self.arguments.get("--custom-logGroup-prefix", "/aws-glue/jobs")

    def to_dict(self) -> dict[str, Any]:
        """Return the run as GetJobRun shows it."""
        run = {
            "Id": self.run_id, "Attempt": 0, "JobName": self.job["Name"],
            "StartedOn": self.started_on, "CompletedOn": self.completed_on,
            "LastModifiedOn": self.completed_on or self.started_on, "JobRunState": self.state,
            "Arguments": self.arguments, "ErrorMessage": self.error_message, "PredecessorRuns": [],
            "ExecutionTime": self.execution_seconds, "Timeout": self.timeout_minutes,
            "WorkerType": self.job.get("WorkerType"), "LogGroupName": self.log_group,
            "NumberOfWorkers": self.job.get("NumberOfWorkers"),
            "GlueVersion": self.job.get("GlueVersion"),
        }  # fmt: skip
        return {name: value for name, value in run.items() if value is not None}


class JobRunner:
    """Starts runs, each in a thread of its own, and keeps what became of them."""

    def __init__(self, cloud: Any) -> None:
        self._cloud = cloud
        self._lock = threading.Lock()
        self.runs: dict[str, JobRun] = {}

    def start(self, job: dict[str, Any], request: dict[str, Any]) -> JobRun | None:
        """Start a run; None when the job's MaxConcurrentRuns are running already."""
        limit = (job.get("ExecutionProperty") or {}).get("MaxConcurrentRuns", 1)
        run = JobRun(
            run_id=f"jr_{secrets.token_hex(32)}",
            job=job,
            arguments={**(job.get("DefaultArguments") or {}), **(request.get("Arguments") or {})},
            timeout_minutes=request.get("Timeout") or job.get("Timeout") or DEFAULT_TIMEOUT_MINUTES,
            started_on=self._cloud.clock.now(),
        )
        with self._lock:
            if sum(r.state in ACTIVE for r in self.of_job(job["Name"])) >= limit:
                return None
            self.runs[run.run_id] = run
        name = f"glue-{job['Name']}"
        threading.Thread(target=self._supervise, args=(run,), daemon=True, name=name).start()
        return run

    def of_job(self, job_name: str) -> list[JobRun]:
        """Return a job's runs, newest first."""
        return [r for r in reversed(list(self.runs.values())) if r.job["Name"] == job_name]

    def stop_all(self, seconds: float = 10) -> None:
        """Stop every run and wait for their processes to be gone."""
        active = [run for run in self.runs.values() if run.state in ACTIVE]
        for run in active:
            run.stop_requested.set()
        for run in active:
            run.ended.wait(seconds)

    def _supervise(self, run: JobRun) -> None:
        scratch = Path(self._cloud.state_dir) / "scratch" / run.run_id
        scratch.mkdir(parents=True)
        try:
            state, error = self._execute(run, scratch)
        except Exception as exception:  # whatever it is, the run has failed and must say why
            state, error = "FAILED", f"{type(exception).__name__}: {exception}"
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
            self._cloud.s3_sync_in()
        run.completed_on = self._cloud.clock.now()
        run.error_message, run.state = error, state
        detail = {"jobName": run.job["Name"], "jobRunId": run.run_id, "state": state}
        detail |= {"severity": _SEVERITY[state], "message": error or "Job run succeeded"}
        try:
            self._cloud.emit_event("aws.glue", "Glue Job State Change", detail)
        finally:
            run.ended.set()  # last: whoever stops the cloud waits for it

    def _execute(self, run: JobRun, scratch: Path) -> tuple[str, str | None]:
        log_dir = Path(self._cloud.log_dir) / "glue" / run.job["Name"]
        log_dir.mkdir(parents=True, exist_ok=True)
        paths = {kind: log_dir / f"{run.run_id}.{kind}.log" for kind in ("output", "error")}
        with paths["output"].open("wb") as out, paths["error"].open("wb") as err:
            command, env = self._prepare(run, scratch)
            process = GroupProcess(command, cwd=scratch, env=env, stdout=out, stderr=err)
            run.state = "RUNNING"
            shippers = [
                LogShipper(self._cloud, path, f"{run.log_group}/{kind}", run.run_id)
                for kind, path in paths.items()
            ]
            state = self._watch(run, process, shippers)
        if state == "TIMEOUT":
            return state, f"Job run exceeded the timeout of {run.timeout_minutes} minutes"
        if state == "FAILED":
            errors = paths["error"].read_text(errors="replace")
            return state, failure_message(errors, process.popen.returncode)
        return state, None

    def _prepare(self, run: JobRun, scratch: Path) -> tuple[list[str], dict[str, str]]:
        """Fetch the script and its files as the job's role, and write Spark's configuration."""
        cloud, job = self._cloud, run.job
        args = parse(run.arguments, job_name=job["Name"], run_id=run.run_id)
        s3 = client_as(cloud, job["Role"], "s3", **_ROLE)

        def fetch(uri: str, folder: str) -> Path:
            bucket, key = split_s3_uri(uri)
            target = scratch / folder / key.rsplit("/", 1)[-1]
            target.parent.mkdir(exist_ok=True)
            s3.download_file(bucket, key, str(target))
            return target

        script = fetch(job["Command"]["ScriptLocation"], "script")
        if _AWSGLUE.search(script.read_text(errors="replace")):
            raise UnsupportedArgumentError(
                "the script imports awsglue, which the laptop cloud has not: use pyspark's "
                "SparkSession, and argparse for the arguments; both run on Glue too"
            )
        libraries = [fetch(uri, "libraries") for uri in args.py_files]
        # A .py library is found by its folder, an archive by its own path.
        python_path = [str(p.parent if p.suffix == ".py" else p) for p in libraries]
        buckets = [b["Name"] for b in cloud.client("s3").list_buckets()["Buckets"]]
        conf = spark.settings(
            s3_root=Path(cloud.s3_root), buckets=buckets, scratch=scratch, extra=args.spark_conf
        )
        env = job_environment(cloud, job["Role"], **_ROLE)
        env |= spark.environment(scratch / "conf", conf, python_path)
        return [sys.executable, str(script), *args.argv], env

    def _watch(self, run: JobRun, process: GroupProcess, shippers: list[LogShipper]) -> str:
        """Wait for the end, a stop request or the timeout; return the final state."""
        begun = synced = time.monotonic()
        state = None
        while state is None:
            status = process.popen.poll()
            elapsed = time.monotonic() - begun
            run.execution_seconds = int(elapsed)
            if run.stop_requested.is_set() or self._cloud.stop_event.is_set():
                run.state, state = "STOPPING", "STOPPED"
                process.stop()
            elif status is not None:
                state = "SUCCEEDED" if status == 0 else "FAILED"
                process.sweep()
            elif elapsed > run.timeout_minutes * 60:
                state = "TIMEOUT"
                process.stop()
            elif time.monotonic() - synced > _SYNC_SECONDS:
                self._cloud.s3_sync_in()
                for shipper in shippers:
                    shipper.ship()
                synced = time.monotonic()
            else:
                run.stop_requested.wait(_POLL_SECONDS)
        run.execution_seconds = max(1, round(time.monotonic() - begun))
        for shipper in shippers:
            shipper.ship(final=True)
        return state


def failure_message(stderr: str, status: int) -> str:
    """Return what Glue shows as ErrorMessage: the last exception of the driver's log."""
    _, traceback, after = stderr.rpartition("Traceback (most recent call last)")
    if traceback:
        # The first line that is not indented ends the traceback and names the exception.
        for line in after.splitlines()[1:]:
            if line and not line[0].isspace():
                return line[:1024]
    return f"Command failed with exit code {status}"
