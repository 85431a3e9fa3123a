"""What a service reports every minute besides what it counts: the queues of SQS."""

from __future__ import annotations

import time

from localcloud.cloudwatch.store import Bucket
from localcloud.core import Cloud


def measure(cloud: Cloud, minute: int) -> None:
    """Puts how many messages wait in each queue and how long the oldest has waited, in seconds
    of real time, as metrics of a minute since 1970."""
    from moto.sqs.models import sqs_backends

    for queue in list(sqs_backends[cloud.account][cloud.region].queues.values()):
        sent = [int(message.sent_timestamp) / 1000 for message in list(queue._messages)]
        measured = {
            "ApproximateNumberOfMessagesVisible": (queue.approximate_number_of_messages, "Count"),
            "ApproximateAgeOfOldestMessage": (
                max(0.0, time.time() - min(sent)) if sent else 0.0,
                "Seconds",
            ),
        }
        for name, (value, unit) in measured.items():
            key = ("AWS/SQS", name, (("QueueName", queue.name),))
            cloud.metric_store.add(key, minute, Bucket.of([float(value)]), unit)
