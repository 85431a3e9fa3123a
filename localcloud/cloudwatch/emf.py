"""CloudWatch's embedded metric format: metrics written as log lines.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from localcloud.core import Cloud


def put_embedded(cloud: Cloud, line: str) -> int:
    """Puts the metrics of a log line; how many values there were: 0 in a line of another format.

    A metric is put once per set of dimensions; an empty set is the metric without dimensions.
    """
    from moto.cloudwatch.models import cloudwatch_backends

    try:
        document = json.loads(line) if '"CloudWatchMetrics"' in line else {}
    except ValueError:
        return 0
    metadata = document.get("_aws")
    if not isinstance(metadata, dict):
        return 0
    # Straight into moto's store: a call over HTTP for each line would be felt. moto compares with
    # times that carry no zone, in UTC.
    backend = cloudwatch_backends[cloud.account][cloud.region]
    timestamp = datetime.fromtimestamp(metadata["Timestamp"] / 1000, UTC).replace(tzinfo=None)
    count = 0
    for directive in metadata["CloudWatchMetrics"]:
        metrics = [m for m in directive.get("Metrics", []) if document.get(m["Name"]) is not None]
        for names in directive.get("Dimensions") or [[]]:
            dimensions = [{"Name": n, "Value": str(document[n])} for n in names if n in document]
            for metric in metrics:
                found = document[metric["Name"]]
                values = found if isinstance(found, list) else [found]
                datum = {
                    "MetricName": metric["Name"],
                    "Dimensions": dimensions,
                    "Timestamp": timestamp,
                    "Values": [
                        float(v) for v in (values if isinstance(values, list) else [values])
                    ],
                    "Unit": metric.get("Unit", "None"),
                }
                count += len(datum["Values"])
                backend.put_metric_data(directive["Namespace"], [datum])
    return count
