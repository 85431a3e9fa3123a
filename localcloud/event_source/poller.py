"""One thread per shard of a mapping: reads, batches, calls the function, moves the checkpoint."""

from __future__ import annotations

import json
import logging
import threading
import time
import uuid
from collections import deque
from dataclasses import replace

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.core import Cloud
from localcloud.errors import ServiceError
from localcloud.event_source.batch import (
    PAYLOAD_LIMIT,
    Attempt,
    Item,
    after_call,
    expired_prefix,
    failure_record,
    judge,
    make_item,
    take_within_limit,
)
from localcloud.event_source.mapping import Mapping
from localcloud.event_source.shards import MAX_BYTES, shard
from localcloud.kinesis.log import Record
from localcloud.lambda_.role_clients import RoleClients

log = logging.getLogger(__name__)
POLL_S = 0.1
FIRST_PAUSE_S = 0.1  # between attempts; doubles up to LONGEST_PAUSE_S
LONGEST_PAUSE_S = 2.0


class ShardPoller:
    """Delivers one shard in order. A batch is settled before the next is read."""

    def __init__(self, cloud: Cloud, mapping: Mapping, shard_id: str, roles: RoleClients) -> None:
        self.cloud = cloud
        self.mapping = mapping
        self.shard_id = shard_id
        self.functions = cloud.services["lambda"]
        self.roles = roles
        self._stop = threading.Event()
        self.thread = threading.Thread(
            target=self._run, name=f"{mapping.function_name}:{shard_id}", daemon=True
        )
        self.thread.start()

    def stop(self) -> None:
        """Asks the thread to end after the call it is in; what is not settled stays unread."""
        self._stop.set()

    def iterator_age_ms(self) -> int:
        """Age of the oldest record not dealt with; 0 when there is none."""
        waiting = self._read(self._position(), 1)
        return self._age_ms(waiting[0].arrival.timestamp()) if waiting else 0

    def _age_ms(self, arrival: float) -> int:
        return max(int((self.cloud.clock.now().timestamp() - arrival) * 1000), 0)

    def _read(self, position: int, limit: int) -> list[Record]:
        log_of_shard = shard(self.cloud, self.mapping.source_arn, self.shard_id)
        return log_of_shard.read(position, limit, MAX_BYTES)[0]

    def _position(self) -> int:
        return self.mapping.checkpoints[self.shard_id]

    def _stopped(self) -> bool:
        return self._stop.is_set() or self.cloud.stop_event.is_set()

    def _wait(self, seconds: float) -> None:
        """Waits for the poller's own stop, noticing the cloud's within half a second."""
        deadline = time.monotonic() + seconds
        while not self._stopped() and (left := deadline - time.monotonic()) > 0:
            self._stop.wait(min(left, 0.5))

    def _run(self) -> None:
        while not self._stopped():
            try:
                if self.mapping.refused:
                    self._wait(1.0)
                elif items := self._collect():
                    self._settle(items)
            except LookupError:
                self.mapping.problem = f"PROBLEM: Stream {self.mapping.source_arn} does not exist."
                self._wait(1.0)
            except Exception:
                log.exception("poller of %s, %s", self.mapping.uuid, self.shard_id)
                self._wait(1.0)

    def _collect(self) -> tuple[Item, ...]:
        """The next batch: full, at the payload limit, or as much as came within the window."""
        settings, source, role = self.mapping.settings, self.mapping.source_arn, self._role()
        items: list[Item] = []
        size = 0
        opened = 0.0
        while not self._stopped() and not self.mapping.refused:
            position = items[-1].record.sequence + 1 if items else self._position()
            for record in self._read(position, settings.batch_size - len(items)):
                items.append(make_item(record, self.shard_id, source, role))
                size += len(items[-1].text) + 1
            opened = opened or (time.monotonic() if items else 0.0)
            full = len(items) >= settings.batch_size or size > PAYLOAD_LIMIT
            if items and (full or time.monotonic() - opened >= settings.window_s):
                return take_within_limit(items)
            self._wait(POLL_S)
        return ()

    def _role(self) -> str:
        return self.functions.function(self.mapping.function_name).settings.role

    def _settle(self, items: tuple[Item, ...]) -> None:
        """Delivers until every item is dealt with, in order; a stop leaves the rest unread."""
        mapping = self.mapping
        self._count_events("PolledEventCount", len(items))
        queue = deque([Attempt(items)])
        pause = FIRST_PAUSE_S
        while queue and not self._stopped():
            attempt = queue.popleft()
            settings = mapping.settings  # an update counts from the next attempt on
            now = self.cloud.clock.now().timestamp()
            if expired := expired_prefix(attempt.items, now, settings.max_age_s):
                old = replace(attempt, items=attempt.items[:expired])
                self._give_up(old, "RecordAgeExceeded", str(uuid.uuid4()), None)
                if rest := attempt.items[expired:]:
                    queue.appendleft(replace(attempt, items=rest))
                continue
            age = self._age_ms(attempt.items[-1].record.arrival.timestamp())
            self._count("IteratorAge", age, "Milliseconds")
            self._count_events("InvokedEventCount", len(attempt.items))
            try:
                result = self.functions.invoke(mapping.function_name, attempt.payload())
            except (ServiceError, OSError) as error:
                # the function was not reached: this costs no retry
                mapping.problem = f"PROBLEM: Function could not be called: {error}"
                queue.appendleft(attempt)
                self._wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
                continue
            if result.error and self.cloud.stop_event.is_set():
                return
            failed_at = judge(attempt, result.error, result.payload, settings)
            outcome = after_call(attempt, failed_at, settings)
            if outcome.discard:
                spent = replace(attempt, invokes=attempt.invokes + 1)
                self._give_up(spent, "RetryAttemptsExhausted", result.request_id, result.error)
            elif outcome.done:
                self._advance(attempt.items[: outcome.done])
            mapping.problem = None
            mapping.result = "OK" if failed_at is None else "PROBLEM: Function call failed"
            if failed_at is not None:
                self._count_events("FailedInvokeEventCount", len(attempt.items) - failed_at)
            if outcome.attempts:
                queue.extendleft(reversed(outcome.attempts))
                self._wait(pause)
            progress = failed_at is None or (outcome.done and not outcome.discard)
            pause = FIRST_PAUSE_S if progress else min(pause * 2, LONGEST_PAUSE_S)

    def _advance(self, items: tuple[Item, ...]) -> None:
        self.mapping.checkpoints[self.shard_id] = items[-1].record.sequence + 1

    def _count(self, name: str, amount: float, unit: str = "Count") -> None:
        function = self.mapping.function_name
        self.functions.telemetry.metric(name, amount, unit, FunctionName=function)

    def _count_events(self, name: str, records: int) -> None:
        """The mapping's own metrics, which MetricsConfig asks for."""
        if self.mapping.settings.event_count:
            self.functions.telemetry.metric(name, records, EventSourceMappingUUID=self.mapping.uuid)

    def _give_up(
        self, attempt: Attempt, condition: str, request_id: str, error: str | None
    ) -> None:
        """Moves past the records; they are kept at the on-failure destination if there is one."""
        mapping, count, now = self.mapping, len(attempt.items), self.cloud.clock.now()
        mapping.discarded += count
        if mapping.settings.destination:
            document = failure_record(
                mapping,
                self.shard_id,
                attempt,
                condition=condition,
                request_id=request_id,
                error=error,
                now=now,
            )
            try:
                self.roles.client(self._role(), "s3").put_object(
                    Bucket=mapping.settings.destination.removeprefix("arn:aws:s3:::"),
                    Key=f"aws/lambda/{mapping.uuid}/{self.shard_id}/{now:%Y/%m/%d}/"
                    f"{now:%Y-%m-%dT%H.%M.%S}-{uuid.uuid4()}",
                    Body=json.dumps(document).encode(),
                )
                self._count_events("OnFailureDestinationDeliveredEventCount", count)
            except (ClientError, BotoCoreError, ServiceError) as problem:
                # as on AWS: the records are gone, a metric and the log tell
                log.error("on-failure destination of %s: %s", mapping.uuid, problem)
                self._count("DestinationDeliveryFailures", 1)
        self._count_events("DroppedEventCount", count)
        self._advance(attempt.items)
