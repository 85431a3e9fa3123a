"""Athena and CloudWatch as the reconciler asks them, and what the catalog says of a table."""

from __future__ import annotations

from datetime import datetime, timedelta

import boto3

from tests.unit.lambdas.conftest import STREAM

LOCATION = "s3://cleansed/posts/dt=2026-02-24/v=r1-aaaa/"


class FakeAthena:
    """Answers counts by table, or for posts what lies at its partition's location."""

    def __init__(self, rows: dict[str, int], states: tuple[str, ...] = ("RUNNING", "SUCCEEDED")):
        self.rows, self.states = rows, list(states)
        self.queries: list[str] = []
        self.stopped = False

    def start_query_execution(self, *, QueryString: str, WorkGroup: str) -> dict:
        self.queries.append(QueryString)
        return {"QueryExecutionId": "q-1"}

    def get_query_execution(self, *, QueryExecutionId: str) -> dict:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"QueryExecution": {"Status": {"State": state, "StateChangeReason": "no such"}}}

    def stop_query_execution(self, *, QueryExecutionId: str) -> None:
        self.stopped = True

    def get_query_results(self, *, QueryExecutionId: str) -> dict:
        asked = [
            (name, count if name != "posts" or LOCATION in locations().values() else 0)
            for name, count in self.rows.items()
            if f"'{name}'" in self.queries[-1]
        ]
        rows = [("table_name", "row_count"), *asked]
        return {
            "ResultSet": {
                "Rows": [{"Data": [{"VarCharValue": str(cell)} for cell in row]} for row in rows]
            }
        }


class FakeCloudWatch:
    def __init__(self, values: list[float]) -> None:
        self.values = values

    def get_metric_statistics(
        self,
        *,
        Namespace: str,
        MetricName: str,
        Dimensions: list,
        StartTime: datetime,
        EndTime: datetime,
        Period: int,
        Statistics: list,
    ) -> dict:
        assert (Namespace, MetricName, Period, Statistics) == (
            "AWS/Kinesis",
            "IncomingRecords",
            86_400,
            ["Sum"],
        )
        assert Dimensions == [{"Name": "StreamName", "Value": STREAM}]
        assert timedelta(days=455) < EndTime - StartTime < timedelta(days=457)
        return {"Datapoints": [{"Sum": value} for value in self.values]}


def locations() -> dict[str, str]:
    found = boto3.client("glue").get_partitions(DatabaseName="voxlake_cleansed", TableName="posts")[
        "Partitions"
    ]
    return {one["Values"][0]: one["StorageDescriptor"]["Location"] for one in found}
