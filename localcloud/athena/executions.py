"""Query executions: their states, and the thread that runs one."""

from __future__ import annotations

import json
import shutil
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
from botocore.exceptions import ClientError

from localcloud.athena import engine
from localcloud.athena.engine import Engine, Statement
from localcloud.athena.errors import SYSTEM, QueryCancelledError, QueryError, from_client
from localcloud.athena.results import Result, StoredResult
from localcloud.glue.credentials import client_of, split_s3_uri

FINAL = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})


@dataclass
class Execution:
    """One query execution; times in seconds of the cloud's clock."""

    statement: Statement
    workgroup: str
    principal: Any
    submitted: datetime
    results: StoredResult
    output_location: str
    encryption: dict[str, str] | None
    state: str = "QUEUED"
    reason: str | None = None
    category: int | None = None
    completed: datetime | None = None
    scanned: int = 0
    queued_ms: int = 0
    engine_ms: int = 0
    manifest: str | None = None
    connection: duckdb.DuckDBPyConnection | None = None
    stop_requested: threading.Event = field(default_factory=threading.Event)

    def to_dict(self) -> dict[str, Any]:
        """Return the execution as GetQueryExecution shows it."""
        statement = self.statement
        error: dict[str, Any] = {"ErrorCategory": self.category, "ErrorMessage": self.reason}
        failed = self.state == "FAILED"
        status = {
            "State": self.state,
            "SubmissionDateTime": self.submitted,
            "CompletionDateTime": self.completed,
            "StateChangeReason": self.reason,
            "AthenaError": error | {"ErrorType": 1301, "Retryable": False} if failed else None,
        }
        statistics = {
            "EngineExecutionTimeInMillis": self.engine_ms, "DataScannedInBytes": self.scanned,
            "TotalExecutionTimeInMillis": self.queued_ms + self.engine_ms,
            "QueryQueueTimeInMillis": self.queued_ms, "ServiceProcessingTimeInMillis": 0,
            "DataManifestLocation": self.manifest,
        }  # fmt: skip
        output = {"OutputLocation": self.output_location}
        output |= {"EncryptionConfiguration": self.encryption}
        version = "Athena engine version 3"
        return {
            "QueryExecutionId": statement.query_id,
            "Query": statement.sql,
            "StatementType": engine.statement_type(statement.sql),
            "ResultConfiguration": _given(output),
            "QueryExecutionContext": {"Database": statement.database, "Catalog": "awsdatacatalog"},
            "Status": _given(status),
            "Statistics": _given(statistics),
            "WorkGroup": self.workgroup,
            "EngineVersion": {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": version},
        }

    def stop(self) -> None:
        """Ask the query to end; DuckDB is interrupted where it is."""
        self.stop_requested.set()
        if (connection := self.connection) is not None:
            connection.interrupt()


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def run(cloud: Any, execution: Execution) -> None:
    """Run an execution to its end. Never raises."""
    begun = time.monotonic()
    execution.queued_ms = int((cloud.clock.now() - execution.submitted).total_seconds() * 1000)
    scratch = Path(cloud.state_dir) / "scratch" / f"athena-{execution.statement.query_id}"
    scratch.mkdir(parents=True)
    state, reason, category = "SUCCEEDED", None, None
    try:
        execution.state = "RUNNING"
        _run(cloud, execution, scratch)
    except QueryCancelledError as error:
        state, reason = "CANCELLED", error.reason
    except duckdb.InterruptException:
        state = "CANCELLED"
    except (QueryError, ClientError) as error:
        found = from_client(error) if isinstance(error, ClientError) else error
        state, reason, category = "FAILED", found.reason, found.category
    except Exception as error:  # a query must end with a reason whatever it is
        state, category = "FAILED", SYSTEM
        reason = f"GENERIC_INTERNAL_ERROR: {type(error).__name__}: {error}"
    finally:
        if execution.connection is not None:
            execution.connection.close()
            execution.connection = None
        shutil.rmtree(scratch, ignore_errors=True)
    if execution.stop_requested.is_set():
        state, reason, category = "CANCELLED", "Query cancelled by user", None
    execution.engine_ms = int((time.monotonic() - begun) * 1000)
    execution.completed = cloud.clock.now()
    execution.reason, execution.category = reason, category
    execution.state = state


def _run(cloud: Any, execution: Execution, scratch: Path) -> None:
    connection = execution.connection = engine.connect(scratch)
    if execution.stop_requested.is_set():
        return
    runner = Engine(cloud, execution.principal, execution.statement, scratch, connection)
    file = scratch / "result"
    try:
        result = runner.run(lambda result: execution.results.store(result, file))
    finally:
        execution.scanned = runner.scanned
    _publish(client_of(cloud, execution.principal, "s3"), execution, result, file)


def _publish(s3: Any, execution: Execution, result: Result, file: Path) -> None:
    """Put the result files where Athena puts them: rows or a manifest of writes, and metadata."""
    sealed = execution.statement.encryption
    if result.location:
        execution.output_location = result.location
        execution.manifest = f"{result.location}-manifest.csv"
        file.write_text("".join(f"{uri}\n" for uri in result.written))
    bucket, key = split_s3_uri(execution.manifest or execution.output_location)
    s3.upload_file(str(file), bucket, key, ExtraArgs=sealed)
    metadata = json.dumps({"columns": result.columns}).encode()
    key = split_s3_uri(execution.output_location)[1]
    s3.put_object(Bucket=bucket, Key=f"{key}.metadata", Body=metadata, **sealed)
