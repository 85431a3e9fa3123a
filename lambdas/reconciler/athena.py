"""Counts rows as a reader would: through the catalog, by Athena."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from voxlake.errors import TransientError

_RUNNING = ("QUEUED", "RUNNING")


class AthenaQueryError(TransientError):
    """A query failed, was cancelled or took too long.

    Attributes:
        query_execution_id: to look it up in Athena.
        state: FAILED, CANCELLED, or the state it was in when the time was up.
    """

    def __init__(self, query_execution_id: str, state: str, reason: str) -> None:
        self.query_execution_id = query_execution_id
        self.state = state
        super().__init__(
            f"expected query {query_execution_id} to succeed, found it {state}: {reason}; "
            "look at the query in the workgroup's history and invoke again"
        )


class RowCounter:
    """Counts the rows of tables in one query.

    Args:
        client: Athena client.
        workgroup: whose result location and scan limit apply; count(*) scans footers only.
        timeout_seconds: of a query.
        sleep, clock: injected by tests; seconds.
    """

    def __init__(
        self,
        client: Any,
        workgroup: str,
        *,
        timeout_seconds: float = 300,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._workgroup = workgroup
        self._timeout_seconds = timeout_seconds
        self._sleep = sleep
        self._clock = clock

    def count(self, database: str, tables: Sequence[str]) -> dict[str, int]:
        """{table: rows}.

        Raises:
            AthenaQueryError: there is no answer.
        """
        if not tables:
            return {}
        sql = " UNION ALL ".join(
            f'SELECT \'{table}\' AS table_name, count(*) AS row_count FROM "{database}"."{table}"'
            for table in tables
        )
        query = self._client.start_query_execution(QueryString=sql, WorkGroup=self._workgroup)[
            "QueryExecutionId"
        ]
        self._wait(query)
        rows = self._client.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
        # The first row repeats the column names.
        return {
            name["VarCharValue"]: int(count["VarCharValue"])
            for name, count in (row["Data"] for row in rows[1:])
        }

    def _wait(self, query: str) -> None:
        deadline = self._clock() + self._timeout_seconds
        pause = 0.1
        while True:
            status = self._client.get_query_execution(QueryExecutionId=query)["QueryExecution"][
                "Status"
            ]
            if status["State"] == "SUCCEEDED":
                return
            if status["State"] not in _RUNNING:
                raise AthenaQueryError(
                    query, status["State"], status.get("StateChangeReason", "no reason given")
                )
            if self._clock() >= deadline:
                self._client.stop_query_execution(QueryExecutionId=query)
                raise AthenaQueryError(
                    query, status["State"], f"not done after {self._timeout_seconds:.0f} s"
                )
            self._sleep(pause)
            pause = min(pause * 1.5, 2.0)
