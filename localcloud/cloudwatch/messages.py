"""What an alarm's change of state says: to machines (JSON), by e-mail and by SMS."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from localcloud.cloudwatch.alarm import ACTIONS, Alarm

_SUBJECT_LENGTH = 100


def subject(alarm: Alarm, region: str) -> str:
    return f'{alarm.state}: "{alarm.name}" in {region}'[:_SUBJECT_LENGTH]


def message(alarm: Alarm, before: str, account: str, region: str) -> str:
    """The Message of a publish with MessageStructure json."""
    at, settings = alarm.state_since, alarm.settings
    trigger = {
        name: settings[name]
        for name in (
            *("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions"),
            *("Period", "Metrics"),
            *("EvaluationPeriods", "DatapointsToAlarm", "ComparisonOperator", "Threshold"),
            *("ThresholdMetricId", "TreatMissingData"),
        )
        if name in settings
    }
    document = {
        "AlarmName": alarm.name,
        "AlarmDescription": settings.get("AlarmDescription"),
        "AWSAccountId": account,
        "AlarmConfigurationUpdatedTimestamp": _rfc3339(alarm.updated),
        "NewStateValue": alarm.state,
        "NewStateReason": alarm.reason,
        "StateChangeTime": _rfc3339(at),
        "Region": region,
        "AlarmArn": alarm.arn,
        "OldStateValue": before,
        **{name: settings.get(name, []) for name in ACTIONS.values()},
        "Trigger": trigger,
    }
    return json.dumps(
        {
            "default": json.dumps(document),
            "email": _email(alarm, before, account, region, at),
            "sms": subject(alarm, region),
        }
    )


def _email(alarm: Alarm, before: str, account: str, region: str, at: datetime) -> str:
    settings = alarm.settings
    compared = settings.get("Threshold", "of its band")
    details = [
        ("Name", alarm.name),
        ("Description", settings.get("AlarmDescription") or "-"),
        ("State Change", f"{before} -> {alarm.state}"),
        ("Reason for State Change", alarm.reason),
        ("Timestamp", f"{at:%A %d %B, %Y %H:%M:%S} UTC"),
        ("AWS Account", account),
        ("Alarm Arn", alarm.arn),
    ]
    metrics = [
        f"- {query.stat} of {query.key[0]} {query.key[1]}"
        f" {{{', '.join(f'{name}: {value}' for name, value in query.key[2])}}}"
        f" over {query.period * 60} seconds"
        for query in alarm.queries.metrics
    ]
    return "\n".join(
        [
            f'The alarm "{alarm.name}" in the {region} region has entered the {alarm.state} state'
            f' at "{at:%A %d %B, %Y %H:%M:%S} UTC".',
            "",
            "Alarm Details:",
            *(f"- {name + ':':<27} {value}" for name, value in details),
            "",
            "Threshold:",
            f"- The alarm is in the ALARM state when the metric is {alarm.comparison} {compared}"
            f" for at least {alarm.needed} of the last {alarm.periods} period(s) of"
            f" {alarm.period * 60} seconds. Missing data: {alarm.missing}.",
            "",
            "Monitored Metrics:",
            *metrics,
            "",
            "State Change Actions:",
            *(f"- {kind}: {', '.join(settings.get(name) or ())}" for kind, name in ACTIONS.items()),
            "",
        ]
    )


def _rfc3339(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def history_of(kind: str, alarm: Alarm, at: datetime, summary: str, **data: Any) -> dict[str, Any]:
    """One item of DescribeAlarmHistory."""
    return {
        "AlarmName": alarm.name,
        "AlarmType": "MetricAlarm",
        "Timestamp": at,
        "HistoryItemType": kind,
        "HistorySummary": summary,
        "HistoryData": json.dumps({"version": "1.0", **data}, default=str),
    }
