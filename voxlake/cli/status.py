"""`status`: what runs, what lags, what waits, and how many rows each table has."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from voxlake.cli.options import Json, Stage, err, out, print_json
from voxlake.cli.target import Target


def status(
    watch: Annotated[bool, typer.Option("--watch", help="Again every 10 seconds.")] = False,
    stage: Stage = "local",
    json_: Json = False,
) -> None:
    """Shows the stream, the pending work, the tables' rows and the last runs.

    Example: voxlake status --watch
    """
    target = Target(stage)
    while True:
        found = gather(target)
        if json_:
            print_json(found)
        else:
            show(found)
        if not watch:
            return
        time.sleep(10)
        err.print()


def gather(target: Target) -> dict:
    """Everything that `status` shows, as one document."""
    now = datetime.now(UTC)
    return {
        "at": now.isoformat(timespec="seconds"),
        "stage": target.stage,
        "endpoint": target.client("kinesis").meta.endpoint_url,
        "stream": _stream(target, now),
        **_ledger(target),
        "schedules": _schedules(target),
        "runs": _runs(target),
        "alarms": _alarms(target),
    }


def _stream(target: Target, now: datetime) -> dict:
    name = target.output("EventStream")
    summary = target.client("kinesis").describe_stream_summary(StreamName=name)
    function = target.output("StreamConsumerFunction")
    mappings = target.client("lambda").list_event_source_mappings(FunctionName=function)
    return {
        "name": name,
        "state": summary["StreamDescriptionSummary"]["StreamStatus"],
        "open_shards": summary["StreamDescriptionSummary"]["OpenShardCount"],
        "mappings": [
            {"state": m["State"], "last_result": m.get("LastProcessingResult", "")}
            for m in mappings["EventSourceMappings"]
        ],
        "records_last_hour": _sum(
            target, "AWS/Kinesis", "IncomingRecords", "StreamName", name, now
        ),
        "consumer_errors_last_hour": _sum(
            target, "AWS/Lambda", "Errors", "FunctionName", function, now
        ),
    }


def _sum(target: Target, space: str, metric: str, dimension: str, value: str, now: datetime) -> int:
    points = target.client("cloudwatch").get_metric_statistics(
        Namespace=space,
        MetricName=metric,
        Dimensions=[{"Name": dimension, "Value": value}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )["Datapoints"]
    return int(sum(p["Sum"] for p in points))


def _ledger(target: Target) -> dict:
    pending: dict[str, dict[str, int]] = {}
    tables: dict[str, dict] = {}
    pages = (
        target.client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=target.output("LedgerTable"),
            FilterExpression="begins_with(pk, :version) OR begins_with(pk, :object)",
            ExpressionAttributeValues={":version": {"S": "VERSION#"}, ":object": {"S": "OBJECT#"}},
        )
    )
    landed = {"objects": 0, "records": 0}
    for item in (item for page in pages for item in page["Items"]):
        if item["pk"]["S"].startswith("OBJECT#"):
            landed["objects"] += 1
            landed["records"] += int(item["records"]["N"])
        if "pending_shard" in item:
            kind = pending.setdefault(item["kind"]["S"], {"objects": 0, "records": 0})
            kind["objects"] += 1
            kind["records"] += int(item["records"]["N"])
        elif item["pk"]["S"].startswith("VERSION#"):
            name = item["pk"]["S"].partition("#")[2]
            table = tables.setdefault(name, {"rows": 0, "partitions": 0, "published_at": ""})
            table["rows"] += int(item["rows"]["N"])
            table["partitions"] += 1
            published = item.get("published_at", {}).get("S", "")
            table["published_at"] = max(table["published_at"], published)
    return {
        "landed": landed,
        "pending": dict(sorted(pending.items())),
        "tables": dict(sorted(tables.items())),
    }


def _schedules(target: Target) -> list[dict]:
    rules = target.client("events").list_rules()["Rules"]
    return [
        {"name": r["Name"], "expression": r["ScheduleExpression"], "state": r["State"]}
        for r in rules
        if r.get("ScheduleExpression") and r["Name"].startswith(target.stack_prefix)
    ]


def _runs(target: Target) -> list[dict]:
    answer = target.client("stepfunctions").list_executions(
        stateMachineArn=target.output("BatchStateMachineArn"), maxResults=3
    )
    return [
        {
            "status": run["status"],
            "started": run["startDate"].astimezone(UTC).isoformat(timespec="seconds"),
            "seconds": round((run["stopDate"] - run["startDate"]).total_seconds(), 1)
            if "stopDate" in run
            else None,
        }
        for run in answer["executions"]
    ]


def _alarms(target: Target) -> list[dict]:
    """The stage's alarms that are in ALARM now, the newest first."""
    pages = (
        target.client("cloudwatch")
        .get_paginator("describe_alarms")
        .paginate(StateValue="ALARM", AlarmNamePrefix=target.stack_prefix)
    )
    found = [
        {
            "name": alarm["AlarmName"],
            "since": alarm["StateUpdatedTimestamp"].astimezone(UTC).isoformat(timespec="seconds"),
            "means": alarm.get("AlarmDescription", ""),
            "reason": alarm["StateReason"],
        }
        for page in pages
        for alarm in page["MetricAlarms"]
    ]
    return sorted(found, key=lambda alarm: alarm["since"], reverse=True)


def show(found: dict) -> None:
    """Prints the document for a person."""
    from rich.markup import escape
    from rich.table import Table

    stream = found["stream"]
    states = ", ".join(m["state"] for m in stream["mappings"]) or "none"
    out.print(f"[bold]{found['endpoint']}[/bold]  {found['at']}")
    out.print(
        f"stream   {stream['state']}, {stream['open_shards']} shards, consumer mapping {states}; "
        f"last hour: {stream['records_last_hour']:,} records, "
        f"{stream['consumer_errors_last_hour']:,} consumer errors"
    )
    for schedule in found["schedules"]:
        out.print(f"schedule {schedule['expression']} {schedule['state']}  {schedule['name']}")
    for run in found["runs"]:
        took = "" if run["seconds"] is None else f" in {run['seconds']:.1f} s"
        out.print(f"run      {run['started']} {run['status']}{took}")
    for alarm in found["alarms"]:
        out.print(f"[bold red]ALARM[/bold red]    since {alarm['since']} {escape(alarm['name'])}")
        out.print(f"         {escape(alarm['means'] or alarm['reason'])}")
    if not found["alarms"]:
        out.print("alarms   none")
    landed = found["landed"]
    out.print(f"landed   {landed['records']:,} records in {landed['objects']:,} objects")
    waiting = ", ".join(f"{kind} {n['records']:,}" for kind, n in found["pending"].items())
    out.print(f"pending  {waiting or 'nothing'}")
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("table")
    table.add_column("rows", justify="right")
    table.add_column("partitions", justify="right")
    table.add_column("published")
    for name, counts in found["tables"].items():
        table.add_row(
            name,
            f"{counts['rows']:,}",
            f"{counts['partitions']:,}",
            counts["published_at"][:19] + "Z",
        )
    if found["tables"]:
        out.print(table)
    else:
        out.print("tables   none published yet: voxlake run")
