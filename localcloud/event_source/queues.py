"""SQS queues as event sources: received, handed over in batches, deleted when dealt with.

One thread a mapping stands for Lambda's pollers, so a standard queue is read one batch at a time.
https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Mapping as Dict
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError
from moto.core.utils import unix_time_millis
from moto.sqs.models import Queue

from localcloud.core import Cloud
from localcloud.errors import ServiceError
from localcloud.event_source.mapping import REPORT_FAILURES, Mapping, Settings, invalid, only
from localcloud.lambda_.role_clients import RoleClients

log = logging.getLogger(__name__)
POLL_S = 0.1
LARGEST_FIFO_BATCH = 10
KNOWN = {
    "UUID", "EventSourceArn", "FunctionName", "Enabled", "BatchSize", "FunctionResponseTypes",
}  # fmt: skip


def _messages(queue: Queue) -> list[Any]:
    now = unix_time_millis()
    return [m for m in queue._messages if m.visible_at < now >= m.delayed_until]


def _not_visible(queue: Queue) -> int:
    now = unix_time_millis()
    return sum(m.visible_at >= now for m in queue._messages)


def _delayed(queue: Queue) -> int:
    now = unix_time_millis()
    return sum(m.delayed_until > now for m in queue._messages)


# moto counts all three at each look at any attribute, four times a send, and asks the clock for
# every message: with some thousand waiting, sending one took 20 ms.
Queue.messages = property(_messages)
Queue.approximate_number_of_messages_not_visible = property(_not_visible)
Queue.approximate_number_of_messages_delayed = property(_delayed)


def parse(params: Dict[str, Any], current: Settings | None = None) -> Settings:
    """The settings of a Create or Update call; `current` holds what an Update leaves out."""
    given = {k: v for k, v in params.items() if v not in (None, {}, [])}
    if unknown := sorted(given.keys() - KNOWN):
        raise invalid(f"not emulated for SQS mappings: {', '.join(unknown)}")
    settings = current or Settings(batch_size=10)
    if (size := given.get("BatchSize")) is not None:
        if not 1 <= int(size) <= LARGEST_FIFO_BATCH:
            raise invalid(f"expected a BatchSize of 1 to {LARGEST_FIFO_BATCH}, found {size}")
        settings = replace(settings, batch_size=int(size))
    if (types := params.get("FunctionResponseTypes")) is not None:
        only(types, REPORT_FAILURES, "response type")
        settings = replace(settings, report_failures=bool(types))
    return settings


def queue_of(cloud: Cloud, arn: str) -> Any:
    """moto's queue. Raises `LookupError` when it is gone."""
    from moto.sqs.models import sqs_backends

    queues = sqs_backends[cloud.account][cloud.region].queues
    if (queue := queues.get(arn.rpartition(":")[2])) is None:
        raise LookupError(f"queue {arn} does not exist")
    return queue


def url_of(cloud: Cloud, arn: str) -> str:
    return f"{cloud.endpoint}/{cloud.account}/{arn.rpartition(':')[2]}"


def check_visibility(cloud: Cloud, arn: str, timeout_s: float) -> None:
    """As Lambda does: a message that came again while it is dealt with would be done twice."""
    if (hidden := queue_of(cloud, arn).visibility_timeout) < timeout_s:
        raise invalid(
            f"Queue visibility timeout: {hidden} seconds is less than Function timeout:"
            f" {timeout_s:g} seconds"
        )


def failed_ids(error: str | None, payload: bytes, ids: set[str], settings: Settings) -> set[str]:
    """Ids of the messages that stay in the queue.

    An error, an answer that is none, and an identifier that is no message's fail them all; nothing,
    null and an empty list none.
    """
    if error is not None:
        return ids
    if not settings.report_failures:
        return set()
    answer = json.loads(payload or b"null")
    if answer is not None and not isinstance(answer, dict):
        return ids
    failures = (answer or {}).get("batchItemFailures") or []
    found = {one.get("itemIdentifier") if isinstance(one, dict) else None for one in failures}
    return ids if found - ids else found


class QueuePoller:
    """Receives under the function's role, so that a missing grant fails as it does on AWS."""

    def __init__(self, cloud: Cloud, mapping: Mapping, roles: RoleClients) -> None:
        self.cloud = cloud
        self.mapping = mapping
        self.roles = roles
        self.functions = cloud.services["lambda"]
        self._stop = threading.Event()
        self.thread = threading.Thread(target=self._run, name=mapping.function_name, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self._stop.set()

    def iterator_age_ms(self) -> int:
        """Age of the oldest message; 0 where there is none."""
        try:
            queue = queue_of(self.cloud, self.mapping.source_arn)
            sent = [message.sent_timestamp for message in list(queue._messages)]
        except LookupError:
            return 0
        return max(int(time.time() * 1000) - min(sent), 0) if sent else 0

    def _run(self) -> None:
        while not self._stop.wait(POLL_S) and not self.cloud.stop_event.is_set():
            try:
                # A look inside costs no request; what is there is received as Lambda would.
                while queue_of(self.cloud, self.mapping.source_arn).messages and self._deliver():
                    pass
            except (LookupError, ClientError, ServiceError) as error:
                self.mapping.problem = f"PROBLEM: {error}"
                self._stop.wait(1.0)
            except Exception:
                log.exception("poller of %s", self.mapping.uuid)
                self._stop.wait(1.0)

    def _deliver(self) -> bool:
        """One batch; False where nothing could be received."""
        if self._stop.is_set() or self.cloud.stop_event.is_set():
            return False
        mapping = self.mapping
        function = self.functions.function(mapping.function_name).settings
        sqs = self.roles.client(function.role, "sqs")
        url = url_of(self.cloud, mapping.source_arn)
        messages = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=mapping.settings.batch_size,
            WaitTimeSeconds=0,  # moto would keep everybody waiting
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        if not messages:
            return False
        event = {"Records": [self._record(message) for message in messages]}
        result = self.functions.invoke(mapping.function_name, json.dumps(event).encode())
        ids = {message["MessageId"] for message in messages}
        left = failed_ids(result.error, result.payload, ids, mapping.settings)
        done = [
            {"Id": message["MessageId"], "ReceiptHandle": message["ReceiptHandle"]}
            for message in messages
            if message["MessageId"] not in left
        ]
        if done:
            sqs.delete_message_batch(QueueUrl=url, Entries=done)
        mapping.problem = None
        mapping.result = "PROBLEM: Function call failed" if left else "OK"
        return True

    def _record(self, message: dict[str, Any]) -> dict[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": {
                name: {
                    "stringValue": value.get("StringValue"),
                    "stringListValues": [],
                    "binaryListValues": [],
                    "dataType": value["DataType"],
                }
                for name, value in message.get("MessageAttributes", {}).items()
            },
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self.mapping.source_arn,
            "awsRegion": self.cloud.region,
        }
