"""The Athena service: query executions; workgroups and named queries are moto's."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from localcloud.athena import executions
from localcloud.athena.engine import Statement, check_syntax, clean, statement_type
from localcloud.athena.executions import FINAL, Execution
from localcloud.athena.results import StoredResult
from localcloud.errors import ServiceError

_WORKERS = 4  # queries at once; others are QUEUED
_CLIENT_TOKENS = 1000


class AthenaService:
    """Overrides moto for what must really run."""

    name = "athena"

    def __init__(self, cloud: Any) -> None:
        self._cloud = cloud
        self._executions: dict[str, Execution] = {}
        self._tokens: dict[str, str] = {}
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="athena")
        self.actions = {
            "StartQueryExecution": self.start_query_execution,
            "GetQueryExecution": self.get_query_execution,
            "BatchGetQueryExecution": self.batch_get_query_execution,
            "GetQueryResults": self.get_query_results,
            "StopQueryExecution": self.stop_query_execution,
            "ListQueryExecutions": self.list_query_executions,
            "UpdateWorkGroup": self.update_work_group,
        }

    def stop(self) -> None:
        """Interrupt every query."""
        for execution in self._executions.values():
            if execution.state not in FINAL:
                execution.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def status(self) -> dict[str, Any]:
        """Return how many queries are in each state."""
        states = [execution.state for execution in self._executions.values()]
        return {"queries": {state: states.count(state) for state in sorted(set(states))}}

    def start_query_execution(self, request: Any) -> dict[str, Any]:
        """Queue a query. Raises InvalidRequestException, as for SQL that does not parse."""
        params = request.params
        token = params.get("ClientRequestToken")
        if token in self._tokens:
            return {"QueryExecutionId": self._tokens[token]}
        sql = clean(params["QueryString"])
        if problem := check_syntax(sql):
            raise _invalid(problem)
        query_id = str(uuid.uuid4())
        workgroup = params.get("WorkGroup") or "primary"
        config = self._workgroup(workgroup)
        own = config.get("ResultConfiguration") or {}
        asked = params.get("ResultConfiguration") or {}
        enforced = bool(config.get("EnforceWorkGroupConfiguration", True))
        # The workgroup's result settings where it enforces them, else the request's first.
        settings = asked | own if enforced else own | asked
        if not settings.get("OutputLocation"):
            raise _invalid("No output location provided, neither by the workgroup nor the request")
        encryption = settings.get("EncryptionConfiguration")
        context = params.get("QueryExecutionContext") or {}
        statement = Statement(
            query_id=query_id,
            sql=sql,
            database=(context.get("Database") or "default").lower(),
            parameters=params.get("ExecutionParameters") or [],
            output=settings["OutputLocation"].rstrip("/") + "/",
            location_enforced=enforced and bool(own.get("OutputLocation")),
            scan_limit=config.get("BytesScannedCutoffPerQuery"),
            encryption=_s3_arguments(encryption),
        )
        folder = Path(self._cloud.state_dir) / "athena"
        folder.mkdir(exist_ok=True)
        suffix = ".csv" if statement_type(sql) == "DML" else ".txt"
        execution = self._executions[query_id] = Execution(
            statement=statement,
            workgroup=workgroup,
            principal=request.principal,
            submitted=self._cloud.clock.now(),
            results=StoredResult(folder, query_id),
            output_location=f"{statement.output}{query_id}{suffix}",
            encryption=encryption,
        )
        if token:
            self._tokens[token] = query_id
            if len(self._tokens) > _CLIENT_TOKENS:
                self._tokens.pop(next(iter(self._tokens)))
        self._pool.submit(executions.run, self._cloud, execution)
        return {"QueryExecutionId": query_id}

    def get_query_execution(self, request: Any) -> dict[str, Any]:
        return {"QueryExecution": self._execution(request).to_dict()}

    def batch_get_query_execution(self, request: Any) -> dict[str, Any]:
        ids = request.params["QueryExecutionIds"]
        found = [self._executions[i].to_dict() for i in ids if i in self._executions]
        missing = [{"QueryExecutionId": i} for i in ids if i not in self._executions]
        return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing}

    def get_query_results(self, request: Any) -> dict[str, Any]:
        """Return a page of rows; the first page of a query begins with its column names."""
        execution = self._execution(request)
        if execution.state not in FINAL:
            raise _invalid(f"Query has not yet finished. Current state: {execution.state}")
        if execution.state != "SUCCEEDED":
            state = execution.state
            raise _invalid(f"Query did not finish successfully. Final query state: {state}")
        stored, size = execution.results, int(request.params.get("MaxResults") or 1000)
        rows, token = stored.page(request.params.get("NextToken"), size)
        answer: dict[str, Any] = {
            "ResultSet": {"Rows": rows, "ResultSetMetadata": {"ColumnInfo": stored.columns}},
            "UpdateCount": stored.update_count,
        }
        return answer | ({"NextToken": token} if token else {})

    def stop_query_execution(self, request: Any) -> dict[str, Any]:
        """Stop a query; one that has ended stays as it is."""
        execution = self._execution(request)
        if execution.state not in FINAL:
            execution.stop()
        return {}

    def list_query_executions(self, request: Any) -> dict[str, Any]:
        """Return the ids of a workgroup's executions, newest first."""
        params = request.params
        workgroup = params.get("WorkGroup") or "primary"
        found = reversed(list(self._executions.items()))
        ids = [query_id for query_id, execution in found if execution.workgroup == workgroup]
        start, size = int(params.get("NextToken") or 0), int(params.get("MaxResults") or 50)
        answer: dict[str, Any] = {"QueryExecutionIds": ids[start : start + size]}
        return answer | ({"NextToken": str(start + size)} if start + size < len(ids) else {})

    def update_work_group(self, request: Any) -> dict[str, Any]:
        """Change a workgroup's configuration, which moto cannot."""
        from moto.athena.models import athena_backends

        params = request.params
        groups = athena_backends[self._cloud.account][self._cloud.region].work_groups
        if params["WorkGroup"] not in groups:
            raise _invalid("WorkGroup is not found.")
        group = groups[params["WorkGroup"]]
        updates = dict(params.get("ConfigurationUpdates") or {})
        result = updates.pop("ResultConfigurationUpdates", None) or {}
        if removed := [name for name in [*updates, *result] if name.startswith("Remove")]:
            raise _invalid(f"{', '.join(removed)}: not done by the laptop cloud")
        group.configuration.setdefault("ResultConfiguration", {}).update(result)
        group.configuration.update(updates)
        group.description = params.get("Description", group.description)
        group.state = params.get("State", group.state)
        return {}

    def _execution(self, request: Any) -> Execution:
        query_id = request.params["QueryExecutionId"]
        if query_id not in self._executions:
            raise _invalid(f"QueryExecution {query_id} was not found")
        return self._executions[query_id]

    def _workgroup(self, name: str) -> dict[str, Any]:
        found = self._cloud.client("athena").get_work_group(WorkGroup=name).get("WorkGroup")
        if not found:
            raise _invalid(f"WorkGroup {name} is not found.")
        if found.get("State") == "DISABLED":
            raise _invalid(f"WorkGroup {name} is disabled.")
        return found.get("Configuration") or {}


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidRequestException", message)


def _s3_arguments(encryption: dict[str, str] | None) -> dict[str, str]:
    match (encryption or {}).get("EncryptionOption"):
        case None:
            return {}
        case "SSE_S3":
            return {"ServerSideEncryption": "AES256"}
        case "SSE_KMS":
            key = {"SSEKMSKeyId": encryption["KmsKey"]} if "KmsKey" in encryption else {}
            return {"ServerSideEncryption": "aws:kms"} | key
        case other:
            raise _invalid(f"EncryptionOption: expected SSE_S3 or SSE_KMS, found {other}")
