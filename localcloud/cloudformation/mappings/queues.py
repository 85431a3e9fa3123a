"""SQS."""

from __future__ import annotations

from typing import Any

from localcloud.cloudformation.resource import Resource, maps

Result = tuple[str, dict[str, Any]]

# Properties that are attributes of the same name; those that may be changed in place first.
CHANGEABLE = (
    "VisibilityTimeout", "MessageRetentionPeriod", "RedrivePolicy", "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds", "ContentBasedDeduplication",
)  # fmt: skip
ATTRIBUTES = (*CHANGEABLE, "FifoQueue", "DeduplicationScope", "FifoThroughputLimit")


@maps("AWS::SQS::Queue", in_place=CHANGEABLE)
def queue(r: Resource) -> Result:
    ending = ".fifo" if str(r.properties.get("FifoQueue")).lower() == "true" else ""
    name = r.name(None, 80 - len(ending)) + ending
    attributes = r.same(*ATTRIBUTES)
    r.done()
    if r.old:
        changed = {n: v for n, v in attributes.items() if n in CHANGEABLE}
        r.call("sqs", "SetQueueAttributes", QueueUrl=r.old.physical_id, Attributes=changed)
        return r.old.physical_id, r.old.attributes
    url = r.call("sqs", "CreateQueue", QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, {"Arn": r.arn("sqs", name), "QueueName": name}


@maps("AWS::SQS::QueuePolicy", in_place=["PolicyDocument"])
def queue_policy(r: Resource) -> Result:
    document, urls = r.require("PolicyDocument"), r.require("Queues")
    r.done()
    for url in urls:
        r.call("sqs", "SetQueueAttributes", QueueUrl=url, Attributes={"Policy": document})
    return r.name(None, 128), {}
