"""E-mail and SMS deliveries, written to an outbox instead of being sent.

moto confirms every subscription at once and delivers to SQS and Lambda by itself.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from localcloud.core import Cloud
from localcloud.request import Request


class SnsService:
    """`outbox.jsonl` in the state directory: one line a delivery.

    {"at", "protocol", "to", "topic", "subject", "message", "message_id"}
    """

    name = "sns"

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.outbox: Path = cloud.state_dir / "outbox.jsonl"
        self.actions = {"Publish": self.publish}
        self._lock = threading.Lock()
        self._delivered = 0

    def publish(self, request: Request) -> dict[str, Any]:
        answer, params = request.forward(), request.params
        topic = params.get("TopicArn") or params.get("TargetArn")
        for protocol, address in self._people(params, topic):
            text = params["Message"]
            if params.get("MessageStructure") == "json":
                by_protocol = json.loads(text)
                text = by_protocol.get(protocol, by_protocol["default"])
            line = {
                "at": self.cloud.clock.now().isoformat(),
                "protocol": protocol,
                "to": address,
                "topic": topic,
                "subject": params.get("Subject"),
                "message": text,
                "message_id": answer["MessageId"],
            }
            with self._lock, self.outbox.open("a") as file:
                file.write(json.dumps(line) + "\n")
                self._delivered += 1
        return answer

    def status(self) -> dict[str, Any]:
        return {"outbox": str(self.outbox), "delivered": self._delivered}

    def _people(self, params: dict[str, Any], topic: str | None) -> list[tuple[str, str]]:
        """(protocol, address) of everybody who gets the message."""
        if params.get("PhoneNumber"):
            return [("sms", params["PhoneNumber"])]
        from moto.sns.models import sns_backends

        subscriptions = sns_backends[self.cloud.account][self.cloud.region].subscriptions
        return [
            (s.protocol, s.endpoint)
            for s in subscriptions.values()
            if s.topic.arn == topic and s.protocol in ("email", "sms")
        ]
