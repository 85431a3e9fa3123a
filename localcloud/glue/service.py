"""The Glue service: job runs and crawlers; jobs, databases, tables and partitions are moto's."""

from __future__ import annotations

import re
import threading
from typing import Any

from localcloud.errors import ServiceError
from localcloud.glue import crawlers
from localcloud.glue.job_runs import ACTIVE, JobRun, JobRunner

# UpdateJob overwrites the definition: what is not given goes back to these.
_JOB_SETTINGS = {
    "Role": None, "Command": None, "DefaultArguments": {}, "GlueVersion": None, "WorkerType": None,
    "NumberOfWorkers": None, "Timeout": None, "ExecutionProperty": {}, "Description": None,
}  # fmt: skip


class GlueService:
    """Overrides moto for what must really run."""

    name = "glue"

    def __init__(self, cloud: Any) -> None:
        self._cloud = cloud
        self._runner = JobRunner(cloud)
        self._crawlers = crawlers.Crawlers(cloud)
        self.actions = {
            "CreateJob": self.create_job,
            "UpdateJob": self.update_job,
            "CreateCrawler": self.create_crawler,
            "UpdateCrawler": self.update_crawler,
            "StartCrawler": self.start_crawler,
            "StopCrawler": self.stop_crawler,
            "GetCrawler": self.get_crawler,
            "GetCrawlers": self.get_crawlers,
            "GetCrawlerMetrics": self.get_crawler_metrics,
            "StartJobRun": self.start_job_run,
            "GetJobRun": self.get_job_run,
            "GetJobRuns": self.get_job_runs,
            "BatchStopJobRun": self.batch_stop_job_run,
        }

    def start(self) -> None:
        """Watch the crawlers' schedules."""
        threading.Thread(target=self._crawlers.run_schedules, daemon=True).start()

    def stop(self) -> None:
        """Stop every job run with its JVM."""
        self._runner.stop_all()

    def status(self) -> dict[str, Any]:
        """Return the job runs, newest first, and the crawlers that ran."""
        runs = [
            {
                "job": run.job["Name"], "run": run.run_id, "state": run.state,
                "started_at": run.started_on.isoformat(), "seconds": run.execution_seconds,
                "error": run.error_message,
            }
            for run in reversed(list(self._runner.runs.values()))
        ]  # fmt: skip
        states = {n: s.state for n, s in self._crawlers.states.items() if s.last_crawl}
        return {"crawlers": states, "job_runs": runs}

    def create_job(self, request: Any) -> dict[str, Any]:
        """Create the job in moto, unless it asks for what no run here would honour."""
        _check_job(request.params)
        return request.forward()

    def update_job(self, request: Any) -> dict[str, Any]:
        """Replace a job's definition, which moto cannot."""
        name, update = request.params["JobName"], request.params["JobUpdate"]
        _check_job(update)
        _set_all(self._backend().get_job(name), _JOB_SETTINGS | update)
        return {"JobName": name}

    def start_job_run(self, request: Any) -> dict[str, Any]:
        """Start a run of a job, within its MaxConcurrentRuns."""
        name, glue = request.params["JobName"], self._cloud.client("glue")
        try:
            job = glue.get_job(JobName=name)["Job"]
        except glue.exceptions.EntityNotFoundException:
            raise ServiceError("EntityNotFoundException", f"Job {name} not found") from None
        run = self._runner.start(job, request.params)
        if run is None:
            message = f"Concurrent runs exceeded for {name}"
            raise ServiceError("ConcurrentRunsExceededException", message)
        return {"JobRunId": run.run_id}

    def get_job_run(self, request: Any) -> dict[str, Any]:
        return {"JobRun": self._run(request.params["JobName"], request.params["RunId"]).to_dict()}

    def get_job_runs(self, request: Any) -> dict[str, Any]:
        """Return a job's runs, newest first, a page at a time."""
        params = request.params
        start, size = int(params.get("NextToken") or 0), int(params.get("MaxResults") or 200)
        runs = self._runner.of_job(params["JobName"])
        page: dict[str, Any] = {"JobRuns": [run.to_dict() for run in runs[start : start + size]]}
        return page | ({"NextToken": str(start + size)} if start + size < len(runs) else {})

    def batch_stop_job_run(self, request: Any) -> dict[str, Any]:
        """Ask runs to stop; the ones that cannot are in Errors."""
        name, stopped, errors = request.params["JobName"], [], []
        for run_id in request.params["JobRunIds"]:
            entry = {"JobName": name, "JobRunId": run_id}
            try:
                run = self._run(name, run_id)
                if run.state not in ACTIVE:
                    message = f"Job run {run_id} is in state {run.state}, not running"
                    raise ServiceError("InvalidInputException", message)
            except ServiceError as error:
                detail = {"ErrorCode": error.code, "ErrorMessage": error.message}
                errors.append(entry | {"ErrorDetail": detail})
            else:
                run.stop_requested.set()
                stopped.append(entry)
        return {"SuccessfulSubmissions": stopped, "Errors": errors}

    def _run(self, job_name: str, run_id: str) -> JobRun:
        run = self._runner.runs.get(run_id)
        if run is None or run.job["Name"] != job_name:
            message = f"Job run {run_id} of job {job_name} not found"
            raise ServiceError("EntityNotFoundException", message)
        return run

    def create_crawler(self, request: Any) -> dict[str, Any]:
        """Create the crawler in moto, unless it asks for what no crawl here would honour."""
        crawlers.check(request.params)
        return request.forward()

    def update_crawler(self, request: Any) -> dict[str, Any]:
        """Change what is given of a crawler, which moto cannot."""
        changes = dict(request.params)
        name = changes.pop("Name")
        known = self._crawlers.definition(name)
        crawlers.check({k: v for k, v in known.items() if k in crawlers.SETTINGS} | changes)
        _set_all(self._backend().get_crawler(name), changes)
        return {}

    def start_crawler(self, request: Any) -> dict[str, Any]:
        self._crawlers.start(request.params["Name"])
        return {}

    def stop_crawler(self, request: Any) -> dict[str, Any]:
        """Refuse: a crawl here takes seconds."""
        raise ServiceError("OperationNotSupportedException", "StopCrawler: wait for the crawl")

    def get_crawler(self, request: Any) -> dict[str, Any]:
        """Return moto's crawler in its real state."""
        return {"Crawler": self._crawlers.shown(request.forward()["Crawler"])}

    def get_crawlers(self, request: Any) -> dict[str, Any]:
        """Return moto's crawlers in their real states."""
        answer = request.forward()
        return answer | {"Crawlers": [self._crawlers.shown(c) for c in answer["Crawlers"]]}

    def get_crawler_metrics(self, request: Any) -> dict[str, Any]:
        """Tell how long crawls took and what the last one changed."""
        names = request.params.get("CrawlerNameList") or [
            crawler["Name"] for crawler in self._cloud.client("glue").get_crawlers()["Crawlers"]
        ]
        return {"CrawlerMetricsList": [self._crawlers.metrics(name) for name in names]}

    def _backend(self) -> Any:
        from moto.glue.models import glue_backends

        return glue_backends[self._cloud.account][self._cloud.region]


def _check_job(job: dict[str, Any]) -> None:
    allowed = {*_JOB_SETTINGS, "Name", "Tags"}
    if refused := sorted(name for name, value in job.items() if value and name not in allowed):
        message = f"{', '.join(refused)}: not honoured by runs here; remove it"
        raise ServiceError("InvalidInputException", message)


def _set_all(target: Any, given: dict[str, Any]) -> None:
    for name, value in given.items():
        setattr(target, re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(), value)
