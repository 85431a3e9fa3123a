"""EventBridge's actions that check and that fire; rules and targets are kept by moto."""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Any

from localcloud.cloudwatch.counters import MinuteCounters
from localcloud.core import Cloud
from localcloud.errors import ServiceError
from localcloud.events import pattern, schedule, targets
from localcloud.request import Request

log = logging.getLogger(__name__)
TICK_S = 0.25
THREADS = 4


class EventsService:
    """Fires schedules on the cloud's clock and delivers AWS services' events to matching rules
    of the default bus.

    A firing that was missed (the laptop slept) is not made up for: a late rule fires once.
    """

    name = "events"

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.deliverer = targets.Deliverer(cloud)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="events")
        self._counters = MinuteCounters(cloud, "AWS/Events")
        # rule name -> (expression, next firing); a changed or enabled rule starts anew
        self._due: dict[str, tuple[str, datetime | None]] = {}
        self._fired: Counter[str] = Counter()
        self._failures: dict[str, str] = {}
        self._tick = threading.Lock()
        self.actions = {
            "PutRule": self.put_rule,
            "PutTargets": self.put_targets,
            "PutEvents": self.put_events,
        }

    def start(self) -> None:
        threading.Thread(target=self._watch, name="schedules", daemon=True).start()

    def stop(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def status(self) -> dict[str, Any]:
        result = {}
        for rule in self._rules():
            _, due = self._due.get(rule.name, ("", None))
            result[rule.name] = {
                "state": rule.state,
                "schedule": rule.scheduled_expression,
                "next": due.isoformat() if due else None,
                "fired": self._fired[rule.name],
                "last_failure": self._failures.get(rule.name),
            }
        return {"rules": result}

    def firings(self) -> Counter[str]:
        """How often each rule has fired."""
        return self._fired.copy()

    # ----- actions

    def put_rule(self, request: Request) -> dict[str, Any]:
        params = request.params
        if (params.get("EventBusName") or "default").rpartition("/")[2] != "default":
            raise ServiceError("ValidationException", "buses other than default are not emulated")
        if params.get("ScheduleExpression"):
            schedule.parse(params["ScheduleExpression"])
        if params.get("EventPattern"):
            pattern.parse(params["EventPattern"])
        return request.forward()

    def put_targets(self, request: Request) -> dict[str, Any]:
        for target in request.params.get("Targets") or []:
            targets.check(target)
        return request.forward()

    def put_events(self, request: Request) -> None:
        raise ServiceError("ValidationException", "PutEvents is not emulated")

    # ----- events and schedules

    def deliver(self, source: str, detail_type: str, detail: dict[str, Any]) -> None:
        """Hands an event of an AWS service to the targets of every rule that matches it.

        Targets are called in the background.
        """
        detail = json.loads(json.dumps(detail, default=str))
        event = self._event(source, detail_type, detail, [], self.cloud.clock.now())
        for rule in self._rules():
            text = rule.event_pattern.dump()
            if rule.state == "ENABLED" and text and pattern.matches(json.loads(text), event):
                self._fire(rule, event)

    def _watch(self) -> None:
        while not self.cloud.stop_event.wait(TICK_S):
            try:
                with self.cloud.clock.moving:
                    self.tick()
            except Exception:
                log.exception("schedules")

    def tick(self) -> list[Future[None]]:
        """Fires every schedule that is due by the cloud's clock; the deliveries to its targets."""
        deliveries: list[Future[None]] = []
        with self._tick:
            now = self.cloud.clock.now()
            rules = {
                rule.name: rule
                for rule in self._rules()
                if rule.scheduled_expression and rule.state == "ENABLED"
            }
            for name in self._due.keys() - rules.keys():
                del self._due[name]
            for name, rule in rules.items():
                expression = rule.scheduled_expression
                following = schedule.parse(expression).after
                known, due = self._due.get(name, ("", None))
                if known != expression:
                    self._due[name] = (expression, following(now))
                elif due is not None and due <= now:
                    upcoming = following(due)
                    if upcoming is not None and upcoming <= now:
                        upcoming = following(now)
                    self._due[name] = (expression, upcoming)
                    event = self._event("aws.events", "Scheduled Event", {}, [rule.arn], due)
                    deliveries += self._fire(rule, event)
        return deliveries

    # ----- inside

    def _rules(self) -> list[Any]:
        from moto.events.models import events_backends

        buses = events_backends[self.cloud.account][self.cloud.region].event_buses
        return list(buses["default"].rules.values())

    def _event(
        self,
        source: str,
        detail_type: str,
        detail: dict[str, Any],
        resources: list[str],
        moment: datetime,
    ) -> dict[str, Any]:
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": detail_type,
            "source": source,
            "account": self.cloud.account,
            "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self.cloud.region,
            "resources": resources,
            "detail": detail,
        }

    def _fire(self, rule: Any, event: dict[str, Any]) -> list[Future[None]]:
        self._fired[rule.name] += 1
        self._count("TriggeredRules", rule)
        if self.cloud.stop_event.is_set():
            return []
        return [self._pool.submit(self._deliver, rule, t, event) for t in list(rule.targets)]

    def _deliver(self, rule: Any, target: dict[str, Any], event: dict[str, Any]) -> None:
        self._count("Invocations", rule)
        try:
            self.deliverer.deliver(target, event, rule.arn)
        except Exception as error:
            if not self.cloud.stop_event.is_set():
                self._count("FailedInvocations", rule)
                self._failures[rule.name] = f"{target['Arn']}: {error}"
                log.warning("rule %s, target %s: %s", rule.name, target["Arn"], error)

    def _count(self, metric: str, rule: Any) -> None:
        self._counters.add(metric, (("RuleName", rule.name),), 1, "Count")
