"""CloudWatch's actions, and the thread that evaluates alarms at the end of every minute."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from localcloud.cloudwatch import gauges, messages
from localcloud.cloudwatch.alarm import ACTIONS, ALARM, INSUFFICIENT, OK, Alarm
from localcloud.cloudwatch.queries import Queries, invalid, minutes, statistic
from localcloud.cloudwatch.store import Bucket, dimensions_of, minute_of
from localcloud.core import Cloud
from localcloud.errors import ServiceError
from localcloud.request import Request
from localcloud.sns.publisher import publish_as

log = logging.getLogger(__name__)
PRINCIPAL = "cloudwatch.amazonaws.com"
TICK_S = 0.5
CAUGHT_UP_MINUTES = 10
KEPT_HISTORY = 10_000


class CloudWatchService:
    """Metrics and alarms. Alarms are evaluated at the end of every minute of the cloud's clock,
    over the minutes before it; after a gap of more than ten minutes in which nothing ran (the
    laptop slept), from then on only."""

    name = "cloudwatch"

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.alarms: dict[str, Alarm] = {}
        self._history: list[dict[str, Any]] = []
        self._evaluated = minute_of(cloud.clock.now())
        self._lock = threading.RLock()
        self.actions = {
            "PutMetricData": self.put_metric_data,
            "GetMetricData": self.get_metric_data,
            "GetMetricStatistics": self.get_metric_statistics,
            "ListMetrics": self.list_metrics,
            "PutMetricAlarm": self.put_metric_alarm,
            "PutCompositeAlarm": self.put_composite_alarm,
            "DescribeAlarms": self.describe_alarms,
            "DescribeAlarmHistory": self.describe_alarm_history,
            "SetAlarmState": self.set_alarm_state,
            "DeleteAlarms": self.delete_alarms,
            "EnableAlarmActions": lambda request: self._enable(request, True),
            "DisableAlarmActions": lambda request: self._enable(request, False),
        }

    def start(self) -> None:
        threading.Thread(target=self._watch, name="alarms", daemon=True).start()

    def status(self) -> dict[str, Any]:
        return {
            "alarms": len(self.alarms),
            "in_alarm": sorted(a.name for a in self.alarms.values() if a.state == ALARM),
        }

    def evaluate(self) -> list[dict[str, Any]]:
        """Evaluates every alarm at the end of each minute since the last time; what changed."""
        with self._lock:
            now = minute_of(self.cloud.clock.now())
            if now > self._evaluated:
                gauges.measure(self.cloud, now - 1)
            changed = []
            for minute in range(max(self._evaluated + 1, now - CAUGHT_UP_MINUTES), now + 1):
                for alarm in list(self.alarms.values()):
                    state, reason = alarm.evaluate(minute)
                    if state != alarm.state:
                        at = datetime.fromtimestamp(minute * 60, UTC)
                        change = {"alarm": alarm.name, "from": alarm.state, "to": state}
                        changed.append({"at": at.isoformat(), **change})
                        self._enter(alarm, state, reason, at)
            self._evaluated = now
            return changed

    def _watch(self) -> None:
        while not self.cloud.stop_event.wait(TICK_S):
            try:
                with self.cloud.clock.moving:
                    self.evaluate()
            except Exception:
                if not self.cloud.stop_event.is_set():
                    log.exception("alarms")

    # ----- metrics

    def put_metric_data(self, request: Request) -> dict[str, Any]:
        params, now = request.params, self.cloud.clock.now()
        for datum in params.get("MetricData") or ():
            values = datum.get("Values") or ([datum["Value"]] if "Value" in datum else [])
            counts = datum.get("Counts") or [1] * len(values)
            if stats := datum.get("StatisticValues"):
                bucket = Bucket(*(stats[n] for n in ("Sum", "SampleCount", "Minimum", "Maximum")))
            elif values and len(values) == len(counts):
                bucket = Bucket.of(values, counts)
            else:
                raise ServiceError("InvalidParameterValue", "a datum has no value, or other counts")
            dimensions = dimensions_of(datum.get("Dimensions") or ())
            key = (params["Namespace"], datum["MetricName"], dimensions)
            at = minute_of(moment(datum["Timestamp"])) if "Timestamp" in datum else minute_of(now)
            self.cloud.metric_store.add(key, at, bucket, datum.get("Unit", "None"))
        return {}

    def get_metric_statistics(self, request: Request) -> dict[str, Any]:
        params, store = request.params, self.cloud.metric_store
        wanted = [statistic(name) for name in params.get("Statistics") or ()]
        percentiles = [statistic(name) for name in params.get("ExtendedStatistics") or ()]
        if not wanted and not percentiles:
            raise invalid("expected Statistics or ExtendedStatistics, found none")
        key = (
            params["Namespace"],
            params["MetricName"],
            dimensions_of(params.get("Dimensions") or ()),
        )
        series, period, found = store.series(key), minutes(params["Period"]), []
        for start in self._starts(params, period, series.first if series else None):
            if bucket := store.window(key, start, start + period, spread=bool(percentiles)):
                point: dict[str, Any] = {name: bucket.statistic(name) for name in wanted}
                if percentiles:
                    named = {name: bucket.statistic(name) for name in percentiles}
                    point["ExtendedStatistics"] = named
                found.append({"Timestamp": _at(start), "Unit": series.unit, **point})
        return {"Label": params["MetricName"], "Datapoints": found}

    def get_metric_data(self, request: Request) -> dict[str, Any]:
        params = request.params
        queries = Queries(self.cloud.metric_store, params["MetricDataQueries"])
        newest_first = params.get("ScanBy", "TimestampDescending") == "TimestampDescending"
        results = []
        for query in queries.by_id.values():
            if not query.returned:
                continue
            starts = self._starts(params, query.period, None)
            if newest_first:
                starts = reversed(starts)
            points = {
                start: queries.band(query.id, start) if query.of else queries.value(query.id, start)
                for start in starts
            }
            points = {start: value for start, value in points.items() if value is not None}
            for side in range(2 if query.of else 1):
                values = [v[side] if query.of else v for v in points.values()]
                results.append(
                    {
                        "Id": query.id,
                        "Label": query.label,
                        "Timestamps": [_at(start) for start in points],
                        "Values": values,
                        "StatusCode": "Complete",
                    }
                )
        return {"MetricDataResults": results}

    def list_metrics(self, request: Request) -> dict[str, Any]:
        params = request.params
        wanted = {(d["Name"], d.get("Value")) for d in params.get("Dimensions") or ()}
        found = []
        for space, name, dimensions in self.cloud.metric_store.metrics():
            has = {*dimensions, *((n, None) for n, _ in dimensions)}
            if (
                params.get("Namespace", space) == space
                and params.get("MetricName", name) == name
                and wanted <= has
            ):
                members = [{"Name": n, "Value": v} for n, v in dimensions]
                found.append({"Namespace": space, "MetricName": name, "Dimensions": members})
        return {"Metrics": found}

    def _starts(self, params: dict[str, Any], period: int, first: int | None) -> range:
        """Where the periods of a query start, in minutes since 1970."""
        start, end = (minute_of(moment(params[name])) for name in ("StartTime", "EndTime"))
        if moment(params["EndTime"]).timestamp() > end * 60:
            end += 1
        if start >= end:
            raise ServiceError(
                "InvalidParameterValue", "The parameter StartTime must be less than EndTime."
            )
        if first is not None and first > start:
            start += (first - start) // period * period
        return range(start, min(end, minute_of(self.cloud.clock.now()) + 24 * 60), period)

    # ----- alarms

    def put_metric_alarm(self, request: Request) -> dict[str, Any]:
        params, now, cloud = request.params, self.cloud.clock.now(), self.cloud
        arn = f"arn:aws:cloudwatch:{cloud.region}:{cloud.account}:alarm:{params['AlarmName']}"
        alarm = Alarm(cloud.metric_store, params, arn, now)
        with self._lock:
            if old := self.alarms.get(alarm.name):
                alarm.state, alarm.reason = old.state, old.reason
                alarm.state_since = old.state_since
            self.alarms[alarm.name] = alarm
            summary = f'Alarm "{alarm.name}" {"updated" if old else "created"}'
            self._remember(messages.history_of("ConfigurationUpdate", alarm, now, summary))
        return {}

    def put_composite_alarm(self, request: Request) -> dict[str, Any]:
        raise invalid("composite alarms are not emulated")

    def describe_alarms(self, request: Request) -> dict[str, Any]:
        params = request.params
        names, types = params.get("AlarmNames"), params.get("AlarmTypes") or ["MetricAlarm"]
        found = [
            alarm.describe()
            for name, alarm in sorted(self.alarms.items())
            if (not names or name in names)
            and name.startswith(params.get("AlarmNamePrefix") or "")
            and params.get("StateValue") in (None, alarm.state)
        ]
        return {
            "MetricAlarms": found if "MetricAlarm" in types else [],
            "CompositeAlarms": [],
        }

    def describe_alarm_history(self, request: Request) -> dict[str, Any]:
        params = request.params
        start, end = (
            moment(params[name]) if name in params else None for name in ("StartDate", "EndDate")
        )
        with self._lock:
            found = [
                item
                for item in self._history
                if params.get("AlarmName") in (None, item["AlarmName"])
                and params.get("HistoryItemType") in (None, item["HistoryItemType"])
                and (start is None or item["Timestamp"] >= start)
                and (end is None or item["Timestamp"] <= end)
            ]
        if params.get("ScanBy", "TimestampDescending") == "TimestampDescending":
            found.reverse()
        return {"AlarmHistoryItems": found[: int(params.get("MaxRecords") or 100)]}

    def set_alarm_state(self, request: Request) -> dict[str, Any]:
        params = request.params
        state = params["StateValue"]
        if state not in (OK, ALARM, INSUFFICIENT):
            raise invalid(f"StateValue is {state}: expected {OK}, {ALARM} or {INSUFFICIENT}")
        with self._lock:
            alarm = self._alarm(params["AlarmName"])
            if state != alarm.state:
                self._enter(alarm, state, params["StateReason"], self.cloud.clock.now())
        return {}

    def delete_alarms(self, request: Request) -> dict[str, Any]:
        with self._lock:
            for alarm in [self._alarm(name) for name in request.params["AlarmNames"]]:
                del self.alarms[alarm.name]
        return {}

    def _enable(self, request: Request, enabled: bool) -> dict[str, Any]:
        for alarm in [self._alarm(name) for name in request.params["AlarmNames"]]:
            alarm.settings["ActionsEnabled"] = enabled
        return {}

    def _alarm(self, name: str) -> Alarm:
        if name not in self.alarms:
            raise ServiceError("ResourceNotFound", f"there is no alarm {name}", 404)
        return self.alarms[name]

    def _enter(self, alarm: Alarm, state: str, reason: str, at: datetime) -> None:
        """Changes an alarm's state and runs that state's actions."""
        before = alarm.state
        alarm.state, alarm.reason, alarm.state_since = state, reason, at
        summary = f"Alarm updated from {before} to {state}"
        change = {"oldState": {"stateValue": before}, "newState": {"stateValue": state}}
        change["newState"]["stateReason"] = reason
        self._remember(messages.history_of("StateUpdate", alarm, at, summary, **change))
        if not alarm.settings["ActionsEnabled"]:
            return
        region = self.cloud.region
        for topic in alarm.settings.get(ACTIONS[state]) or ():
            summary, problem = f"Successfully executed action {topic}", None
            try:
                publish_as(
                    self.cloud, PRINCIPAL, alarm.arn, TopicArn=topic, MessageStructure="json",
                    Subject=messages.subject(alarm, region),
                    Message=messages.message(alarm, before, self.cloud.account, region),
                )  # fmt: skip
            except Exception as error:
                # Whoever waits for the message is told nothing, as on AWS: only the history is.
                summary, problem = f"Failed to execute action {topic}", str(error)
                log.warning("%s: %s: %s", alarm.name, summary, error)
            data = {"actionState": "Failed" if problem else "Succeeded", "error": problem}
            self._remember(messages.history_of("Action", alarm, at, summary, **data))

    def _remember(self, item: dict[str, Any]) -> None:
        self._history.append(item)
        del self._history[:-KEPT_HISTORY]


def moment(value: Any) -> datetime:
    """A timestamp as the protocols send it: seconds since 1970, RFC 3339, or parsed already."""
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    if isinstance(value, str):
        value = datetime.fromisoformat(value.replace("Z", "+00:00"))
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _at(minute: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(minutes=minute)
