"""Publishing to a topic as an AWS service does: by the topic's policy, and its key's."""

from __future__ import annotations

import json
from typing import Any

from localcloud.core import Cloud
from localcloud.errors import AccessDeniedError
from localcloud.iam.needs import key_arn
from localcloud.iam.resource import require


def publish_as(cloud: Cloud, service: str, source_arn: str, **message: Any) -> None:
    """Publishes for `service` (`cloudwatch.amazonaws.com`) on behalf of what has `source_arn`.

    Raises `AccessDeniedError` when the topic's policy does not admit the service, or when the
    topic is encrypted with a key whose policy does not.
    """
    topic = message["TopicArn"]
    sns = cloud.client("sns")
    attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    policy = json.loads(attributes.get("Policy") or "{}")
    require(cloud, policy.get("Statement", []), service, "sns:Publish", topic, source_arn)
    if key := attributes.get("KmsMasterKeyId"):
        statements = _key_statements(cloud, key)
        for action in ("kms:Decrypt", "kms:GenerateDataKey"):
            require(cloud, statements, service, action, key_arn(cloud, key), source_arn)
    sns.publish(**message)


def _key_statements(cloud: Cloud, key: str) -> list[Any]:
    from moto.kms.models import kms_backends

    if "alias/" in key:  # AWS's own key admits no service
        raise AccessDeniedError(f"the policy of {key} admits no service of AWS")
    found = kms_backends[cloud.account][cloud.region].keys[key.rpartition("/")[2]]
    return json.loads(found.policy)["Statement"]
